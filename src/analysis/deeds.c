#include "analysis/deeds.h"

#include <stdio.h>
#include <string.h>

#define DATA_MANY 50

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *number(char room[24], uint64_t n)
{
	(void)snprintf(room, 24, "%llu", (unsigned long long)n);
	return room;
}

/* The first deed of each kind, and all deeds of that kind as its events. */
struct deeds {
	const struct inquiry *q;
	const struct track_note *first[W_COUNT];
	json_t *events[W_COUNT];
	uint64_t n[W_COUNT];
};

static void deed(struct deeds *d, enum weight_id id, const struct track_note *n)
{
	if (!d->first[id]) {
		d->first[id] = n;
		d->events[id] = json_array();
	}
	d->n[id]++;
	inquiry_cite(d->q, d->events[id], &n->ref);
}

static bool see_note(void *ctx, const struct track_note *n)
{
	struct deeds *d = ctx;
	unsigned tags = n->api->tags;
	/* An attempt to blind the defenders tells as much as a success. */
	if (tags & API_DEFENCE) {
		deed(d, W_DEFENCE, n);
	}
	if (!n->ok) {
		return true;
	}
	if (tags & API_PRIVILEGE) {
		if (n->self) {
			deed(d, W_SELF_RIGHTS, n);
		} else if (n->admin) {
			deed(d, W_GIVES_ADMIN, n);
		}
	}
	if (tags & API_CREDENTIAL && tags & API_PERSIST) {
		deed(d, W_MAKES_KEY, n);
	} else if (tags & API_PERSIST) {
		deed(d, W_PERSIST, n);
	}
	if (tags & (API_EXFIL | API_EXPOSE) && n->outside) {
		deed(d, tags & API_EXFIL ? W_SHARE_OUT : W_OPENED, n);
	}
	if (tags & API_SECRET) {
		deed(d, W_SECRETS, n);
	}
	if (tags & API_DESTROY) {
		deed(d, W_DESTROY, n);
	}
	if (tags & API_COMPUTE) {
		deed(d, W_COMPUTE, n);
	}
	return true;
}

static void claim_deed(
	struct suspect *s, struct deeds *d, enum weight_id id, const char *const *args)
{
	inquiry_claim(&s->weigh, id, args, d->events[id]);
	d->events[id] = NULL;
}

static void weigh_deeds(const struct inquiry *q, struct suspect *s)
{
	struct deeds d = { .q = q };
	const char *name = inquiry_name(q, s);
	inquiry_each_note(q, s, see_note, &d);
	static const enum weight_id by_api[] = { W_DEFENCE, W_SELF_RIGHTS, W_PERSIST,
		W_SHARE_OUT, W_OPENED, W_DESTROY };
	for (size_t i = 0; i < sizeof(by_api) / sizeof(by_api[0]); i++) {
		const struct track_note *n = d.first[by_api[i]];
		if (n) {
			claim_deed(s, &d, by_api[i],
				ARGS(name, n->api->name, inquiry_text(q, n->target)));
		}
	}
	const struct track_note *n = d.first[W_GIVES_ADMIN];
	if (n) {
		claim_deed(s, &d, W_GIVES_ADMIN,
			ARGS(name, n->api->name, inquiry_text(q, n->target)));
	}
	n = d.first[W_MAKES_KEY];
	if (n) {
		claim_deed(s, &d, W_MAKES_KEY,
			ARGS(name, inquiry_text(q, n->subject), n->api->name));
	}
	char room[24];
	if (d.n[W_SECRETS] >= 3) {
		claim_deed(s, &d, W_SECRETS, ARGS(name, number(room, d.n[W_SECRETS])));
	}
	if (d.first[W_COMPUTE]) {
		claim_deed(s, &d, W_COMPUTE,
			ARGS(name, inquiry_text(q, d.first[W_COMPUTE]->detail)));
	}
	for (int i = 0; i < W_COUNT; i++) {
		json_decref(d.events[i]);
	}
}

struct data {
	const struct inquiry *q;
	uint64_t n, bytes;
	json_t *events;
	char names[128];
};

static void see_bucket(void *ctx, struct track_relation *rel)
{
	struct data *d = ctx;
	size_t n = strlen(d->names);
	d->n += rel->n;
	inquiry_cite(d->q, d->events, &rel->first);
	inquiry_cite(d->q, d->events, &rel->last);
	if (n < 60) {
		(void)snprintf(d->names + n, sizeof(d->names) - n, "%s%.60s", n ? ", " : "",
			inquiry_text(d->q, rel->what));
	}
}

static void weigh_data(const struct inquiry *q, struct suspect *s)
{
	struct data d = { .q = q, .events = json_array() };
	char room[24];
	inquiry_each_relation(q, s, TRACK_BUCKET, see_bucket, &d);
	if (d.n) {
		inquiry_claim(&s->weigh, d.n >= DATA_MANY ? W_DATA_MANY : W_DATA,
			ARGS(inquiry_name(q, s), number(room, d.n), d.names),
			json_incref(d.events));
	}
	json_decref(d.events);
}

void deeds_weigh(const struct inquiry *q, struct suspect *s)
{
	weigh_deeds(q, s);
	weigh_data(q, s);
}
