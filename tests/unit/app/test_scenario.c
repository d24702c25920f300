/* The story generator: repeatable, varied, well-formed, and honest about what it holds. */
#include "stories.h"

#include "base/doc.h"
#include "base/gz.h"
#include "base/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW STORIES_NOW

static const char *const kinds[] = { "web-exploit", "stolen-key", "ssh-brute-force",
	"false-alarm" };

static void play(struct scenario *s, const char *kind, uint64_t seed)
{
	enum scenario_kind k;
	struct err err = { 0 };

	assert_true(scenario_from(kind, &k));
	assert_int_equal(stories_play(s, k, seed, &err), ERR_OK);
}

static const struct scenario_file *find(const struct scenario *s, const char *part)
{
	for (size_t i = 0; i < s->n_files; i++) {
		if (strstr(s->files[i].key, part) != NULL) {
			return &s->files[i];
		}
	}
	return NULL;
}

static void same_seed_same_story(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct scenario a, b;

		play(&a, kinds[k], 7);
		play(&b, kinds[k], 7);
		assert_int_equal(a.n_files, b.n_files);
		for (size_t i = 0; i < a.n_files; i++) {
			assert_string_equal(a.files[i].key, b.files[i].key);
			assert_true(str_eq(a.files[i].bytes, b.files[i].bytes));
		}
		assert_true(doc_eq(a.event, b.event));
		assert_true(doc_eq(a.truth, b.truth));
		scenario_deinit(&a);
		scenario_deinit(&b);
	}
}

static void other_seed_other_story(void **state)
{
	int same_size = 0, same_ip = 0;
	struct scenario before = { 0 };

	(void)state;
	play(&before, "web-exploit", 1);
	for (uint64_t seed = 2; seed < 12; seed++) {
		struct scenario s;

		play(&s, "web-exploit", seed);
		same_size += s.n_events == before.n_events;
		same_ip += doc_eq(
			doc_get(s.truth, "source_ips"), doc_get(before.truth, "source_ips"));
		assert_true(s.n_events > 200);
		assert_true(s.n_lines > 800);
		scenario_deinit(&before);
		before = s;
	}
	scenario_deinit(&before);
	assert_true(same_size <= 1);
	assert_true(same_ip <= 1);
}

/* Every record of every log file parses, lies in the day, and the truth's events are among them. */
static void trail_is_well_formed(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct scenario s;
		size_t records = 0, seen = 0, n_truth;

		play(&s, kinds[k], 11);
		n_truth = json_array_size(doc_get(s.truth, "events"));
		for (size_t i = 0; i < s.n_files; i++) {
			struct buf text = { 0 };
			json_t *root = NULL, *r;
			size_t at;

			if (strcmp(s.files[i].bucket, s.names.trail_bucket) != 0) {
				continue;
			}
			buf_init(&text, DOC_MAX_BYTES);
			assert_int_equal(gz_inflate(s.files[i].bytes, &text, NULL), ERR_OK);
			assert_int_equal(
				doc_parse(buf_view(&text), DOC_MAX_BYTES, &root, NULL), ERR_OK);
			json_array_foreach(doc_get(root, "Records"), at, r)
			{
				int64_t time = 0;
				size_t j;
				json_t *id;

				assert_true(
					utc_parse(str_from(doc_text(r, "eventTime")), &time));
				assert_in_range((unsigned long)(time - s.begin_ms + 1000), 0,
					NOW - s.begin_ms + 1000);
				assert_non_null(doc_text(r, "userIdentity.type"));
				assert_non_null(doc_text(r, "sourceIPAddress"));
				json_array_foreach(doc_get(s.truth, "events"), j, id)
				{
					seen += strcmp(json_string_value(id),
							doc_text(r, "eventID")) == 0;
				}
				records++;
			}
			json_decref(root);
			buf_deinit(&text);
		}
		assert_true(records >= s.n_events);
		assert_true(seen >= n_truth);
		assert_non_null(find(&s, "/nginx/access.log"));
		assert_non_null(find(&s, "/auth.log"));
		assert_non_null(find(&s, "vpcflowlogs"));
		assert_non_null(find(&s, "elasticloadbalancing"));
		scenario_deinit(&s);
	}
}

static void findings_name_their_resources(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct scenario s;
		const char *instance, *ip;

		play(&s, "web-exploit", seed);
		assert_string_equal(doc_text(s.event, "detail.type"),
			"UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS");
		instance = s.world.server[s.names.victim].instance_id;
		assert_non_null(strstr(
			doc_text(s.event, "detail.resource.accessKeyDetails.principalId"),
			instance));
		assert_non_null(doc_text(s.event,
			"detail.service.action.awsApiCallAction.remoteIpDetails.ipAddressV4"));
		scenario_deinit(&s);

		play(&s, "stolen-key", seed);
		assert_string_equal(
			doc_text(s.event, "detail.resource.accessKeyDetails.accessKeyId"),
			s.world.key_id);
		scenario_deinit(&s);

		play(&s, "ssh-brute-force", seed);
		assert_string_equal(doc_text(s.event, "detail.service.resourceRole"), "ACTOR");
		assert_string_equal(
			doc_text(s.event, "detail.resource.instanceDetails.instanceId"),
			s.world.server[s.names.victim].instance_id);
		ip = doc_text(s.event, "detail.service.action.networkConnectionAction."
				       "remoteIpDetails.ipAddressV4");
		assert_non_null(ip);
		scenario_deinit(&s);

		play(&s, "false-alarm", seed);
		assert_string_equal(doc_text(s.event, "detail.service.resourceRole"), "TARGET");
		scenario_deinit(&s);
	}
}

/* The log itself must not give the answer away: a failed attempt holds no success of that address. */
static void nobody_gets_in_by_a_false_alarm(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct scenario s;
		const struct scenario_file *f;
		char path[80];

		play(&s, "false-alarm", seed);
		snprintf(path, sizeof(path), "hosts/%s/auth.log",
			s.names.server[s.names.victim]);
		f = find(&s, path);
		assert_non_null(f);
		assert_true(str_find(f->bytes, STR("Accepted password")) == SIZE_MAX);
		assert_true(str_find(f->bytes, STR("Failed password")) != SIZE_MAX);
		scenario_deinit(&s);
		play(&s, "ssh-brute-force", seed);
		snprintf(path, sizeof(path), "hosts/%s/auth.log",
			s.names.server[s.names.victim]);
		assert_true(
			str_find(find(&s, path)->bytes, STR("Accepted password")) != SIZE_MAX);
		scenario_deinit(&s);
	}
}

static void kinds_have_names(void **state)
{
	enum scenario_kind k;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(scenario_from(kinds[i], &k));
		assert_string_equal(scenario_name(k), kinds[i]);
	}
	assert_false(scenario_from("web", &k));
	assert_false(scenario_from("", &k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_story),
		cmocka_unit_test(other_seed_other_story),
		cmocka_unit_test(trail_is_well_formed),
		cmocka_unit_test(findings_name_their_resources),
		cmocka_unit_test(nobody_gets_in_by_a_false_alarm),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
