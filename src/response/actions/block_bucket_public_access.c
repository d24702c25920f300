/* block-bucket-public-access: all four switches of the bucket's public access block on. */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"

#include <string.h>

static const char *const switches[] = { "BlockPublicAcls", "IgnorePublicAcls",
	"BlockPublicPolicy", "RestrictPublicBuckets" };

static json_t *all_on(void)
{
	json_t *out = json_object();
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		json_object_set_new(out, switches[i], json_true());
	}
	return out;
}

/* The block as it is, every switch named; *out is NULL when the bucket has none. New reference. */
static enum err_status read_block(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "Bucket", c->id), *answer = NULL;
	enum err_status st =
		aws_call(c->aws, "s3", "GetPublicAccessBlock", params, &answer, err);
	json_decref(params);
	if (st == ERR_NOT_FOUND &&
		(!err || strcmp(err->code, "NoSuchPublicAccessBlockConfiguration") == 0)) {
		err_clear(err);
		*out = NULL;
		return ERR_OK;
	}
	if (st == ERR_OK) {
		json_t *block = json_object();
		for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
			json_object_set_new(block, switches[i],
				json_boolean(json_is_true(json_object_get(
					json_object_get(
						answer, "PublicAccessBlockConfiguration"),
					switches[i]))));
		}
		*out = block;
	}
	json_decref(answer);
	return st;
}

/* Whether the bucket's policy makes it public now; an answer that can't be had counts as no. */
static bool is_public(const struct action_ctx *c)
{
	json_t *params = json_pack("{s:s}", "Bucket", c->id), *answer = NULL;
	struct err ignored = { 0 };
	bool public = aws_call(c->aws, "s3", "GetBucketPolicyStatus", params, &answer,
			      &ignored) == ERR_OK &&
		      doc_true(answer, "PolicyStatus.IsPublic");
	json_decref(answer);
	json_decref(params);
	return public;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *block = NULL, *want = all_on();
	TRY(read_block(c, &block, err));
	json_t *seen = json_pack(
		"{s:s,s:O?,s:b}", "bucket", c->id, "block", block, "public", is_public(c));
	if (!block) {
		json_object_set_new(seen, "block", json_string("none"));
	}
	if (block && doc_eq(block, want)) {
		st = ec2_skip(seen, N_("public access is blocked already"), before, needed);
	} else {
		*before = seen;
		*needed = true;
	}
out:
	json_decref(want);
	json_decref(block);
	return st;
}

static enum err_status put_block(
	const struct action_ctx *c, const json_t *block, struct err *err)
{
	json_t *params = json_pack("{s:s,s:o}", "Bucket", c->id,
		"PublicAccessBlockConfiguration", json_deep_copy(block));
	enum err_status st = aws_call(c->aws, "s3", "PutPublicAccessBlock", params, NULL, err);
	json_decref(params);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *want = all_on();
	enum err_status st = put_block(c, want, err);
	(void)before;
	if (st == ERR_OK) {
		*after = json_pack("{s:O}", "block", want);
	}
	json_decref(want);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *block = NULL;
	enum err_status st = read_block(c, &block, err);
	(void)before;
	if (st != ERR_OK) {
		return st;
	}
	*ok = block && doc_eq(block, json_object_get(after, "block"));
	*proof = json_pack("{s:s,s:O?}", "bucket", c->id, "block", block);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("All four public access switches of bucket {0} are on."),
			PHRASE_ARGS(c->id));
	} else {
		phrase_set(*proof, "text",
			N_("The public access switches of bucket {0} are not all on."),
			PHRASE_ARGS(c->id));
	}
	json_decref(block);
	return ERR_OK;
}

static enum err_status restore(
	const struct action_ctx *c, const json_t *before, struct err *err)
{
	const json_t *old = json_object_get(before, "block");
	if (json_is_object(old)) {
		return put_block(c, old, err);
	}
	json_t *params = json_pack("{s:s}", "Bucket", c->id);
	enum err_status st =
		aws_call(c->aws, "s3", "DeletePublicAccessBlock", params, NULL, err);
	json_decref(params);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *now = NULL, *want = all_on(), *diffs = json_array();
	const json_t *old = json_object_get(before, "block");
	(void)after;
	TRY(read_block(c, &now, err));
	if (now ? doc_eq(now, old) : !json_is_object(old)) {
		goto done;
	}
	if (!now || !doc_eq(now, want)) {
		ec2_differ(diffs, &(struct ec2_difference){ .resource = c->id,
					  .what = "PublicAccessBlock",
					  .before = json_deep_copy(old),
					  .now = now ? json_incref(now) : json_string("none"),
					  .text = N_("Somebody changed the public access block "
						     "after the step."),
					  .blocking = true });
	} else if (doc_true(before, "public")) {
		ec2_differ(diffs,
			&(struct ec2_difference){ .resource = c->id,
				.what = "PublicAccessBlock",
				.before = json_deep_copy(old),
				.now = json_incref(now),
				.text = N_("Undone, the bucket would be public again: that "
					   "needs a decision of its own; force the undo."),
				.blocking = true });
	}
	if (json_array_size(diffs) == 0 || ec2_forced(c)) {
		TRY(restore(c, before, err));
	}
done:
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(want);
	json_decref(now);
	return st;
}

static const char *const calls[] = { "s3:GetBucketPublicAccessBlock",
	"s3:GetBucketPolicyStatus", "s3:PutBucketPublicAccessBlock", NULL };

const struct action action_block_bucket_public_access = {
	.name = "block-bucket-public-access",
	.title = N_("Block public access to the bucket"),
	.why = N_("An intruder who may change a bucket makes it public and fetches the data "
		  "without any credentials. The block overrules policies and ACLs."),
	.risk = N_(
		"Web sites and downloads that are served from the bucket to everybody stop."),
	.undo_text =
		N_("The four switches get their former values, or the block is deleted when "
		   "there was none. A bucket that was public needs a forced undo."),
	.kinds = "S3Bucket",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
