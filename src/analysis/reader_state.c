/* What a reader's state is made of, and how two become one: the table of all that is kept. */
#include "analysis/detect.h"
#include "analysis/lites.h"
#include "analysis/reader.h"

#include <stdlib.h>

#define F(type, member, kind)      FOLD_FIELD(struct type, member, kind, 0)
#define FA(type, member, kind, of) FOLD_FIELD(struct type, member, kind, of)
#define TYPE(var, type, fields)                                                    \
	_Static_assert(sizeof(struct type) <= FOLD_ITEM_MAX, "too large to join"); \
	static const struct fold_type var = { #type, sizeof(struct type), fields,  \
		sizeof(fields) / sizeof((fields)[0]), 0 }

/* Places in `parts` below that others point at. */
enum { PART_HOLDERS, PART_EDGES, PART_S3 };

static const struct fold_field holder_fields[] = {
	FA(track_holder, kind, FOLD_SAME, TRACK_OTHER),
	F(track_holder, arn, FOLD_LEAST),
	F(track_holder, user, FOLD_LEAST),
	F(track_holder, account, FOLD_LEAST),
	F(track_holder, issuer, FOLD_LEAST),
	F(track_holder, session, FOLD_LEAST),
	F(track_holder, creation, FOLD_LEAST),
	F(track_holder, source_identity, FOLD_LEAST),
	F(track_holder, issued_to, FOLD_LEAST),
	F(track_holder, mfa, FOLD_AND),
};
TYPE(holder_type, track_holder, holder_fields);

static const struct fold_field edge_fields[] = {
	FA(track_edge, holder, FOLD_ROW, PART_HOLDERS),
	F(track_edge, ip, FOLD_TEXT),
	F(track_edge, n, FOLD_SUM),
	F(track_edge, n_denied, FOLD_SUM),
	F(track_edge, n_failed, FOLD_SUM),
	F(track_edge, n_read, FOLD_SUM),
	F(track_edge, n_iac, FOLD_SUM),
	F(track_edge, n_calls, FOLD_SUM),
	F(track_edge, n_marked, FOLD_SUM),
	F(track_edge, first, FOLD_FIRST),
	F(track_edge, last, FOLD_LAST),
	F(track_edge, imds_v1, FOLD_OR),
	F(track_edge, imds_v2, FOLD_OR),
	F(track_edge, vpc_endpoint, FOLD_OR),
};
TYPE(edge_type, track_edge, edge_fields);

static const struct fold_field relation_fields[] = {
	FA(track_relation, kind, FOLD_SAME, TRACK_ENDPOINT),
	FA(track_relation, edge, FOLD_ROW, PART_EDGES),
	F(track_relation, what, FOLD_TEXT),
	F(track_relation, n, FOLD_SUM),
	F(track_relation, n_denied, FOLD_SUM),
	F(track_relation, n_ok, FOLD_SUM),
	F(track_relation, bytes, FOLD_SUM),
	F(track_relation, first, FOLD_FIRST),
	F(track_relation, last, FOLD_LAST),
	F(track_relation, first_denied, FOLD_FIRST),
	F(track_relation, last_ok, FOLD_LAST),
};
TYPE(relation_type, track_relation, relation_fields);

/* Of two calls that made the same credential, the earlier one is told whole. */
static const struct fold_field issue_fields[] = {
	F(track_issue, what, FOLD_TEXT),
	FA(track_issue, edge, FOLD_ROW_OR, PART_EDGES),
	F(track_issue, ref, FOLD_FIRST),
};
static const struct fold_type issue_type = { "track_issue", sizeof(struct track_issue),
	issue_fields, sizeof(issue_fields) / sizeof(issue_fields[0]),
	offsetof(struct track_issue, ref) + 1 };

static const struct fold_field note_fields[] = {
	F(track_note, ref, FOLD_FIRST),
	F(track_note, api, FOLD_CALL),
	FA(track_note, edge, FOLD_ROW, PART_EDGES),
	F(track_note, target, FOLD_TEXT),
	F(track_note, subject, FOLD_TEXT),
	F(track_note, detail, FOLD_TEXT),
	F(track_note, outcome, FOLD_TEXT),
	F(track_note, ok, FOLD_OR),
	F(track_note, self, FOLD_OR),
	F(track_note, outside, FOLD_OR),
	F(track_note, everybody, FOLD_OR),
	F(track_note, admin, FOLD_OR),
	F(track_note, mfa, FOLD_OR),
};
TYPE(note_type, track_note, note_fields);

static const struct fold_field lite_fields[] = {
	F(track_lite, ref, FOLD_FIRST),
	FA(track_lite, edge, FOLD_ROW, PART_EDGES),
	F(track_lite, action, FOLD_TEXT),
	F(track_lite, target, FOLD_TEXT),
	F(track_lite, outcome, FOLD_TEXT),
	F(track_lite, region, FOLD_TEXT),
	F(track_lite, tags, FOLD_SAME),
};
TYPE(lite_type, track_lite, lite_fields);

static const struct fold_field hour_fields[] = {
	FA(hours_hour, source, FOLD_SAME, RECORD_GUARDDUTY),
	F(hours_hour, region, FOLD_TEXT),
	FA(hours_hour, hour, FOLD_SAME, 70389527) /* the last of the year 9999 */,
};
TYPE(hour_type, hours_hour, hour_fields);

static const struct fold_field track_fields[] = {
	F(track, n_events, FOLD_TOTAL),
	F(track, n_unique, FOLD_SUM),
	F(track, n_own, FOLD_SUM),
	F(track, refused, FOLD_TOTAL),
	F(track, first, FOLD_FIRST),
	F(track, last, FOLD_LAST),
};
TYPE(track_type, track, track_fields);

static const struct fold_field hit_fields[] = {
	F(detect_hit, n, FOLD_SUM),
	F(detect_hit, last, FOLD_LAST),
	F(detect_hit, earliest, FOLD_REFS),
};
TYPE(hit_type, detect_hit, hit_fields);

static const struct fold_field web_hit_fields[] = {
	F(web_hit, time_ms, FOLD_TIME),
	F(web_hit, key, FOLD_SAME),
	FA(web_hit, attack, FOLD_SAME, WEB_PROBE),
	F(web_hit, ip, FOLD_TEXT),
	F(web_hit, target, FOLD_TEXT),
	F(web_hit, agent, FOLD_TEXT),
	F(web_hit, id, FOLD_TEXT),
	F(web_hit, path, FOLD_TEXT),
	F(web_hit, role, FOLD_TEXT),
	F(web_hit, callee, FOLD_TEXT),
	F(web_hit, status, FOLD_SAME),
	F(web_hit, bytes, FOLD_SAME),
};
TYPE(web_hit_type, web_hit, web_hit_fields);

static const struct fold_field web_client_fields[] = {
	F(web_client, ip, FOLD_TEXT),
	F(web_client, n, FOLD_SUM),
	F(web_client, n_attacks, FOLD_SUM),
	F(web_client, n_failed, FOLD_SUM),
	F(web_client, first_ms, FOLD_MIN),
	F(web_client, last_ms, FOLD_MAX),
};
TYPE(web_client_type, web_client, web_client_fields);

static const struct fold_field web_norm_fields[] = {
	{ 0, sizeof(struct fold_lowest), FOLD_LOWEST, 0 },
};
TYPE(web_norm_type, fold_lowest, web_norm_fields);

static const struct fold_field web_fields[] = {
	F(web, n_lines, FOLD_SUM),
	F(web, first_ms, FOLD_MIN),
	F(web, last_ms, FOLD_MAX),
	F(web, refused, FOLD_TOTAL),
};
TYPE(web_type, web, web_fields);

static const struct fold_field ssh_event_fields[] = {
	F(ssh_event, time_ms, FOLD_TIME),
	F(ssh_event, key, FOLD_SAME),
	FA(ssh_event, kind, FOLD_SAME, SSH_PERSIST),
	F(ssh_event, dated, FOLD_OR),
	F(ssh_event, host, FOLD_TEXT),
	F(ssh_event, user, FOLD_TEXT),
	F(ssh_event, ip, FOLD_TEXT),
	F(ssh_event, text, FOLD_TEXT),
	F(ssh_event, id, FOLD_TEXT),
	F(ssh_event, repeat, FOLD_SAME),
};
TYPE(ssh_event_type, ssh_event, ssh_event_fields);

static const struct fold_field ssh_fields[] = {
	F(ssh, n_lines, FOLD_SUM),
	F(ssh, refused, FOLD_TOTAL),
	F(ssh, file_ms, FOLD_MAX),
};
TYPE(ssh_type, ssh, ssh_fields);

static const struct fold_field flow_row_fields[] = {
	F(flow_row, src, FOLD_TEXT),
	F(flow_row, dst, FOLD_TEXT),
	F(flow_row, interface, FOLD_LEAST),
	F(flow_row, instance, FOLD_LEAST),
	F(flow_row, dst_port, FOLD_SAME),
	F(flow_row, accepted, FOLD_OR),
	F(flow_row, reply, FOLD_OR),
	F(flow_row, n, FOLD_SUM),
	F(flow_row, bytes, FOLD_SUM),
	F(flow_row, most, FOLD_MAX),
	F(flow_row, packets, FOLD_SUM),
	F(flow_row, first_ms, FOLD_MIN),
	F(flow_row, last_ms, FOLD_MAX),
};
TYPE(flow_row_type, flow_row, flow_row_fields);

static const struct fold_field flow_fields[] = {
	F(flow, n_lines, FOLD_SUM),
	F(flow, n_skipped, FOLD_SUM),
	F(flow, first_ms, FOLD_MIN),
	F(flow, last_ms, FOLD_MAX),
};
TYPE(flow_type, flow, flow_fields);

static const struct fold_field dns_row_fields[] = {
	F(dns_row, src, FOLD_TEXT),
	F(dns_row, instance, FOLD_TEXT),
	F(dns_row, name, FOLD_TEXT),
	F(dns_row, n, FOLD_SUM),
	F(dns_row, n_failed, FOLD_SUM),
	F(dns_row, blocked, FOLD_OR),
	F(dns_row, first_ms, FOLD_MIN),
	F(dns_row, last_ms, FOLD_MAX),
};
TYPE(dns_row_type, dns_row, dns_row_fields);

static const struct fold_field dns_address_fields[] = {
	F(dns_address, ip, FOLD_TEXT),
	F(dns_address, name, FOLD_TEXT),
	F(dns_address, first_ms, FOLD_MIN),
	F(dns_address, last_ms, FOLD_MAX),
};
TYPE(dns_address_type, dns_address, dns_address_fields);

static const struct fold_field dns_fields[] = {
	F(dns, n_lines, FOLD_SUM),
	F(dns, first_ms, FOLD_MIN),
	F(dns, last_ms, FOLD_MAX),
};
TYPE(dns_type, dns, dns_fields);

static const struct fold_field s3_row_fields[] = {
	F(s3log_row, requester, FOLD_TEXT),
	F(s3log_row, ip, FOLD_TEXT),
	F(s3log_row, bucket, FOLD_TEXT),
	FA(s3log_row, kind, FOLD_SAME, S3LOG_OTHER),
	F(s3log_row, n, FOLD_SUM),
	F(s3log_row, n_denied, FOLD_SUM),
	F(s3log_row, bytes, FOLD_SUM),
	F(s3log_row, first_ms, FOLD_MIN),
	F(s3log_row, last_ms, FOLD_MAX),
	F(s3log_row, cite, FOLD_LEAST),
};
TYPE(s3_row_type, s3log_row, s3_row_fields);

static const struct fold_field s3_object_fields[] = {
	FA(s3log_object, row, FOLD_ROW, PART_S3),
};
TYPE(s3_object_type, s3log_object, s3_object_fields);

static const struct fold_field s3_fields[] = {
	F(s3log, n_lines, FOLD_SUM),
	F(s3log, first_ms, FOLD_MIN),
	F(s3log, last_ms, FOLD_MAX),
};
TYPE(s3_type, s3log, s3_fields);

static const struct fold_field finding_fields[] = {
	F(reader_finding, first_ms, FOLD_TIME),
	F(reader_finding, last_ms, FOLD_TIME),
	F(reader_finding, of_id, FOLD_SAME),
	F(reader_finding, of_text, FOLD_SAME),
	F(reader_finding, id, FOLD_TEXT),
	F(reader_finding, type, FOLD_TEXT),
	F(reader_finding, key, FOLD_TEXT),
	F(reader_finding, user, FOLD_TEXT),
	F(reader_finding, instance, FOLD_TEXT),
	F(reader_finding, ip, FOLD_TEXT),
	F(reader_finding, bucket, FOLD_TEXT),
	F(reader_finding, severity, FOLD_REAL),
	F(reader_finding, attempt, FOLD_OR),
};
TYPE(finding_type, reader_finding, finding_fields);

static const struct fold_field reject_fields[] = {
	F(reader_reject, file, FOLD_TEXT),
	F(reader_reject, reason, FOLD_TEXT),
	F(reader_reject, n, FOLD_TOTAL),
	F(reader_reject, skipped, FOLD_OR),
};
TYPE(reject_type, reader_reject, reject_fields);

static const struct fold_field reader_fields[] = {
	F(reader, n_files, FOLD_TOTAL),
	F(reader, n_bytes, FOLD_TOTAL),
	F(reader, n_digests, FOLD_TOTAL),
	F(reader, n_cut, FOLD_TOTAL),
	F(reader, n_outside, FOLD_TOTAL),
	F(reader, n_samples, FOLD_TOTAL),
	F(reader, n_by[RECORD_CLOUDTRAIL], FOLD_SUM),
	F(reader, n_by[RECORD_WEB], FOLD_SUM),
	F(reader, n_by[RECORD_SSH], FOLD_SUM),
	F(reader, n_by[RECORD_FLOW], FOLD_SUM),
	F(reader, n_by[RECORD_DNS], FOLD_SUM),
	F(reader, n_by[RECORD_S3], FOLD_SUM),
	F(reader, n_records, FOLD_TOTAL),
	F(reader, n_copies, FOLD_TOTAL),
};
TYPE(reader_type, reader, reader_fields);

#define IN(member) offsetof(struct reader, member)
#define TABLE(type, member)                              \
	{                                                \
		&(type), FOLD_TABLE, IN(member), 0, 0, 0 \
	}
#define ONE(type, at)                          \
	{                                      \
		&(type), FOLD_ONE, at, 0, 0, 0 \
	}
#define LIST(type, items, n, cap, max)                             \
	{                                                          \
		&(type), FOLD_LIST, IN(items), IN(n), IN(cap), max \
	}
#define LIST_MAX ((size_t)8 * 1024 * 1024)

static const struct fold_part parts[] = {
	[PART_HOLDERS] = TABLE(holder_type, track.holders),
	[PART_EDGES] = TABLE(edge_type, track.edges),
	[PART_S3] = TABLE(s3_row_type, s3.rows),
	TABLE(relation_type, track.relations),
	TABLE(issue_type, track.issues),
	TABLE(hour_type, hours),
	LIST(note_type, track.notes, track.n_notes, track.cap_notes, LIST_MAX),
	LIST(lite_type, track.lites, track.n_lites, track.cap_lites, LIST_MAX),
	ONE(track_type, IN(track)),
	TABLE(hit_type, hits),
	LIST(web_hit_type, web.hits, web.n_hits, web.cap_hits, LIST_MAX),
	TABLE(web_client_type, web.clients),
	TABLE(web_norm_type, web.norms),
	ONE(web_type, IN(web)),
	LIST(ssh_event_type, ssh.events, ssh.n_events, ssh.cap_events, LIST_MAX),
	ONE(ssh_type, IN(ssh)),
	TABLE(flow_row_type, flow.rows),
	ONE(flow_type, IN(flow)),
	TABLE(dns_row_type, dns.rows),
	TABLE(dns_address_type, dns.addresses),
	ONE(dns_type, IN(dns)),
	TABLE(s3_object_type, s3.objects),
	ONE(s3_type, IN(s3)),
	LIST(finding_type, findings, n_findings, cap_findings, LIST_MAX),
	TABLE(reject_type, rejects),
	ONE(reader_type, 0),
};

const struct fold_plan reader_plan = { parts, sizeof(parts) / sizeof(parts[0]),
	IN(track.pool) };

void reader_stop(struct reader *r)
{
	track_flush(&r->track);
	free(r->track.places);
	free(r->track.rows);
	r->track.places = NULL;
	r->track.rows = NULL;
	r->track.n_places = r->track.n_rows = 0;
	event_reader_free(r->events);
	r->events = NULL;
	input_deinit(&r->input);
}

void reader_fold(struct reader *r, struct reader *other)
{
	track_flush(&r->track);
	reader_stop(other);
	fold_state(&reader_plan, r, other);
	if (r->shared->merging) {
		lites_drop_copies(&r->track);
	}
	lites_trim(&r->track);
}
