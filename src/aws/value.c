#include "aws/value.h"

#include "aws/uri.h"
#include "base/hash.h"
#include "base/utc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Years 1..9999, the range of AWS's timestamps. */
#define MIN_SECONDS (-62135596800.0)
#define MAX_SECONDS 253402300799.0

bool value_time(const json_t *v, int64_t *ms)
{
	if (json_is_string(v)) {
		struct str s = { json_string_value(v), json_string_length(v) };
		return utc_parse(s, ms);
	}
	if (!json_is_number(v)) {
		return false;
	}
	double seconds = json_number_value(v);
	if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS)) {
		return false;
	}
	*ms = json_is_integer(v) ? (int64_t)json_integer_value(v) * 1000
				 : (int64_t)llround(seconds * 1000);
	return true;
}

static void rfc822(int64_t ms, struct buf *out)
{
	/* 1970-01-01 was a Thursday */
	static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct utc_parts p = utc_split(ms);
	int64_t day = (ms - (ms % 86400000 + 86400000) % 86400000) / 86400000;
	buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[(day % 7 + 7) % 7], p.day,
		months[p.month - 1], p.year, p.hour, p.minute, p.second);
}

void value_time_text(int64_t ms, enum model_time format, struct buf *out)
{
	char text[32];
	switch (format) {
	case MODEL_TIME_RFC822:
		rfc822(ms, out);
		return;
	case MODEL_TIME_UNIX:
		buf_printf(
			out, "%s%lld", ms < 0 && ms > -1000 ? "-" : "", (long long)(ms / 1000));
		if (ms % 1000) {
			buf_printf(out, ".%03d", abs((int)(ms % 1000)));
		}
		return;
	case MODEL_TIME_DEFAULT:
	case MODEL_TIME_ISO8601:
		break;
	}
	utc_rfc3339(ms, text);
	buf_puts(out, text);
}

void value_float_text(double d, struct buf *out)
{
	if (isnan(d) || isinf(d)) {
		buf_puts(out, isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
		return;
	}
	char text[40] = "0";
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, d);
		double off = strtod(text, NULL) - d;
		if (!(off < 0) && !(off > 0)) {
			break;
		}
	}
	buf_puts(out, text);
}

void value_text(const struct model *m, const struct model_member *mem, const json_t *v,
	enum model_time otherwise, struct buf *out)
{
	int64_t ms;
	switch (model_shape_of(m, mem)->type) {
	case MODEL_TIMESTAMP:
		if (value_time(v, &ms)) {
			value_time_text(ms, model_time_of(m, mem, otherwise), out);
		}
		return;
	case MODEL_BOOLEAN:
		buf_puts(out, json_is_true(v) ? "true" : "false");
		return;
	default:
		break;
	}
	if (json_is_string(v)) {
		buf_add(out, json_string_value(v), json_string_length(v));
	} else if (json_is_integer(v)) {
		buf_printf(out, "%lld", (long long)json_integer_value(v));
	} else if (json_is_real(v)) {
		value_float_text(json_real_value(v), out);
	}
}

json_t *value_time_from_seconds(double seconds)
{
	char text[32];
	if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS)) {
		return json_real(seconds);
	}
	utc_rfc3339((int64_t)llround(seconds * 1000), text);
	return json_string(text);
}

static bool to_double(struct str s, double *out)
{
	char text[64];
	if (s.n == 0 || s.n >= sizeof(text) || strchr("+ \t\n", s.p[0])) {
		return false;
	}
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	char *end;
	*out = strtod(text, &end);
	return *end == '\0' && isfinite(*out);
}

json_t *value_parse_time(struct str text)
{
	int64_t ms;
	double seconds;
	if (utc_parse(text, &ms) || utc_parse_http(text, &ms)) {
		char out[32];
		utc_rfc3339(ms, out);
		return json_string(out);
	}
	return to_double(text, &seconds) ? value_time_from_seconds(seconds) : doc_str(text);
}

static json_t *decoded(struct str text)
{
	struct buf b;
	buf_init(&b, text.n + 1);
	uri_decode(text, &b);
	json_t *v = doc_str(buf_view(&b));
	buf_deinit(&b);
	return v;
}

json_t *value_parse(const struct model *m, const struct model_member *mem, struct str text)
{
	int64_t n;
	double d;
	switch (model_shape_of(m, mem)->type) {
	case MODEL_INTEGER:
		return str_to_i64(str_trim(text), &n) ? json_integer(n) : doc_str(text);
	case MODEL_FLOAT:
		return to_double(str_trim(text), &d) ? json_real(d) : doc_str(text);
	case MODEL_BOOLEAN:
		if (str_eq_nocase(str_trim(text), STR("true"))) {
			return json_true();
		}
		return str_eq_nocase(str_trim(text), STR("false")) ? json_false()
								   : doc_str(text);
	case MODEL_TIMESTAMP:
		return value_parse_time(str_trim(text));
	case MODEL_STRING:
		return model_shape_of(m, mem)->flags & MODEL_URL_ENCODED ? decoded(text)
									 : doc_str(text);
	default:
		return doc_str(text);
	}
}

json_t *value_blob(struct str bytes)
{
	struct buf b;
	buf_init(&b, bytes.n / 3 * 4 + 8);
	hash_base64(bytes, &b);
	json_t *v = doc_str(buf_view(&b));
	buf_deinit(&b);
	return v;
}
