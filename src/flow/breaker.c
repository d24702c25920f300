/*
 * The circuit breaker over all processes that share a store. The journal knows what was acted on
 * lately; what others are about to do it does not know yet. So each resource that is to be contained
 * first takes a numbered place in a slice of time. Places are claims of the journal, which only one
 * case can own, and whoever took one counts them again: of any number of processes that act at the
 * same moment, at most breaker_actions find their place among the first.
 */
#include "flow/stages.h"

#include <stdio.h>
#include <string.h>

#define SLICES 5 /* of breaker_minutes: the one now and its neighbours count */

static void place_key(char out[80], int64_t slice, int64_t place)
{
	(void)snprintf(out, 80, "breaker/%lld/%lld", (long long)slice, (long long)place);
}

static enum err_status taken(
	const struct flow *f, int64_t slice, int64_t place, bool *yes, struct err *err)
{
	char key[80], owner[32] = "";

	place_key(key, slice, place);
	enum err_status st = journal_claim(f->journal, NULL, key, owner, err);
	*yes = owner[0] != '\0';
	return st;
}

/* Places are taken in order, so the last one is found by doubling and halving. */
static enum err_status count_slice(
	const struct flow *f, int64_t slice, int64_t *n, struct err *err)
{
	int64_t low = 0, high = 1; /* `low` is taken (0: none), `high` is free */
	bool yes = true;
	enum err_status st = ERR_OK;

	while (yes && high <= 2 * f->config->breaker_actions) {
		TRY(taken(f, slice, high, &yes, err));
		low = yes ? high : low;
		high = yes ? high * 2 : high;
	}
	while (high - low > 1 && !yes) {
		int64_t middle = low + (high - low) / 2;
		bool there = false;
		TRY(taken(f, slice, middle, &there, err));
		low = there ? middle : low;
		high = there ? high : middle;
	}
	*n = low;
out:
	return st;
}

/*
 * Places taken a moment ago, in whatever process. Whose clock runs ahead, or looked at it just after this
 * one did, took its place in the slice to come.
 */
static enum err_status count_places(
	const struct flow *f, int64_t now, int64_t *n, struct err *err)
{
	int64_t slice = now / (f->config->breaker_minutes * 60000 / SLICES), sum = 0;
	enum err_status st = ERR_OK;

	for (int64_t i = slice - 1; i <= slice + 1; i++) {
		int64_t taken_there = 0;
		TRY(count_slice(f, i, &taken_there, err));
		sum += taken_there;
	}
	*n = sum;
out:
	return st;
}

/* One place in the slice that is now; another may be faster, then the next one. */
static enum err_status take_place(
	const struct flow *f, const char *case_id, int64_t now, struct err *err)
{
	int64_t slice = now / (f->config->breaker_minutes * 60000 / SLICES), first = 0;
	char key[80], owner[32] = "";
	enum err_status st = count_slice(f, slice, &first, err);

	for (int64_t i = first + 1; st == ERR_OK && i <= 4 * f->config->breaker_actions; i++) {
		place_key(key, slice, i);
		st = journal_claim(f->journal, case_id, key, owner, err);
		if (strcmp(owner, case_id) == 0) {
			break;
		}
	}
	return st;
}

/* Adds the resources that auto steps of the route would touch; how many of them are new to `acts`. */
static int64_t add_wanted(json_t *acts, const json_t *route)
{
	size_t before = json_object_size(acts);
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(route, "steps"), i, s)
	{
		if (strcmp(doc_text_or(s, "mode", ""), "auto") == 0) {
			json_object_set_new(
				acts, doc_text_or(s, "resource.id", ""), json_true());
		}
	}
	return (int64_t)(json_object_size(acts) - before);
}

enum err_status stages_breaker(const struct flow *f, const json_t *view, const json_t *route,
	int64_t *contained, struct err *err)
{
	const char *case_id = doc_text(view, "case");
	int64_t now = env_now_ms(f->env), wanted = 0, places = 0;
	json_t *acts = NULL;
	enum err_status st = ERR_OK;

	TRY(journal_acts(f->journal, now - f->config->breaker_minutes * 60000, &acts, err));
	wanted = add_wanted(acts, route);
	*contained = wanted > 0 ? (int64_t)json_object_size(acts) : 0;
	if (wanted == 0 || f->dry_run || case_id == NULL ||
		*contained > f->config->breaker_actions) {
		goto out; /* only asked, or too many already: what is not done takes no place */
	}
	for (int64_t i = 0; i < wanted; i++) {
		TRY(take_place(f, case_id, now, err));
	}
	TRY(count_places(f, now, &places, err));
	*contained = places > *contained ? places : *contained;
out:
	json_decref(acts);
	return st;
}
