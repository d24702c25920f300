#include "notify/notify.h"

#include "notify/forms.h"

enum {
	MOST_SMS = 4096, /* before it is cut to one part */
	MOST_MAIL = 64 * 1024,
	MOST_JSON = 200 * 1024,
};

static json_t *attributes(const struct summary *s)
{
	return json_pack("{s:s, s:f, s:s, s:s, s:s}", "severity", s->severity, "severity_num",
		s->severity_num, "event", s->event, "account", s->account, "lang",
		i18n_code(s->lang));
}

enum err_status notify_render(const json_t *case_view, const char *event, enum i18n_lang lang,
	const char *case_url, struct notify_message *out, struct err *err)
{
	struct summary s = { 0 };
	json_t *machine = NULL;
	json_t *chat = NULL;
	enum err_status st = summary_init(&s, case_view, event, lang, err);

	if (st != ERR_OK) {
		return st;
	}
	s.url = case_url;
	*out = (struct notify_message){ 0 };
	buf_init(&out->email, MOST_MAIL);
	buf_init(&out->sms, MOST_SMS);
	buf_init(&out->machine, MOST_JSON);
	buf_init(&out->chat, MOST_JSON);
	subject_write(&s, out->subject);
	mail_write(&s, &out->email);
	sms_write(&s, &out->sms);
	machine = ocsf_incident(&s);
	doc_canonical(machine, &out->machine);
	chat = chat_notification(&s);
	doc_canonical(chat, &out->chat);
	out->attributes = attributes(&s);
	if (!buf_ok(&out->email) || !buf_ok(&out->sms) || !buf_ok(&out->machine) ||
		!buf_ok(&out->chat)) {
		notify_deinit(out);
		st = err_set(err, ERR_LIMIT, "a message of case %s is too long", s.case_id);
	}
	json_decref(machine);
	json_decref(chat);
	summary_deinit(&s);
	return st;
}

void notify_deinit(struct notify_message *m)
{
	buf_deinit(&m->email);
	buf_deinit(&m->sms);
	buf_deinit(&m->machine);
	buf_deinit(&m->chat);
	json_decref(m->attributes);
	m->attributes = NULL;
}
