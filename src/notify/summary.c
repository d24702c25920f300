#include "notify/summary.h"

#include "base/utc.h"
#include "incident/view.h"

#include <stdio.h>
#include <string.h>

static int64_t time_of(const json_t *v)
{
	int64_t ms = -1;

	if (json_is_integer(v)) {
		return json_integer_value(v);
	}
	if (json_is_string(v) && !utc_parse(str_from(json_string_value(v)), &ms)) {
		return -1;
	}
	return ms;
}

static int64_t contained_after(const json_t *view)
{
	int64_t opened = time_of(doc_get(view, "opened"));
	int64_t at = view_contained_ms(view);

	return opened >= 0 && at >= opened ? at - opened : -1;
}

static enum summary_outcome outcome_of(const char *event, const char *state)
{
	static const struct {
		const char *word;
		enum summary_outcome outcome;
	} words[] = {
		{ "case.closed", SUMMARY_CLOSED },
		{ "action.pending", SUMMARY_PENDING },
		{ "action.failed", SUMMARY_FAILED },
		{ "observed", SUMMARY_OBSERVED },
		{ "awaiting_approval", SUMMARY_PENDING },
		{ "contained", SUMMARY_CONTAINED },
		{ "partial", SUMMARY_PARTIAL },
		{ "failed", SUMMARY_FAILED },
		{ "undone", SUMMARY_UNDONE },
		{ "closed", SUMMARY_CLOSED },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, i < 3 ? event : state) == 0) {
			return words[i].outcome;
		}
	}
	return SUMMARY_OPEN;
}

static const char *tag_of(const struct finding *f, const char *const *names)
{
	for (size_t i = 0; f && i < f->n_resources; i++) {
		for (size_t n = 0; names[n]; n++) {
			const json_t *v = json_object_get(f->resources[i].tags, names[n]);
			if (json_is_string(v)) {
				return json_string_value(v);
			}
		}
	}
	return "";
}

/* What a team knows by name: the instance rather than the key that was stolen from it. */
static const json_t *main_resource(const json_t *view)
{
	const json_t *list = doc_get(view, "resources");

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (strcmp(doc_text_or(json_array_get(list, i), "kind", ""), "Instance") == 0) {
			return json_array_get(list, i);
		}
	}
	return json_array_get(list, 0);
}

enum err_status summary_init(struct summary *s, const json_t *view, const char *event,
	enum i18n_lang lang, struct err *err)
{
	static const char *const environments[] = { "Environment", "environment", "Env", "env",
		"Stage", NULL };
	static const char *const owners[] = { "Owner", "owner", "Team", "team", NULL };
	const json_t *raw = doc_get(view, "findings[0].raw");
	struct buf text = { 0 };

	if (!doc_text(view, "case")) {
		return err_set(err, ERR_INPUT, "this is no case document: it has no \"case\"");
	}
	*s = (struct summary){
		.view = view,
		.event = event,
		.lang = lang,
		.case_id = doc_text(view, "case"),
		.type = doc_text_or(view, "type", "?"),
		.account = doc_text_or(view, "account", ""),
		.region = doc_text_or(view, "region", ""),
		.kind = doc_text_or(main_resource(view), "kind", ""),
		.id = doc_text_or(main_resource(view), "id", ""),
		.severity_num = doc_real(view, "severity", 0),
		.outcome = outcome_of(event, doc_text_or(view, "state", "")),
		.contained_ms = contained_after(view),
		.evidence = json_array_size(doc_get(view, "evidence")),
	};
	s->severity = finding_severity_word(s->severity_num);
	if (raw) {
		buf_init(&text, DOC_MAX_BYTES);
		doc_canonical(raw, &text);
		/* A finding that can't be read again only costs the message some facts. */
		if (finding_read(buf_view(&text), &s->set, NULL) == ERR_OK && s->set.n) {
			s->finding = s->set.items[0];
		}
		buf_deinit(&text);
	}
	s->environment = tag_of(s->finding, environments);
	s->owner = tag_of(s->finding, owners);
	return ERR_OK;
}

void summary_deinit(struct summary *s)
{
	finding_set_deinit(&s->set);
}

const char *summary_severity_word(const struct summary *s)
{
	static const char *const words[][2] = {
		{ "critical", N_("CRITICAL") },
		{ "high", N_("HIGH") },
		{ "medium", N_("MEDIUM") },
		{ "low", N_("LOW") },
		{ "info", N_("INFO") },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i][0], s->severity) == 0) {
			return i18n_tr(s->lang, words[i][1]);
		}
	}
	return "INFO";
}

const char *summary_outcome_word(const struct summary *s)
{
	static const char *const words[] = {
		[SUMMARY_OPEN] = N_("OPEN"),
		[SUMMARY_OBSERVED] = N_("OBSERVED"),
		[SUMMARY_PENDING] = N_("NEEDS APPROVAL"),
		[SUMMARY_CONTAINED] = N_("CONTAINED"),
		[SUMMARY_PARTIAL] = N_("CONTAINED IN PART"),
		[SUMMARY_FAILED] = N_("FAILED"),
		[SUMMARY_UNDONE] = N_("UNDONE"),
		[SUMMARY_CLOSED] = N_("CLOSED"),
	};

	return i18n_tr(s->lang, words[s->outcome]);
}

const char *summary_phrase(const struct summary *s)
{
	static const char *const phrases[][2] = {
		{ "CryptoCurrency:", N_("mines crypto") },
		{ "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration",
			N_("its role keys are used outside") },
		{ "UnauthorizedAccess:EC2/SSHBruteForce", N_("SSH brute force") },
		{ "UnauthorizedAccess:", N_("unauthorised access") },
		{ "AttackSequence:", N_("multi-stage attack") },
		{ "Backdoor:", N_("talks to attackers") },
		{ "Trojan:", N_("malware traffic") },
		{ "Exfiltration:", N_("data is leaving") },
		{ "Impact:", N_("attack under way") },
		{ "PrivilegeEscalation:", N_("privilege escalation") },
		{ "CredentialAccess:", N_("credential theft") },
		{ "Persistence:", N_("way back in left behind") },
		{ "Stealth:", N_("defences switched off") },
		{ "DefenseEvasion:", N_("defences switched off") },
		{ "Discovery:", N_("reconnaissance") },
		{ "Recon:", N_("reconnaissance") },
		{ "Execution:", N_("malware was run") },
		{ "Policy:", N_("policy weakened") },
		{ "PenTest:", N_("attack tool in use") },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (str_starts(str_from(s->type), str_from(phrases[i][0]))) {
			return i18n_tr(s->lang, phrases[i][1]);
		}
	}
	return i18n_tr(s->lang, N_("suspicious activity"));
}

const char *summary_service(const struct summary *s)
{
	static const char *const names[][2] = {
		{ "Instance", "EC2" },
		{ "AccessKey", "IAM" },
		{ "S3Bucket", "S3" },
		{ "S3Object", "S3" },
		{ "RDSDBInstance", "RDS" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i][0], s->kind) == 0) {
			return names[i][1];
		}
	}
	return s->kind;
}

const char *summary_step_title(const struct summary *s, const json_t *step)
{
	return i18n_tr(s->lang, doc_text_or(step, "title", doc_text_or(step, "action", "?")));
}

/* The plain letter under a Latin-1 letter with an accent (U+00C0..U+00FF), '?' for the others. */
static char plain_letter(unsigned code)
{
	static const char letters[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTs"
				      "aaaaaaaceeeeiiiidnooooo?ouuuuyty";

	if (code < 0xc0 || code > 0xff) {
		return '?';
	}
	return letters[code - 0xc0];
}

void summary_ascii(struct str text, struct buf *out)
{
	static const char twice[] = "^{}\\[~]|`"; /* GSM-7 has these by escape or not at all */
	static const char plain[] = "'()/(-)/'";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		const char *at = c ? strchr(twice, c) : NULL;
		if (at) {
			buf_putc(out, plain[at - twice]);
		} else if (c >= 0x20 && c < 0x7f) {
			buf_putc(out, (char)c);
		} else if ((c == 0xc2 || c == 0xc3) && i + 1 < text.n) {
			unsigned next = (unsigned char)text.p[++i];
			buf_putc(out, plain_letter(((c & 3u) << 6) | (next & 0x3f)));
		} else if ((c & 0xc0) != 0x80) {
			buf_putc(out, '?');
		}
	}
}

void summary_duration(int64_t ms, char out[32])
{
	long long sec = (long long)(ms < 0 ? 0 : ms) / 1000;

	if (sec < 10) {
		(void)snprintf(
			out, 32, "%lld.%lld s", sec, (long long)(ms < 0 ? 0 : ms) / 100 % 10);
	} else if (sec < 60) {
		(void)snprintf(out, 32, "%lld s", sec);
	} else if (sec < 3600) {
		(void)snprintf(out, 32, "%lld min %lld s", sec / 60, sec % 60);
	} else {
		(void)snprintf(out, 32, "%lld h %lld min", sec / 3600, sec / 60 % 60);
	}
}
