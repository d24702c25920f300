#include "notify/forms.h"

#include "base/fill.h"
#include "base/text.h"

/* https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html; the intruder's text is
 * shown as client-side Markdown, so it is escaped as such. */
static json_t *markdown(
	const struct summary *s, const char *english, const char *a, const char *b)
{
	struct buf out = { 0 };
	struct str values[] = { str_from(a), str_from(b) };

	buf_init(&out, 16384);
	for (size_t i = 0; i < 2; i++) {
		values[i] = str_sub(values[i], 0, 1000);
	}
	fill_text(&out, i18n_tr(s->lang, english), values, 2, text_markdown);
	json_t *text = doc_str(buf_view(&out));
	buf_deinit(&out);
	return text;
}

static json_t *next_steps(const struct summary *s)
{
	json_t *list = json_array();

	if (s->outcome == SUMMARY_PENDING) {
		(void)json_array_append_new(
			list, markdown(s, N_("Decide: cordon approve {0}"), s->case_id, ""));
	}
	if (s->outcome == SUMMARY_FAILED || s->outcome == SUMMARY_PARTIAL) {
		(void)json_array_append_new(
			list, markdown(s, N_("Try again: cordon resume {0}"), s->case_id, ""));
	}
	(void)json_array_append_new(
		list, markdown(s, N_("Read it: cordon report {0}"), s->case_id, ""));
	return list;
}

json_t *chat_notification(const struct summary *s)
{
	char subject[100] = "";
	json_t *related = json_array();
	const json_t *resources = doc_get(s->view, "resources");

	subject_write(s, subject);
	for (size_t i = 0; i < json_array_size(resources) && i < 10; i++) {
		const char *id = doc_text(json_array_get(resources, i), "id");
		if (id) {
			(void)json_array_append_new(related, json_string(id));
		}
	}
	return json_pack(
		"{s:s, s:s, s:o, s:{s:s, s:o, s:o, s:o, s:[s, s, s]}, s:{s:s, s:s, s:s, s:o, "
		"s:{s:s, s:s}}}",
		"version", "1.0", "source", "custom", "id",
		json_sprintf("%s-%s", s->case_id, s->event), "content", "textType",
		"client-markdown", "title", markdown(s, "{0}", subject, ""), "description",
		markdown(s, N_("{0}: {1}."), s->id, summary_phrase(s)), "nextSteps",
		next_steps(s), "keywords", s->severity, s->account, s->region, "metadata",
		"threadId", s->case_id, "summary", subject, "eventType", s->event,
		"relatedResources", related, "additionalContext", "case", s->case_id, "type",
		s->type);
}
