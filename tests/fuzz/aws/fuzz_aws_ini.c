#include "aws/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ini f;
	if (ini_parse((struct str){ (const char *)data, size }, "fuzz", &f, NULL) == ERR_OK) {
		struct str value;
		for (size_t i = 0; i < f.n; i++) {
			if (!f.items[i].section.n) {
				__builtin_trap();
			}
		}
		(void)ini_get(&f, "default", "region", &value);
		ini_deinit(&f);
	}
	return 0;
}
