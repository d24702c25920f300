#include "app/scenario_parts.h"

#include "base/gz.h"
#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX     ((size_t)192 * 1024 * 1024)
#define FILES_MAX     4096
#define DAY_HOURS_MIN INT64_C(6)
#define DAY_HOURS_MAX INT64_C(9)

static const char *const kind_names[] = { "web-exploit", "stolen-key", "ssh-brute-force",
	"false-alarm" };

bool scenario_from(const char *name, enum scenario_kind *out)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
		if (strcmp(name, kind_names[i]) == 0) {
			*out = (enum scenario_kind)i;
			return true;
		}
	}
	return false;
}

const char *scenario_name(enum scenario_kind kind)
{
	return kind_names[kind];
}

const char *scenario_text(struct scenario *s, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;
	const char *kept;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0) {
		line = NULL;
	}
	va_end(ap);
	kept = arena_cstr(&s->arena, str_from(line));
	free(line);
	return kept;
}

void scenario_file_add(
	struct scenario *s, const char *bucket, const char *key, struct str bytes)
{
	if (s->files == NULL) {
		s->files = arena_array(&s->arena, FILES_MAX, sizeof(*s->files));
	}
	if (s->files == NULL || s->n_files == FILES_MAX) {
		s->arena.overflow = true;
		return;
	}
	s->files[s->n_files++] = (struct scenario_file){ bucket, key, bytes };
}

static void choose_objects(struct scenario *s, struct dice *d)
{
	static const char *const clients[] = { "acme", "nordwind", "lumen-arquitectos",
		"puerto-azul", "hospital-san-jorge", "orbita", "mercado-central", "tres-rios",
		NULL };
	static const char *const things[] = { "plano-general", "contract-signed", "budget-2026",
		"payroll", "customer-export", "source-archive", "meeting-notes", "diseno-ui",
		"db-dump", "invoice", NULL };
	static const char *const forms[] = { "pdf", "xlsx", "zip", "csv", "docx", "sql.gz",
		NULL };

	s->names.n_objects = (size_t)dice_between(d, 28, SCENARIO_OBJECTS_MAX);
	for (size_t i = 0; i < s->names.n_objects; i++) {
		s->names.objects[i] =
			scenario_text(s, "clients/%s/%s-%02zu.%s", dice_pick(d, clients),
				dice_pick(d, things), i + 1, dice_pick(d, forms));
	}
}

static void choose_names(struct scenario *s)
{
	static const char *const hosts[] = { "web", "portal", "app", "www", NULL };
	static const char *const users[] = { "ci-deploy", "marta.ruiz", "backup-agent",
		"jorge.vidal", "build-runner", "lucia.moreno", NULL };
	static const char *const rogues[] = { "svc-backup", "aws-support-sync",
		"cloudwatch-agent", "terraform-state", "sysadm", NULL };
	static const char *const policies[] = { "AdminAccess", "s3-maintenance",
		"default-policy", "ReadOnlyPlus", NULL };
	struct scenario_names *n = &s->names;
	struct dice d;
	char suffix[8];
	const char *host;

	dice_init(&d, s->seed, "names");
	dice_text(&d, DICE_HEX, 4, suffix);
	n->suffix = scenario_text(s, "%s", suffix);
	n->files_bucket = scenario_text(s, "techsolutions-project-files-%s", suffix);
	n->trail_bucket = scenario_text(s, "techsolutions-cloudtrail-%s", suffix);
	n->log_bucket = scenario_text(s, "techsolutions-logs-%s", suffix);
	n->evidence_bucket = scenario_text(s, "techsolutions-evidence-%s", suffix);
	host = dice_pick(&d, hosts);
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		n->server[i] = scenario_text(s, "%s-%d", host, i + 1);
		n->role[i] = scenario_text(s, "techsolutions-%s-%d", host, i + 1);
	}
	n->victim = (int)dice_between(&d, 0, SCENARIO_SERVERS - 1);
	n->key_user = dice_pick(&d, users);
	if (s->kind == SCENARIO_STOLEN_KEY) {
		n->rogue_user = dice_pick(&d, rogues);
		n->rogue_policy = dice_pick(&d, policies);
	}
	choose_objects(s, &d);
}

void scenario_init(struct scenario *s, enum scenario_kind kind, uint64_t seed, int64_t now_ms)
{
	struct dice d;

	memset(s, 0, sizeof(*s));
	arena_init(&s->arena, ARENA_MAX);
	s->kind = kind;
	s->seed = seed;
	s->now_ms = now_ms - now_ms % SECOND;
	dice_init(&d, seed, "day");
	s->begin_ms =
		s->now_ms - dice_between(&d, DAY_HOURS_MIN * 60, DAY_HOURS_MAX * 60) * MINUTE;
	choose_names(s);
}

const char *scenario_address(struct scenario_stage *st)
{
	static const char *const ranges[] = { "192.0.2", "198.51.100", "203.0.113" };
	int64_t at = dice_between(&st->dice, 0, SCENARIO_ADDRESSES - 1);

	/* The next free one; when all are taken, the last ones come again. */
	for (int64_t i = 0; i < SCENARIO_ADDRESSES - 1 && st->address_used[at]; i++) {
		at = (at + 1) % SCENARIO_ADDRESSES;
	}
	st->address_used[at] = true;
	return scenario_text(st->s, "%s.%d", ranges[at / 254], (int)(1 + at % 254));
}

const char *scenario_visitor(struct scenario_stage *st)
{
	return scenario_text(st->s, "198.%d.%d.%d", (int)dice_between(&st->dice, 18, 19),
		(int)dice_between(&st->dice, 0, 255), (int)dice_between(&st->dice, 1, 254));
}

static void write_text_logs(struct scenario_stage *st)
{
	struct scenario *s = st->s;
	struct utc_parts day = utc_split(s->now_ms);
	char stamp[32], tail[16];

	utc_basic(s->now_ms, stamp);
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		scenario_lines_write(st->web[i],
			scenario_text(s, "hosts/%s/nginx/access.log", s->names.server[i]),
			NULL);
		scenario_lines_write(st->auth[i],
			scenario_text(s, "hosts/%s/auth.log", s->names.server[i]), NULL);
	}
	dice_text(&st->dice, DICE_HEX, 8, tail);
	scenario_lines_write(st->balancer,
		scenario_text(s,
			"AWSLogs/%s/elasticloadbalancing/%s/%04d/%02d/%02d/"
			"%s_elasticloadbalancing_%s_app.techsolutions-web.50dc6c495c0c9188_%."
			"13sZ_10.20.1.9_%s.log.gz",
			s->world.account, s->world.region, day.year, day.month, day.day,
			s->world.account, s->world.region, stamp, tail),
		NULL);
	scenario_lines_write(st->flow,
		scenario_text(s,
			"AWSLogs/%s/vpcflowlogs/%s/%04d/%02d/%02d/"
			"%s_vpcflowlogs_%s_fl-0%s_%.13sZ_%s.log.gz",
			s->world.account, s->world.region, day.year, day.month, day.day,
			s->world.account, s->world.region, tail, stamp, tail),
		"version account-id interface-id srcaddr dstaddr srcport dstport protocol "
		"packets bytes start end "
		"action log-status");
}

enum err_status scenario_play(struct scenario *s, struct err *err)
{
	struct scenario_stage st = { .s = s, .next_pid = 700 };

	dice_init(&st.dice, s->seed, "story");
	st.trail = scenario_trail_new(s);
	st.balancer = scenario_lines_new(s);
	st.flow = scenario_lines_new(s);
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		st.web[i] = scenario_lines_new(s);
		st.auth[i] = scenario_lines_new(s);
	}
	st.iso_syslog = dice_chance(&st.dice, 50);
	scenario_calm_cast(&st);
	scenario_calm_write(&st);
	scenario_attack_write(&st);
	scenario_trail_write(st.trail);
	write_text_logs(&st);
	scenario_trail_free(st.trail);
	scenario_lines_free(st.balancer);
	scenario_lines_free(st.flow);
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		scenario_lines_free(st.web[i]);
		scenario_lines_free(st.auth[i]);
	}
	if (s->arena.overflow) {
		return err_set(err, ERR_LIMIT, "the story grew past %zu MiB", ARENA_MAX >> 20);
	}
	return ERR_OK;
}

void scenario_deinit(struct scenario *s)
{
	json_decref(s->event);
	json_decref(s->truth);
	arena_deinit(&s->arena);
	memset(s, 0, sizeof(*s));
}
