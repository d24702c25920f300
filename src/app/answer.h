/*
 * What the commands that answer findings share: reading them, looking at the account, the line
 * before a write, the question, the tables for people.
 */
#ifndef CORDON_APP_ANSWER_H
#define CORDON_APP_ANSWER_H

#include "app/app.h"
#include "flow/flow.h"

#define ANSWER_MAX_FINDING ((size_t)16 << 20)

/* Reads all findings of one argument (file or "-"); the set is freed by the caller. */
ERR_MUST_CHECK enum err_status answer_read(
	struct app *app, const char *path, struct finding_set *out, struct err *err);
/* Without --region the finding's (or case's) own region is the one to work in. */
void answer_region(struct app *app, const char *region);
/* Fills a flow over the app's client and journal; playbooks are the caller's to free. */
ERR_MUST_CHECK enum err_status answer_flow(
	struct app *app, struct flow *out, struct playbook_set **playbooks, struct err *err);
/*
 * "account 1111 · role ARN · region" on stderr, before anything is changed. ERR_CONFIG when the credentials
 * are those of the default profile and nobody named it.
 */
ERR_MUST_CHECK enum err_status answer_banner(struct app *app, struct err *err);
/* Says on stderr that the configured mode keeps cordon from acting, where it does. */
void answer_say_observe(const struct app *app);
/* Asks on the terminal; false unless the answer is yes. */
bool answer_ask(struct app *app, const char *question);
/* A person sits at the terminal and did not say --yes. */
bool answer_may_ask(const struct app *app);
/* Ctrl-C from now on finishes the running step and stops (engine_interrupt). */
void answer_catch_interrupt(void);
/* "person:NAME" is the actor of what a person writes into a case. */
/* The user of this machine, or NULL. */
const char *answer_person(struct app *app);
void answer_set_person(struct app *app, struct journal *j);

/* Tables; everything from outside is escaped. */
void answer_print_plan(const struct app *app, const json_t *plan, FILE *to);
void answer_print_response(const struct app *app, const json_t *response, FILE *to);
void answer_print_undo(const struct app *app, const json_t *result, FILE *to);
/* "  LABEL  text", nothing when the text is empty; a document is shown on one line. */
void answer_print_line(const struct app *app, FILE *to, const char *label, const json_t *value);
/* The same with the sentence of a document (base/phrase.h) in the app's language. */
void answer_print_phrase(
	const struct app *app, FILE *to, const char *label, const json_t *phrase);
/* A text escaped for the terminal. */
void answer_print_text(FILE *to, const char *text);

#endif
