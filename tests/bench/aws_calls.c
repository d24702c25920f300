/*
 * Calls of the AWS layer, for bench_aws.py:
 *   aws_calls URL SERVICE OPERATION PARAMS CALLS IN_FLIGHT
 * prints {"calls","seconds","cpu_seconds","rss_kib"}. Loading the client and a first round are not
 * counted. IN_FLIGHT calls at a time run on this one thread.
 */
#include "aws/aws.h"
#include "base/wipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_IN_FLIGHT 256

static double cpu_seconds(void)
{
	struct rusage r;
	(void)getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* The largest this program was (getrusage would tell the largest its parent was). */
static long peak_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmHWM:", 6) == 0) {
			kib = strtol(line + 6, NULL, 10);
		}
	}
	if (f) {
		(void)fclose(f);
	}
	return kib;
}

static int make_round(struct aws_client *c, const struct aws_request *call, size_t in_flight)
{
	static struct aws_request reqs[MAX_IN_FLIGHT];
	struct err e = { 0 };
	for (size_t i = 0; i < in_flight; i++) {
		reqs[i] = *call;
	}
	int failed = aws_call_many(c, reqs, in_flight, &e) != ERR_OK;
	if (failed) {
		(void)fprintf(stderr, "%s\n", e.msg);
	}
	for (size_t i = 0; i < in_flight; i++) {
		json_decref(reqs[i].result);
	}
	return failed;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct aws_client *c = NULL;
	int64_t calls = 0, in_flight = 0;
	if (argc != 7 || !str_to_i64(str_from(argv[5]), &calls) ||
		!str_to_i64(str_from(argv[6]), &in_flight) || in_flight < 1 ||
		in_flight > MAX_IN_FLIGHT) {
		return 2;
	}
	wipe_libraries();
	struct aws_options o = { .endpoint_url = argv[1], .region = "eu-west-1" };
	json_t *params = json_loads(argv[4], 0, NULL);
	struct aws_request call = {
		.service = argv[2], .operation = argv[3], .params = params
	};
	int failed = aws_client_new(env_system(), &o, &c, &e) != ERR_OK ||
		     make_round(c, &call, (size_t)in_flight);
	double cpu = cpu_seconds();
	int64_t began = env_mono_us(env_system()), made = 0;
	while (!failed && made < calls) {
		failed = make_round(c, &call, (size_t)in_flight);
		made += in_flight;
	}
	double seconds = (double)(env_mono_us(env_system()) - began) / 1e6;
	cpu = cpu_seconds() - cpu;
	(void)printf("{\"calls\":%lld,\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"rss_kib\":%ld}\n",
		(long long)made, seconds, cpu, peak_kib());
	aws_client_free(c);
	json_decref(params);
	return failed;
}
