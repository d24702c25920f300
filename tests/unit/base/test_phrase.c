#include "base/phrase.h"
#include "tests/unit/unit.h"

static void says(enum i18n_lang lang, const json_t *phrase, const char *wanted)
{
	struct buf b;

	buf_init(&b, 1024);
	phrase_say(lang, phrase, &b);
	assert_string_equal(b.p ? b.p : "", wanted);
	buf_deinit(&b);
}

static void test_both_languages(void **state)
{
	json_t *proof = json_pack("{s:s}", "state", "stopped");

	(void)state;
	phrase_set(proof, "text", N_("Only {0} of {1} deny rules are in force."),
		PHRASE_ARGS(PHRASE_NUMBER(2), PHRASE_NUMBER(SIZE_MAX)));
	assert_string_equal(doc_text(proof, "text"),
		"Only 2 of 18446744073709551615 deny rules are in force.");
	assert_string_equal(doc_text(proof, "state"), "stopped");
	says(I18N_EN, proof, doc_text(proof, "text"));
	says(I18N_ES, proof,
		"Solo están en vigor 2 de 18446744073709551615 reglas de denegación.");
	json_decref(proof);
}

/* What a host or an intruder named must not turn into one of our own texts, or into a hole. */
static void test_values_stay_as_they_are(void **state)
{
	json_t *p = phrase_new("{0}, {1!}, {2}, {9}", PHRASE_ARGS("yes", "yes", "{0}"));

	(void)state;
	says(I18N_ES, p, "yes, sí, {0}, ");
	json_decref(p);
	p = phrase_new("{0}", PHRASE_ARGS("a\xff"));
	says(I18N_EN, p, "a\xef\xbf\xbd");
	json_decref(p);
}

static void test_without_template(void **state)
{
	json_t *old = json_pack("{s:s}", "text", "written by an older cordon");
	json_t *skipped = json_pack("{s:s}", "reason", "the instance is stopped already");
	json_t *broken = json_pack("{s:i,s:s}", "template", 7, "args", "none");

	(void)state;
	says(I18N_ES, old, "written by an older cordon");
	says(I18N_ES, skipped, "la instancia ya está detenida");
	says(I18N_ES, broken, "");
	says(I18N_ES, NULL, "");
	json_decref(old);
	json_decref(skipped);
	json_decref(broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_languages),
		cmocka_unit_test(test_values_stay_as_they_are),
		cmocka_unit_test(test_without_template),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
