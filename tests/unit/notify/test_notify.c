#include "base/env.h"
#include "notify/forms.h"
#include "notify/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *sample(void)
{
	char path[512];
	struct buf b = { 0 };
	json_t *v = NULL;
	struct err e = { 0 };

	(void)snprintf(path, sizeof(path), "%s/tests/golden/case-web-exploit.json",
		env_var(env_system(), "CORDON_SOURCE"));
	buf_init(&b, DOC_MAX_BYTES);
	assert_int_equal(env_read_file(env_system(), path, &b, &e), ERR_OK);
	assert_int_equal(doc_parse(buf_view(&b), DOC_MAX_BYTES, &v, &e), ERR_OK);
	buf_deinit(&b);
	return v;
}

static void set_resource(json_t *view, const char *kind, const char *id)
{
	(void)json_object_set_new(
		view, "resources", json_pack("[{s:s, s:s}]", "kind", kind, "id", id));
}

static void render(
	const json_t *view, const char *event, enum i18n_lang lang, struct notify_message *m)
{
	struct err e = { 0 };

	assert_int_equal(
		notify_render(view, event, lang, "https://ir.example/c/", m, &e), ERR_OK);
}

static bool gsm_plain(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e ||
			strchr("^{}\\[~]|`", *s)) {
			return false;
		}
	}
	return true;
}

static bool ascii_line(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e) {
			return false;
		}
	}
	return true;
}

static size_t lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		n += *s == '\n';
	}
	return n;
}

static void the_subject_says_what_counts(void **state)
{
	json_t *view = sample();
	struct notify_message m;
	(void)state;

	(void)json_object_set_new(view, "state", json_string("contained"));
	(void)json_object_set_new(
		view, "type", json_string("CryptoCurrency:EC2/BitcoinTool.B!DNS"));
	render(view, "action.done", I18N_EN, &m);
	assert_string_equal(m.subject, "[HIGH][CONTAINED] CryptoCurrency:EC2 "
				       "i-0a1b2c3d4e5f67890 prod/eu-west-1 case 2026-0042");
	notify_deinit(&m);
	render(view, "action.done", I18N_ES, &m);
	assert_string_equal(m.subject, "[ALTA][CONTENIDO] CryptoCurrency:EC2 "
				       "i-0a1b2c3d4e5f67890 prod/eu-west-1 caso 2026-0042");
	notify_deinit(&m);
	json_decref(view);
}

/* Every event, state and severity, short and absurd ids, both languages: never past a limit. */
static void no_form_is_ever_too_long(void **state)
{
	static const char *const events[] = { "case.opened", "action.pending", "action.done",
		"action.failed", "case.updated", "case.closed" };
	static const char *const states[] = { "open", "observed", "awaiting_approval",
		"contained", "partial", "failed", "undone", "closed" };
	static const char *const ids[] = { "", "i-0a1b2c3d4e5f67890",
		"a-bucket-name-that-is-as-long-as-a-bucket-name-may-be-63-letters",
		"arn:aws:lambda:ap-southeast-2:111122223333:function:un-nombre-"
		"larg\xc3\xadsimo-de-"
		"funci\xc3\xb3n-que-no-cabe-en-ninguna-parte:$LATEST",
		"[evil]\r\nBcc: everybody@example.com {x}" };
	json_t *view = sample();
	struct notify_message m;
	(void)state;

	for (size_t n = 0; n < 6 * 8 * 5 * 2; n++) {
		enum i18n_lang lang = n % 2 ? I18N_ES : I18N_EN;
		const char *id = ids[n / 2 % 5];
		(void)json_object_set_new(view, "state", json_string(states[n / 10 % 8]));
		(void)json_object_set_new(view, "severity", json_real((double)(n % 11)));
		set_resource(view, n % 3 ? "Instance" : "S3Bucket", id);
		render(view, events[n / 80], lang, &m);
		assert_in_range(strlen(m.subject), 20, 99);
		assert_true(ascii_line(m.subject));
		assert_non_null(strstr(m.subject, "2026-0042"));
		assert_in_range(m.sms.n, 20, 160);
		assert_true(gsm_plain(m.sms.p));
		assert_non_null(strstr(m.sms.p, "2026-0042"));
		assert_in_range(lines(m.email.p), 8, 40);
		assert_int_equal(json_object_size(m.attributes), 5);
		notify_deinit(&m);
	}
	json_decref(view);
}

static void the_mail_has_its_parts_in_order(void **state)
{
	static const char *const parts[] = { "EC2 i-0a1b2c3d4e5f67890", "WHAT WAS DONE",
		"10:20:38Z", "YOU MUST DECIDE", "cordon approve 2026-0042", "FACTS",
		"111122223333", "Environment: prod", "Owner: web-team", "203.0.113.77",
		"37 times", "PROBABLE CAUSE", "93 %", "1,534 bytes", "cordon undo 2026-0042",
		"https://ir.example/c/2026-0042" };
	json_t *view = sample();
	struct notify_message m;
	(void)state;

	render(view, "action.done", I18N_EN, &m);
	const char *at = m.email.p;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *p = strstr(at, parts[i]);
		if (!p) {
			fail_msg("missing or out of order: %s in\n%s", parts[i], m.email.p);
		}
		at = p;
	}
	notify_deinit(&m);
	render(view, "action.done", I18N_ES, &m);
	assert_non_null(strstr(m.email.p, "USTED DEBE DECIDIR"));
	assert_non_null(strstr(m.email.p, "CAUSA PROBABLE: aplicaci\xc3\xb3n web explotada"));
	assert_null(strstr(m.email.p, "FACTS"));
	notify_deinit(&m);
	json_decref(view);
}

static void many_steps_still_fit_the_mail(void **state)
{
	json_t *view = sample();
	json_t *steps = doc_get(view, "steps");
	struct notify_message m;
	(void)state;

	for (int i = 0; i < 30; i++) {
		(void)json_array_append(steps, json_array_get(steps, i % 2 ? 0 : 5));
	}
	render(view, "action.done", I18N_EN, &m);
	assert_in_range(lines(m.email.p), 20, 40);
	assert_non_null(strstr(m.email.p, "more"));
	notify_deinit(&m);
	json_decref(view);
}

static void control_bytes_do_not_pass(void **state)
{
	json_t *view = sample();
	struct notify_message m;
	(void)state;

	set_resource(view, "Instance", "i-1\r\nSubject: x\x1b[2J\xe2\x80\xae");
	render(view, "case.opened", I18N_EN, &m);
	assert_true(ascii_line(m.subject));
	assert_null(strchr(m.email.p, '\r'));
	assert_null(strchr(m.email.p, '\x1b'));
	assert_null(strstr(m.email.p, "\nSubject:"));
	assert_null(strstr(m.email.p, "\xe2\x80\xae"));
	notify_deinit(&m);
	json_decref(view);
}

static void the_machine_form_is_an_ocsf_incident(void **state)
{
	static const char *const required[] = { "activity_id", "category_uid", "class_uid",
		"finding_info_list", "metadata", "severity_id", "status_id", "time", "type_uid",
		"assignee_group" };
	json_t *view = sample();
	struct notify_message m;
	json_t *d = NULL;
	struct err e = { 0 };
	(void)state;

	render(view, "case.closed", I18N_EN, &m);
	assert_int_equal(doc_parse(buf_view(&m.machine), 1 << 20, &d, &e), ERR_OK);
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		assert_non_null(json_object_get(d, required[i]));
	}
	assert_int_equal(doc_int(d, "class_uid", 0), 2005);
	assert_int_equal(doc_int(d, "activity_id", 0), 3);
	assert_int_equal(doc_int(d, "type_uid", 0), 200503);
	assert_int_equal(doc_int(d, "severity_id", 0), 4);
	assert_int_equal(doc_int(d, "status_id", 0), 5);
	assert_int_equal(doc_int(d, "verdict_id", 0), 2);
	assert_string_equal(doc_text(d, "attacks[0].technique.uid"), "T1190");
	assert_string_equal(
		doc_text(d, "finding_info_list[0].data_sources[0]"), "Amazon GuardDuty");
	json_decref(d);
	notify_deinit(&m);
	json_decref(view);
}

static void the_chat_form_threads_by_case(void **state)
{
	json_t *view = sample();
	struct notify_message m;
	json_t *d = NULL;
	struct err e = { 0 };
	(void)state;

	render(view, "action.pending", I18N_ES, &m);
	assert_int_equal(doc_parse(buf_view(&m.chat), 1 << 20, &d, &e), ERR_OK);
	assert_string_equal(doc_text(d, "version"), "1.0");
	assert_string_equal(doc_text(d, "source"), "custom");
	assert_string_equal(doc_text(d, "metadata.threadId"), "2026-0042");
	assert_string_equal(doc_text(d, "content.textType"), "client-markdown");
	assert_non_null(strstr(doc_text(d, "content.nextSteps[0]"), "cordon approve"));
	json_decref(d);
	notify_deinit(&m);
	json_decref(view);
}

static void accents_fall_off_and_nothing_counts_twice(void **state)
{
	struct buf b = { 0 };
	(void)state;

	buf_init(&b, 200);
	summary_ascii(STR("miner\xc3\xad"
			  "a \xc3\x91u [x]{y} \xe2\x82\xac \xf0\x9f\x98\x80 \x01"),
		&b);
	assert_string_equal(b.p, "mineria Nu (x)(y) ? ? ?");
	buf_deinit(&b);
}

static void no_case_is_no_message(void **state)
{
	struct notify_message m;
	struct err e = { 0 };
	json_t *d = json_object();
	(void)state;

	assert_int_equal(notify_render(d, "case.opened", I18N_EN, NULL, &m, &e), ERR_INPUT);
	json_decref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_subject_says_what_counts),
		cmocka_unit_test(no_form_is_ever_too_long),
		cmocka_unit_test(the_mail_has_its_parts_in_order),
		cmocka_unit_test(many_steps_still_fit_the_mail),
		cmocka_unit_test(control_bytes_do_not_pass),
		cmocka_unit_test(the_machine_form_is_an_ocsf_incident),
		cmocka_unit_test(the_chat_form_threads_by_case),
		cmocka_unit_test(accents_fall_off_and_nothing_counts_twice),
		cmocka_unit_test(no_case_is_no_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
