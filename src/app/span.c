#include "app/span.h"

#include "base/utc.h"

#include <string.h>

#define AGO_MAX 1000000 /* of any unit */

/* "24h" or "-24h": that long before now. */
static bool ago(struct str s, int64_t now_ms, int64_t *out)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 },
		{ 'w', 604800000 } };
	int64_t n = 0;
	if (s.n && s.p[0] == '-') {
		s = str_sub(s, 1, SIZE_MAX);
	}
	if (s.n < 2 || s.p[0] < '0' || s.p[0] > '9' ||
		!str_to_i64(str_sub(s, 0, s.n - 1), &n) || n > AGO_MAX) {
		return false;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (s.p[s.n - 1] == units[i].letter) {
			*out = now_ms - n * units[i].ms;
			return true;
		}
	}
	return false;
}

bool span_time(struct str text, int64_t now_ms, int64_t *out)
{
	char full[40];
	/* Without seconds: "2026-08-01T10:00Z". */
	if (text.n == 17 && text.p[16] == 'Z' && text.p[13] == ':') {
		(void)snprintf(full, sizeof(full), "%.16s:00Z", text.p);
		text = str_from(full);
	}
	return ago(text, now_ms, out) || utc_parse(text, out);
}

static enum err_status read_time(
	struct app *app, const char *name, int64_t *out, struct err *err)
{
	const char *text = app_opt(app, name);
	if (text && !span_time(str_from(text), env_now_ms(app->env), out)) {
		return err_set(err, ERR_USAGE,
			"--%s %s is no time; write it as 2026-08-01T10:00:00Z, 2026-08-01 or "
			"24h",
			name, text);
	}
	return ERR_OK;
}

enum err_status span_read(struct app *app, struct span *out, struct err *err)
{
	*out = (struct span){ .regions = str_from(app->region) };
	enum err_status st = read_time(app, "since", &out->from_ms, err);
	if (st == ERR_OK) {
		st = read_time(app, "until", &out->to_ms, err);
	}
	if (st == ERR_OK && out->to_ms && out->to_ms < out->from_ms) {
		return err_set(err, ERR_USAGE, "--until lies before --since: nothing is left");
	}
	struct str first = str_sub(out->regions, 0, str_find_char(out->regions, ','));
	if (app->region) {
		(void)snprintf(out->first_region, sizeof(out->first_region), "%.*s",
			STR_ARG(str_trim(first)));
		app->region = out->first_region;
	}
	return st;
}
