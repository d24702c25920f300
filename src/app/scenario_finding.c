/* A GuardDuty finding in the shape that EventBridge delivers (botocore's GuardDuty model, camelCase). */
#include "app/scenario_parts.h"

#include "base/utc.h"

#include <stdio.h>
#include <string.h>

json_t *scenario_finding_remote(struct scenario_stage *st, const char *ip)
{
	static const struct {
		const char *code, *country, *city, *org, *asn;
	} places[] = { { "NL", "Netherlands", "Amsterdam", "Example Hosting", "64500" },
		{ "RO", "Romania", "Bucharest", "Example Servers", "64511" },
		{ "SG", "Singapore", "Singapore", "Example Cloud Asia", "64502" },
		{ "US", "United States", "Dallas", "Example VPS", "64499" } };
	size_t i = (size_t)dice_between(&st->dice, 0, 3);

	return json_pack("{s:s, s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s}, s:{s:s}, s:{s:f, s:f}}",
		"ipAddressV4", ip, "organization", "asn", places[i].asn, "asnOrg",
		places[i].org, "isp", places[i].org, "org", places[i].org, "country",
		"countryCode", places[i].code, "countryName", places[i].country, "city",
		"cityName", places[i].city, "geoLocation", "lat", 52.37, "lon", 4.89);
}

json_t *scenario_finding_key(const struct scenario_who *who)
{
	json_t *principal = who->session != NULL ? json_sprintf("%s:%s", who->id, who->session)
						 : json_string(who->id);

	return json_pack("{s:s, s:{s:s, s:o, s:s, s:s}}", "resourceType", "AccessKey",
		"accessKeyDetails", "accessKeyId", who->key, "principalId", principal,
		"userType", who->session != NULL ? "AssumedRole" : "IAMUser", "userName",
		who->user);
}

json_t *scenario_finding_instance(struct scenario_stage *st, int server)
{
	const struct scenario_world *w = &st->s->world;

	return json_pack(
		"{s:s, s:{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:s, s:s, s:s, s:s, s:[], "
		"s:[{s:s, s:s}]}], s:[{s:s, s:s}, {s:s, s:s}], s:[]}}",
		"resourceType", "Instance", "instanceDetails", "instanceId",
		w->server[server].instance_id, "instanceType", "t3.small", "instanceState",
		"running", "availabilityZone",
		scenario_text(st->s, "%s%c", w->region, 'a' + server), "iamInstanceProfile",
		"arn", w->server[server].profile_arn, "id", w->server[server].profile_id,
		"networkInterfaces", "networkInterfaceId", w->server[server].eni_id,
		"privateIpAddress", w->server[server].private_ip, "publicIp",
		w->server[server].public_ip, "subnetId", w->server[server].subnet_id, "vpcId",
		w->vpc_id, "ipv6Addresses", "securityGroups", "groupId", w->group_id,
		"groupName", w->group_name, "tags", "key", "Name", "value",
		st->s->names.server[server], "key", "Environment", "value", "dev",
		"productCodes");
}

void scenario_finding_write(struct scenario_stage *st, struct scenario_remark r)
{
	struct scenario *s = st->s;
	char id[33], event_id[37], now[32], first[32], last[32];

	dice_text(&st->dice, DICE_HEX, 32, id);
	dice_uuid(&st->dice, event_id);
	utc_rfc3339(s->now_ms, now);
	utc_rfc3339(r.first - r.first % SECOND, first);
	utc_rfc3339((r.last < s->now_ms ? r.last : s->now_ms) / SECOND * SECOND, last);
	s->event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:{s:s, s:s, s:s, s:s, "
			     "s:s, s:o, s:s, s:o, "
			     "s:{s:s, s:s, s:o, s:s, s:{s:s, s:s}, s:s, s:s, s:b, s:i}, s:f, "
			     "s:s, s:s, s:s, s:s}}",
		"version", "0", "id", event_id, "detail-type", "GuardDuty Finding", "source",
		"aws.guardduty", "account", s->world.account, "time", now, "region",
		s->world.region, "resources", "detail", "schemaVersion", "2.0", "accountId",
		s->world.account, "region", s->world.region, "partition", "aws", "id", id,
		"arn",
		json_sprintf("arn:aws:guardduty:%s:%s:detector/%s/finding/%s", s->world.region,
			s->world.account, s->world.detector_id, id),
		"type", r.type, "resource", r.resource, "service", "serviceName", "guardduty",
		"detectorId", s->world.detector_id, "action", r.action, "resourceRole", r.role,
		"additionalInfo", "value", "{}", "type", "default", "eventFirstSeen", first,
		"eventLastSeen", last, "archived", 0, "count", r.count, "severity", r.severity,
		"createdAt", now, "updatedAt", now, "title", r.title, "description", r.text);
	/* jansson gives NULL when any part was NULL or no UTF-8: a broken story must not go on. */
	if (s->event == NULL) {
		BUG("the finding could not be written");
	}
}
