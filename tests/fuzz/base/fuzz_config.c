/* cordon.yaml from hostile bytes: YAML layer and key table, through a world whose one file is the input. */
#include "base/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str input;

static enum err_status read_input(
	struct env *e, const char *path, struct buf *out, struct err *err)
{
	(void)e;
	buf_add_str(out, input);
	return buf_ok(out) ? ERR_OK : err_set(err, ERR_LIMIT, "%s is too large", path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct env_fake fake;
	struct config config;
	struct err err = { 0 };
	env_fake_init(&fake, 0, 1, NULL);
	struct env_vtable table = *fake.base.v;
	table.read_file = read_input;
	fake.base.v = &table;
	input = (struct str){ (const char *)data, size };
	if (config_load(&fake.base, "cordon.yaml", &config, &err) == ERR_OK) {
		json_t *described = config_describe(&config);
		if (!json_is_array(described)) {
			abort();
		}
		json_decref(described);
		config_deinit(&config);
	} else if (!err.msg[0]) {
		abort(); /* a refusal without a reason */
	}
	return 0;
}
