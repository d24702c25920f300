/*
 * variants VARIANT FILE...: does a vector variant of the scanner agree with the scalar one, byte
 * for byte, on these texts, on beginnings of them and on copies with some bytes changed? Stands
 * alone, so that it can be built for another processor and run by an emulator.
 */
#include "analysis/scan.h"
#include "analysis/skim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536u
#define MEMBERS  128u
#define COPIES   60u

static uint64_t state = 1;
static uint64_t n_compared;

static uint32_t below(uint32_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ (z >> 31)) % n);
}

struct skimmed {
	enum skim_result result;
	struct skim_out out;
	struct skim_member members[MEMBERS];
};

static void skim_with(const char *variant, struct str s, struct skimmed *to)
{
	struct skim_keys keys = { .n = 0 };
	skim_keys_add(&keys, "eventVersion");
	skim_keys_add(&keys, "eventName");
	skim_keys_add(&keys, "a");
	if (!skim_use(variant)) {
		fprintf(stderr, "there is no variant %s here\n", variant);
		exit(1);
	}
	memset(to, 0, sizeof(*to));
	to->out = (struct skim_out){ .members = to->members, .room = MEMBERS };
	to->result = skim_value(s, &keys, &to->out);
}

static bool same_members(const struct skimmed *a, const struct skimmed *b)
{
	for (size_t i = 0; i < a->out.n; i++) {
		const struct skim_member *x = &a->members[i];
		const struct skim_member *y = &b->members[i];
		if (x->key != y->key || x->key_n != y->key_n || x->value != y->value ||
			x->value_n != y->value_n || x->first != y->first ||
			x->key_escaped != y->key_escaped ||
			x->value_escaped != y->value_escaped || x->known != y->known) {
			return false;
		}
	}
	return true;
}

static void fail(const char *what, const char *variant, struct str s)
{
	fprintf(stderr, "%s: %s differs from scalar on %zu bytes:\n", what, variant, s.n);
	(void)fwrite(s.p, 1, s.n, stderr);
	fputc('\n', stderr);
	exit(1);
}

/* The bytes end where the memory does, so that reading past them is seen by a checker. */
static void compare(const char *variant, const char *p, size_t n)
{
	static struct skimmed a;
	static struct skimmed b;
	char *exact = malloc(n ? n : 1);
	if (!exact) {
		exit(1);
	}
	memcpy(exact, p, n);
	struct str s = { exact, n };
	skim_with("scalar", s, &a);
	skim_with(variant, s, &b);
	if (a.result != b.result || a.out.n != b.out.n || !same_members(&a, &b)) {
		fail("skim", variant, s);
	}
	if (a.result == SKIM_OK && (a.out.used != b.out.used || a.out.blanks != b.out.blanks)) {
		fail("skim's end", variant, s);
	}
	for (size_t from = 0; from < n; from += 1 + from / 16) {
		const char *at = scan_string_end_scalar(exact + from, exact + n);
		if (!scan_use(variant) || scan_string_end(exact + from, exact + n) != at) {
			fail("end of a string", variant, s);
		}
	}
	n_compared++;
	free(exact);
}

static void check_text(const char *variant, const char *text, size_t n)
{
	static const char odd[] = "\"\\{}[]:, \n\x1f\x7f\x80\xff"
				  "a0";
	static char copy[TEXT_MAX];
	compare(variant, text, n);
	for (uint32_t i = 0; i < COPIES && n; i++) {
		memcpy(copy, text, n);
		for (uint32_t k = 1 + below(3); k > 0; k--) {
			copy[below((uint32_t)n)] = odd[below(sizeof(odd))];
		}
		compare(variant, copy, n);
		compare(variant, text, below((uint32_t)n + 1));
	}
}

/* Every byte at every place of two blocks, within a string and outside. */
static void check_bytes(const char *variant)
{
	char text[140];
	for (int c = 0; c < 256; c++) {
		for (size_t at = 1; at < sizeof(text) - 1; at++) {
			memset(text, 'x', sizeof(text));
			memcpy(text, "{\"a\":\"", 6);
			memcpy(text + sizeof(text) - 2, "\"}", 2);
			text[at] = (char)c;
			compare(variant, text, sizeof(text));
			memset(text, ' ', sizeof(text));
			text[0] = '[';
			text[sizeof(text) - 1] = ']';
			text[at] = (char)c;
			compare(variant, text, sizeof(text));
		}
	}
}

int main(int argc, char **argv)
{
	static char text[TEXT_MAX];
	if (argc < 2) {
		fputs("usage: variants VARIANT FILE...\n", stderr);
		return 2;
	}
	check_bytes(argv[1]);
	for (int i = 2; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		if (!f) {
			perror(argv[i]);
			return 1;
		}
		size_t n = fread(text, 1, sizeof(text), f);
		(void)fclose(f);
		check_text(argv[1], text, n);
	}
	printf("%s agrees with scalar on %llu texts\n", argv[1],
		(unsigned long long)n_compared);
	return 0;
}
