#include "analysis/clf.h"

#include "base/utc.h"

#include <string.h>

struct str clf_word(struct str *rest)
{
	while (rest->n && rest->p[0] == ' ') {
		*rest = str_sub(*rest, 1, SIZE_MAX);
	}
	size_t n = str_find_char(*rest, ' ');
	struct str w = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, w.n, SIZE_MAX);
	return w;
}

bool clf_quoted(struct str *rest, struct str *out)
{
	while (rest->n && rest->p[0] == ' ') {
		*rest = str_sub(*rest, 1, SIZE_MAX);
	}
	if (rest->n == 0 || rest->p[0] != '"') {
		return false;
	}
	size_t i = 1;
	while (i < rest->n && rest->p[i] != '"') {
		i += rest->p[i] == '\\' ? 2 : 1;
	}
	if (i >= rest->n) {
		return false;
	}
	*out = str_sub(*rest, 1, i - 1);
	*rest = str_sub(*rest, i + 1, SIZE_MAX);
	return true;
}

bool clf_is_address(struct str s)
{
	bool dot = false;
	bool colon = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			   (c >= 'A' && c <= 'F');
		dot |= c == '.';
		colon |= c == ':';
		if (!hex && c != '.' && c != ':') {
			return false;
		}
	}
	return s.n >= 2 && s.n <= 45 && (dot || colon);
}

static int two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

static bool all_digits(struct str s, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
	}
	return true;
}

bool clf_time(struct str s, int64_t *ms)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	if (s.n < 20 || !all_digits(s, 0, 2) || s.p[2] != '/' || s.p[6] != '/' ||
		!all_digits(s, 7, 4) || !all_digits(s, 12, 2) || !all_digits(s, 15, 2) ||
		!all_digits(s, 18, 2)) {
		return false;
	}
	int month = 0;
	while (month < 12 && memcmp(names + (size_t)month * 3, s.p + 3, 3) != 0) {
		month++;
	}
	struct utc_parts p = { .year = two(s.p + 7) * 100 + two(s.p + 9),
		.month = month + 1,
		.day = two(s.p),
		.hour = two(s.p + 12),
		.minute = two(s.p + 15),
		.second = two(s.p + 18) };
	if (month == 12 || p.day < 1 || p.day > 31 || p.hour > 23 || p.minute > 59 ||
		p.year < 1970) {
		return false;
	}
	*ms = utc_join(&p);
	if (s.n >= 26 && (s.p[21] == '+' || s.p[21] == '-') && all_digits(s, 22, 4)) {
		int64_t zone = (two(s.p + 22) * 60 + two(s.p + 24)) * INT64_C(60000);
		*ms -= s.p[21] == '+' ? zone : -zone;
	}
	return true;
}

bool clf_bracketed_time(struct str *rest, int64_t *ms)
{
	size_t open = str_find_char(*rest, '[');
	size_t close = str_find_char(*rest, ']');
	if (open == SIZE_MAX || close == SIZE_MAX || close < open ||
		!clf_time(str_sub(*rest, open + 1, close - open - 1), ms)) {
		return false;
	}
	*rest = str_sub(*rest, close + 1, SIZE_MAX);
	return true;
}
