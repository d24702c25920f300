/* Patterns with wildcards, and their match against bytes. */
#include "analysis/sigma.h"

static uint16_t lower(unsigned char c, bool cased)
{
	return !cased && c >= 'A' && c <= 'Z' ? (uint16_t)(c + 32) : c;
}

bool sigma_pattern_read(struct arena *a, struct str text, bool cased, struct sigma_pattern *out)
{
	/* Two more than the text, for the wildcards that modifiers put around it. */
	uint16_t *t = arena_array(a, text.n + 2, sizeof(*t));
	size_t n = 0;
	if (!t) {
		return false;
	}
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		char next = i + 1 < text.n ? text.p[i + 1] : 0;
		if (c == '\\' && (next == '*' || next == '?' || next == '\\')) {
			t[n++] = (uint16_t)next;
			i++;
		} else if (c == '*') {
			t[n++] = SIGMA_ANY;
		} else if (c == '?') {
			t[n++] = SIGMA_ONE;
		} else {
			t[n++] = lower((unsigned char)c, cased);
		}
	}
	*out = (struct sigma_pattern){ t, n };
	return true;
}

/* Bytes that the token takes at the front of the text; 0 = no match. */
static size_t token_takes(uint16_t token, const char *p, size_t left, bool cased)
{
	static const char *const dashes[] = { "-", "/", "\xe2\x80\x93", "\xe2\x80\x94",
		"\xe2\x80\x95" };
	if (left == 0) {
		return 0;
	}
	if (token == SIGMA_ONE) {
		return 1;
	}
	if (token == SIGMA_DASH) {
		for (size_t i = 0; i < sizeof(dashes) / sizeof(dashes[0]); i++) {
			struct str dash = str_from(dashes[i]);
			if (str_starts((struct str){ p, left }, dash)) {
				return dash.n;
			}
		}
		return 0;
	}
	return lower((unsigned char)*p, cased) == token;
}

/* After a wildcard: the first place from k on where the next token could begin. */
static size_t skip_to(
	const struct sigma_pattern *p, size_t i, struct str text, size_t k, bool cased)
{
	if (i == p->n) {
		return text.n;
	}
	if (p->tokens[i] > 255) {
		return k;
	}
	while (k < text.n && lower((unsigned char)text.p[k], cased) != p->tokens[i]) {
		k++;
	}
	return k;
}

/* Greedy with one point of return: the last wildcard is enough, since each run may only grow. */
bool sigma_pattern_matches(const struct sigma_pattern *p, struct str text, bool cased)
{
	size_t i = 0;
	size_t k = 0;
	size_t star = SIZE_MAX;
	size_t back = 0;
	while (k < text.n || i < p->n) {
		if (i < p->n && p->tokens[i] == SIGMA_ANY) {
			star = i++;
			back = k = skip_to(p, i, text, k, cased);
			continue;
		}
		size_t n =
			i < p->n ? token_takes(p->tokens[i], text.p + k, text.n - k, cased) : 0;
		if (n) {
			i++;
			k += n;
		} else if (star != SIZE_MAX && back < text.n) {
			i = star + 1;
			k = back = skip_to(p, i, text, back + 1, cased);
		} else {
			return false;
		}
	}
	return true;
}
