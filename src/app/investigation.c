#include "app/investigation.h"

#include "app/cli.h"
#include "app/exports.h"
#include "base/phrase.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIMELINE_SHOWN 40
#define LINE_MAX_BYTES ((size_t)64 * 1024)

/* Prints text made safe for a terminal. */
static void print_safe(const char *s)
{
	struct buf b;
	buf_init(&b, LINE_MAX_BYTES);
	text_terminal(str_from(s), &b);
	printf("%s", b.p ? b.p : "");
	buf_deinit(&b);
}

static void print_list(const json_t *list, const char *label)
{
	size_t i;
	json_t *item;
	if (json_array_size(list) == 0) {
		return;
	}
	printf("%s: ", label);
	json_array_foreach(list, i, item)
	{
		printf("%s", i ? ", " : "");
		print_safe(json_string_value(item));
	}
	printf("\n");
}

static void print_cited(const json_t *events)
{
	size_t i;
	json_t *id;
	json_array_foreach(events, i, id)
	{
		if (i == 3) {
			printf(" ...");
			break;
		}
		printf(i ? ", " : "  [");
		print_safe(json_string_value(id));
	}
	printf(json_array_size(events) ? "]\n" : "\n");
}

static void say(struct app *app, const json_t *phrase)
{
	struct buf b;
	buf_init(&b, LINE_MAX_BYTES);
	phrase_say(app->lang, phrase, &b);
	print_safe(b.p ? b.p : "");
	buf_deinit(&b);
}

static const char *class_text(const char *name)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
		{ "leaked_access_key", N_("A leaked access key was used.") },
		{ "instance_credential_theft", N_("The credentials of an instance's role were "
						  "stolen and used elsewhere.") },
		{ "console_password",
			N_("Somebody signed in to the console with a stolen password.") },
		{ "web_exploitation", N_("A weakness of the web application was exploited.") },
		{ "ssh_bruteforce", N_("An SSH password was guessed.") },
		{ "public_exposure", N_("Data lay open to the public.") },
		{ "valid_credentials_known_origin",
			N_("Valid credentials were used from where they are at home.") },
		{ "no_incident", N_("Nothing points to an incident.") },
		{ "undetermined", N_("The cause can't be determined from this evidence.") },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(texts[i].name, name)) {
			return texts[i].text;
		}
	}
	return name;
}

static int percent(const json_t *doc)
{
	return (int)lround(100 * json_number_value(json_object_get(doc, "confidence")));
}

static void print_verdict(struct app *app, const json_t *v)
{
	const char *class_name = doc_text_or(v, "class", "undetermined");
	printf("%s: %s (%s, %d %%)\n", app_tr(app, "Verdict"),
		app_tr(app, class_text(class_name)), class_name, percent(v));
	const char *entry = doc_text(v, "entry_time");
	if (entry) {
		printf("%s: %s\n", app_tr(app, "Entry"), entry);
	}
	print_list(json_object_get(v, "principals"), app_tr(app, "Principals"));
	print_list(json_object_get(v, "access_keys"), app_tr(app, "Access keys"));
	print_list(json_object_get(v, "source_ips"), app_tr(app, "Addresses"));
	print_list(json_object_get(v, "source_identities"), app_tr(app, "Acting for"));
	print_list(json_object_get(v, "resources"), app_tr(app, "Resources"));
}

static const char *link_text(const char *link)
{
	if (!strcmp(link, "entry")) {
		return N_("entry");
	}
	return !strcmp(link, "means") ? N_("means") : N_("action");
}

static void print_chain(struct app *app, const json_t *v)
{
	size_t i;
	json_t *link;
	json_t *chain = json_object_get(v, "chain");
	if (json_array_size(chain)) {
		printf("\n%s\n", app_tr(app, "How it happened"));
	}
	json_array_foreach(chain, i, link)
	{
		const char *kind = link_text(doc_text_or(link, "link", ""));
		printf("  %s  %-7s %-10s ", doc_text_or(link, "time", ""), app_tr(app, kind),
			doc_text_or(link, "technique", ""));
		say(app, link);
		print_cited(json_object_get(link, "events"));
	}
}

static void print_claims(struct app *app, const json_t *v)
{
	size_t i;
	json_t *claim;
	json_t *claims = json_object_get(v, "claims");
	if (json_array_size(claims)) {
		printf("\n%s\n", app_tr(app, "Evidence for (+) and against (-)"));
	}
	json_array_foreach(claims, i, claim)
	{
		printf("  %+5.1f  ", json_number_value(json_object_get(claim, "weight")));
		say(app, claim);
		print_cited(json_object_get(claim, "events"));
	}
}

static void print_alternatives(struct app *app, const json_t *v)
{
	size_t i;
	json_t *a;
	json_t *list = json_object_get(v, "alternatives");
	if (json_array_size(list)) {
		printf("\n%s\n", app_tr(app, "What else it could be"));
	}
	json_array_foreach(list, i, a)
	{
		const char *against = doc_text_or(a, "against[0]", "");
		const char *what = class_text(doc_text_or(a, "class", ""));
		printf("  %3d %%  %s%s%s\n", percent(a), app_tr(app, what), *against ? " " : "",
			*against ? app_tr(app, against) : "");
	}
	list = json_object_get(v, "missing");
	if (json_array_size(list)) {
		printf("\n%s\n", app_tr(app, "What would settle it"));
	}
	json_array_foreach(list, i, a)
	{
		printf("  - %s\n", app_tr(app, json_string_value(a)));
	}
}

static void print_detections(struct app *app, const json_t *list)
{
	size_t i;
	json_t *d;
	if (json_array_size(list)) {
		printf("\n%s\n", app_tr(app, "Rules that matched"));
	}
	json_array_foreach(list, i, d)
	{
		printf("  %6lld  %-13s ", (long long)doc_int(d, "count", 0),
			doc_text_or(d, "level", ""));
		print_safe(doc_text_or(d, "title", ""));
		printf("\n");
	}
}

static void print_timeline(struct app *app, const json_t *list)
{
	size_t i;
	json_t *e;
	size_t n = json_array_size(list);
	if (n) {
		printf("\n%s\n", app_tr(app, "Timeline"));
	}
	json_array_foreach(list, i, e)
	{
		if (i == TIMELINE_SHOWN) {
			printf("  ... %zu %s\n", n - i, app_tr(app, "more; see --output json"));
			return;
		}
		printf("  %s  %-10s  ", doc_text_or(e, "time", ""),
			doc_text_or(e, "source", ""));
		print_safe(doc_text_or(e, "ip", ""));
		printf("  ");
		print_safe(doc_text_or(e, "action", ""));
		printf("  ");
		print_safe(doc_text_or(e, "target", ""));
		printf("  ");
		print_safe(doc_text_or(e, "outcome", ""));
		printf("\n");
	}
}

static void print_inputs(struct app *app, const json_t *in)
{
	size_t i;
	json_t *r;
	printf("\n%s: %lld %s, %lld %s, %lld %s (%lld %s)\n", app_tr(app, "Read"),
		(long long)doc_int(in, "files", 0), app_tr(app, "files"),
		(long long)doc_int(in, "bytes", 0), app_tr(app, "bytes"),
		(long long)doc_int(in, "events", 0), app_tr(app, "events"),
		(long long)doc_int(in, "unique_events", 0), app_tr(app, "without duplicates"));
	json_array_foreach(json_object_get(in, "rejected"), i, r)
	{
		if (i == 0) {
			printf("%s\n", app_tr(app, "Not read:"));
		}
		printf("  ");
		print_safe(doc_text_or(r, "file", ""));
		printf(": ");
		char told[400];
		print_safe(
			i18n_told(app->lang, doc_text_or(r, "reason", ""), told, sizeof(told)));
		printf(" (%lld)\n", (long long)doc_int(r, "count", 1));
	}
	json_array_foreach(json_object_get(in, "gaps"), i, r)
	{
		const char *region = doc_text_or(r, "region", "");
		printf("%s %s%s", app_tr(app, "No records of"), doc_text_or(r, "source", ""),
			*region ? " " : "");
		print_safe(region);
		printf(": %s .. %s\n", doc_text_or(r, "from", ""), doc_text_or(r, "to", ""));
	}
	if (json_object_get(in, "assumed_year")) {
		printf("%s %lld\n",
			app_tr(app, "Log lines without a year and zone were read as UTC of"),
			(long long)doc_int(in, "assumed_year", 0));
	}
}

enum err_status investigation_options(
	struct app *app, struct investigate_options *opts, struct span *span, struct err *err)
{
	enum err_status st = ERR_OK;
	*opts = (struct investigate_options){
		.paths = app->args, .n_paths = (size_t)app->n_args, .job = app_opt(app, "job")
	};
	TRY(span_read(app, span, err));
	opts->window = (struct prune){ span->from_ms, span->to_ms, span->regions };
	opts->rules.dir = app_opt(app, "rules") ? app_opt(app, "rules") : app->config.rules;
	opts->rules.placeholders = app_opt(app, "placeholders") ? app_opt(app, "placeholders")
								: app->config.placeholders;
out:
	return st;
}

enum err_status investigation_answer(struct app *app, const json_t *doc, struct err *err)
{
	enum err_status st = ERR_OK;
	if (app_opt(app, "export")) {
		bool force = app_opt(app, "force") != NULL;
		TRY(exports_write(app, doc, app_opt(app, "export"), force, err));
	}
	if (app_opt(app, "format") || app->output == APP_CSV) {
		const char *format = app_opt(app, "format") ? app_opt(app, "format") : "csv";
		TRY(exports_print(app, doc, format, NULL, err));
		goto out;
	}
	if (app->output != APP_TABLE) {
		app_print_json(app, doc);
		goto out;
	}
	const json_t *v = json_object_get(doc, "verdict");
	print_verdict(app, v);
	print_chain(app, v);
	print_claims(app, v);
	print_alternatives(app, v);
	print_detections(app, json_object_get(doc, "detections"));
	print_timeline(app, json_object_get(doc, "timeline"));
	print_inputs(app, json_object_get(doc, "inputs"));
out:
	return st;
}
