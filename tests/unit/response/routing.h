/* Shared by the tests of playbooks and guards: the shipped playbooks, small findings, their routes. */
#ifndef CORDON_TESTS_ROUTING_H
#define CORDON_TESTS_ROUTING_H

#include "response/playbook.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define INSTANCE "i-0a1b2c3d4e5f67890"

/* What varies in the findings of these tests; NULL or 0 = the usual. */
struct routing_case {
	const char *type;
	double severity;
	const char *role;
	const char *environment; /* value of the tag; "" = no tag */
	const char *resource;    /* JSON of `resource`; NULL = the instance */
	const char *ip;          /* "" = none */
	const char *extra;       /* more members of the finding, ending in a comma */
};

static inline struct finding *routing_finding(const struct routing_case *c)
{
	struct buf b;
	struct finding_set set;
	struct err e = { 0 };
	buf_init(&b, 65536);
	buf_printf(&b,
		"{%s\"accountId\":\"111122223333\",\"region\":\"eu-west-1\",\"arn\":\"arn:aws:"
		"guardduty:"
		"eu-west-1:111122223333:detector/d/finding/"
		"f\",\"updatedAt\":\"2026-08-01T10:00:00Z\","
		"\"type\":\"%s\",\"severity\":%.1f,\"resource\":",
		c->extra ? c->extra : "", c->type, c->severity);
	if (c->resource != NULL) {
		buf_puts(&b, c->resource);
	} else {
		buf_printf(&b,
			"{\"resourceType\":\"Instance\",\"instanceDetails\":{\"instanceId\":"
			"\"" INSTANCE "\",\"tags\":[{\"key\":\"%s\",\"value\":\"%s\"}]}}",
			c->environment && c->environment[0] ? "environment" : "x",
			c->environment ? c->environment : "");
	}
	buf_printf(&b,
		",\"service\":{\"resourceRole\":\"%s\",\"action\":{\"actionType\":\"NETWORK_"
		"CONNECTION\","
		"\"networkConnectionAction\":{\"remoteIpDetails\":{\"ipAddressV4\":\"%s\"}}}}}",
		c->role ? c->role : "TARGET", c->ip ? c->ip : "198.51.100.77");
	if (finding_read(buf_view(&b), &set, &e) != ERR_OK) {
		fail_msg("%s", e.msg);
	}
	struct finding *f = set.items[0];
	set.items[0] = NULL;
	finding_set_deinit(&set);
	buf_deinit(&b);
	return f;
}

static inline struct config routing_config(enum config_mode mode)
{
	struct config c = { .mode = mode,
		.environment_tag = "Environment",
		.breaker_actions = 20,
		.breaker_minutes = 5,
		.responder_role = "cordon-responder" };
	return c;
}

static inline struct playbook_set *routing_playbooks(void)
{
	struct config c = routing_config(CONFIG_AUTO);
	struct playbook_set *s = NULL;
	struct err e = { 0 };
	if (playbook_load(env_system(), &c, &s, &e) != ERR_OK) {
		fail_msg("%s", e.msg);
	}
	return s;
}

static inline json_t *routing_route(
	const struct playbook_set *s, const struct config *config, const struct routing_case *c)
{
	json_t *route = NULL;
	struct err e = { 0 };
	struct finding *f = routing_finding(c);
	if (playbook_route(s, config, f, &route, &e) != ERR_OK) {
		fail_msg("%s", e.msg);
	}
	finding_free(f);
	return route;
}

/* The step of that id, or NULL. Borrowed. */
static inline json_t *routing_step(const json_t *route, const char *id)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(route, "steps"), i, v)
	{
		if (strcmp(doc_text_or(v, "id", ""), id) == 0) {
			return v;
		}
	}
	return NULL;
}

/* Mode of the step of that id; "" when it is not there. */
static inline const char *routing_mode(const json_t *route, const char *id)
{
	const json_t *step = routing_step(route, id);
	return step != NULL ? doc_text_or(step, "mode", "") : "";
}

static inline size_t routing_steps(const json_t *route)
{
	return json_array_size(json_object_get(route, "steps"));
}

/* The list holds the text. */
static inline bool routing_holds(const json_t *list, const char *text)
{
	size_t i;
	json_t *v;
	json_array_foreach(list, i, v)
	{
		if (json_is_string(v) && strcmp(json_string_value(v), text) == 0) {
			return true;
		}
	}
	return false;
}

#endif
