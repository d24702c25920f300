#include "response/actions/cidr.h"
#include "tests/unit/unit.h"

static struct cidr range(const char *text)
{
	struct cidr c = { 0 };
	assert_true(cidr_parse(str_from(text), &c));
	return c;
}

static void assert_written(const char *text, const char *expected)
{
	struct cidr c = range(text);
	char out[CIDR_TEXT];
	cidr_text(&c, out);
	assert_string_equal(out, expected);
}

static void ranges_are_written_canonically(void **state)
{
	(void)state;
	assert_written("198.51.100.7", "198.51.100.7/32");
	assert_written("198.51.100.77/24", "198.51.100.0/24");
	assert_written("10.1.2.3/9", "10.0.0.0/9");
	assert_written("0.0.0.0/0", "0.0.0.0/0");
	assert_written("2001:0db8:0:0:0:0:0:1", "2001:db8::1/128");
	assert_written("2001:db8:ffff::1/33", "2001:db8:8000::/33");
	assert_written("::ffff:198.51.100.7", "198.51.100.7/32");
	assert_written("::ffff:198.51.100.7/120", "198.51.100.0/24");
}

static void malformed_ranges_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "/", "/8", "198.51.100", "198.51.100.7/",
		"198.51.100.7/33", "198.51.100.7/-1", "198.51.100.7/+8", "198.51.100.7/0008",
		"2001:db8::/129", "1.2.3.4 ", "2001:db8::1%eth0", "0x7f.1", "1.2.3.4/8/8",
		"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:0000:1111:2222:3333" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cidr c;
		assert_false(cidr_parse(str_from(bad[i]), &c));
	}
	struct cidr c;
	assert_false(cidr_parse((struct str){ "1.2.3.4\0x", 9 }, &c));
}

static void containment_follows_the_prefix(void **state)
{
	(void)state;
	struct cidr vpc = range("10.20.0.0/16"), inside = range("10.20.255.255");
	struct cidr outside = range("10.21.0.0"), wide = range("10.0.0.0/8");
	struct cidr six = range("::/0");
	assert_true(cidr_contains(&vpc, &inside));
	assert_true(cidr_contains(&vpc, &vpc));
	assert_false(cidr_contains(&vpc, &outside));
	assert_false(cidr_contains(&vpc, &wide));
	assert_false(cidr_contains(&six, &inside));
}

static void only_public_unicast_is_ordinary(void **state)
{
	(void)state;
	static const char *const special[] = { "10.0.0.1", "172.31.255.255", "192.168.1.1",
		"127.0.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
		"0.0.0.0", "::1", "::", "fd00:ec2::254", "fe80::1", "ff02::1",
		"::ffff:10.0.0.1", "0.0.0.0/0", "10.0.0.0/7" };
	static const char *const ordinary[] = { "198.51.100.7", "172.32.0.1", "100.128.0.1",
		"8.8.8.8", "2001:db8::1", "2600:1f18::1" };
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		struct cidr c = range(special[i]);
		assert_non_null(cidr_special(&c));
	}
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++) {
		struct cidr c = range(ordinary[i]);
		assert_null(cidr_special(&c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_written_canonically),
		cmocka_unit_test(malformed_ranges_are_refused),
		cmocka_unit_test(containment_follows_the_prefix),
		cmocka_unit_test(only_public_unicast_is_ordinary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
