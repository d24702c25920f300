#include "incident/dynamodb_lease.h"
#include "incident/holder.h"

#include <stdio.h>
#include <string.h>

#define TRIES 30

/* What the head says about the lease. */
struct seen {
	char holder[STORE_HOLDER];
	int64_t fence, until_ms;
};

static enum err_status look(
	struct dynamodb_table *t, const char *case_id, struct seen *out, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	json_t *head = NULL;

	dynamodb_table_case(case_id, pk);
	enum err_status st = dynamodb_table_get(t, pk, DYNAMODB_HEAD, &head, err);
	if (st == ERR_OK && head == NULL && case_id[0] == STORE_THING) {
		*out = (struct seen){ .holder = DYNAMODB_NOBODY };
		return ERR_OK;
	}
	if (st == ERR_OK && head == NULL) {
		st = err_set(err, ERR_NOT_FOUND, "there is no case %s in DynamoDB table %s",
			case_id, t->name);
	}
	if (st == ERR_OK) {
		(void)snprintf(out->holder, sizeof out->holder, "%s",
			dynamodb_table_text(head, "lease_holder"));
		out->fence = dynamodb_table_number(head, "lease_fence", 0);
		out->until_ms = dynamodb_table_number(head, "lease_until", 0);
	}
	json_decref(head);
	return st;
}

static bool may_take(const struct seen *s, const struct store_lease *l)
{
	return strcmp(s->holder, l->holder) == 0 || strcmp(s->holder, DYNAMODB_NOBODY) == 0 ||
	       s->until_ms <= l->now_ms ||
	       (l->replace != NULL && strcmp(s->holder, l->replace) == 0);
}

/* Takes it from exactly that state; the fence rises with each new holder, never with a renewal. */
static enum err_status swap(struct dynamodb_table *t, const struct store_lease *l,
	const struct seen *s, int64_t *fence, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	int64_t next = s->fence + (strcmp(s->holder, l->holder) != 0);
	bool thing = l->case_id[0] == STORE_THING; /* made by its first lease */

	dynamodb_table_case(l->case_id, pk);
	enum err_status st = dynamodb_table_call(t, "UpdateItem",
		dynamodb_table_update(pk, DYNAMODB_HEAD,
			"SET lease_holder = :me, lease_fence = :fence, lease_until = :until",
			thing ? "attribute_not_exists(lease_holder) OR (lease_holder = :them "
				"AND lease_fence = :theirs)"
			      : "lease_holder = :them AND lease_fence = :theirs",
			json_pack("{s:o, s:o, s:o, s:o, s:o}", ":me",
				dynamodb_table_text_value(l->holder), ":fence",
				dynamodb_table_number_value(next), ":until",
				dynamodb_table_number_value(l->until_ms), ":them",
				dynamodb_table_text_value(s->holder), ":theirs",
				dynamodb_table_number_value(s->fence))),
		NULL, err);
	if (st == ERR_OK) {
		*fence = next;
	}
	return st;
}

enum err_status dynamodb_lease_take(struct dynamodb_table *t, const struct store_lease *l,
	int64_t *fence, char holder[STORE_HOLDER], struct err *err)
{
	struct seen seen = { 0 };
	enum err_status st = ERR_CONFLICT;

	holder[0] = '\0';
	for (int i = 0; st == ERR_CONFLICT && i < TRIES; i++) {
		if (i > 0) {
			env_sleep_ms(t->env, i);
		}
		st = look(t, l->case_id, &seen, err);
		if (st != ERR_OK) {
			return st;
		}
		if (!may_take(&seen, l)) {
			(void)snprintf(holder, STORE_HOLDER, "%s", seen.holder);
			return holder_busy(l->case_id, err);
		}
		/* Lost to somebody, or to an append under way at this moment: look again. */
		st = swap(t, l, &seen, fence, err);
	}
	if (st == ERR_OK) {
		(void)snprintf(holder, STORE_HOLDER, "%s", l->holder);
	}
	return st;
}

void dynamodb_lease_give(struct dynamodb_table *t, const char *case_id, const char *holder)
{
	char pk[DYNAMODB_PK_SIZE];
	enum err_status st = ERR_CONFLICT;

	dynamodb_table_case(case_id, pk);
	/* The fence stays, so that it keeps rising. A failure leaves the lease to expire. */
	for (int i = 0; st == ERR_CONFLICT && i < 3; i++) {
		struct seen seen = { 0 };
		if (i > 0 && (look(t, case_id, &seen, NULL) != ERR_OK ||
				     strcmp(seen.holder, holder) != 0)) {
			return;
		}
		st = dynamodb_table_call(t, "UpdateItem",
			dynamodb_table_update(pk, DYNAMODB_HEAD,
				"SET lease_holder = :nobody, lease_until = :now",
				"lease_holder = :me",
				json_pack("{s:o, s:o, s:o}", ":nobody",
					dynamodb_table_text_value(DYNAMODB_NOBODY), ":now",
					dynamodb_table_number_value(0), ":me",
					dynamodb_table_text_value(holder))),
			NULL, NULL);
	}
}
