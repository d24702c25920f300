/*
 * Small cases for tests of the verdict: calls, lines and findings are put together in memory,
 * then judged as files.
 */
#ifndef CORDON_TEST_STORY_H
#define CORDON_TEST_STORY_H

#include <jansson.h>
#include <stdbool.h>

#define HOME   "198.51.100.10"
#define THIEF  "203.0.113.66"
#define CLI    "aws-cli/2.15 Python/3.11 Linux/6.1"
#define BOTO   "Boto3/1.34 Python/3.9 Windows/10"
#define DENIED "\"errorCode\":\"AccessDenied\",\"requestParameters\":null"

/* The logs of one case, in memory until they are judged. */
struct story {
	char trail[512 * 1024], web[16 * 1024], ssh[32 * 1024], finding[4096];
	unsigned n;
};
extern struct story story;

void story_begin(void);
/* A line at the end of one of the story's logs. */
void story_append(char *to, size_t size, const char *text);
/* userIdentity of a user with a key, and of an instance's role; static, until the next call. */
const char *story_user(const char *name, const char *key);
const char *story_instance(const char *key, const char *delivery);
/* One call: minute of the day, who, from where, with what, service, name, the rest as JSON. */
void story_call(double minute, const char *who, const char *ip, const char *agent,
	const char *service, const char *name, const char *rest);
/* Nine different calls within half a minute, some refused. */
void story_recon(double minute, const char *who, const char *ip, const char *agent);
/* An application's day: the same two calls, every ten minutes. */
void story_routine(const char *who, const char *ip, const char *agent, int from, int to);
void story_login(double minute, const char *name, const char *ip, bool ok, bool mfa);
void story_web(const char *time, const char *ip, const char *request, int status, int bytes);
/* The document of the story; new reference. */
json_t *story_judge(void);
bool story_lists(const json_t *doc, const char *path, const char *text);
/* Class, and the one address (NULL: none) and principal (NULL: any) that are accused. */
void story_expect(const char *class_name, const char *ip, const char *principal);

#endif
