#include "response/actions/setting.h"

#include "base/phrase.h"

#define READS 4

/* The part's value; one that comes and goes is JSON null while it is away. Borrowed. */
static json_t *value_of(const struct setting *s, const json_t *parts, const char *name)
{
	json_t *value = json_object_get(parts, name);
	return value || !s->fleeting ? value : json_null();
}

/* Parts of `wanted` that differ from what is there; new reference. */
static json_t *outstanding(const struct setting *s, json_t *wanted, const json_t *parts)
{
	json_t *out = json_object(), *value;
	const char *name;
	json_object_foreach(wanted, name, value)
	{
		if (!doc_eq(value_of(s, parts, name), value)) {
			json_object_set(out, name, value);
		}
	}
	return out;
}

json_t *setting_all(const json_t *parts, json_t *value_taken)
{
	json_t *out = json_deep_copy(parts), *old;
	const char *name;
	json_object_foreach(out, name, old)
	{
		json_object_set(out, name, value_taken);
	}
	json_decref(value_taken);
	return out;
}

static enum err_status read_parts(
	const struct setting *s, const struct action_ctx *c, json_t **parts, struct err *err)
{
	json_t *ignored = json_object();
	const char *reason = NULL;
	enum err_status st = s->read(c, ignored, parts, &reason, err);
	json_decref(ignored);
	return st;
}

enum err_status setting_observe(const struct setting *s, const struct action_ctx *c,
	json_t **before, bool *needed, struct err *err)
{
	json_t *seen = json_object(), *parts = NULL, *wanted = NULL, *left = NULL;
	const char *reason = NULL;
	enum err_status st = ERR_OK;
	TRY(s->read(c, seen, &parts, &reason, err));
	json_object_set_new(seen, "resource", json_string(c->id));
	json_object_set(seen, "parts", parts);
	if (!reason) {
		wanted = s->wanted(c, parts);
		left = outstanding(s, wanted, parts);
		reason = json_object_size(left) == 0 ? s->in_force : NULL;
	}
	if (reason) {
		st = ec2_skip(json_incref(seen), reason, before, needed);
		goto out;
	}
	json_object_set(seen, "will", wanted);
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(left);
	json_decref(wanted);
	json_decref(parts);
	json_decref(seen);
	return st;
}

enum err_status setting_apply(const struct setting *s, const struct action_ctx *c,
	const json_t *before, json_t **after, struct err *err)
{
	json_t *wanted = s->wanted(c, json_object_get(before, "parts"));
	json_t *left = outstanding(s, wanted, json_object_get(before, "parts"));
	enum err_status st = s->write(c, before, left, err);
	if (st == ERR_OK) {
		*after = json_pack("{s:O}", "parts", wanted);
	}
	json_decref(left);
	json_decref(wanted);
	return st;
}

/* Reads until every part is as wanted; *left has those that are not. New reference. */
static enum err_status settle(const struct setting *s, const struct action_ctx *c,
	json_t *wanted, json_t **left, json_t **parts, struct err *err)
{
	int reads = s->reads ? s->reads : READS;
	enum err_status st = ERR_OK;
	for (int try = 0; try < reads; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(*left);
		json_decref(*parts);
		*left = *parts = NULL;
		TRY(read_parts(s, c, parts, err));
		*left = outstanding(s, wanted, *parts);
		if (json_object_size(*left) == 0) {
			break;
		}
	}
out:
	return st;
}

enum err_status setting_verify(const struct setting *s, const struct action_ctx *c,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *left = NULL, *parts = NULL;
	enum err_status st = settle(s, c, json_object_get(after, "parts"), &left, &parts, err);
	if (st == ERR_OK) {
		const char *first = json_object_iter_key(json_object_iter(left));
		*ok = !first;
		*proof = json_pack("{s:s,s:O}", "resource", c->id, "parts", parts);
		phrase_set(*proof, "text", *ok ? s->done : s->not_done,
			PHRASE_ARGS(c->id, first ? first : ""));
	}
	json_decref(parts);
	json_decref(left);
	return st;
}

static void differ(const struct setting *s, const struct action_ctx *c, json_t *differences,
	const char *part, const json_t *was, const json_t *now)
{
	bool gone = !now;
	json_t *value = json_pack("{s:O?}", part, was);
	ec2_differ(differences,
		&(struct ec2_difference){ .resource = c->id,
			.what = s->what,
			.text = gone ? N_("What the step had set no longer exists.")
				     : N_("Somebody changed it after the step; it "
					  "was left alone."),
			.before = value,
			.now = gone ? NULL : json_pack("{s:O}", part, now),
			.blocking = !gone });
}

/* What must be written to have the old values back; what may not be is named. New reference. */
static json_t *way_back(const struct setting *s, const struct action_ctx *c, const json_t *was,
	json_t *set, const json_t *now, json_t *differences)
{
	json_t *out = json_object(), *value;
	const char *name;
	json_object_foreach(set, name, value)
	{
		json_t *old = value_of(s, was, name);
		json_t *present = value_of(s, now, name);
		if (doc_eq(present, old)) {
			continue;
		}
		if (present && (doc_eq(present, value) || ec2_forced(c))) {
			json_object_set(out, name, old);
		} else {
			differ(s, c, differences, name, old, present);
		}
	}
	return out;
}

enum err_status setting_restore(const struct setting *s, const struct action_ctx *c,
	const json_t *before, const json_t *after, json_t *differences, struct err *err)
{
	const json_t *was = json_object_get(before, "parts");
	json_t *set = after ? json_incref(json_object_get(after, "parts")) : s->wanted(c, was);
	json_t *now = NULL, *back = NULL, *left = NULL;
	enum err_status st = ERR_OK;
	TRY(read_parts(s, c, &now, err));
	back = way_back(s, c, was, set, now, differences);
	if (json_object_size(back) == 0) {
		goto out;
	}
	TRY(s->write(c, before, back, err));
	json_decref(now);
	now = NULL;
	TRY(settle(s, c, back, &left, &now, err));
	if (json_object_size(left) > 0) {
		st = err_set(err, ERR_FAILED,
			"%s of %s was written back but does not show it yet: repeat the undo",
			s->what, c->id);
	}
out:
	json_decref(left);
	json_decref(back);
	json_decref(now);
	json_decref(set);
	return st;
}

enum err_status setting_undo(const struct setting *s, const struct action_ctx *c,
	const json_t *before, const json_t *after, json_t **differences, struct err *err)
{
	json_t *diffs = json_array();
	enum err_status st = ERR_OK;
	TRY(setting_restore(s, c, before, after, diffs, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	return st;
}
