/*
 * The engine with measures made here, over a small world in shared memory, so that a killed child
 * leaves behind exactly what a killed cordon would: the world and the journal.
 */
#include "incident/view.h"
#include "response/engine.h"
#include "response/engine_ctx.h"
#include "response/plan.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS 1785578400000 /* 2026-08-01T10:00:00Z */

/* The account: a value a resource, and what was done to it. */
struct world {
	_Atomic int value[8];
	_Atomic int applied[8], undone[8], half_open;
	_Atomic int order[32], n_order;
	int deny, lie, die_in_apply, die_in_undo, die_in_verify, interrupt, gone;
	_Atomic int not_durable; /* an apply that found no intent in the journal */
	_Atomic int side_by_side, most_side_by_side;
	_Atomic int facts[8]; /* how many an apply was given */
	int later;            /* what can't be told yet */
};
static struct world *world;
static struct journal *journal;
static struct env_fake env;
static char folder[64];

/* The fake world's clock under a lock, because the engine's threads share it. */
static pthread_mutex_t env_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct env_vtable *unlocked;

static int64_t locked_now_ms(struct env *e)
{
	pthread_mutex_lock(&env_lock);
	int64_t t = unlocked->now_ms(e);
	pthread_mutex_unlock(&env_lock);
	return t;
}

static int64_t locked_mono_us(struct env *e)
{
	pthread_mutex_lock(&env_lock);
	int64_t t = unlocked->mono_us(e);
	pthread_mutex_unlock(&env_lock);
	return t;
}

static void locked_sleep_ms(struct env *e, int64_t ms)
{
	pthread_mutex_lock(&env_lock);
	unlocked->sleep_ms(e, ms);
	pthread_mutex_unlock(&env_lock);
}

static void lock_env(void)
{
	static struct env_vtable locked;

	unlocked = env.base.v;
	locked = *unlocked;
	locked.now_ms = locked_now_ms;
	locked.mono_us = locked_mono_us;
	locked.sleep_ms = locked_sleep_ms;
	env.base.v = &locked;
}

/* "r3" -> 3 */
static int number(const struct action_ctx *c)
{
	return c->id[0] == 'r' ? (c->id[1] - '0') & 7 : 0;
}

static void did(int what)
{
	int at = atomic_fetch_add(&world->n_order, 1);

	if (at < 32) {
		world->order[at] = what;
	}
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	int i = number(c);

	if (world->gone == i + 1) {
		return err_set(err, ERR_NOT_FOUND, "no such thing");
	}
	if (world->deny == 100) {
		return err_set(err, ERR_UNREACHABLE, "the endpoint is dead");
	}
	*needed = world->value[i] != 9;
	*before = json_pack("{s:i, s:{s:i}}", "value", world->value[i], "will", "value", 9);
	if (world->later == i + 1) {
		*needed = false;
		json_object_set_new(*before, "not_before", json_string("2026-08-01T10:15:00Z"));
	}
	if (!*needed) {
		json_object_set_new(*before, "reason", json_string("it is 9 already"));
	}
	return ERR_OK;
}

static bool has_intent(const struct action_ctx *c)
{
	json_t *records = NULL;
	json_t *r;
	size_t i;
	bool found = false;

	if (journal_read(journal, c->case_id, &records, NULL) != ERR_OK) {
		return false;
	}
	json_array_foreach(records, i, r)
	{
		found = found ||
			(strcmp(doc_text_or(r, "kind", ""), "step.intent") == 0 &&
				strcmp(doc_text_or(r, "payload.step", ""), c->step_id) == 0 &&
				json_is_object(doc_get(r, "payload.before")));
	}
	json_decref(records);
	return found;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	int i = number(c);
	int now = atomic_fetch_add(&world->side_by_side, 1) + 1;

	world->most_side_by_side =
		now > world->most_side_by_side ? now : world->most_side_by_side;
	world->not_durable += !has_intent(c);
	world->facts[i] = (int)json_object_size(c->facts);
	usleep(20000);
	atomic_fetch_sub(&world->side_by_side, 1);
	did(i);
	if (world->interrupt == i + 1) {
		engine_interrupt();
	}
	if (world->deny == i + 1) {
		return err_set(err, ERR_DENIED, "not authorised");
	}
	if (world->die_in_apply == i + 1) {
		json_t *note = json_pack(
			"{s:s, s:b, s:i}", "note", "opening", "half_open", 1, "made", 77);
		world->die_in_apply = 0;
		world->half_open = 1;
		(void)!c->progress(c->hook_ctx, note, NULL);
		json_decref(note);
		_exit(137);
	}
	world->half_open = 0;
	world->value[i] = 9;
	world->applied[i]++;
	*after = json_pack("{s:i, s:O*, s:I}", "value", 9, "token",
		json_object_get(c->partial, "made"), "was",
		(json_int_t)doc_int(before, "value", -1));
	return ERR_OK;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	int i = number(c);

	(void)before;
	(void)after;
	(void)err;
	if (world->die_in_verify == i + 1) {
		world->die_in_verify = 0;
		_exit(137);
	}
	*ok = world->value[i] == 9 && world->lie != i + 1;
	*proof = json_pack("{s:s}", "text", *ok ? "it is 9" : "it is not 9");
	return ERR_OK;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	int i = number(c);
	int was = (int)doc_int(before, "value", -1);

	(void)after;
	did(10 + i);
	*differences = json_array();
	if (world->die_in_undo == i + 1) {
		world->die_in_undo = 0;
		_exit(137);
	}
	if (world->value[i] != 9 && world->value[i] != was && !doc_true(c->with, "force")) {
		json_array_append_new(
			*differences, json_pack("{s:s}", "text", "somebody set it"));
		return err_set(err, ERR_CONFLICT, "the value was changed by somebody else");
	}
	world->value[i] = was;
	world->undone[i]++;
	return ERR_OK;
}

static const char *const calls[] = { "ec2:DescribeThings", "ec2:SetThing", NULL };
static const struct action set_value = { .name = "set-value",
	.title = "Set",
	.why = "w",
	.risk = "r",
	.undo_text = "u",
	.kinds = "Thing",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo };
static const struct action isolate = { .name = "isolate-network",
	.title = "Isolate",
	.kinds = "Thing",
	.calls = calls,
	.rounds = 4,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo };
static const struct action keep = { .name = "keep",
	.title = "Keep",
	.kinds = "Thing",
	.calls = calls,
	.rounds = 1,
	.observe = observe,
	.apply = apply,
	.verify = verify };

/* The table that the room would find; the tests have their own. */
const struct action *action_find(const char *name)
{
	static const struct action *const all[] = { &set_value, &isolate, &keep };

	for (size_t i = 0; name && i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i]->name, name) == 0) {
			return all[i];
		}
	}
	return NULL;
}

static char case_id[32];

static void open_journal(void)
{
	char where[96];

	snprintf(where, sizeof(where), "sqlite:%s/c.db", folder);
	assert_int_equal(journal_open(&env.base, where, NULL, &journal, NULL), ERR_OK);
}

static int set_up(void **state)
{
	bool joined;
	(void)state;
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	assert_true(world != MAP_FAILED);
	env_fake_init(&env, NOW_MS, 3, NULL);
	lock_env();
	snprintf(folder, sizeof(folder), "/tmp/cordon-engine-XXXXXX");
	assert_non_null(mkdtemp(folder));
	open_journal();
	json_t *p = json_pack("{s:s, s:s}", "key", "k", "finding_arn", "arn:f");
	assert_int_equal(journal_case_open(journal, p, case_id, &joined, NULL), ERR_OK);
	json_decref(p);
	p = json_pack("{s:s, s:i}", "arn", "arn:f", "count", 1);
	assert_int_equal(
		journal_append(journal, case_id, "finding.received", p, NULL, NULL), ERR_OK);
	json_decref(p);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "c.db", "c.db-wal", "c.db-shm" };
	char path[96];
	(void)state;

	journal_close(journal);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
	munmap(world, sizeof(*world));
	return 0;
}

static json_t *step(
	const char *id, const char *action, int resource, const char *mode, json_t *needs_taken)
{
	return json_pack("{s:s, s:s, s:{s:s, s:o}, s:s, s:o, s:{}, s:[]}", "id", id, "action",
		action, "resource", "kind", "Thing", "id", json_sprintf("r%d", resource),
		"mode", mode, "needs", needs_taken ? needs_taken : json_array(), "with",
		"after");
}

static json_t *route_of(json_t *steps_taken)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:[], s:{s:[s], s:i, s:s}}", "schema",
		"cordon.route/1", "playbook", "p", "mode", "auto", "steps", steps_taken,
		"held_back", "approve", "who", "ana", "until_minutes", 30, "on_expiry", "hold");
}

/* The plan for a route, which is consumed. */
static json_t *plan_for(json_t *steps_taken)
{
	struct action_ctx base = { .env = &env.base, .case_id = case_id };
	json_t *route = route_of(steps_taken);
	json_t *plan = NULL;
	struct err err = { 0 };

	if (plan_make(&base, route, &plan, &err) != ERR_OK) {
		fail_msg("%s", err.msg);
	}
	json_decref(route);
	return plan;
}

static json_t *three(void)
{
	return json_pack("[o, o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "isolate-network", 2, "auto", NULL),
		step("c", "set-value", 3, "auto", json_pack("[s]", "a")));
}

static struct engine engine(void)
{
	return (struct engine){
		.env = &env.base, .journal = journal, .account = "1", .region = "eu-west-1"
	};
}

static enum err_status run(json_t *plan, json_t **out, struct err *err)
{
	struct engine e = engine();
	json_t *mine = NULL;
	enum err_status st = engine_run(&e, case_id, plan, &mine, err);

	if (out != NULL) {
		*out = mine;
	} else {
		json_decref(mine);
	}
	return st;
}

static enum err_status resume(json_t **out, struct err *err)
{
	struct engine e = engine();
	json_t *mine = NULL;
	enum err_status st = engine_resume(&e, case_id, &mine, err);

	if (out != NULL) {
		*out = mine;
	} else {
		json_decref(mine);
	}
	return st;
}

static json_t *view_now(void)
{
	json_t *records = NULL, *view = NULL;

	assert_int_equal(journal_read(journal, case_id, &records, NULL), ERR_OK);
	assert_int_equal(journal_verify(records, NULL), ERR_OK);
	assert_int_equal(view_fold(records, &view, NULL), ERR_OK);
	json_decref(records);
	return view;
}

static int count_kind(const char *kind, const char *id)
{
	json_t *records = NULL, *r;
	size_t i;
	int n = 0;

	assert_int_equal(journal_read(journal, case_id, &records, NULL), ERR_OK);
	json_array_foreach(records, i, r)
	{
		n += strcmp(doc_text_or(r, "kind", ""), kind) == 0 &&
		     (id == NULL || strcmp(doc_text_or(r, "payload.step", ""), id) == 0);
	}
	json_decref(records);
	return n;
}

/* Runs `work` in a child that must be killed on the way. */
static void killed(void (*work)(json_t *), json_t *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		open_journal();
		work(arg);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 137);
}

static void just_run(json_t *plan)
{
	(void)!run(plan, NULL, NULL);
}

static void test_plan_tells_before_and_after(void **state)
{
	(void)state;
	world->value[3] = 9;
	world->gone = 5;
	json_t *steps = three();
	json_array_append_new(steps, step("d", "set-value", 4, "auto", NULL));
	json_array_append_new(steps, step("e", "no-such", 1, "auto", NULL));
	json_t *plan = plan_for(steps);

	assert_string_equal(doc_text(plan, "schema"), "cordon.plan/1");
	assert_int_equal(doc_int(plan, "steps[0].before.value", -1), 0);
	assert_int_equal(doc_int(plan, "steps[0].after.value", -1), 9);
	assert_string_equal(doc_text(plan, "steps[0].why"), "w");
	assert_string_equal(doc_text(plan, "steps[0].undo"), "u");
	assert_string_equal(doc_text(plan, "steps[0].calls[1]"), "ec2:SetThing");
	assert_string_equal(doc_text(plan, "steps[2].reason"), "it is 9 already");
	assert_string_equal(doc_text(plan, "steps[2].state"), "skipped");
	assert_string_equal(doc_text(plan, "steps[3].state"), "skipped");
	assert_non_null(strstr(doc_text(plan, "steps[3].reason"), "gone"));
	assert_string_equal(doc_text(plan, "steps[4].state"), "skipped");
	assert_int_equal(json_array_size(json_object_get(plan, "permissions")), 2);
	assert_int_equal(world->n_order, 0);
	json_decref(plan);
}

static void test_plan_counts_round_trips(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());

	assert_int_equal(doc_int(plan, "round_trips_to_isolation", 0), 5);
	json_decref(plan);
	/* look; 2 + proof of the first; look again; 4 */
	plan = plan_for(json_pack("[o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "isolate-network", 2, "auto", json_pack("[s]", "a"))));
	assert_int_equal(doc_int(plan, "round_trips_to_isolation", 0), 1 + 2 + 1 + 1 + 4);
	json_decref(plan);
	plan = plan_for(json_pack("[o]", step("a", "set-value", 1, "auto", NULL)));
	assert_true(json_is_null(json_object_get(plan, "round_trips_to_isolation")));
	json_decref(plan);
}

static void test_plan_hash_ignores_time_alone(void **state)
{
	(void)state;
	char a[65], b[65], c[65];
	json_t *plan = plan_for(three());

	plan_hash(plan, NULL, a);
	json_decref(plan);
	env.now_ms += 5000;
	plan = plan_for(three());
	plan_hash(plan, NULL, b);
	assert_string_equal(a, b);
	json_object_set_new(plan, "mode", json_string("approve"));
	plan_hash(plan, NULL, c);
	assert_string_not_equal(a, c);
	json_decref(plan);
}

static void test_plan_fails_when_nothing_can_be_seen(void **state)
{
	(void)state;
	struct action_ctx base = { .env = &env.base };
	json_t *route = route_of(three());
	json_t *plan = NULL;
	struct err err = { 0 };

	world->deny = 100;
	assert_int_equal(plan_make(&base, route, &plan, &err), ERR_UNREACHABLE);
	assert_null(plan);
	assert_string_equal(err.msg, "the endpoint is dead");
	json_decref(route);
}

static void test_run_to_contained(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());
	json_t *out = NULL;

	world->value[1] = 4;
	assert_int_equal(run(plan, &out, NULL), ERR_OK);
	assert_string_equal(doc_text(out, "schema"), "cordon.response/1");
	assert_string_equal(doc_text(out, "state"), "contained");
	assert_int_equal(json_array_size(json_object_get(out, "actions")), 3);
	assert_true(json_is_true(doc_get(out, "actions[2].verified")));
	assert_int_equal(world->not_durable, 0);
	assert_int_equal(world->value[1] + world->value[2] + world->value[3], 27);
	assert_true(world->most_side_by_side >= 2);
	json_t *view = view_now();
	assert_string_equal(doc_text(view, "state"), "contained");
	assert_int_equal(doc_int(view, "steps[0].after.value", 0), 9);
	/* c waited for a: its result is older than the intent of c */
	json_t *records = NULL, *r;
	size_t i, result_a = 0, intent_c = 0;
	assert_int_equal(journal_read(journal, case_id, &records, NULL), ERR_OK);
	json_array_foreach(records, i, r)
	{
		const char *kind = doc_text_or(r, "kind", ""),
			   *id = doc_text_or(r, "payload.step", "");
		result_a = strcmp(kind, "step.verified") == 0 && *id == 'a' ? i : result_a;
		intent_c = strcmp(kind, "step.intent") == 0 && *id == 'c' ? i : intent_c;
	}
	assert_true(result_a > 0 && result_a < intent_c);
	json_decref(records);
	json_decref(view);
	json_decref(out);
	/* The same again changes nothing. */
	size_t before = (size_t)count_kind("step.intent", NULL);
	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	assert_int_equal(count_kind("step.intent", NULL), before);
	assert_int_equal(world->applied[1], 1);
	json_decref(plan);
}

static void test_failure_stops_only_what_needs_it(void **state)
{
	(void)state;
	json_t *steps = three();
	json_t *d = step("d", "set-value", 4, "auto", json_pack("[s]", "a"));
	json_t *out = NULL;
	struct err err = { 0 };

	json_object_set_new(d, "soft", json_pack("[s]", "a")); /* after a, however it ends */
	json_array_append_new(steps, d);
	json_t *plan = plan_for(steps);
	world->deny = 2;
	assert_int_equal(run(plan, &out, &err), ERR_PARTIAL);
	assert_non_null(strstr(err.msg, "not authorised"));
	assert_string_equal(doc_text(out, "state"), "partial");
	assert_string_equal(doc_text(out, "errors[0].step"), "a");
	assert_string_equal(doc_text(out, "errors[0].status"), "denied");
	json_decref(out);
	assert_int_equal(world->applied[2], 1);
	assert_int_equal(world->applied[3], 0);
	assert_int_equal(world->applied[4], 1);
	assert_int_equal(count_kind("step.skipped", "c"), 1);
	/* The cause is gone: resume does the rest. */
	world->deny = 0;
	assert_int_equal(resume(&out, &err), ERR_OK);
	assert_string_equal(doc_text(out, "state"), "contained");
	assert_int_equal(world->applied[1], 1);
	assert_int_equal(world->applied[2], 1);
	assert_int_equal(world->applied[3], 1);
	json_decref(out);
	json_decref(plan);
}

static void test_all_denied_is_denied(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o]", step("a", "set-value", 1, "auto", NULL)));
	struct err err = { 0 };

	world->deny = 2;
	assert_int_equal(run(plan, NULL, &err), ERR_DENIED);
	json_decref(plan);
}

static void test_measure_in_force_is_met(void **state)
{
	(void)state;
	world->value[1] = 9;
	json_t *plan = plan_for(three());
	json_t *out = NULL;

	assert_int_equal(run(plan, &out, NULL), ERR_OK);
	assert_string_equal(doc_text(out, "state"), "contained");
	assert_int_equal(world->applied[1], 0);
	assert_int_equal(world->applied[3], 1);
	assert_int_equal(count_kind("step.skipped", "a"), 1);
	json_decref(out);
	json_decref(plan);
}

static void test_what_a_step_waited_for_may_make_it_needless(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "set-value", 1, "auto", json_pack("[s]", "a"))));

	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[1], 1);
	assert_int_equal(count_kind("step.skipped", "b"), 1);
	json_decref(plan);
}

static void test_verification_is_believed_not_the_call(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());
	json_t *out = NULL;
	struct err err = { 0 };

	world->lie = 2; /* a */
	assert_int_equal(run(plan, &out, &err), ERR_PARTIAL);
	assert_non_null(strstr(err.msg, "it is not 9"));
	assert_false(json_is_true(doc_get(out, "actions[0].verified")));
	assert_int_equal(world->applied[3], 0);
	assert_true(env.now_ms > NOW_MS); /* it was read several times */
	json_decref(out);
	json_decref(plan);
}

static json_t *with_approval(void)
{
	return json_pack("[o, o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "set-value", 2, "approve", NULL),
		step("c", "set-value", 3, "auto", json_pack("[s]", "b")));
}

static void decide(const char *id, const char *decision)
{
	json_t *p =
		json_pack("{s:s, s:s, s:s}", "step", id, "decision", decision, "reason", "x");

	assert_int_equal(
		journal_append(journal, case_id, "approval.given", p, NULL, NULL), ERR_OK);
	json_decref(p);
}

static void test_approval_is_asked_once_and_awaited(void **state)
{
	(void)state;
	json_t *plan = plan_for(with_approval());
	json_t *out = NULL;

	assert_int_equal(run(plan, &out, NULL), ERR_AWAITING);
	assert_string_equal(doc_text(out, "state"), "awaiting_approval");
	json_decref(out);
	assert_int_equal(world->applied[1], 1);
	assert_int_equal(world->applied[2] + world->applied[3], 0);
	json_t *view = view_now();
	assert_string_equal(doc_text(view, "approvals[0].who[0]"), "ana");
	assert_string_equal(doc_text(view, "approvals[0].until"), "2026-08-01T10:30:00Z");
	json_decref(view);
	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	assert_int_equal(count_kind("approval.asked", "b"), 1);
	decide("b", "approved");
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[2], 1);
	assert_int_equal(world->applied[3], 1);
	assert_int_equal(world->facts[2], 1); /* what the run before it made */
	json_decref(plan);
}

/* The plan saw nothing to do, so nothing was asked: a step that finds something then asks first. */
static void test_what_turns_out_needed_is_asked_for(void **state)
{
	(void)state;
	world->value[2] = 9;
	json_t *plan = plan_for(json_pack("[o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "set-value", 2, "approve", json_pack("[s]", "a"))));

	world->value[2] = 3;
	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	assert_int_equal(world->applied[2], 0);
	assert_int_equal(count_kind("approval.asked", "b"), 1);
	decide("b", "approved");
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[2], 1);
	json_decref(plan);
}

static void test_what_cannot_be_told_yet_is_looked_at_again(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "set-value", 2, "auto", json_pack("[s]", "a"))));
	json_t *out = NULL;

	world->later = 3; /* b */
	assert_int_equal(run(plan, &out, NULL), ERR_OK);
	assert_string_equal(doc_text(out, "state"), "contained");
	json_decref(out);
	json_t *view = view_now();
	assert_string_equal(doc_text(view, "steps[1].not_before"), "2026-08-01T10:15:00Z");
	json_decref(view);
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[2], 0);
	world->later = 0;
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[2], 1);
	assert_int_equal(world->applied[1], 1);
	json_decref(plan);
}

static enum err_status take_back(const char *only, bool force, json_t **out)
{
	struct engine e = engine();

	return engine_undo(&e, case_id, only, force, out, NULL);
}

/* A yes to one thing is no yes to another. */
static void test_approval_holds_for_what_was_asked(void **state)
{
	(void)state;
	json_t *plan = plan_for(with_approval());

	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	decide("b", "approved");
	json_object_set_new(json_array_get(json_object_get(plan, "steps"), 1), "with",
		json_pack("{s:b}", "harder", 1));
	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	assert_int_equal(world->applied[2], 0);
	assert_int_equal(count_kind("approval.asked", "b"), 2);
	json_decref(plan);
}

static void test_approval_of_an_undone_step_is_spent(void **state)
{
	(void)state;
	json_t *plan = plan_for(with_approval());
	json_t *out = NULL;

	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	decide("b", "approved");
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(take_back(NULL, false, &out), ERR_OK);
	json_decref(out);
	json_object_set_new(plan, "title", json_string("another plan"));
	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	assert_int_equal(world->applied[2], 1);
	json_decref(plan);
}

static void test_rejection_stays(void **state)
{
	(void)state;
	json_t *plan = plan_for(with_approval());

	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	decide("b", "rejected");
	(void)!resume(NULL, NULL);
	assert_int_equal(world->applied[2] + world->applied[3], 0);
	(void)!resume(NULL, NULL);
	assert_int_equal(count_kind("approval.asked", NULL), 1);
	json_decref(plan);
}

static void test_unanswered_question_lapses_when_the_playbook_says_so(void **state)
{
	(void)state;
	json_t *plan = plan_for(with_approval());

	json_object_set_new(json_object_get(plan, "approve"), "on_expiry", json_string("skip"));
	assert_int_equal(run(plan, NULL, NULL), ERR_AWAITING);
	env.now_ms += 31 * 60000;
	(void)!resume(NULL, NULL);
	json_t *view = view_now();
	assert_string_equal(doc_text(view, "steps[1].state"), "rejected");
	assert_int_equal(world->applied[2], 0);
	json_decref(view);
	json_decref(plan);
}

static void test_yes_approves_and_says_so(void **state)
{
	(void)state;
	json_t *plan = plan_for(with_approval());
	json_t *out = NULL;
	struct engine e = engine();

	e.approve_all = true;
	e.approver.person = "ana";
	assert_int_equal(engine_run(&e, case_id, plan, &out, NULL), ERR_OK);
	assert_int_equal(count_kind("approval.given", "b"), 1);
	assert_int_equal(world->applied[3], 1);
	json_decref(out);
	json_decref(plan);
}

static void test_notify_steps_never_run(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o]", step("a", "set-value", 1, "notify", NULL)));
	json_t *out = NULL;
	struct engine e = engine();

	e.approve_all = true;
	e.approver.person = "ana";
	assert_int_equal(engine_run(&e, case_id, plan, &out, NULL), ERR_OK);
	assert_int_equal(world->n_order, 0);
	assert_string_equal(doc_text(out, "state"), "notified");
	json_decref(out);
	json_decref(plan);
}

/* The same apply is run: what it may change is for the client to refuse. */
static void test_dry_run_leaves_no_record(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());
	json_t *out = NULL;
	struct engine e = engine();

	e.dry_run = true;
	assert_int_equal(engine_run(&e, case_id, plan, &out, NULL), ERR_OK);
	assert_int_equal(world->n_order, 3);
	assert_int_equal(count_kind("plan.made", NULL), 0);
	assert_int_equal(count_kind("step.intent", NULL), 0);
	assert_int_equal(count_kind("approval.asked", NULL), 0);
	assert_true(json_is_array(doc_get(out, "actions[0].would_call")));
	assert_int_equal(doc_int(out, "actions[0].after.value", 0), 9);
	assert_string_equal(doc_text(out, "actions[0].calls[1]"), "ec2:SetThing");
	json_decref(out);
	json_decref(plan);
}

static void test_killed_half_open_is_closed_first(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "isolate-network", 2, "auto", json_pack("[s]", "a"))));

	world->die_in_apply = 3;
	world->value[2] = 5;
	killed(just_run, plan);
	assert_int_equal(world->half_open, 1);
	json_t *view = view_now();
	assert_string_equal(doc_text(view, "steps[1].state"), "running");
	char token[64];
	snprintf(token, sizeof(token), "%s", doc_text_or(view, "steps[1].token", ""));
	assert_int_equal(strlen(token), 32);
	json_decref(view);
	/* Somebody looks at a world that is half ours: undo must still restore 5. */
	world->value[2] = 6;
	world->n_order = 0;
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->order[0], 2);
	assert_int_equal(world->half_open, 0);
	view = view_now();
	assert_string_equal(doc_text(view, "steps[1].token"), token);
	assert_int_equal(doc_int(view, "steps[1].before.value", 0), 5);
	assert_int_equal(doc_int(view, "steps[1].after.token", 0), 77); /* the note came back */
	assert_int_equal(doc_int(view, "steps[1].after.was", 0), 5);
	assert_int_equal(count_kind("step.result", "b"), 1);
	json_decref(view);
	json_decref(plan);
}

static void test_killed_before_the_proof_only_proves(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o]", step("a", "set-value", 1, "auto", NULL)));

	world->die_in_verify = 2;
	killed(just_run, plan);
	assert_int_equal(world->applied[1], 1);
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[1], 1);
	assert_int_equal(count_kind("step.verified", "a"), 1);
	json_decref(plan);
}

static void test_undo_goes_backwards(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o, o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "set-value", 2, "auto", json_pack("[s]", "a")),
		step("c", "keep", 3, "auto", json_pack("[s]", "b"))));
	json_t *out = NULL;

	world->value[1] = 4;
	json_decref(plan);
	plan = plan_for(json_pack("[o, o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "set-value", 2, "auto", json_pack("[s]", "a")),
		step("c", "keep", 3, "auto", json_pack("[s]", "b"))));
	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	world->n_order = 0;
	assert_int_equal(take_back(NULL, false, &out), ERR_OK);
	assert_string_equal(doc_text(out, "schema"), "cordon.undo/1");
	assert_int_equal(json_array_size(json_object_get(out, "undone")), 2);
	assert_string_equal(doc_text(out, "kept[0].step"), "c");
	json_decref(out);
	assert_int_equal(world->order[0], 12);
	assert_int_equal(world->order[1], 11);
	assert_int_equal(world->value[1], 4);
	assert_int_equal(world->value[2], 0);
	json_t *view = view_now();
	assert_true(doc_true(view, "suppressed"));
	assert_string_equal(doc_text(view, "steps[0].state"), "undone");
	json_decref(view);
	/* Neither a resume nor a second undo does anything more. */
	(void)!resume(NULL, NULL);
	assert_int_equal(world->applied[1], 1);
	assert_int_equal(take_back(NULL, false, &out), ERR_OK);
	assert_int_equal(world->undone[1], 1);
	json_decref(out);
	json_decref(plan);
}

static void test_drift_is_not_overwritten_unless_forced(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());
	json_t *out = NULL;

	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	world->value[1] = 2;
	assert_int_equal(take_back(NULL, false, &out), ERR_PARTIAL);
	assert_int_equal(world->value[1], 2);
	assert_int_equal(world->value[2], 0);
	assert_string_equal(doc_text(out, "errors[0].step"), "a");
	assert_string_equal(doc_text(out, "differences[0].step"), "a");
	json_decref(out);
	assert_int_equal(take_back("a", true, &out), ERR_OK);
	assert_int_equal(world->value[1], 0);
	json_decref(out);
	json_decref(plan);
}

static void test_undo_of_one_step(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());
	json_t *out = NULL;

	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	assert_int_equal(take_back("nope", false, &out), ERR_NOT_FOUND);
	assert_int_equal(take_back("b", false, &out), ERR_OK);
	assert_int_equal(world->value[2], 0);
	assert_int_equal(world->value[1], 9);
	json_decref(out);
	json_t *view = view_now();
	assert_false(doc_true(view, "suppressed"));
	json_decref(view);
	(void)!resume(NULL, NULL);
	assert_int_equal(world->value[2], 0); /* a person took it back: it stays so */
	json_decref(plan);
}

static void undo_all(json_t *unused)
{
	json_t *out = NULL;

	(void)unused;
	(void)!take_back(NULL, false, &out);
}

static void test_killed_undo_is_finished_by_resume(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());

	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	world->die_in_undo = 3; /* b */
	killed(undo_all, NULL);
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->value[1] + world->value[2] + world->value[3], 0);
	json_t *view = view_now();
	assert_string_equal(doc_text(view, "state"), "undone");
	json_decref(view);
	json_decref(plan);
}

static void undo_b(json_t *unused)
{
	json_t *out = NULL;

	(void)unused;
	(void)!take_back("b", false, &out);
}

static void test_killed_undo_of_one_step_takes_back_no_other(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());

	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	world->die_in_undo = 3; /* b */
	killed(undo_b, NULL);
	assert_int_equal(resume(NULL, NULL), ERR_OK);
	assert_int_equal(world->value[2], 0);
	assert_int_equal(world->value[1] + world->value[3], 18);
	json_decref(plan);
}

/* A newer plan that would only tell leaves no host half open. */
static void test_half_open_step_is_finished_whatever_the_new_plan_says(void **state)
{
	(void)state;
	json_t *plan =
		plan_for(json_pack("[o]", step("b", "isolate-network", 2, "auto", NULL)));

	world->die_in_apply = 3;
	killed(just_run, plan);
	json_decref(plan);
	plan = plan_for(json_pack("[o]", step("b", "isolate-network", 2, "notify", NULL)));
	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	assert_int_equal(world->half_open, 0);
	assert_int_equal(world->value[2], 9);
	json_decref(plan);
}

static void test_half_done_step_can_be_undone(void **state)
{
	(void)state;
	json_t *plan =
		plan_for(json_pack("[o]", step("b", "isolate-network", 2, "auto", NULL)));
	json_t *out = NULL;

	world->die_in_apply = 3;
	killed(just_run, plan);
	assert_int_equal(take_back(NULL, false, &out), ERR_OK);
	assert_int_equal(world->undone[2], 1);
	json_decref(out);
	json_decref(plan);
}

static void test_after_undo_a_new_plan_runs_again(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());
	json_t *out = NULL;
	json_t *view = NULL;
	char first[64];

	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	view = view_now();
	snprintf(first, sizeof(first), "%s", doc_text_or(view, "steps[0].token", ""));
	json_decref(view);
	assert_int_equal(take_back(NULL, false, &out), ERR_OK);
	json_decref(out);
	json_decref(plan);
	json_t *steps = three();
	json_array_append_new(steps, step("z", "set-value", 6, "auto", NULL));
	plan = plan_for(steps);
	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[1], 2);
	view = view_now();
	assert_string_not_equal(doc_text(view, "steps[0].token"), first);
	json_decref(view);
	json_decref(plan);
}

/* Two findings, one case: the same step on another resource must not hide the first. */
static void test_same_step_on_another_resource_is_a_step_of_its_own(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o]", step("a", "set-value", 1, "auto", NULL)));
	json_t *out = NULL;

	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	json_decref(plan);
	plan = plan_for(json_pack("[o, o]", step("a", "set-value", 2, "auto", NULL),
		step("b", "set-value", 3, "auto", json_pack("[s]", "a"))));
	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	assert_int_equal(run(plan, NULL, NULL), ERR_OK);
	assert_int_equal(world->applied[1] + world->applied[2] + world->applied[3], 3);
	assert_int_equal(count_kind("step.intent", "a:r2"), 1);
	json_t *view = view_now();
	assert_int_equal(json_array_size(json_object_get(view, "steps")), 3);
	json_decref(view);
	assert_int_equal(take_back(NULL, false, &out), ERR_OK);
	assert_int_equal(world->value[1] + world->value[2] + world->value[3], 0);
	json_decref(out);
	json_decref(plan);
}

static void test_lost_lease_stops_the_run(void **state)
{
	(void)state;
	json_t *plan = plan_for(three());
	struct journal *thief = NULL;
	char where[96];
	struct err err = { 0 };

	assert_int_equal(journal_lock(journal, case_id, 1000, NULL), ERR_OK);
	env.now_ms += 2000;
	snprintf(where, sizeof(where), "sqlite:%s/c.db", folder);
	assert_int_equal(journal_open(&env.base, where, NULL, &thief, NULL), ERR_OK);
	assert_int_equal(journal_lock(thief, case_id, 1000, NULL), ERR_OK);
	assert_int_equal(run(plan, NULL, &err), ERR_REFUSED);
	assert_int_equal(world->n_order, 0);
	journal_close(thief);
	json_decref(plan);
}

/* A process that slept longer than its lease lasts sends no further change, before it even asks. */
static void test_nothing_is_sent_once_the_lease_ran_out(void **state)
{
	static const char *const vars[] = { "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=x", "AWS_MAX_ATTEMPTS=1", NULL };
	const struct aws_options opts = { .region = "eu-west-1",
		.endpoint_url = "http://127.0.0.1:9" };
	struct engine_ctx_right right = { .journal = journal, .case_id = case_id };
	struct aws_client *aws = NULL;
	struct err err = { 0 };
	json_t *p = json_pack("{s:[s], s:[{s:s, s:s}]}", "Resources", "i-1", "Tags", "Key", "k",
		"Value", "v");

	(void)state;
	env.vars = vars;
	assert_int_equal(aws_client_new(&env.base, &opts, &aws, NULL), ERR_OK);
	assert_int_equal(journal_lock(journal, case_id, 60000, NULL), ERR_OK);
	aws_thread_gate(engine_ctx_may_act, &right);
	/* Nobody listens there: that it was sent shows in how it failed. */
	assert_int_equal(aws_call(aws, "ec2", "CreateTags", p, NULL, &err), ERR_UNREACHABLE);
	env.now_ms += 61000;
	assert_int_equal(aws_call(aws, "ec2", "CreateTags", p, NULL, &err), ERR_REFUSED);
	assert_non_null(strstr(err.msg, "cordon resume"));
	assert_int_equal(
		aws_call(aws, "ec2", "DescribeInstances", NULL, NULL, &err), ERR_UNREACHABLE);
	aws_thread_gate(NULL, NULL);
	assert_int_equal(aws_call(aws, "ec2", "CreateTags", p, NULL, &err), ERR_UNREACHABLE);
	journal_unlock(journal, case_id);
	json_decref(p);
	aws_client_free(aws);
	env.vars = NULL;
}

/* Last, because the wish to stop can't be taken back in a process. */
static void test_interruption_finishes_the_step(void **state)
{
	(void)state;
	json_t *plan = plan_for(json_pack("[o, o]", step("a", "set-value", 1, "auto", NULL),
		step("b", "set-value", 2, "auto", json_pack("[s]", "a"))));
	json_t *out = NULL;
	struct err err = { 0 };

	world->interrupt = 2;
	assert_int_equal(run(plan, &out, &err), ERR_INTERRUPTED);
	assert_non_null(strstr(err.msg, "cordon undo"));
	assert_int_equal(count_kind("step.verified", "a"), 1);
	assert_int_equal(world->applied[2], 0);
	json_decref(out);
	json_decref(plan);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_plan_tells_before_and_after),
		T(test_plan_counts_round_trips),
		T(test_plan_hash_ignores_time_alone),
		T(test_plan_fails_when_nothing_can_be_seen),
		T(test_run_to_contained),
		T(test_failure_stops_only_what_needs_it),
		T(test_all_denied_is_denied),
		T(test_measure_in_force_is_met),
		T(test_what_a_step_waited_for_may_make_it_needless),
		T(test_verification_is_believed_not_the_call),
		T(test_approval_is_asked_once_and_awaited),
		T(test_what_turns_out_needed_is_asked_for),
		T(test_what_cannot_be_told_yet_is_looked_at_again),
		T(test_approval_holds_for_what_was_asked),
		T(test_approval_of_an_undone_step_is_spent),
		T(test_rejection_stays),
		T(test_unanswered_question_lapses_when_the_playbook_says_so),
		T(test_yes_approves_and_says_so),
		T(test_notify_steps_never_run),
		T(test_dry_run_leaves_no_record),
		T(test_killed_half_open_is_closed_first),
		T(test_killed_before_the_proof_only_proves),
		T(test_undo_goes_backwards),
		T(test_drift_is_not_overwritten_unless_forced),
		T(test_undo_of_one_step),
		T(test_killed_undo_is_finished_by_resume),
		T(test_killed_undo_of_one_step_takes_back_no_other),
		T(test_half_open_step_is_finished_whatever_the_new_plan_says),
		T(test_half_done_step_can_be_undone),
		T(test_after_undo_a_new_plan_runs_again),
		T(test_same_step_on_another_resource_is_a_step_of_its_own),
		T(test_lost_lease_stops_the_run),
		T(test_nothing_is_sent_once_the_lease_ran_out),
		T(test_interruption_finishes_the_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
