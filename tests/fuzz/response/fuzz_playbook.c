/* A playbook file that anybody may have written: parsed, then asked about two findings. */
#include "response/guard.h"
#include "response/playbook_model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char instance[] = "{\"type\":\"Backdoor:EC2/"
			       "C&CActivity.B\",\"severity\":8,\"accountId\":\"111122223333\","
			       "\"resource\":{\"resourceType\":\"Instance\","
			       "\"instanceDetails\":{\"instanceId\":\"i-0a1b2c3d\","
			       "\"tags\":[{\"key\":\"Environment\",\"value\":\"test\"}]}},"
			       "\"service\":{\"resourceRole\":"
			       "\"ACTOR\",\"action\":{\"networkConnectionAction\":{"
			       "\"remoteIpDetails\":{\"ipAddressV4\":"
			       "\"198.51.100.7\"}}}}}";
static const char key[] =
	"{\"type\":\"UnauthorizedAccess:IAMUser/TorIPCaller\",\"severity\":5,\"resource\":{"
	"\"resourceType\":\"AccessKey\",\"accessKeyDetails\":{\"accessKeyId\":\"AKIAX\","
	"\"userName\":\"u\",\"userType\":\"IAMUser\"}}}";

static void route_one(const struct playbook_set *set, const char *text)
{
	struct finding_set found;
	struct config config = {
		.mode = CONFIG_AUTO, .breaker_actions = 1, .breaker_minutes = 5
	};
	json_t *route = NULL;
	if (finding_read((struct str){ text, strlen(text) }, &found, NULL) != ERR_OK) {
		abort();
	}
	if (playbook_route(set, &config, found.items[0], &route, NULL) == ERR_OK) {
		json_t *facts = guard_facts_new();
		guard_dynamic(&config, found.items[0], facts, route);
		json_decref(facts);
		json_decref(route);
	}
	finding_set_deinit(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct playbook one = { 0 };
	struct playbook_set set = { .items = &one };
	arena_init(&set.arena, 4u * 1024 * 1024);
	if (playbook_parse(&set.arena, (struct str){ (const char *)data, size }, "f.yaml", &one,
		    NULL) == ERR_OK) {
		set.n = 1;
		route_one(&set, instance);
		route_one(&set, key);
		json_decref(playbook_list(&set));
	}
	json_decref(one.doc);
	arena_deinit(&set.arena);
	return 0;
}
