/* A line of a web access log under the names that Sigma's rules use. */
#include "analysis/weblog.h"
#include "base/doc.h"

#define FIELD_MAX 16384u

static void put(json_t *o, const char *name, struct str value)
{
	if (value.n && !str_is(value, "-")) {
		json_object_set_new(o, name, doc_str(str_sub(value, 0, FIELD_MAX)));
	}
}

void webfields_json(const struct web_line *l, struct buf *out)
{
	json_t *o = json_object();
	size_t mark = str_find_char(l->target, '?');
	put(o, "c-ip", l->ip);
	put(o, "cs-method", l->method);
	put(o, "cs-uri", l->target);
	put(o, "cs-uri-stem", str_sub(l->target, 0, mark));
	put(o, "cs-uri-query",
		mark == SIZE_MAX ? STR("") : str_sub(l->target, mark + 1, SIZE_MAX));
	put(o, "cs-host", l->host);
	put(o, "cs-referer", l->referer);
	put(o, "cs-user-agent", l->agent);
	if (l->status) {
		json_object_set_new(o, "sc-status", json_integer(l->status));
	}
	if (l->bytes >= 0) {
		json_object_set_new(o, "sc-bytes", json_integer(l->bytes));
	}
	doc_canonical(o, out);
	json_decref(o);
}
