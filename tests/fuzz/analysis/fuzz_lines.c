/* Every line parser, and the judge of requests, on hostile lines. */
#include "analysis/agent.h"
#include "analysis/dnslog.h"
#include "analysis/flowlog.h"
#include "analysis/prune.h"
#include "analysis/s3log.h"
#include "analysis/sshlog.h"
#include "analysis/weblog.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size };
	struct str line;
	struct pool pool;
	struct web web;
	struct ssh ssh;
	struct flow flow;
	struct s3log s3;
	struct dns dns;
	struct scan_tape tape;
	struct prune prune = { .from_ms = INT64_C(1700000000000), .regions = STR("eu-west-1") };
	struct flow_format format = { .n = 0 };
	pool_init(&pool, 7, 1u << 20);
	web_init(&web, &pool);
	ssh_init(&ssh, &pool);
	flow_init(&flow, &pool);
	s3log_init(&s3, &pool);
	dns_init(&dns, &pool);
	scan_init(&tape);
	while (str_cut(&rest, '\n', &line)) {
		struct web_line w;
		struct ssh_line s = { .repeat = 1 };
		struct s3log_line b;
		struct dns_line q;
		size_t used = 0;
		char family[AGENT_FAMILY_MAX];
		if (s3log_parse(line, &b)) {
			s3log_add(&s3, &b, STR("f:1"));
		}
		if (scan_value(&tape, line, true, &used) == SCAN_OK && dns_read(&tape, 0, &q)) {
			dns_add(&dns, &q, &tape);
		}
		(void)prune_path(&prune, line);
		if (web_parse(line, &w)) {
			web_add(&web, &w, STR("f:1"), (struct line_key){ size, true });
		}
		if (ssh_parse(line, &s) == SSH_EVENT) {
			ssh_add(&ssh, &s, STR("f:1"), size);
		}
		if (!flow_header(line, &format)) {
			(void)flow_line(&flow, &format, line);
		}
		(void)agent_family(line, family);
	}
	web_settle(&web);
	ssh_settle(&ssh, INT64_C(1700000000000));
	for (size_t i = 0; i < ssh.n_events; i++) {
		struct ssh_entry e;
		ssh_entry_read(&ssh, i, &e);
	}
	web_deinit(&web);
	ssh_deinit(&ssh);
	flow_deinit(&flow);
	s3log_deinit(&s3);
	dns_deinit(&dns);
	scan_deinit(&tape);
	pool_deinit(&pool);
	return 0;
}
