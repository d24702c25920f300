#include "base/fill.h"

static void add_raw(struct str s, struct buf *out)
{
	buf_add_str(out, s);
}

/* "{3}" at `p`; the digit, or -1. */
static int placeholder(const char *p)
{
	return p[0] == '{' && p[1] >= '0' && p[1] <= '9' && p[2] == '}' ? p[1] - '0' : -1;
}

void fill_text(struct buf *out, const char *sentence, const struct str *values, size_t n,
	void (*escape)(struct str, struct buf *))
{
	void (*add)(struct str, struct buf *) = escape ? escape : add_raw;
	const char *from = sentence;
	const char *p = sentence;

	while (*p) {
		int i = placeholder(p);
		if (i < 0) {
			p++;
			continue;
		}
		add((struct str){ from, (size_t)(p - from) }, out);
		if ((size_t)i < n) {
			add(values[i], out);
		}
		p += 3;
		from = p;
	}
	add((struct str){ from, (size_t)(p - from) }, out);
}
