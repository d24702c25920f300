#include "analysis/ruling.h"

#include "base/i18n.h"

#include <string.h>

void ruling_missing(struct inquiry *q, const char *text)
{
	size_t i;
	json_t *have;
	json_array_foreach(q->missing, i, have)
	{
		if (!strcmp(json_string_value(have), text)) {
			return;
		}
	}
	json_array_append_new(q->missing, json_string(text));
}

void ruling_alternative(
	struct inquiry *q, enum inquiry_class c, double confidence, const char *against)
{
	json_t *list = json_array();
	if (against) {
		json_array_append_new(list, json_string(against));
	}
	json_array_append_new(
		q->alternatives, json_pack("{s:s,s:f,s:o}", "class", inquiry_class_name(c),
					 "confidence", confidence, "against", list));
}

void ruling_claims(struct inquiry *q, const struct suspect *s)
{
	for (int g = 0; g < G_COUNT; g++) {
		if (s->weigh.for_it[g] > q->weigh.for_it[g]) {
			q->weigh.for_it[g] = s->weigh.for_it[g];
		}
		if (s->weigh.against[g] < q->weigh.against[g]) {
			q->weigh.against[g] = s->weigh.against[g];
		}
	}
	inquiry_tell(q, s, q->weigh.claims);
}

void ruling_gaps(struct inquiry *q, enum inquiry_class c)
{
	const struct reader *r = q->r;
	if (c == CLASS_INSTANCE_THEFT && r->web.n_lines == 0) {
		ruling_missing(
			q, N_("Web access logs of the instance or its load balancer from "
			      "before the credentials were used: they would show whether "
			      "an exploit brought them out"));
	}
	if ((c == CLASS_INSTANCE_THEFT || c == CLASS_WEB) && r->ssh.n_lines == 0) {
		ruling_missing(q, N_("The host's auth.log or journal: it would show whether "
				     "somebody signed in to the instance"));
	}
	if (c == CLASS_LEAKED_KEY) {
		ruling_missing(q, N_("Where the key leaked: it is not in the logs; search "
				     "repositories, images and the owner's machines"));
	}
	if (c == CLASS_SSH && r->track.n_unique == 0) {
		ruling_missing(
			q, N_("CloudTrail events: they would show whether credentials from "
			      "the host were used"));
	}
	bool data = false;
	for (size_t i = 0; i < q->t->relations.n && !data; i++) {
		data = ((struct track_relation *)table_at(&q->t->relations, i))->kind ==
		       TRACK_BUCKET;
	}
	if (!data && r->track.n_unique) {
		ruling_missing(
			q, N_("S3 data events: without them nobody can tell which objects "
			      "were read"));
	}
	if (r->flow.n_lines == 0) {
		ruling_missing(q, N_("VPC flow logs: they would show how many bytes left the "
				     "instance, and to where"));
	}
}

bool ruling_is_attack(const struct inquiry *q, size_t suspect)
{
	const struct suspect *s = &q->suspects[suspect];
	return q->root != INQUIRY_NONE &&
	       (suspect == q->root || (s->guilty && s->attack == q->suspects[q->root].attack));
}

bool ruling_reads(const struct inquiry *q, const struct s3log_row *row)
{
	/* Nobody's requests belong to an exposure of that bucket, from its beginning on. */
	if (row->requester == 0) {
		return q->opened && row->bucket == q->opened->target &&
		       row->last_ms >= q->opened->ref.time_ms && row->n > row->n_denied;
	}
	for (size_t i = 0; i < q->n_suspects && q->root != INQUIRY_NONE; i++) {
		const struct suspect *s = &q->suspects[i];
		if (s->ip == row->ip && ruling_is_attack(q, i) &&
			track_holder_at(q->t, s->holder)->arn == row->requester) {
			return true;
		}
	}
	return false;
}
