#include "aws/endpoint.h"

#include "aws/uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * botocore data/partitions.json; the first prefix that fits wins. How a new one is added: README.md.
 */
static const struct {
	const char *prefix, *suffix, *dual;
} partitions[] = {
	{ "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
	{ "us-gov-", "amazonaws.com", "api.aws" },
	{ "eusc-", "amazonaws.eu", "api.amazonwebservices.eu" },
	{ "us-iso-", "c2s.ic.gov", "api.aws.ic.gov" },
	{ "us-isob-", "sc2s.sgov.gov", "api.aws.scloud" },
	{ "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov" },
	{ "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" },
	{ "", "amazonaws.com", "api.aws" },
};

#define COMMERCIAL (sizeof(partitions) / sizeof(partitions[0]) - 1)

static size_t partition_of(const char *region)
{
	size_t i = 0;
	while (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) != 0) {
		i++;
	}
	return i;
}

const char *endpoint_suffix(const char *region, bool dual_stack)
{
	size_t i = partition_of(region);
	return dual_stack ? partitions[i].dual : partitions[i].suffix;
}

static bool is_true(struct str s)
{
	return str_eq_nocase(s, STR("true"));
}

static bool is_s3(const struct model_call *c)
{
	return strcmp(model_text(c->m, c->service->name), "s3") == 0;
}

/* The configured URL for a service, empty when there is none. */
static struct str configured(const struct endpoint_rules *rules, const struct model_call *c)
{
	char name[160];
	struct str url = { 0 };
	const struct profile_set *p = rules->profiles;
	if (rules->explicit_url) {
		return str_from(rules->explicit_url);
	}
	if (is_true(profile_setting(rules->env, p, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		    "ignore_configured_endpoint_urls"))) {
		return url;
	}
	(void)snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s",
		model_text(c->m, c->service->env_name));
	url = str_from(env_var(rules->env, name));
	if (!url.n) {
		url = str_from(env_var(rules->env, "AWS_ENDPOINT_URL"));
	}
	(void)snprintf(name, sizeof(name), "%s.endpoint_url",
		model_text(c->m, c->service->config_name));
	if (!url.n && !profile_service(p, name, &url)) {
		(void)profile_get(p, NULL, "endpoint_url", &url);
	}
	return url;
}

static bool region_fits(const char *region, const char *pattern)
{
	size_t n = strlen(pattern);
	if (n == 1) { /* "*": the commercial partition, which no prefix names */
		return partition_of(region) == COMMERCIAL;
	}
	return pattern[n - 1] == '*' ? strncmp(region, pattern, n - 1) == 0
				     : strcmp(region, pattern) == 0;
}

/* The row for this service, region and variant, NULL when the plain pattern holds. */
static const struct model_host *special_host(
	const struct model_call *c, const char *region, uint8_t variant)
{
	for (size_t i = 0; i < c->m->n_hosts; i++) {
		const struct model_host *h = &c->m->hosts[i];
		if (&c->m->services[h->service] == c->service && h->variant == variant &&
			region_fits(region, model_text(c->m, h->region))) {
			return h;
		}
	}
	return NULL;
}

static enum err_status regional_host(const struct endpoint_rules *rules,
	const struct model_call *c, const char *region, struct wire_request *r,
	char signing_region[64], struct err *err)
{
	struct buf *out = &r->authority;
	bool fips = is_true(profile_setting(
		rules->env, rules->profiles, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
	bool dual = is_true(profile_setting(rules->env, rules->profiles,
		"AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"));
	uint8_t variant = (uint8_t)((fips ? 1 : 0) | (dual ? 2 : 0));
	/* Of the rules that refuse a combination, the only one that meets these services: S3's. */
	bool s3_kin = strncmp(model_text(c->m, c->service->name), "s3", 2) == 0;
	if (fips && s3_kin && strncmp(region, "cn-", 3) == 0) {
		return err_set(err, ERR_CONFIG,
			"S3 has no FIPS endpoint in China; unset AWS_USE_FIPS_ENDPOINT");
	}
	const struct model_host *h = special_host(c, region, variant);
	if (!h) {
		buf_printf(out, "%s%s.%s.%s", model_text(c->m, c->service->endpoint_prefix),
			fips ? "-fips" : "", region, endpoint_suffix(region, dual));
		return ERR_OK;
	}
	const char *host = model_text(c->m, h->host);
	const char *mark = strstr(host, "{region}");
	if (mark) {
		buf_add(out, host, (size_t)(mark - host));
		buf_puts(out, region);
		buf_puts(out, mark + strlen("{region}"));
	} else {
		buf_puts(out, host);
	}
	if (h->signing_region) {
		(void)snprintf(signing_region, 64, "%s", model_text(c->m, h->signing_region));
	}
	return ERR_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
static bool host_label_bucket(struct str bucket, bool tls)
{
	if (bucket.n < 3 || bucket.n > 63) {
		return false;
	}
	for (size_t i = 0; i < bucket.n; i++) {
		char c = bucket.p[i];
		bool edge = i == 0 || i + 1 == bucket.n;
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		/* A dot would need a wildcard certificate of two levels. */
		if (!plain && (edge || (c != '-' && (c != '.' || tls)))) {
			return false;
		}
	}
	return true;
}

/* "/bucket/key" on host H becomes "/key" on host bucket.H. */
static void move_bucket(struct wire_request *r, struct buf *host)
{
	struct str path = buf_view(&r->path);
	struct str rest = str_sub(path, 1, SIZE_MAX);
	size_t slash = str_find_char(rest, '/');
	struct str bucket = str_sub(rest, 0, slash);
	if (!host_label_bucket(bucket, r->tls)) {
		return;
	}
	struct buf name;
	buf_init(&name, host->max);
	buf_add_str(&name, bucket);
	buf_putc(&name, '.');
	buf_add_str(&name, buf_view(host));
	buf_reset(host);
	buf_add_str(host, buf_view(&name));
	buf_reset(&name);
	char *key = str_dup(slash == SIZE_MAX ? STR("/") : str_sub(rest, slash, SIZE_MAX));
	buf_reset(&r->path);
	buf_puts(&r->path, key);
	buf_deinit(&name);
	free(key);
}

/* The profile's s3.addressing_style: "path", "virtual" or "auto". */
static bool addressing_style(const struct endpoint_rules *rules, const char *style)
{
	struct str set = { 0 };
	(void)profile_get(rules->profiles, NULL, "s3.addressing_style", &set);
	return str_is(set, style);
}

static bool region_ok(const char *region)
{
	size_t n = strlen(region);
	for (size_t i = 0; i < n; i++) {
		char c = region[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
		if (!ok) {
			return false;
		}
	}
	return n > 0 && n < 60;
}

enum err_status endpoint_apply(const struct endpoint_rules *rules, const struct model_call *c,
	const char *region, struct wire_request *r, char signing_region[64], struct err *err)
{
	bool s3 = is_s3(c);
	if (!region_ok(region)) {
		return err_set(err, ERR_CONFIG,
			"'%s' is no region name; expected one like eu-west-1", region);
	}
	(void)snprintf(signing_region, 64, "%s", region);
	struct str url = configured(rules, c);
	if (!url.n) {
		r->tls = true;
		buf_add_str(&r->authority, buf_view(&r->host_prefix));
		enum err_status st = regional_host(rules, c, region, r, signing_region, err);
		/* This one is asked when the bucket's region is unknown: the SDKs keep it off the host. */
		bool where = strcmp(model_text(c->m, c->op->name), "GetBucketLocation") == 0;
		if (st == ERR_OK && s3 && !where && !addressing_style(rules, "path")) {
			move_bucket(r, &r->authority);
		}
		return st;
	}
	struct uri_parts u;
	if (!uri_split(url, &u)) {
		return err_set(err, ERR_CONFIG,
			"the endpoint URL '%.*s' is malformed; expected "
			"http(s)://host[:port][/path]",
			STR_ARG(url));
	}
	r->tls = u.tls;
	if (!uri_is_address(u.host)) { /* no name lies below an address */
		buf_add_str(&r->authority, buf_view(&r->host_prefix));
	}
	buf_add_str(&r->authority, u.authority);
	/* A custom endpoint is an emulator, a proxy or another store: bucket in the path. */
	if (s3 && addressing_style(rules, "virtual")) {
		move_bucket(r, &r->authority);
	}
	struct str base = u.path;
	while (base.n && base.p[base.n - 1] == '/') {
		base.n--;
	}
	if (base.n) {
		char *path = str_dup(buf_view(&r->path));
		buf_reset(&r->path);
		buf_add_str(&r->path, base);
		buf_puts(&r->path, path);
		free(path);
	}
	return ERR_OK;
}
