#include "app/approve_web.h"

#include "base/hash.h"
#include "base/phrase.h"
#include "base/text.h"
#include "incident/view.h"
#include "response/approval.h"
#include "response/approval_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME   ((size_t)80)
#define MAX_REASON ((size_t)400)
#define MAX_HTML   ((size_t)256 * 1024)
#define MAX_VALUE  ((size_t)1500) /* bytes of a before or after that are shown */

static const char style[] =
	"body{font:16px/1.5 sans-serif;max-width:44em;margin:2em auto;padding:0 1em;color:#111;"
	"background:#fff}dt{font-weight:bold}dd{margin:0 0 .6em 1em;overflow-wrap:anywhere}"
	"input{font:inherit;padding:.3em;width:100%;max-width:24em}label{display:block;margin:."
	"8em 0}"
	"button{font:inherit;padding:.4em 1.2em;margin:.5em 1em .5em 0}.bad{color:#a00}";

const char *const approve_web_headers[] = { "Content-Type", "text/html; charset=utf-8",
	"Cache-Control", "no-store", "Referrer-Policy", "no-referrer", "X-Content-Type-Options",
	"nosniff", "X-Frame-Options", "DENY", NULL };

/* The fields of the form, or of the query. */
struct fields {
	char token[APPROVAL_LINK_MAX + 1], word[32], name[MAX_NAME + 1], reason[MAX_REASON + 1];
};

/* A page being written. */
struct page {
	struct approve_web_answer *out;
	enum i18n_lang lang;
};

static void put(struct page *p, const char *html)
{
	buf_puts(&p->out->html, html);
}

static void say(struct page *p, const char *english)
{
	text_html(str_from(i18n_tr(p->lang, english)), &p->out->html);
}

static void text(struct page *p, const char *value)
{
	text_html(str_from(value), &p->out->html);
}

static void set_csp(struct approve_web_answer *out)
{
	unsigned char digest[HASH_SHA256_BYTES];
	struct buf b;

	buf_init(&b, 128);
	hash_sha256_of(str_from(style), digest);
	hash_base64((struct str){ (const char *)digest, sizeof(digest) }, &b);
	(void)snprintf(out->csp, sizeof(out->csp),
		"default-src 'none'; style-src 'sha256-%s'; form-action 'self'; "
		"frame-ancestors 'none'; base-uri 'none'",
		b.p);
	buf_deinit(&b);
}

static void begin(struct page *p, const char *heading)
{
	put(p, "<!doctype html><html lang=\"");
	put(p, i18n_code(p->lang));
	put(p, "\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
	       "content=\"width=device-width\">"
	       "<meta name=\"robots\" content=\"noindex\"><title>cordon</title><style>");
	put(p, style);
	put(p, "</style><h1>");
	say(p, heading);
	put(p, "</h1>\n");
}

/* A page that only says something: what was done, or why nothing was. */
static void tell(struct page *p, int status, const char *heading, const char *message)
{
	p->out->status = status;
	begin(p, heading);
	put(p, status == 200 ? "<p>" : "<p class=\"bad\">");
	text(p, message);
	put(p, "</p>\n");
}

static int hex_of(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* application/x-www-form-urlencoded; what does not fit or holds a NUL counts as not given. */
static void decode(struct str s, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%' && i + 2 < s.n && hex_of(s.p[i + 1]) >= 0 &&
			hex_of(s.p[i + 2]) >= 0) {
			c = (char)(hex_of(s.p[i + 1]) * 16 + hex_of(s.p[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (n + 1 >= room || c == '\0') {
			n = 0;
			break;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	if (!str_is_utf8(str_from(out))) {
		out[0] = '\0';
	}
}

static void read_fields(struct str form, struct fields *f)
{
	struct str pair, name;

	*f = (struct fields){ 0 };
	for (int i = 0; i < 20 && str_cut(&form, '&', &pair); i++) {
		struct str value = pair;
		if (!str_cut(&value, '=', &name)) {
			continue;
		}
		if (str_is(name, "t")) {
			decode(value, f->token, sizeof(f->token));
		} else if (str_is(name, "word")) {
			decode(value, f->word, sizeof(f->word));
		} else if (str_is(name, "name")) {
			decode(value, f->name, sizeof(f->name));
		} else if (str_is(name, "reason")) {
			decode(value, f->reason, sizeof(f->reason));
		}
	}
}

static void fact(struct page *p, const char *label, const json_t *value)
{
	const char *english = json_string_value(value);
	char *dumped = NULL;
	struct buf clipped;

	if (value == NULL || json_is_null(value) || (english && english[0] == '\0')) {
		return;
	}
	if (english == NULL && json_object_size(value) == 1 &&
		doc_text(value, "text") != NULL) {
		english = doc_text(value, "text");
	}
	put(p, "<dt>");
	say(p, label);
	put(p, "</dt><dd>");
	if (english != NULL) {
		say(p, english);
	} else {
		dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		buf_init(&clipped, MAX_VALUE * 2);
		text_clip(str_from(dumped), MAX_VALUE, &clipped);
		text(p, clipped.p ? clipped.p : "");
		buf_deinit(&clipped);
		free(dumped);
	}
	put(p, "</dd>\n");
}

static void origin(struct page *p, const json_t *step)
{
	struct buf said;

	if (!json_is_object(json_object_get(step, "origin"))) {
		return;
	}
	buf_init(&said, 4096);
	phrase_say(p->lang, json_object_get(step, "origin"), &said);
	put(p, "<dt>");
	say(p, N_("Found by the analysis"));
	put(p, "</dt><dd>");
	text(p, said.p ? said.p : "");
	put(p, "</dd>\n");
	buf_deinit(&said);
}

static void facts(
	struct page *p, const json_t *view, const json_t *step, const json_t *question)
{
	json_t *resource = json_sprintf("%s %s", doc_text_or(step, "resource.kind", ""),
		doc_text_or(step, "resource.id", ""));
	const char *expiry = doc_text_or(question, "on_expiry", "");
	json_t *after_that = json_string(strcmp(expiry, "skip") == 0
						 ? N_("the step is given up")
						 : N_("it is asked again; nothing is done"));

	put(p, "<dl>\n");
	fact(p, N_("Case"), json_object_get(view, "case"));
	fact(p, N_("Finding"), json_object_get(view, "type"));
	fact(p, N_("Account"), json_object_get(view, "account"));
	fact(p, N_("What"), json_object_get(step, "title"));
	fact(p, N_("On"), resource);
	origin(p, step);
	fact(p, N_("Now"), json_object_get(step, "before"));
	fact(p, N_("Then"), json_object_get(step, "after"));
	fact(p, N_("Why"), json_object_get(step, "why"));
	fact(p, N_("What it may break"), json_object_get(step, "risk"));
	fact(p, N_("How it is undone"), json_object_get(step, "undo"));
	fact(p, N_("Decide until"), json_object_get(question, "until"));
	if (json_array_size(json_object_get(question, "who")) > 0) {
		fact(p, N_("Who may decide"), json_object_get(question, "who"));
	}
	fact(p, N_("If nobody answers"), after_that);
	put(p, "</dl>\n");
	json_decref(after_that);
	json_decref(resource);
}

static void form(struct page *p, const struct fields *f)
{
	put(p, "<form method=\"post\" action=\"?\" autocomplete=\"off\"><input type=\"hidden\" "
	       "name=\"t\" value=\"");
	text(p, f->token);
	put(p, "\"><label>");
	say(p, N_("To approve, type APPROVE; to reject, type REJECT:"));
	put(p, "<input name=\"word\" maxlength=\"20\" required></label><label>");
	say(p, N_("Your name; it stands in the case:"));
	put(p, "<input name=\"name\" maxlength=\"80\" required value=\"");
	text(p, f->name);
	put(p, "\"></label><label>");
	say(p, N_("Reason:"));
	put(p, "<input name=\"reason\" maxlength=\"400\" value=\"");
	text(p, f->reason);
	put(p, "\"></label><button>");
	say(p, N_("Decide"));
	put(p, "</button></form>\n");
}

static void show(struct page *p, const json_t *view, const json_t *question,
	const struct fields *f, const char *wrong)
{
	p->out->status = wrong == NULL ? 200 : 400;
	begin(p, N_("A measure waits for your decision"));
	if (wrong != NULL) {
		put(p, "<p class=\"bad\">");
		say(p, wrong);
		put(p, "</p>\n");
	}
	facts(p, view, view_step(view, doc_text_or(question, "step", "")), question);
	form(p, f);
}

/* The typed word, in either language: 1 yes, 0 no, -1 neither. */
static int word_of(const char *word)
{
	static const char *const yes[] = { "approve", "aprobar" }, *const no[] = { "reject",
		"rechazar" };
	struct str w = str_trim(str_from(word));

	for (size_t i = 0; i < 2; i++) {
		if (str_eq_nocase(w, str_from(yes[i]))) {
			return 1;
		}
		if (str_eq_nocase(w, str_from(no[i]))) {
			return 0;
		}
	}
	return -1;
}

static void set_actor(const struct approve_web *w, const struct approve_web_request *r,
	const struct fields *f)
{
	char actor[300];

	if (r->caller_arn.n > 0) {
		(void)snprintf(actor, sizeof(actor), "%.*s",
			STR_ARG(str_sub(r->caller_arn, 0, sizeof(actor) - 1)));
	} else {
		struct str name = str_trim(str_from(f->name));
		(void)snprintf(actor, sizeof(actor), "person:%.*s", STR_ARG(name));
	}
	journal_set_actor(w->journal, actor);
}

static void decide(struct page *p, const struct approve_web *w,
	const struct approve_web_request *r, const struct fields *f, const json_t *question)
{
	int word = word_of(f->word);
	struct err err = { 0 };
	char arn[300] = "";
	(void)snprintf(
		arn, sizeof(arn), "%.*s", STR_ARG(str_sub(r->caller_arn, 0, sizeof(arn) - 1)));
	json_t *via = json_pack("{s:s, s:o, s:s}", "channel", "link", "ip",
		doc_str(r->source_ip), "name", f->name);
	const struct approval_answer answer = { .approved = word == 1,
		.by = { .person = r->caller_arn.n > 0 ? NULL : f->name, .arn = arn },
		.reason = f->reason,
		.via = via };
	const char *case_id = p->out->case_id;
	char which[32];

	(void)snprintf(which, sizeof(which), "%s", case_id);
	p->out->case_id[0] = '\0';
	set_actor(w, r, f);
	if (approval_decide(w->journal, which, question, &answer, &err) != ERR_OK) {
		tell(p, 409, N_("Nothing was decided"), err.msg);
	} else {
		(void)snprintf(p->out->case_id, sizeof(p->out->case_id), "%s", which);
		tell(p, 200, answer.approved ? N_("Approved") : N_("Rejected"),
			answer.approved
				? i18n_tr(p->lang,
					  N_("It is in the case, and is being run. `cordon "
					     "case show` tells how it went."))
				: i18n_tr(p->lang, N_("It is in the case. The step is "
						      "given up.")));
	}
	json_decref(via);
}

static void answer_link(struct page *p, const struct approve_web *w,
	const struct approve_web_request *r, bool post)
{
	struct fields f;
	json_t *parts = NULL, *view = NULL;
	const json_t *question = NULL;
	struct err err = { 0 };
	enum err_status st = ERR_OK;
	int64_t now = env_now_ms(w->env);

	read_fields(post ? r->body : r->query, &f);
	TRY(approval_link_read(w->key, str_from(f.token), now, &parts, &err));
	const char *case_id = doc_text_or(parts, "case", "");
	TRY(view_read(w->journal, case_id, &view, &err));
	TRY(approval_find(view, doc_text_or(parts, "step", ""), now, &question, &err));
	TRY(approval_link_fits(parts, question, &err));
	if (!post) {
		show(p, view, question, &f, NULL);
	} else if (word_of(f.word) < 0) {
		show(p, view, question, &f,
			N_("Nothing was decided: the word is neither APPROVE nor REJECT."));
	} else if (str_trim(str_from(f.name)).n == 0 && r->caller_arn.n == 0) {
		show(p, view, question, &f, N_("Nothing was decided: your name is missing."));
	} else {
		(void)snprintf(p->out->case_id, sizeof(p->out->case_id), "%s", case_id);
		decide(p, w, r, &f, question);
	}
out:
	if (st != ERR_OK) {
		tell(p, st == ERR_NOT_FOUND ? 404 : 410, N_("Nothing was decided"), err.msg);
	}
	json_decref(view);
	json_decref(parts);
}

void approve_web_answer(const struct approve_web *w, const struct approve_web_request *r,
	struct approve_web_answer *out)
{
	struct page p = { .out = out };
	bool post = str_is(r->method, "POST");

	*out = (struct approve_web_answer){ 0 };
	buf_init(&out->html, MAX_HTML);
	set_csp(out);
	p.lang = str_starts(str_trim(r->accept_language), STR("es")) ? I18N_ES : I18N_EN;
	if (!post && !str_is(r->method, "GET") && !str_is(r->method, "HEAD")) {
		tell(&p, 405, N_("Nothing was decided"), "only GET and POST are answered here");
	} else if (w->key == NULL) {
		tell(&p, 404, N_("Nothing was decided"),
			"no approval links are given out here: approvals.key is not set");
	} else if (r->body.n > APPROVE_WEB_BODY_MAX || r->query.n > APPROVE_WEB_BODY_MAX) {
		tell(&p, 413, N_("Nothing was decided"), "the request is too long");
	} else {
		answer_link(&p, w, r, post);
	}
}

void approve_web_deinit(struct approve_web_answer *a)
{
	buf_deinit(&a->html);
}
