#include "notify/forms.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 99 };

/* Appends at most `max` characters of a text in ASCII; ".." where it was cut. */
static void part(const char *text, size_t max, struct buf *out)
{
	struct buf b = { 0 };
	struct str shown;

	buf_init(&b, 4096);
	summary_ascii(str_sub(str_from(text), 0, 1024), &b);
	shown = buf_view(&b);
	if (shown.n > max) {
		shown.n = max >= 2 ? max - 2 : 0;
		buf_add_str(out, shown);
		buf_puts(out, max >= 2 ? ".." : "");
	} else {
		buf_add_str(out, shown);
	}
	buf_deinit(&b);
}

/* SNS: fewer than 100 characters, no line breaks; ASCII is the part that every page agrees on.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
void subject_write(const struct summary *s, char out[100])
{
	struct buf head = { 0 };
	struct buf tail = { 0 };
	const char *slash = strchr(s->type, '/');
	struct str type = str_sub(str_from(s->type), 0, slash ? (size_t)(slash - s->type) : 60);
	char family[64];
	size_t room = 0;

	(void)snprintf(family, sizeof(family), "%.*s", STR_ARG(str_sub(type, 0, 60)));
	buf_init(&head, 200);
	buf_init(&tail, 200);
	buf_printf(&head, "[%s][%s] ", summary_severity_word(s), summary_outcome_word(s));
	buf_putc(&tail, ' ');
	part(s->environment, 12, &tail);
	buf_puts(&tail, s->environment[0] ? "/" : "");
	part(s->region, 14, &tail);
	buf_printf(&tail, " %s ", i18n_tr(s->lang, N_("case")));
	part(s->case_id, 16, &tail);
	/* What is left goes to the resource; the type gives way to it, down to 12 characters. */
	room = MOST - head.n - tail.n - 1;
	size_t id_n = strlen(s->id) < 30 ? strlen(s->id) : 30;
	part(family, room > id_n + 12 ? room - id_n : 12, &head);
	buf_putc(&head, ' ');
	part(s->id, head.n + tail.n < MOST ? MOST - head.n - tail.n : 0, &head);
	(void)snprintf(out, 100, "%s%s", head.p, tail.p);
	buf_deinit(&head);
	buf_deinit(&tail);
}
