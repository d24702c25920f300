/* The formats of logs apart from the program that walks them: what is read out of each, and what is refused. */
#include "analysis/columns.h"
#include "analysis/csv.h"
#include "analysis/dnslog.h"
#include "analysis/event.h"
#include "analysis/flowlog.h"
#include "analysis/prune.h"
#include "analysis/reader.h"
#include "base/utc.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t at(const char *when)
{
	int64_t ms = 0;
	assert_true(utc_parse(str_from(when), &ms));
	return ms;
}

static void same(struct str got, const char *want)
{
	if (!str_is(got, want)) {
		fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
	}
}

/* ---- pruning ---- */

static enum prune_why pruned(
	const char *from, const char *to, const char *regions, const char *path)
{
	struct prune p = { .from_ms = from ? at(from) : 0,
		.to_ms = to ? at(to) : 0,
		.regions = str_from(regions) };
	return prune_path(&p, str_from(path));
}

static void test_prune_dates(void **state)
{
	(void)state;
	const char *tree = "x/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/08/02";
	assert_int_equal(pruned(NULL, NULL, "", tree), PRUNE_NO);
	assert_int_equal(pruned("2026-08-02T23:00:00Z", NULL, "", tree), PRUNE_NO);
	assert_int_equal(pruned("2026-08-03", NULL, "", tree), PRUNE_EARLY);
	assert_int_equal(pruned(NULL, "2026-08-01T10:00:00Z", "", tree), PRUNE_NO);
	assert_int_equal(pruned(NULL, "2026-07-31T23:59:59Z", "", tree), PRUNE_LATE);
	/* A month or a year that ends before the window is left out as a whole. */
	assert_int_equal(
		pruned("2026-08-03", NULL, "", "AWSLogs/1/CloudTrail/eu-west-1/2026/07"),
		PRUNE_EARLY);
	assert_int_equal(
		pruned("2026-08-03", NULL, "", "AWSLogs/1/CloudTrail/eu-west-1/2026/08"),
		PRUNE_NO);
	assert_int_equal(pruned("2026-08-03", NULL, "", "AWSLogs/1/CloudTrail/eu-west-1/2025"),
		PRUNE_EARLY);
	assert_int_equal(pruned(NULL, "2026-12-30", "",
				 "AWSLogs/1/vpcflowlogs/eu-west-1/2027/01/01/a.log.gz"),
		PRUNE_LATE);
	assert_int_equal(pruned("2026-08-02T12:00:00Z", NULL, "",
				 "AWSLogs/aws-account-id=1/aws-service=vpcflowlogs/"
				 "aws-region=eu-west-1/year=2026/month=08/day=02/hour=09"),
		PRUNE_EARLY);
}

/* A folder named like a date, but not by AWS, says nothing about what lies in it. */
static void test_prune_leaves_other_folders(void **state)
{
	(void)state;
	assert_int_equal(pruned("2026-08-03", NULL, "", "cases/2019/01/02/a.json"), PRUNE_NO);
	assert_int_equal(pruned("2026-08-03", NULL, "", "CloudTrail/2019/01/02"), PRUNE_NO);
	assert_int_equal(
		pruned("2026-08-03", NULL, "", "CloudTrail/eu-west-1/mine/2019"), PRUNE_NO);
	assert_int_equal(
		pruned("2026-08-03", NULL, "", "CloudTrail/eu-west-1/2019x/01"), PRUNE_NO);
	assert_int_equal(pruned("2026-08-03", NULL, "", "CloudTrail/eu-west-1/+201"), PRUNE_NO);
	assert_int_equal(pruned(NULL, NULL, "eu-west-1", "us-east-1/x.json"), PRUNE_NO);
}

static void test_prune_regions(void **state)
{
	(void)state;
	const char *tree = "AWSLogs/o-abc/111122223333/CloudTrail/us-gov-west-1/2026/08/02";
	assert_int_equal(pruned(NULL, NULL, "us-gov-west-1", tree), PRUNE_NO);
	assert_int_equal(pruned(NULL, NULL, "eu-west-1, us-gov-west-1", tree), PRUNE_NO);
	assert_int_equal(pruned(NULL, NULL, "eu-west-1", tree), PRUNE_REGION);
	assert_string_equal(prune_text(PRUNE_REGION), "of a region that was not asked for");
	struct prune p = { .regions = STR("eu-west-1") };
	assert_true(prune_has_region(&p, STR("EU-WEST-1")));
	assert_true(prune_has_region(&p, STR("")));
	assert_false(prune_has_region(&p, STR("eu-west-2")));
}

/* ---- Resolver query logs ---- */

static bool read_dns(struct scan_tape *t, const char *json, struct dns_line *l)
{
	size_t used = 0;
	assert_int_equal(scan_value(t, str_from(json), true, &used), SCAN_OK);
	return dns_read(t, 0, l);
}

static void test_dns(void **state)
{
	(void)state;
	struct scan_tape tape;
	struct pool pool;
	struct dns d;
	struct dns_line l;
	scan_init(&tape);
	pool_init(&pool, 3, 1u << 20);
	dns_init(&d, &pool);
	const char *first =
		"{\"version\":\"1.1\",\"account_id\":\"111122223333\",\"region\":\"eu-west-1\","
		"\"vpc_id\":\"vpc-1\",\"query_timestamp\":\"2026-08-01T10:00:00Z\","
		"\"query_name\":\"c2.example.net.\",\"query_type\":\"A\",\"query_class\":"
		"\"IN\","
		"\"rcode\":\"NOERROR\",\"answers\":[{\"Rdata\":\"198.51.100.9\",\"Type\":\"A\","
		"\"Class\":\"IN\"},{\"Rdata\":\"x.\",\"Type\":\"CNAME\",\"Class\":\"IN\"}],"
		"\"srcaddr\":\"10.0.0.5\",\"srcport\":\"55\",\"transport\":\"UDP\",\"srcids\":{"
		"\"instance\":\"i-0a1b2c3d4e5f67890\"},\"firewall_rule_action\":\"ALERT\"}";
	const char *second =
		"{\"query_timestamp\":\"2026-08-01T10:05:00Z\",\"query_name\":\"c2.example."
		"net.\",\"query_type\":\"A\",\"rcode\":\"NXDOMAIN\",\"answers\":[],\"srcaddr\":"
		"\"10.0.0.5\",\"srcids\":{\"instance\":\"i-0a1b2c3d4e5f67890\"}}";
	assert_true(read_dns(&tape, first, &l));
	same(l.name, "c2.example.net");
	same(l.instance, "i-0a1b2c3d4e5f67890");
	dns_add(&d, &l, &tape);
	assert_true(read_dns(&tape, second, &l));
	dns_add(&d, &l, &tape);
	assert_int_equal(d.rows.n, 1);
	const struct dns_row *row = table_at(&d.rows, 0);
	assert_int_equal(row->n, 2);
	assert_int_equal(row->n_failed, 1);
	assert_true(row->blocked);
	assert_int_equal(row->last_ms - row->first_ms, 300000);
	uint32_t ip = pool_find(&pool, STR("198.51.100.9"));
	same(pool_get(&pool, dns_name_of(&d, ip, at("2026-08-01T10:01:00Z"))),
		"c2.example.net");
	assert_int_equal(dns_name_of(&d, ip, at("2026-08-01T09:59:00Z")), 0);
	assert_false(read_dns(&tape, "{\"query_name\":\"a\",\"query_timestamp\":\"x\"}", &l));
	assert_false(read_dns(&tape, "{\"a\":1}", &l));
	dns_deinit(&d);
	pool_deinit(&pool);
	scan_deinit(&tape);
}

/* ---- S3 server access logs ---- */

#define OWNER "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
#define S3_LINE(ip, who, op, key, status, bytes)                                         \
	OWNER " media [01/Aug/2026:10:00:38 +0000] " ip " " who " 3E57427F3 " op " " key \
	      " \"GET /media/" key " HTTP/1.1\" " status " - " bytes                     \
	      " 4406583 41754 28 \"-\" \"S3Console/0.4 \\\"x\\\"\" - host= SigV4 ECDHE " \
	      "AuthHeader media.s3.amazonaws.com TLSv1.2 - -"

static void test_s3_lines(void **state)
{
	(void)state;
	struct s3log_line l;
	assert_true(s3log_parse(STR(S3_LINE("192.0.2.3", "arn:aws:iam::1:user/x",
					"REST.GET.OBJECT", "a%2Fb.pdf", "200", "1000")),
		&l));
	same(l.bucket, "media");
	same(l.ip, "192.0.2.3");
	same(l.key, "a%2Fb.pdf");
	same(l.tls, "TLSv1.2");
	assert_int_equal(l.kind, S3LOG_READ);
	assert_int_equal(l.status, 200);
	assert_int_equal(l.bytes, 1000);
	assert_int_equal(l.time_ms, at("2026-08-01T10:00:38Z"));
	assert_false(l.anonymous);
	assert_true(s3log_parse(
		STR(S3_LINE("192.0.2.3", "-", "REST.PUT.BUCKETPOLICY", "-", "403", "-")), &l));
	assert_true(l.anonymous);
	assert_int_equal(l.kind, S3LOG_CONFIG);
	assert_int_equal(l.bytes, -1);
	/* A lifecycle rule asks nobody and comes from nowhere. */
	assert_true(s3log_parse(STR(OWNER " media [01/Aug/2026:10:00:38 +0000] - AmazonS3 ID "
					  "S3.EXPIRE.OBJECT old.txt - - - - 10 - - \"-\" \"-\" "
					  "- - - - - - - - -"),
		&l));
	assert_int_equal(l.kind, S3LOG_DELETE);
	assert_false(l.anonymous);
	static const struct {
		const char *operation;
		enum s3log_kind kind;
	} kinds[] = {
		{ "WEBSITE.GET.OBJECT", S3LOG_READ },
		{ "REST.COPY.OBJECT_GET", S3LOG_READ },
		{ "REST.COPY.PART_GET", S3LOG_READ },
		{ "REST.COPY.OBJECT", S3LOG_WRITE },
		{ "REST.HEAD.OBJECT", S3LOG_LIST },
		{ "REST.GET.BUCKET", S3LOG_LIST },
		{ "REST.PUT.OBJECT", S3LOG_WRITE },
		{ "REST.PUT.PART", S3LOG_WRITE },
		{ "REST.POST.UPLOADS", S3LOG_WRITE },
		{ "REST.DELETE.OBJECT", S3LOG_DELETE },
		{ "BATCH.DELETE.OBJECT", S3LOG_DELETE },
		{ "REST.POST.MULTI_OBJECT_DELETE", S3LOG_DELETE },
		{ "REST.PUT.ACL", S3LOG_CONFIG },
		{ "REST.DELETE.BUCKETPOLICY", S3LOG_CONFIG },
		{ "REST.OPTIONS.PREFLIGHT", S3LOG_OTHER },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char line[600];
		(void)snprintf(line, sizeof(line),
			OWNER " b [01/Aug/2026:10:00:38 +0000] 192.0.2.3 - ID %s k \"GET /k "
			      "HTTP/1.1\" 200 - 5 - 1 1 \"-\" \"-\" -",
			kinds[i].operation);
		assert_true(s3log_parse(str_from(line), &l));
		assert_int_equal(l.kind, kinds[i].kind);
	}
	assert_false(s3log_parse(STR("192.0.2.7 - - [01/Aug/2026:10:00:05 +0000] \"GET /a "
				     "HTTP/1.1\" 200 123 \"-\" \"curl/8\""),
		&l));
	assert_false(s3log_parse(STR(OWNER " media [not a time] 1.2.3.4 - - A.B k \"x\""), &l));
	assert_false(s3log_parse(STR(""), &l));
}

static void add_s3(struct reader *r, const char *key, const char *id, const char *second)
{
	char line[600];
	struct s3log_line l;
	(void)snprintf(line, sizeof(line),
		OWNER " b [01/Aug/2026:10:00:%s +0000] 192.0.2.3 arn:x ID REST.GET.OBJECT %s "
		      "\"GET /k HTTP/1.1\" 200 - 5 - 1 1 \"-\" \"-\" -",
		second, key);
	assert_true(s3log_parse(str_from(line), &l));
	l.bytes = 7;
	s3log_add(&r->s3, &l, str_from(id));
}

static void add_dns(struct reader *r, const char *when)
{
	char json[300];
	size_t used = 0;
	struct dns_line l;
	(void)snprintf(json, sizeof(json),
		"{\"query_timestamp\":\"%s\",\"query_name\":\"c2.example.net.\",\"rcode\":"
		"\"NOERROR\",\"answers\":[{\"Rdata\":\"198.51.100.9\",\"Type\":\"A\"}],"
		"\"srcaddr\":\"10.0.0.5\"}",
		when);
	assert_int_equal(scan_value(&r->tapes[0], str_from(json), true, &used), SCAN_OK);
	assert_true(dns_read(&r->tapes[0], 0, &l));
	dns_add(&r->dns, &l, &r->tapes[0]);
}

/* What two workers saw is what one would have seen, though they number their texts differently. */
static void test_workers_are_joined(void **state)
{
	(void)state;
	static struct reader_shared shared;
	static struct reader a;
	static struct reader b;
	reader_shared_init(&shared, 5);
	reader_init(&a, &shared);
	reader_init(&b, &shared);
	(void)pool_put(&b.track.pool, STR("shifts the numbers"));
	add_s3(&a, "one", "f:3", "10");
	add_s3(&a, "two", "f:2", "20");
	add_s3(&b, "two", "f:1", "05");
	add_s3(&b, "three", "f:8", "30");
	add_dns(&a, "2026-08-01T10:00:00Z");
	add_dns(&b, "2026-08-01T11:00:00Z");
	reader_fold(&a, &b);
	reader_settle(&a);
	const struct s3log_row *row =
		s3log_row_of(&a.s3, STR("arn:x"), STR("192.0.2.3"), STR("b"), S3LOG_READ);
	assert_non_null(row);
	assert_int_equal(row->n, 4);
	assert_int_equal(row->n_objects, 3);
	assert_int_equal(row->bytes, 28);
	same(pool_get(&a.track.pool, row->cite), "f:1");
	assert_int_equal(row->first_ms, at("2026-08-01T10:00:05Z"));
	assert_int_equal(row->last_ms, at("2026-08-01T10:00:30Z"));
	assert_null(s3log_row_of(&a.s3, STR("arn:x"), STR("192.0.2.3"), STR("b"), S3LOG_WRITE));
	assert_int_equal(a.dns.rows.n, 1);
	assert_int_equal(a.dns.addresses.n, 1);
	assert_int_equal(((struct dns_row *)table_at(&a.dns.rows, 0))->n, 2);
	assert_int_equal(a.s3.n_lines, 4);
	reader_deinit(&a);
	reader_deinit(&b);
	reader_shared_deinit(&shared);
}

/* ---- flow logs ---- */

static void test_flow_versions(void **state)
{
	(void)state;
	struct flow_format none = { .n = 0 };
	struct flow_format f = { .n = 0 };
	struct flow_record r;
	assert_true(flow_parse(&none,
		STR("2 123456789010 eni-1 172.31.16.139 172.31.16.21 20641 22 6 20 4249 "
		    "1785578400 1785578460 ACCEPT OK"),
		&r));
	same(r.src, "172.31.16.139");
	assert_int_equal(r.dst_port, 22);
	assert_int_equal(r.start_ms, INT64_C(1785578400000));
	assert_true(r.accepted);
	assert_true(flow_parse(&none,
		STR("2 123456789010 eni-1 - - - - - - - 1785578400 1785578460 - NODATA"), &r));
	assert_true(r.empty && !r.skipped);
	assert_true(flow_parse(&none,
		STR("2 123456789010 eni-1 - - - - - - - 1785578400 1785578460 - SKIPDATA"),
		&r));
	assert_true(r.skipped && !r.empty);
	/* Columns of versions 3 to 8; behind a NAT gateway the packet's own addresses count. */
	assert_true(flow_header(
		STR("version vpc-id subnet-id instance-id interface-id account-id type srcaddr "
		    "dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets "
		    "start end action tcp-flags log-status region az-id sublocation-type "
		    "sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction "
		    "traffic-path ecs-cluster-arn ecs-task-id reject-reason"),
		&f));
	assert_true(flow_parse(&f,
		STR("8 vpc-1 subnet-1 i-0a1b2c3d eni-1 111122223333 IPv4 10.0.0.5 10.0.1.9 "
		    "4711 443 10.0.0.5 198.51.100.9 6 900 8 1785578400 1785578460 REJECT 2 OK "
		    "eu-west-1 euw1-az1 - - - - egress 8 - - BPA"),
		&r));
	same(r.dst, "198.51.100.9");
	same(r.instance, "i-0a1b2c3d");
	same(r.region, "eu-west-1");
	assert_int_equal(r.bytes, 900);
	assert_false(r.accepted);
	assert_false(flow_parse(&f, STR("8 vpc-1"), &r));
	assert_true(flow_parse(&none,
		STR("2 1 eni-1 2001:db8::1 2001:db8::2 1 22 6 1 1 1785578400 1785578460 ACCEPT "
		    "OK"),
		&r));
	/* Times that are no times, addresses that are none. */
	assert_false(flow_parse(&none,
		STR("2 1 eni-1 10.0.0.1 10.0.0.2 1 22 6 1 1 99999999999999 1785578460 ACCEPT "
		    "OK"),
		&r));
	assert_false(flow_parse(&none,
		STR("2 1 eni-1 nobody 10.0.0.2 1 22 6 1 1 1785578400 1785578460 ACCEPT OK"),
		&r));
	assert_false(flow_header(STR("version srcport dstport"), &f));
}

/* ---- comma-separated rows ---- */

static void test_csv(void **state)
{
	(void)state;
	struct csv_row *row = calloc(1, sizeof(*row));
	struct buf b;
	size_t used = 0;
	assert_non_null(row);
	buf_init(&b, 4096);
	struct str s = STR("a,\"b,\nc\",\"say \"\"x\"\"\",\r\nnext");
	assert_int_equal(csv_read(row, s, ',', true, &used), CSV_OK);
	assert_int_equal(row->n, 4);
	same(row->field[1], "b,\nc");
	csv_text(row, 2, &b);
	assert_string_equal(b.p, "say \"x\"");
	same(row->field[3], "");
	same(str_sub(s, used, SIZE_MAX), "next");
	assert_int_equal(csv_read(row, STR("\"open"), ',', false, &used), CSV_MORE);
	assert_int_equal(csv_read(row, STR("\"open"), ',', true, &used), CSV_BAD);
	assert_int_equal(csv_read(row, STR("\"a\"b,c\n"), ',', true, &used), CSV_BAD);
	assert_int_equal(csv_read(row, STR("a,b"), ',', false, &used), CSV_MORE);
	assert_int_equal(csv_read(row, STR("a,b"), ',', true, &used), CSV_OK);
	assert_int_equal(csv_read(row, STR("\"a\""), ',', false, &used), CSV_MORE);
	assert_int_equal(csv_read(row, STR("\"a\"\r\nb"), ',', true, &used), CSV_OK);
	same(row->field[0], "a");
	assert_int_equal(csv_read(row, STR("a\tb\n"), '\t', true, &used), CSV_OK);
	assert_int_equal(row->n, 2);
	char many[2 * CSV_FIELDS_MAX + 8];
	memset(many, ',', sizeof(many));
	assert_int_equal(
		csv_read(row, (struct str){ many, sizeof(many) }, ',', true, &used), CSV_LIMIT);
	buf_deinit(&b);
	free(row);
}

static void event_of(const struct columns *c, const struct str *values, struct scan_tape *t,
	struct buf *b, struct event_reader *reader, struct event *e)
{
	size_t used = 0;
	buf_reset(b);
	columns_event(c, values, t, b);
	assert_int_equal(scan_value(t, buf_view(b), true, &used), SCAN_OK);
	assert_int_equal(used, b->n);
	assert_true(event_read(reader, buf_view(b), e));
}

/* What Athena and CloudTrail Lake make of an event, and back. */
static void test_columns(void **state)
{
	(void)state;
	struct columns *c = calloc(1, sizeof(*c));
	struct scan_tape t;
	struct buf b;
	struct event e;
	struct event_reader *reader = event_reader_new(1);
	assert_non_null(c);
	scan_init(&t);
	buf_init(&b, 1u << 20);
	const struct str athena[] = { STR("eventversion"), STR("useridentity"),
		STR("eventtime"), STR("eventsource"), STR("eventname"), STR("awsregion"),
		STR("sourceipaddress"), STR("useragent"), STR("requestparameters"),
		STR("eventid"), STR("errorcode") };
	const struct str row[] = { STR("1.08"),
		STR("{type=AssumedRole, principalid=AROAX:i-0a1b2c3d, "
		    "arn=arn:aws:sts::111122223333:assumed-role/Web, a/i-0a1b2c3d, "
		    "accountid=111122223333, invokedby=null, accesskeyid=ASIAX, username=null, "
		    "sessioncontext={attributes={mfaauthenticated=false, "
		    "creationdate=2026-08-01T09:00:00Z}, sessionissuer={type=Role, "
		    "principalid=AROAX, arn=arn:aws:iam::111122223333:role/Web, "
		    "accountid=111122223333, username=Web}, ec2roledelivery=1.0}}"),
		STR("2026-08-01T10:00:00Z"), STR("s3.amazonaws.com"), STR("GetObject"),
		STR("eu-west-1"), STR("198.51.100.7"), STR("aws-cli/2, \"quoted\""),
		STR("{\"bucketName\":\"media\",\"key\":\"a=b, c=d\"}"), STR("id-1"), STR("") };
	assert_true(columns_learn(c, athena, 11));
	assert_int_equal(c->kind, COLUMNS_EVENT);
	event_of(c, row, &t, &b, reader, &e);
	same(e.name, "GetObject");
	same(e.who->key, "ASIAX");
	same(e.who->arn, "arn:aws:sts::111122223333:assumed-role/Web, a/i-0a1b2c3d");
	same(e.who->issuer_arn, "arn:aws:iam::111122223333:role/Web");
	same(e.who->delivery, "1.0");
	same(e.agent, "aws-cli/2, \"quoted\"");
	same(event_text(&e, e.request, "key"), "a=b, c=d");
	assert_int_equal(e.identity, EVENT_ASSUMED_ROLE);
	assert_int_equal(e.error_code.n, 0);
	/* Members of structs as columns of their own, in any order. */
	const struct str flat[] = { STR("eventname"), STR("useridentity.arn"),
		STR("event_time"), STR("eventsource"), STR("useridentity.type"),
		STR("useridentity.sessioncontext.sessionissuer.username"),
		STR("source_ip_address"), STR("mine") };
	const struct str cells[] = { STR("RunInstances"), STR("arn:aws:iam::1:user/u"),
		STR("2026-08-01 10:00:00.000"), STR("ec2.amazonaws.com"), STR("IAMUser"),
		STR("Ops"), STR("192.0.2.1"), STR("{not=closed") };
	assert_true(columns_learn(c, flat, 8));
	event_of(c, cells, &t, &b, reader, &e);
	same(e.who->arn, "arn:aws:iam::1:user/u");
	same(e.who->issuer_name, "Ops");
	same(e.ip, "192.0.2.1");
	assert_int_equal(e.identity, EVENT_IAM_USER);
	/* Columns that are no path of members are left out, whatever they hold. */
	const struct str odd[] = { STR("eventname"), STR("useridentity."),
		STR("useridentity.\0x"), STR("a..b"), STR("eventtime"), STR("eventsource"),
		STR("") };
	const struct str odd_cells[] = { STR("A"), STR("1"), STR("2"), STR("3"),
		STR("2026-08-01T10:00:00Z"), STR("s3.amazonaws.com"), STR("4") };
	assert_true(columns_learn(c, odd, 7));
	event_of(c, odd_cells, &t, &b, reader, &e);
	assert_int_equal(c->n_members, 3);
	const struct str whole[] = { STR("@timestamp"), STR("@message") };
	assert_true(columns_learn(c, whole, 2));
	assert_int_equal(c->kind, COLUMNS_WHOLE);
	assert_int_equal(c->whole, 1);
	const struct str flows[] = { STR("account_id"), STR("interface_id"), STR("srcaddr"),
		STR("dstaddr"), STR("dstport"), STR("start"), STR("end"), STR("action") };
	assert_true(columns_learn(c, flows, 8));
	assert_int_equal(c->kind, COLUMNS_FLOW);
	const struct str other[] = { STR("name"), STR("colour") };
	assert_false(columns_learn(c, other, 2));
	buf_deinit(&b);
	event_reader_free(reader);
	scan_deinit(&t);
	free(c);
}

/* Structs that are malformed end somewhere and always give JSON. */
static void test_columns_struct(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "{a=1, b=[x, y], c={}}", "{\"a\":\"1\",\"b\":[\"x\",\"y\"],\"c\":{}}" },
		{ "[{arn=a, accountid=1}, {arn=b}]",
			"[{\"arn\":\"a\",\"accountId\":\"1\"},{\"arn\":\"b\"}]" },
		{ "{a=null}", "{\"a\":null}" },
		{ "{a=x, y, b=2}", "{\"a\":\"x, y\",\"b\":\"2\"}" },
		{ "plain \"text\"\n", "\"plain \\\"text\\\"\\u000a\"" },
		{ "{", "{}" },
		{ "{]", "{\"\":null}" },
		{ "[}", "[null]" },
	};
	struct scan_tape t;
	struct buf b;
	scan_init(&t);
	buf_init(&b, 1u << 16);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t used = 0;
		buf_reset(&b);
		columns_struct(str_from(cases[i].in), &b);
		assert_string_equal(b.p, cases[i].out);
		assert_int_equal(scan_value(&t, buf_view(&b), true, &used), SCAN_OK);
	}
	buf_deinit(&b);
	scan_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prune_dates),
		cmocka_unit_test(test_prune_leaves_other_folders),
		cmocka_unit_test(test_prune_regions),
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_s3_lines),
		cmocka_unit_test(test_workers_are_joined),
		cmocka_unit_test(test_flow_versions),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_columns_struct),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
