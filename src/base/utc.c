#include "base/utc.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((int64_t)86400 * 1000)

/* Days since 1970-01-01 of a civil date, and back: the era arithmetic of 400-year cycles. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

struct utc_parts utc_split(int64_t ms)
{
	int64_t days = ms / DAY_MS;
	int64_t rest = ms % DAY_MS;
	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	return (struct utc_parts){
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(rest / 3600000),
		.minute = (int)(rest / 60000 % 60),
		.second = (int)(rest / 1000 % 60),
		.ms = (int)(rest % 1000),
	};
}

int64_t utc_join(const struct utc_parts *p)
{
	return days_from_civil(p->year, p->month, p->day) * DAY_MS +
	       (int64_t)p->hour * 3600000 + (int64_t)p->minute * 60000 +
	       (int64_t)p->second * 1000 + p->ms;
}

/* Exactly `n` digits off the front. */
static bool digits(struct str *s, size_t n, int *out)
{
	if (s->n < n) {
		return false;
	}
	int v = 0;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9') {
			return false;
		}
		v = v * 10 + (s->p[i] - '0');
	}
	*s = str_sub(*s, n, s->n);
	*out = v;
	return true;
}

static bool skip(struct str *s, const char *any)
{
	if (s->n == 0 || !strchr(any, s->p[0]) || s->p[0] == '\0') {
		return false;
	}
	*s = str_sub(*s, 1, s->n);
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

static bool parts_valid(const struct utc_parts *p)
{
	return p->year >= 1970 && p->month >= 1 && p->month <= 12 && p->day >= 1 &&
	       p->day <= month_days(p->year, p->month) && p->hour <= 23 && p->minute <= 59 &&
	       p->second <= 60;
}

/* Fraction of a second behind the point: the first three digits count. */
static bool fraction(struct str *s, int *ms)
{
	int value = 0, weight = 100;
	size_t n = 0;
	while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
		value += (s->p[0] - '0') * weight;
		weight /= 10;
		n++;
		*s = str_sub(*s, 1, s->n);
	}
	*ms = value;
	return n > 0 && n <= 12;
}

static bool zone(struct str *s, int *minutes)
{
	*minutes = 0;
	if (s->n == 0 || skip(s, "Zz")) {
		return true;
	}
	bool west = s->p[0] == '-';
	int h, m;
	if (!skip(s, "+-") || !digits(s, 2, &h)) {
		return false;
	}
	(void)skip(s, ":");
	if (!digits(s, 2, &m) || h > 23 || m > 59) {
		return false;
	}
	*minutes = west ? -(h * 60 + m) : h * 60 + m;
	return true;
}

bool utc_parse(struct str s, int64_t *ms)
{
	struct utc_parts p = { 0 };
	int offset = 0;
	if (!digits(&s, 4, &p.year) || !skip(&s, "-") || !digits(&s, 2, &p.month) ||
		!skip(&s, "-") || !digits(&s, 2, &p.day)) {
		return false;
	}
	if (s.n) {
		if (!skip(&s, "Tt ") || !digits(&s, 2, &p.hour) || !skip(&s, ":") ||
			!digits(&s, 2, &p.minute)) {
			return false;
		}
		if (skip(&s, ":") && !digits(&s, 2, &p.second)) {
			return false;
		}
		if (skip(&s, ".,") && !fraction(&s, &p.ms)) {
			return false;
		}
		if (!zone(&s, &offset)) {
			return false;
		}
	}
	if (s.n || !parts_valid(&p)) {
		return false;
	}
	p.second = p.second == 60 ? 59 : p.second;
	*ms = utc_join(&p) - (int64_t)offset * 60000;
	return true;
}

/* The last `n` digits of a number. */
static char *put(char *to, unsigned number, size_t n)
{
	for (size_t i = n; i-- > 0; number /= 10) {
		to[i] = (char)('0' + number % 10);
	}
	return to + n;
}

/* By hand: an answer may hold thousands of times, of which printf was the larger part. */
void utc_rfc3339(int64_t ms, char out[32])
{
	struct utc_parts p = utc_split(ms);
	char *to = put(out, (unsigned)p.year, 4);
	*to++ = '-';
	to = put(to, (unsigned)p.month, 2);
	*to++ = '-';
	to = put(to, (unsigned)p.day, 2);
	*to++ = 'T';
	to = put(to, (unsigned)p.hour, 2);
	*to++ = ':';
	to = put(to, (unsigned)p.minute, 2);
	*to++ = ':';
	to = put(to, (unsigned)p.second, 2);
	if (p.ms) {
		*to++ = '.';
		to = put(to, (unsigned)p.ms, 3);
	}
	*to++ = 'Z';
	*to = '\0';
}

void utc_basic(int64_t ms, char out[20])
{
	struct utc_parts p = utc_split(ms);
	char *to = put(out, (unsigned)p.year, 4);
	to = put(to, (unsigned)p.month, 2);
	to = put(to, (unsigned)p.day, 2);
	*to++ = 'T';
	to = put(to, (unsigned)p.hour, 2);
	to = put(to, (unsigned)p.minute, 2);
	to = put(to, (unsigned)p.second, 2);
	*to++ = 'Z';
	*to = '\0';
}

bool utc_parse_http(struct str s, int64_t *ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct utc_parts p = { 0 };
	size_t comma = str_find(s, STR(", "));
	if (comma != 3) {
		return false;
	}
	s = str_sub(s, comma + 2, s.n);
	if (!digits(&s, 2, &p.day) || !skip(&s, " ") || s.n < 3) {
		return false;
	}
	struct str name = str_sub(s, 0, 3);
	for (int m = 0; m < 12; m++) {
		if (str_eq(name, (struct str){ months + (ptrdiff_t)m * 3, 3 })) {
			p.month = m + 1;
		}
	}
	s = str_sub(s, 3, s.n);
	if (!skip(&s, " ") || !digits(&s, 4, &p.year) || !skip(&s, " ") ||
		!digits(&s, 2, &p.hour) || !skip(&s, ":") || !digits(&s, 2, &p.minute) ||
		!skip(&s, ":") || !digits(&s, 2, &p.second) || !str_is(s, " GMT") ||
		!parts_valid(&p)) {
		return false;
	}
	p.second = p.second == 60 ? 59 : p.second;
	*ms = utc_join(&p);
	return true;
}
