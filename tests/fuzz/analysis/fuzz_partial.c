/*
 * Partial results come from other machines: whatever the bytes, taking them in and judging what
 * came of it leads nothing astray. The input is what follows the heading.
 */
#include "analysis/partial.h"

#include "analysis/inquiry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct crew *crew)
{
	struct inquiry q;
	struct reader *r = crew_reader(crew);
	json_t *rejected = json_array();
	partial_settle(crew);
	reader_settle(r);
	inquiry_init(&q, r);
	inquiry_index(&q);
	inquiry_assess(&q);
	inquiry_link(&q);
	inquiry_decide(&q);
	inquiry_chain(&q);
	detect_judge(crew_detect(crew), rejected);
	json_decref(inquiry_document(&q, 100, detect_json(crew_detect(crew))));
	json_decref(rejected);
	inquiry_deinit(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf bytes;
	struct sigma_set rules;
	struct partial_terms terms;
	struct prune window = { 0 };
	struct crew crew;
	struct err err = { 0 };
	sigma_init(&rules);
	sigma_add(&rules,
		STR("title: a\nid: a\nlogsource: {product: aws}\ndetection: {s: {eventName: "
		    "GetObject}, condition: s}\n"),
		"a.yml");
	sigma_ready(&rules);
	partial_terms_init(&terms, "", &rules, &window);
	buf_init(&bytes, 1u << 26);
	partial_heading(&terms, &bytes);
	buf_add(&bytes, data, size);
	crew_init(&crew, terms.seed, &rules, 1);
	crew.shared.merging = true;
	crew_begin(&crew);
	/* Twice: the second time every record is a copy. */
	if (partial_take(&crew, &terms, buf_view(&bytes), &err) == ERR_OK &&
		partial_take(&crew, &terms, buf_view(&bytes), &err) == ERR_OK) {
		judge(&crew);
	}
	crew_deinit(&crew);
	sigma_deinit(&rules);
	buf_deinit(&bytes);
	return 0;
}
