#include "app/app.h"
#include "base/fill.h"
#include "incident/view.h"
#include "notify/notify.h"

#include <stdlib.h>
#include <string.h>

/* A case as it might be, for looking at the forms before there is one. */
static const char sample[] =
	"{\"schema\":\"cordon.case/1\",\"case\":\"2026-0042\",\"state\":\"contained\","
	"\"opened\":\"2026-08-01T10:20:00Z\",\"updated\":\"2026-08-01T10:20:41Z\","
	"\"title\":\"EC2 instance i-0a1b2c3d4e5f67890 talks to a mining pool.\","
	"\"type\":\"CryptoCurrency:EC2/BitcoinTool.B!DNS\",\"severity\":8,"
	"\"account\":\"111122223333\",\"region\":\"eu-west-1\","
	"\"resources\":[{\"kind\":\"Instance\",\"id\":\"i-0a1b2c3d4e5f67890\"}],\"findings\":[]"
	","
	"\"evidence\":[{}],\"steps\":[{\"id\":\"isolate-network\",\"action\":\"isolate-"
	"network\","
	"\"title\":\"Isolate the instance from the "
	"network\",\"state\":\"done\",\"verified\":true,"
	"\"resource\":{\"kind\":\"Instance\",\"id\":\"i-0a1b2c3d4e5f67890\"},"
	"\"started\":\"2026-08-01T10:20:02Z\",\"finished\":\"2026-08-01T10:20:38Z\"}]}";

static enum err_status load(struct app *app, json_t **out, struct err *err)
{
	struct journal *journal = NULL;
	enum err_status st = ERR_OK;

	if (app->n_args < 2) {
		return doc_parse(str_from(sample), sizeof(sample), out, err);
	}
	TRY(app_journal(app, &journal, err));
	TRY(view_read(journal, app->args[1], out, err));
out:
	return st;
}

static size_t lines(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		n += s.p[i] == '\n';
	}
	return n;
}

/* A heading with one number in it. */
static void heading(const struct app *app, const char *english, size_t n)
{
	char number[24];
	struct buf b = { 0 };

	(void)snprintf(number, sizeof(number), "%zu", n);
	buf_init(&b, 400);
	fill_text(&b, app_tr(app, english), (struct str[]){ str_from(number) }, 1, NULL);
	printf("%s\n", b.p);
	buf_deinit(&b);
}

static void show(const struct app *app, const struct notify_message *m, enum i18n_lang lang)
{
	char *attributes = json_dumps(m->attributes, JSON_SORT_KEYS);

	printf("== %s ==\n", i18n_code(lang));
	heading(app, N_("subject ({0} of 99 characters)"), strlen(m->subject));
	printf("%s\n\n", m->subject);
	heading(app, N_("e-mail ({0} of 40 lines)"), lines(buf_view(&m->email)));
	printf("%s\n", m->email.p);
	heading(app, N_("SMS ({0} of 160 characters, GSM-7)"), m->sms.n);
	printf("%s\n\n", m->sms.p);
	heading(app, N_("for programs: OCSF Incident Finding ({0} bytes)"), m->machine.n);
	printf("%s\n\n", m->machine.p);
	heading(app, N_("chat: Amazon Q custom notification ({0} bytes)"), m->chat.n);
	printf("%s\n\n", m->chat.p);
	printf("%s\n%s\n\n", app_tr(app, "attributes to filter by"), attributes);
	free(attributes);
}

static json_t *as_json(const struct notify_message *m, enum i18n_lang lang)
{
	return json_pack("{s:s, s:s, s:o, s:I, s:o, s:I, s:o, s:o, s:O}", "lang",
		i18n_code(lang), "subject", m->subject, "email", doc_str(buf_view(&m->email)),
		"email_lines", (json_int_t)lines(buf_view(&m->email)), "sms",
		doc_str(buf_view(&m->sms)), "sms_characters", (json_int_t)m->sms.n, "machine",
		doc_str(buf_view(&m->machine)), "chat", doc_str(buf_view(&m->chat)),
		"attributes", m->attributes);
}

static enum err_status run(struct app *app, struct err *err)
{
	static const enum i18n_lang langs[] = { I18N_EN, I18N_ES };
	const char *event = app_opt(app, "event");
	json_t *view = NULL;
	json_t *all = json_array();
	enum err_status st = ERR_OK;

	if (strcmp(app->args[0], "test") != 0) {
		json_decref(all);
		return err_set(err, ERR_USAGE, "notify test, not notify %.40s", app->args[0]);
	}
	TRY(load(app, &view, err));
	for (size_t i = 0; i < 2; i++) {
		struct notify_message m = { 0 };
		TRY(notify_render(view, event ? event : "action.done", langs[i],
			app->config.case_url, &m, err));
		if (app->output == APP_TABLE) {
			show(app, &m, langs[i]);
		} else {
			(void)json_array_append_new(all, as_json(&m, langs[i]));
		}
		notify_deinit(&m);
	}
	if (app->output != APP_TABLE) {
		json_t *doc = json_pack(
			"{s:s, s:O}", "schema", "cordon.notify-test/1", "messages", all);
		app_print_json(app, doc);
		json_decref(doc);
	}
out:
	json_decref(all);
	json_decref(view);
	return st;
}

static const struct app_option options[] = {
	{ "event", 0, "EVENT", N_("What to announce (action.done when not given)"),
		"case.opened|action.pending|action.done|action.failed|case.updated|case."
		"closed" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct app_command cmd_notify = {
	.name = "notify",
	.usage = "test [CASE]",
	.summary = N_("Show the messages of a case as every channel would get them"),
	.text = N_("Sends nothing: prints subject, e-mail, SMS, machine and chat form in both "
		   "languages with their lengths, of a sample or of a case."),
	.examples = "cordon notify test\t" N_("a sample, to see what the team will get") "\n",
	.options = options,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
