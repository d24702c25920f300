/* Escaping of hostile text: what comes out is UTF-8 without a byte that steers the place it is shown in. */
#include "base/doc.h"
#include "base/gz.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(
	void (*escape)(struct str, struct buf *), struct str in, const char *forbidden)
{
	struct buf out;
	buf_init(&out, in.n * 16 + 64);
	escape(in, &out);
	if (!buf_ok(&out) || !str_is_utf8(buf_view(&out))) {
		abort();
	}
	for (size_t i = 0; i < out.n; i++) {
		unsigned char c = (unsigned char)out.p[i];
		if ((c < 0x20 && c != '\n') || c == 0x7f || (c && strchr(forbidden, c))) {
			abort();
		}
	}
	buf_deinit(&out);
}

/* JSON of any text says the same, and steers no terminal either. */
static void check_json(struct str in)
{
	json_t *text = str_is_utf8(in) ? json_stringn(in.p, in.n) : NULL;
	struct buf out;
	if (!text) {
		return;
	}
	buf_init(&out, in.n * 16 + 64);
	doc_line(text, &out);
	json_t *back = json_loadb(out.p, out.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!buf_ok(&out) || !json_equal(back, text) || memchr(out.p, 0x7f, out.n) ||
		memchr(out.p, 0x1b, out.n)) {
		abort();
	}
	json_decref(back);
	json_decref(text);
	buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size < 65536 ? size : 65536 };
	check(text_terminal, in, "\n");
	check(text_html, in, "<>\"'");
	check(text_csv, in, "");
	check_json(in);
	check(text_markdown, in, "\n");
	struct buf out;
	buf_init(&out, (size_t)1024 * 1024);
	if (gz_is(in) && gz_inflate(in, &out, NULL) == ERR_OK && out.n > out.max) {
		abort();
	}
	buf_deinit(&out);
	return 0;
}
