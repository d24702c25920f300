/*
 * The skimming itself, included once for each kind of processor. The including file defines
 * TARGET (attributes of every function here), NAME (the function to define), and
 *   static inline void masks(const char *p, struct skim_masks *m)  for 64 bytes at p,
 *   static inline uint64_t prefix_xor(uint64_t x)  bit i = parity of bits 0 to i, and
 *   static inline bool begins(const char *p, const struct skim_key *k)  for 32 bytes at p.
 * No include guard: it is meant to be included again.
 */

/* Where in the text we are: the masks are of the 64 bytes at `block`. */
struct cursor {
	const char *base;
	size_t n, block;
	uint64_t quotes, open, close;
	uint64_t inside; /* all ones when the block before ended within a string */
	bool escape;     /* the block before ended with a backslash that guards the next byte */
	size_t slashes;  /* one past the last block that holds a backslash */
	uint64_t bad;    /* control characters within strings */
	uint64_t blank;  /* white space between tokens, in the block and ... */
	bool blanks;     /* ... before it */
};

TARGET static inline uint64_t escaped_bits(struct cursor *c, uint64_t slashes)
{
	uint64_t escaped = c->escape ? 1 : 0;
	slashes &= ~escaped;
	c->escape = false;
	c->slashes = c->block + 64;
	while (slashes) {
		uint64_t low = slashes & -slashes;
		escaped |= low << 1;
		c->escape = low == UINT64_C(1) << 63;
		slashes &= ~(low | low << 1);
	}
	return escaped;
}

TARGET static inline void take_block(struct cursor *c)
{
	struct skim_masks m;
	size_t left = c->n - c->block;
	if (__builtin_expect(left >= 64, 1)) {
		masks(c->base + c->block, &m);
	} else {
		char tail[64] = { 0 };
		memcpy(tail, c->base + c->block, left);
		masks(tail, &m);
		m.control &= (UINT64_C(1) << left) - 1;
		m.blank &= (UINT64_C(1) << left) - 1;
	}
	uint64_t quotes = m.quotes;
	if (__builtin_expect((m.slashes != 0) | c->escape, 0)) {
		quotes &= ~escaped_bits(c, m.slashes);
	}
	uint64_t inside = prefix_xor(quotes) ^ c->inside;
	c->inside = (uint64_t)((int64_t)inside >> 63);
	c->quotes = quotes;
	c->open = m.open & ~inside;
	c->close = m.close & ~inside;
	c->bad |= m.control & inside;
	c->blanks |= c->blank != 0;
	c->blank = m.blank & ~inside;
}

/* Makes `at` lie in the block; false past the end. */
TARGET static inline bool reach(struct cursor *c, size_t at)
{
	while (at - c->block >= 64) {
		c->block += 64;
		if (c->block >= c->n) {
			return false;
		}
		take_block(c);
	}
	return at < c->n;
}

/* The next quote that ends a string, at or after `at`; SIZE_MAX when there is none. */
TARGET static inline size_t next_quote(struct cursor *c, size_t at)
{
	if (!reach(c, at)) {
		return SIZE_MAX;
	}
	uint64_t m = c->quotes & (UINT64_MAX << (at - c->block));
	while (m == 0) {
		c->block += 64;
		if (c->block >= c->n) {
			return SIZE_MAX;
		}
		take_block(c);
		m = c->quotes;
	}
	return c->block + (size_t)__builtin_ctzll(m);
}

/* `at` is on an opening bracket: one past the bracket that closes it. */
TARGET static inline size_t after_bracket(struct cursor *c, size_t at)
{
	size_t depth = 0;
	if (!reach(c, at)) {
		return SIZE_MAX;
	}
	uint64_t from = UINT64_MAX << (at - c->block);
	for (;;) {
		uint64_t open = c->open & from;
		uint64_t close = c->close & from;
		size_t n_open = (size_t)__builtin_popcountll(open);
		size_t n_close = (size_t)__builtin_popcountll(close);
		from = UINT64_MAX;
		if (n_close < depth) { /* it can't end in this block */
			depth += n_open - n_close;
			close = 0;
		} else {
			size_t before = depth;
			for (; close; close &= close - 1) {
				uint64_t low = close & -close;
				before--;
				depth = before + (size_t)__builtin_popcountll(open & (low - 1));
				if (depth == 0) {
					return c->block + (size_t)__builtin_ctzll(low) + 1;
				}
			}
			depth = before + n_open;
		}
		c->block += 64;
		if (c->block >= c->n) {
			return SIZE_MAX;
		}
		take_block(c);
	}
}

TARGET static inline size_t skip_blank(const struct cursor *c, size_t at)
{
	while (at < c->n && (c->base[at] == ' ' || c->base[at] == '\n' || c->base[at] == '\r' ||
				    c->base[at] == '\t')) {
		at++;
	}
	return at;
}

/* One past a number or a word. */
TARGET static inline size_t after_plain(const struct cursor *c, size_t at)
{
	while (at < c->n && (unsigned char)c->base[at] > ' ' && c->base[at] != ',' &&
		c->base[at] != '}' && c->base[at] != ']') {
		at++;
	}
	return at;
}

/* One past null, true or false, when that is what stands there; else 0. */
TARGET static inline size_t after_word(const struct cursor *c, size_t at)
{
	uint32_t word = 0;
	if (c->n - at < 6) {
		return 0;
	}
	memcpy(&word, c->base + at, sizeof(word));
	size_t n = memcmp(&word, "fals", 4) == 0 ? 5 : 4;
	bool known = n == 5 ? c->base[at + 4] == 'e'
			    : memcmp(&word, "true", 4) == 0 || memcmp(&word, "null", 4) == 0;
	char next = c->base[at + n];
	return known && (next == ',' || next == '}' || next == ']') ? at + n : 0;
}

/* Value at `at`; *after is one past it. */
TARGET static inline enum skim_result take_member(
	struct cursor *c, size_t at, struct skim_member *m, size_t *after)
{
	char first = c->base[at];
	m->first = (uint8_t)first;
	m->value_escaped = false;
	if (first == '"') {
		size_t end = next_quote(c, at + 1);
		if (end == SIZE_MAX) {
			return SKIM_MORE;
		}
		m->value = (uint32_t)at + 1;
		m->value_n = (uint32_t)(end - at) - 1;
		m->value_escaped =
			c->slashes > at && memchr(c->base + m->value, '\\', m->value_n);
		*after = end + 1;
		return SKIM_OK;
	}
	bool bracket = first == '{' || first == '[';
	size_t end = bracket ? after_bracket(c, at) : after_word(c, at);
	bool word = !bracket && end;
	if (!bracket && !word) {
		end = after_plain(c, at);
	}
	if (end == SIZE_MAX || (!bracket && end == c->n)) {
		return SKIM_MORE;
	}
	if (bracket && (c->base[end - 1] == '}') != (first == '{')) {
		return SKIM_BAD;
	}
	m->value = (uint32_t)at;
	m->value_n = (uint32_t)(end - at);
	*after = end;
	bool good = bracket || word || skim_is_plain((struct str){ c->base + at, end - at });
	return good ? SKIM_OK : SKIM_BAD;
}

/* The key at `at` when it is the likely one: nothing has to be looked for. */
TARGET static inline bool take_likely(struct cursor *c, const struct skim_keys *keys,
	uint8_t likely, size_t at, struct skim_member *m)
{
	const struct skim_key *k = &keys->key[likely];
	if (c->n - at <= sizeof(k->text) || !begins(c->base + at, k)) {
		return false;
	}
	m->key = (uint32_t)at + 1;
	m->key_n = k->n - 3;
	m->key_escaped = false;
	m->known = likely;
	return true;
}

/* Key at `at`, up to its colon; *after is where the value begins. */
TARGET static enum skim_result take_key(struct cursor *c, struct skim_keys *keys, size_t at,
	struct skim_member *m, size_t *after)
{
	if (c->base[at] != '"') {
		return SKIM_BAD;
	}
	size_t end = next_quote(c, at + 1);
	if (end == SIZE_MAX) {
		return SKIM_MORE;
	}
	m->key = (uint32_t)at + 1;
	m->key_n = (uint32_t)(end - at) - 1;
	m->key_escaped = c->slashes > at && memchr(c->base + m->key, '\\', m->key_n);
	m->known = keys ? skim_keys_find(keys, (struct str){ c->base + m->key, m->key_n })
			: SKIM_UNKNOWN;
	at = skip_blank(c, end + 1);
	if (at >= c->n) {
		return SKIM_MORE;
	}
	if (c->base[at] != ':') {
		return SKIM_BAD;
	}
	*after = skip_blank(c, at + 1);
	return *after < c->n ? SKIM_OK : SKIM_MORE;
}

/* After a value: true when another one follows at *at; false when the bracket closes before *at. */
TARGET static inline enum skim_result take_comma(
	const struct cursor *c, char closing, size_t *at, bool *more)
{
	size_t i = *at;
	if (i < c->n && (unsigned char)c->base[i] <= ' ') {
		i = skip_blank(c, i);
	}
	if (i >= c->n) {
		return SKIM_MORE;
	}
	*more = c->base[i] == ',';
	if (!*more && c->base[i] != closing) {
		return SKIM_BAD;
	}
	i++;
	if (*more && i < c->n && (unsigned char)c->base[i] <= ' ') {
		i = skip_blank(c, i);
	}
	*at = i;
	return *more && i >= c->n ? SKIM_MORE : SKIM_OK;
}

TARGET static inline struct str text_from(const struct cursor *c, size_t at)
{
	return (struct str){ c->base + at, c->n - at };
}

/* Past an object of n bytes that was skimmed before: it is as good as it was then. */
TARGET static inline enum skim_result jump(
	struct cursor *c, size_t at, size_t n, struct skim_member *m, size_t *after)
{
	m->first = (uint8_t)c->base[at];
	m->value_escaped = false;
	m->value = (uint32_t)at;
	m->value_n = (uint32_t)n;
	*after = at + n;
	if (!reach(c, at)) {
		return SKIM_MORE;
	}
	c->blanks |= c->blank != 0;
	c->block = at + n;
	c->inside = 0;
	c->escape = false;
	c->blank = 0;
	if (c->block < c->n) {
		take_block(c);
	}
	return SKIM_OK;
}

TARGET static inline enum skim_result run(
	struct cursor *c, struct skim_keys *keys, struct skim_out *out)
{
	bool object = c->base[0] == '{';
	char closing = object ? '}' : ']';
	size_t at = skip_blank(c, 1);
	uint8_t before = 0; /* place in `next` */
	bool more = at < c->n && c->base[at] != closing;
	enum skim_result r = at < c->n ? SKIM_OK : SKIM_MORE;
	out->used = more ? at : at + 1;
	while (r == SKIM_OK && more) {
		if (out->n == out->room) {
			return SKIM_LIMIT;
		}
		struct skim_member *m = &out->members[out->n];
		size_t value = at;
		if (!object) {
			m->key = m->key_n = 0;
			m->key_escaped = false;
			m->known = SKIM_UNKNOWN;
		} else if (keys && (take_likely(c, keys, keys->next[before], at, m) ||
					   take_likely(c, keys, keys->other[before], at, m))) {
			value = at + m->key_n + 3;
			value = (unsigned char)c->base[value] <= ' ' ? skip_blank(c, value)
								     : value;
		} else {
			r = take_key(c, keys, at, m, &value);
		}
		if (r != SKIM_OK || value >= c->n) {
			return r == SKIM_OK ? SKIM_MORE : r;
		}
		if (keys && m->known != SKIM_UNKNOWN) {
			skim_keys_learn(keys, before, m->known);
			before = (uint8_t)(m->known + 1);
		}
		size_t known = keys && keys->jump && m->known == keys->jump_key
				       ? keys->jump(keys->ctx, text_from(c, value))
				       : 0;
		r = known ? jump(c, value, known, m, &at) : take_member(c, value, m, &at);
		out->n += r == SKIM_OK ? 1 : 0;
		r = r == SKIM_OK ? take_comma(c, closing, &at, &more) : r;
		out->used = at;
	}
	return r;
}

TARGET enum skim_result NAME(struct str s, struct skim_keys *keys, struct skim_out *out)
{
	struct cursor c = { .base = s.p, .n = s.n };
	take_block(&c);
	enum skim_result r = run(&c, keys, out);
	/* Of the last block only what belongs to the value counts. */
	size_t last = out->used - c.block;
	out->blanks = c.blanks || (last < 64 ? c.blank << 1 << (63 - last) : c.blank) != 0;
	return r == SKIM_OK && c.bad ? SKIM_BAD : r;
}
