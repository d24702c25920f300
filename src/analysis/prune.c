#include "analysis/prune.h"

#include "base/i18n.h"
#include "base/utc.h"

#define HOUR_MS (INT64_C(3600) * 1000)
#define DAY_MS  (24 * HOUR_MS)
#define PARTS   64

bool prune_has_region(const struct prune *p, struct str region)
{
	struct str rest = p->regions;
	struct str one;
	if (rest.n == 0 || region.n == 0) {
		return true;
	}
	while (str_cut(&rest, ',', &one)) {
		if (str_eq_nocase(str_trim(one), region)) {
			return true;
		}
	}
	return false;
}

/* "us-east-1", "us-gov-west-1", "us-isob-east-1": words of letters, then one digit or two. */
static bool is_region(struct str s)
{
	int dashes = 0;
	size_t i = 0;
	for (; i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z'; i++) {
		if (i + 1 < s.n && s.p[i + 1] == '-') {
			dashes++;
			i++;
		}
	}
	size_t digits = s.n - i;
	for (size_t k = i; k < s.n; k++) {
		if (s.p[k] < '0' || s.p[k] > '9') {
			return false;
		}
	}
	return dashes >= 2 && dashes <= 4 && digits >= 1 && digits <= 2 && s.n <= 25;
}

static bool is_service(struct str s)
{
	static const char *const names[] = { "CloudTrail", "CloudTrail-Digest",
		"CloudTrail-Insight", "CloudTrail-NetworkActivity", "vpcflowlogs",
		"vpcdnsquerylogs", "elasticloadbalancing", "GuardDuty", "WAFLogs" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_is(s, names[i])) {
			return true;
		}
	}
	return false;
}

/* A number of exactly `digits` digits within bounds. */
static bool number(struct str s, size_t digits, int64_t low, int64_t high, int64_t *out)
{
	return s.n == digits && s.p[0] != '+' && s.p[0] != '-' && str_to_i64(s, out) &&
	       *out >= low && *out <= high;
}

/* The time that the components y, m, d, h (-1: not there) span. */
static void span_of(const int64_t v[4], int64_t *from, int64_t *to)
{
	struct utc_parts a = { .year = (int)v[0], .month = 1, .day = 1 };
	struct utc_parts b = { .year = (int)v[0] + 1, .month = 1, .day = 1 };
	if (v[1] > 0) {
		a.month = (int)v[1];
		b = a;
		b.month++;
		if (b.month > 12) {
			b.month = 1;
			b.year++;
		}
	}
	*from = utc_join(&a);
	*to = utc_join(&b);
	if (v[1] > 0 && v[2] > 0) {
		*from += (v[2] - 1) * DAY_MS;
		*to = *from + DAY_MS;
		if (v[3] >= 0) {
			*from += v[3] * HOUR_MS;
			*to = *from + HOUR_MS;
		}
	}
}

struct place {
	struct str region;
	int64_t date[4]; /* year, month, day, hour; -1: not there */
};

static const struct {
	size_t digits;
	int64_t low, high;
} levels[4] = { { 4, 2006, 2200 }, { 2, 1, 12 }, { 2, 1, 31 }, { 2, 0, 23 } };

/* ".../aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=08/day=01/hour=10/" */
static bool partition(struct place *at, struct str key, struct str value)
{
	static const char *const names[4] = { "year", "month", "day", "hour" };
	if (str_is(key, "aws-region")) {
		at->region = value;
		return true;
	}
	for (int i = 0; i < 4; i++) {
		if (str_is(key, names[i])) {
			return number(value, levels[i].digits, levels[i].low, levels[i].high,
				&at->date[i]);
		}
	}
	return false;
}

static struct place place_of(struct str path)
{
	struct place at = { .date = { -1, -1, -1, -1 } };
	struct str part;
	bool service = false;
	bool hive = false;
	int level = -1; /* of the plain layout: -1 = the region comes next */
	for (int i = 0; i < PARTS && str_cut(&path, '/', &part); i++) {
		size_t eq = str_find_char(part, '=');
		if (eq != SIZE_MAX) {
			hive |= str_is(str_sub(part, 0, eq), "aws-service");
			if (hive) {
				(void)partition(&at, str_sub(part, 0, eq),
					str_sub(part, eq + 1, SIZE_MAX));
			}
		} else if (is_service(part)) {
			service = true;
			at = (struct place){ .date = { -1, -1, -1, -1 } };
			level = -1;
		} else if (service && level < 0 && is_region(part)) {
			at.region = part;
			level = 0;
		} else if (service && level >= 0 && level < 4 &&
			   number(part, levels[level].digits, levels[level].low,
				   levels[level].high, &at.date[level])) {
			level++;
		} else {
			service = false;
		}
	}
	return at;
}

enum prune_why prune_path(const struct prune *p, struct str path)
{
	if (!p->from_ms && !p->to_ms && p->regions.n == 0) {
		return PRUNE_NO;
	}
	struct place at = place_of(path);
	if (at.region.n && !prune_has_region(p, at.region)) {
		return PRUNE_REGION;
	}
	if (at.date[0] < 0) {
		return PRUNE_NO;
	}
	int64_t from = 0;
	int64_t to = 0;
	span_of(at.date, &from, &to);
	if (p->from_ms && to <= p->from_ms) {
		return PRUNE_EARLY;
	}
	return p->to_ms && from > p->to_ms + PRUNE_LATE_HOURS * HOUR_MS ? PRUNE_LATE : PRUNE_NO;
}

const char *prune_text(enum prune_why why)
{
	switch (why) {
	case PRUNE_REGION:
		return N_("of a region that was not asked for");
	case PRUNE_EARLY:
		return N_("from before the time asked for");
	case PRUNE_LATE:
		return N_("from after the time asked for");
	default:
		return "";
	}
}
