/*
 * snapshot-volumes: all EBS volumes of the instance at one point in time, by one call. The point in
 * time is fixed when the call returns; the upload goes on for hours and nothing waits for it.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <string.h>

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *instance = NULL, *seen = NULL, *volumes = json_array();
	size_t i;
	json_t *mapping;
	enum err_status st = ERR_OK;
	TRY(ec2_instance(c, &instance, err));
	json_array_foreach(json_object_get(instance, "BlockDeviceMappings"), i, mapping)
	{
		json_t *volume = doc_get(mapping, "Ebs.VolumeId");
		if (volume) {
			json_array_append_new(
				volumes, json_pack("{s:O,s:O}", "device",
						 json_object_get(mapping, "DeviceName"),
						 "volume", volume));
		}
	}
	seen = json_pack("{s:s,s:O,s:b}", "instance", c->id, "volumes", volumes, "ebs_root",
		strcmp(doc_text_or(instance, "RootDeviceType", "ebs"), "instance-store") != 0);
	if (json_array_size(volumes) == 0) {
		st = ec2_skip(json_incref(seen),
			N_("the instance has no EBS volume; instance-store disks can't be "
			   "snapshotted"),
			before, needed);
		goto out;
	}
	json_object_set_new(seen, "will",
		json_pack("{s:I}", "snapshots", (json_int_t)json_array_size(volumes)));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	json_decref(volumes);
	json_decref(instance);
	return st;
}

static json_t *listed(const json_t *snapshots)
{
	json_t *out = json_array();
	size_t i;
	json_t *s;
	json_array_foreach(snapshots, i, s)
	{
		json_array_append_new(out, json_pack("{s:O,s:O,s:O*,s:O*,s:O*}", "snapshot",
						   json_object_get(s, "SnapshotId"), "volume",
						   json_object_get(s, "VolumeId"), "size_gib",
						   json_object_get(s, "VolumeSize"), "started",
						   json_object_get(s, "StartTime"), "encrypted",
						   json_object_get(s, "Encrypted")));
	}
	return out;
}

/* CreateSnapshots has no client token; the token in the tags tells what an earlier try made. */
static enum err_status made_before(
	const struct action_ctx *c, json_t **snapshots, struct err *err)
{
	json_t *params = ec2_filter("tag:" EC2_TAG_TOKEN, c->token), *answer = NULL;
	enum err_status st = ERR_OK;
	TRY(aws_call_paged(c->aws, "ec2", "DescribeSnapshots", params, 0, &answer, err));
	*snapshots = listed(json_object_get(answer, "Snapshots"));
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *params = NULL, *answer = NULL, *snapshots = NULL;
	enum err_status st = ERR_OK;
	if (json_is_true(json_object_get(c->partial, "sent"))) {
		TRY(made_before(c, &snapshots, err));
	}
	if (json_array_size(snapshots) == 0) {
		TRY(ec2_note(c,
			json_pack("{s:s,s:b}", "note", "asking for the snapshots", "sent", 1),
			err));
		params = json_pack("{s:{s:s},s:s,s:o}", "InstanceSpecification", "InstanceId",
			c->id, "Description", "cordon evidence", "TagSpecifications",
			ec2_tag_spec(c, "snapshot"));
		TRY(aws_call(c->aws, "ec2", "CreateSnapshots", params, &answer, err));
		json_decref(snapshots);
		snapshots = listed(json_object_get(answer, "Snapshots"));
	}
	(void)before;
	*after = json_pack("{s:O}", "snapshots", snapshots);
out:
	json_decref(snapshots);
	json_decref(answer);
	json_decref(params);
	return st;
}

/* Counts volumes whose snapshot exists and did not fail; *complete those that are uploaded. */
static size_t covered(const json_t *volumes, const json_t *answer, size_t *complete)
{
	size_t n = 0, i, k;
	json_t *volume, *snapshot;
	*complete = 0;
	json_array_foreach(volumes, i, volume)
	{
		json_array_foreach(json_object_get(answer, "Snapshots"), k, snapshot)
		{
			const char *state = doc_text_or(snapshot, "State", "");
			if (doc_eq(json_object_get(volume, "volume"),
				    json_object_get(snapshot, "VolumeId")) &&
				strcmp(state, "error") != 0) {
				n++;
				*complete += strcmp(state, "completed") == 0;
				break;
			}
		}
	}
	return n;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const json_t *volumes = json_object_get(before, "volumes");
	json_t *ids = json_array(), *params = NULL, *answer = NULL;
	size_t i, n = 0, complete = 0, wanted = json_array_size(volumes);
	json_t *s;
	enum err_status st = ERR_OK;
	json_array_foreach(json_object_get(after, "snapshots"), i, s)
	{
		json_array_append(ids, json_object_get(s, "snapshot"));
	}
	params = ec2_filter_list("snapshot-id", ids);
	for (int try = 0; try < 4 && n < wanted; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(answer);
		answer = NULL;
		TRY(aws_call(c->aws, "ec2", "DescribeSnapshots", params, &answer, err));
		n = covered(volumes, answer, &complete);
	}
	*ok = wanted > 0 && n == wanted;
	*proof = json_pack("{s:O}", "snapshots", json_object_get(answer, "Snapshots"));
	if (*ok) {
		phrase_set(*proof, "text",
			N_("Each disk of {0} has a snapshot of the same point in time (disks: "
			   "{1}, uploaded so far: {2}); the rest follows."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(wanted), PHRASE_NUMBER(complete)));
	} else {
		phrase_set(*proof, "text",
			N_("Only some disks of {0} have a snapshot (disks: {1}, uploaded so "
			   "far: {2})."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(wanted), PHRASE_NUMBER(complete)));
	}
out:
	json_decref(answer);
	json_decref(params);
	json_decref(ids);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ec2:DescribeSnapshots",
	"ec2:CreateSnapshots", "ec2:CreateTags", NULL };

const struct action action_snapshot_volumes = {
	.name = "snapshot-volumes",
	.title = N_("Snapshot all disks of the instance at one point in time"),
	.why = N_("Whatever happens next, the disks as they are now can be examined. One call "
		  "takes all of them at the same moment, so that what belongs together "
		  "stays together."),
	.risk = N_("None for the service beyond some disk load. Snapshots cost money until "
		   "they are deleted. Memory and instance-store disks are not in them."),
	.undo_text = N_(
		"Nothing is undone: snapshots are evidence and are kept. Delete them when the "
		"case is closed and nobody needs them."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 1,
	.reversible = false,
	.observe = observe,
	.apply = apply,
	.verify = verify,
};
