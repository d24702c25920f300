/* The fold from records to the one document that shows a case. */
#include "base/utc.h"
#include "incident/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *records;
static json_t *view;

static int set_up(void **state)
{
	(void)state;
	records = json_array();
	view = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(records);
	json_decref(view);
	return 0;
}

/* Appends a record; the payload is written as JSON with ' for ". */
static void say(const char *kind, const char *payload)
{
	char text[2048], time[32];
	json_t *p = NULL;
	size_t n = json_array_size(records);

	snprintf(text, sizeof text, "%s", payload);
	for (char *c = text; *c != '\0'; c++) {
		*c = (char)(*c == '\'' ? '"' : *c);
	}
	if (doc_parse(str_from(text), sizeof text, &p, NULL) != ERR_OK) {
		fail_msg("bad test payload: %s", payload);
	}
	snprintf(time, sizeof time, "2026-08-01T10:00:%02zuZ", n);
	json_array_append_new(
		records, json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "seq",
				 (json_int_t)n + 1, "time", time, "case", "2026-0001", "actor",
				 "me", "kind", kind, "payload", p, "prev", "", "hash", "h"));
}

static const char *state_now(void)
{
	json_decref(view);
	view = NULL;
	assert_int_equal(view_fold(records, &view, NULL), ERR_OK);
	return doc_text(view, "state");
}

static void open_case(void)
{
	say("case.opened",
		"{'finding_arn':'arn:1','type':'T','severity':8.5,'account':'1','region':'eu-"
		"west-1',"
		"'title':'t','resources':[{'kind':'Instance','id':'i-1'}],'key':'k'}");
}

static void plan_two(void)
{
	say("plan.made", "{'playbook':'ec2','mode':'auto','hash':'x','plan':{'steps':["
			 "{'id':'a','action':'protect','resource':{'kind':'Instance','id':'i-1'"
			 "},'mode':'auto',"
			 "'needs':[],'before':{'on':false},'after':{'on':true},'why':'w','risk'"
			 ":'r','undo':'u'},"
			 "{'id':'b','action':'isolate-network','resource':{'kind':'Instance','"
			 "id':'i-1'},"
			 "'mode':'approve','needs':['a']}]}}");
}

static void test_empty_and_wrong(void **state)
{
	(void)state;
	json_t *none = json_object();

	assert_int_equal(view_fold(records, &view, NULL), ERR_INPUT);
	assert_int_equal(view_fold(none, &view, NULL), ERR_INPUT);
	json_decref(none);
}

static void test_case_from_opening_to_contained(void **state)
{
	(void)state;
	open_case();
	assert_string_equal(state_now(), "open");
	say("finding.received",
		"{'arn':'arn:1','finding':{'Type':'T','Severity':8.5},'count':3}");
	say("finding.received", "{'arn':'arn:1','count':9,'duplicate':true}");
	plan_two();
	assert_string_equal(state_now(), "open");
	assert_string_equal(doc_text(view, "steps[0].state"), "planned");
	assert_string_equal(doc_text(view, "steps[0].why"), "w");
	assert_int_equal(doc_int(view, "findings[0].count", 0), 9);
	assert_int_equal(doc_int(view, "findings[0].received", 0), 2);
	assert_string_equal(doc_text(view, "findings[0].type"), "T");
	say("step.intent",
		"{'step':'a','action':'protect','resource':{'kind':'Instance','id':'i-1'},"
		"'before':{'on':0},'token':'t1'}");
	state_now();
	assert_string_equal(doc_text(view, "steps[0].state"), "running");
	assert_false(doc_true(view, "steps[0].applied"));
	say("step.progress", "{'step':'a','note':'n','partial':{'x':1}}");
	say("step.progress", "{'step':'a','note':'n','partial':{'y':2}}");
	say("step.result", "{'step':'a','after':{'on':1},'calls':[{'call':'ec2:X','request_id':"
			   "'r'}],'elapsed_ms':5}");
	say("step.verified", "{'step':'a','verified':true,'proof':{'text':'is on'}}");
	say("approval.asked", "{'step':'b','who':['x'],'until':'later'}");
	assert_string_equal(state_now(), "awaiting_approval");
	assert_string_equal(doc_text(view, "steps[0].state"), "done");
	assert_int_equal(doc_int(view, "steps[0].partial.x", 0), 1);
	assert_int_equal(doc_int(view, "steps[0].partial.y", 0), 2);
	assert_int_equal(doc_int(view, "steps[0].before.on", 9), 0);
	assert_int_equal(doc_int(view, "steps[0].after.on", 9), 1);
	assert_true(doc_true(view, "steps[0].verified"));
	assert_true(doc_true(view, "steps[0].applied"));
	assert_string_equal(doc_text(view, "steps[0].calls[0].call"), "ec2:X");
	assert_string_equal(doc_text(view, "steps[1].state"), "awaiting_approval");
	say("approval.given", "{'step':'b','decision':'approved','reason':'go'}");
	assert_string_equal(state_now(), "open");
	assert_string_equal(doc_text(view, "approvals[0].decision"), "approved");
	assert_string_equal(doc_text(view, "approvals[0].by"), "me");
	say("step.intent", "{'step':'b'}");
	say("step.result", "{'step':'b'}");
	assert_string_equal(state_now(), "open"); /* not read back yet */
	say("step.verified", "{'step':'b','verified':true}");
	assert_string_equal(state_now(), "contained");
	say("case.closed", "{'reason':'over'}");
	assert_string_equal(state_now(), "closed");
	assert_int_equal(doc_int(view, "head.seq", 0), json_array_size(records));
	assert_string_equal(doc_text(view, "timeline[4].text"), "protect on i-1: started");
}

static void test_failures(void **state)
{
	(void)state;
	open_case();
	plan_two();
	say("step.intent", "{'step':'a'}");
	say("step.failed", "{'step':'a','error':{'status':'denied','message':'m'}}");
	say("step.skipped", "{'step':'b','reason':'needs a','needed':true}");
	assert_string_equal(state_now(), "failed");
	assert_string_equal(doc_text(view, "steps[0].error.status"), "denied");
	say("step.intent", "{'step':'a'}");
	say("step.result", "{'step':'a','after':{}}");
	say("step.verified", "{'step':'a','verified':true}");
	assert_string_equal(state_now(), "partial");
	assert_true(json_is_null(doc_get(view, "steps[0].error")));
	say("step.verified", "{'step':'a','verified':false,'proof':{'text':'still open'}}");
	assert_string_equal(state_now(), "failed");
	assert_string_equal(doc_text(view, "steps[0].error.message"), "still open");
}

static void test_step_not_needed_counts_as_met(void **state)
{
	(void)state;
	open_case();
	plan_two();
	say("step.skipped", "{'step':'a','reason':'in force already'}");
	say("step.skipped", "{'step':'b','reason':'in force already'}");
	assert_string_equal(state_now(), "contained");
	assert_string_equal(doc_text(view, "steps[0].reason"), "in force already");
}

static void test_undo_and_again(void **state)
{
	(void)state;
	open_case();
	plan_two();
	say("step.intent", "{'step':'a','before':{'v':1}}");
	say("step.progress", "{'step':'a','partial':{'sg':'sg-1'}}");
	say("step.result", "{'step':'a','after':{'v':2}}");
	say("undo.intent", "{'step':'a'}");
	state_now();
	assert_true(doc_true(view, "steps[0].undoing"));
	say("undo.failed", "{'step':'a','error':{'status':'conflict','message':'drift'}}");
	say("step.skipped", "{'step':'b','reason':'x'}");
	assert_string_equal(state_now(), "partial");
	assert_string_equal(doc_text(view, "steps[0].state"), "undo_failed");
	say("undo.intent", "{'step':'a'}");
	say("undo.result", "{'step':'a','differences':['d']}");
	say("case.suppressed", "{'finding_arn':'arn:1','reason':'undone'}");
	assert_string_equal(state_now(), "undone");
	assert_true(doc_true(view, "suppressed"));
	assert_true(doc_true(view, "steps[0].undone"));
	/* A new plan in the same case: what the first round made must not leak into the second. */
	plan_two();
	say("step.intent", "{'step':'a','before':{'v':3}}");
	state_now();
	assert_string_equal(doc_text(view, "steps[0].state"), "running");
	assert_int_equal(doc_int(view, "steps[0].before.v", 0), 3);
	assert_int_equal(json_object_size(doc_get(view, "steps[0].partial")), 0);
}

static void test_rejected_and_held(void **state)
{
	(void)state;
	open_case();
	say("guard.held", "{'guard':'sample','reason':'a sample'}");
	assert_string_equal(state_now(), "observed");
	assert_string_equal(doc_text(view, "held_back[0].guard"), "sample");
	plan_two();
	say("approval.asked", "{'step':'b'}");
	say("approval.given", "{'step':'b','decision':'rejected'}");
	state_now();
	assert_string_equal(doc_text(view, "steps[1].state"), "rejected");
}

static void test_strange_records_do_no_harm(void **state)
{
	(void)state;
	open_case();
	say("martian.kind", "{'x':1}");
	say("step.result", "{}");
	say("step.result", "{'step':7}");
	say("plan.made", "{'plan':[1,2]}");
	say("plan.made", "{'plan':{'steps':[1,null,{'id':5},{'id':'z','before':4}]}}");
	say("step.progress", "{'step':'z','partial':'x'}");
	say("approval.given", "{}");
	say("finding.received", "{'finding':'text'}");
	json_array_append_new(records, json_string("no record"));
	json_array_append_new(records, json_null());
	assert_string_equal(state_now(), "open");
	assert_int_equal(json_array_size(doc_get(view, "timeline")), json_array_size(records));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void test_what_keeps_evidence_contains_nothing(void **state)
{
	(void)state;
	view = json_pack(
		"{s:[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s},"
		"{s:s,s:s,s:s}]}",
		"steps", "action", "find-survivors", "state", "done", "finished",
		"2026-08-01T10:00:30Z", "action", "revoke-role-sessions", "state", "done",
		"finished", "2026-08-01T10:00:02Z", "action", "lock-bucket", "state", "done",
		"finished", "2026-08-01T10:00:04Z", "action", "isolate-network", "state",
		"failed", "finished", "2026-08-01T10:00:06Z", "action", "snapshot-volumes",
		"state", "done", "finished", "2026-08-01T10:00:08Z", "action", "stop-instance",
		"state", "done", "finished", "2026-08-01T11:00:00Z");
	int64_t opened = 0;
	assert_true(utc_parse(STR("2026-08-01T10:00:00Z"), &opened));
	assert_int_equal(view_contained_ms(view) - opened, 4000);
	json_decref(view);
	view = json_pack("{s:[]}", "steps");
	assert_int_equal(view_contained_ms(view), -1);
	assert_string_equal(view_cause("ssh_bruteforce"), "guessed SSH password");
	assert_string_equal(view_cause("of tomorrow"), "of tomorrow");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_empty_and_wrong),
		T(test_case_from_opening_to_contained),
		T(test_failures),
		T(test_step_not_needed_counts_as_met),
		T(test_undo_and_again),
		T(test_rejected_and_held),
		T(test_strange_records_do_no_harm),
		T(test_what_keeps_evidence_contains_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
