/*
 * The skimming itself, included once for each kind of processor. The including file defines
 * TARGET (attributes of every function here), NAME (the function to define), and
 *   static inline void masks(const char *p, struct skim_masks *m)  for 64 bytes at p,
 *   static inline uint64_t prefix_xor(uint64_t x)  bit i = parity of bits 0 to i, and
 *   static inline bool begins(const char *p, const struct skim_key *k)  for 32 bytes at p.
 * No include guard: it is meant to be included again.
 */

/* The text, and what is found out about it on the way. */
struct view {
	const char *base;
	size_t n;
	bool bad;    /* control characters within strings */
	bool blanks; /* white space between tokens */
};

/* The masks of 64 bytes from `at` on, at < n: past the end there is nothing. */
TARGET static inline void look(const struct view *v, size_t at, struct skim_masks *m)
{
	size_t left = v->n - at;
	if (__builtin_expect(left >= 64, 1)) {
		masks(v->base + at, m);
		return;
	}
	char tail[64] = { 0 };
	memcpy(tail, v->base + at, left);
	masks(tail, m);
	m->control &= (UINT64_C(1) << left) - 1;
	m->blank &= (UINT64_C(1) << left) - 1;
}

/*
 * `at` is past the quote that begins a string: where the one stands that ends it, SIZE_MAX when
 * there is none.
 */
TARGET static inline size_t string_end(struct view *v, size_t at, bool *escaped)
{
	size_t guarded = 0; /* bytes that a backslash of the block before guards */
	*escaped = false;
	for (; at < v->n; at += 64) {
		struct skim_masks m;
		look(v, at, &m);
		uint64_t stops = (m.quotes | m.slashes | m.control) & UINT64_MAX << guarded;
		guarded = 0;
		while (stops) {
			size_t i = (size_t)__builtin_ctzll(stops);
			if (v->base[at + i] == '"') {
				return at + i;
			}
			if (v->base[at + i] != '\\') {
				v->bad = true;
				return SIZE_MAX;
			}
			*escaped = true;
			guarded = i == 63;
			stops &= UINT64_MAX << 1 << (guarded ? i : i + 1);
		}
	}
	return SIZE_MAX;
}

/* The bytes that backslashes guard; *carry: the block before, then this one, ends with one that does. */
TARGET static inline uint64_t escaped_bits(uint64_t slashes, uint64_t *carry)
{
	uint64_t escaped = *carry;
	slashes &= ~escaped;
	*carry = 0;
	while (slashes) {
		uint64_t low = slashes & -slashes;
		escaped |= low << 1;
		*carry = low >> 63;
		slashes &= ~(low | low << 1);
	}
	return escaped;
}

/* `at` is on an opening bracket: one past the bracket that closes it. */
TARGET static inline size_t after_bracket(struct view *v, size_t at)
{
	size_t depth = 0;
	uint64_t within = 0; /* all ones when the block before ended within a string */
	uint64_t carry = 0;
	for (; at < v->n; at += 64) {
		struct skim_masks m;
		look(v, at, &m);
		if (__builtin_expect((m.slashes | carry) != 0, 0)) {
			m.quotes &= ~escaped_bits(m.slashes, &carry);
		}
		uint64_t inside = prefix_xor(m.quotes) ^ within;
		within = (uint64_t)((int64_t)inside >> 63);
		uint64_t open = m.open & ~inside;
		uint64_t close = m.close & ~inside;
		uint64_t bad = m.control & inside;
		uint64_t blank = m.blank & ~inside;
		size_t n_open = (size_t)__builtin_popcountll(open);
		size_t n_close = (size_t)__builtin_popcountll(close);
		if (n_close < depth) { /* it can't end in this block */
			depth += n_open - n_close;
		} else {
			size_t before = depth;
			for (; close; close &= close - 1) {
				uint64_t low = close & -close;
				before--;
				depth = before + (size_t)__builtin_popcountll(open & (low - 1));
				if (depth == 0) {
					v->bad |= (bad & (low - 1)) != 0;
					v->blanks |= (blank & (low - 1)) != 0;
					return at + (size_t)__builtin_ctzll(low) + 1;
				}
			}
			depth = before + n_open;
		}
		v->bad |= bad != 0;
		v->blanks |= blank != 0;
	}
	return SIZE_MAX;
}

TARGET static inline size_t skip_blank(struct view *v, size_t at)
{
	while (at < v->n && (v->base[at] == ' ' || v->base[at] == '\n' || v->base[at] == '\r' ||
				    v->base[at] == '\t')) {
		v->blanks = true;
		at++;
	}
	return at;
}

/* One past a number or a word. */
TARGET static inline size_t after_plain(const struct view *v, size_t at)
{
	while (at < v->n && (unsigned char)v->base[at] > ' ' && v->base[at] != ',' &&
		v->base[at] != '}' && v->base[at] != ']') {
		at++;
	}
	return at;
}

/* One past null, true or false, when that is what stands there; else 0. */
TARGET static inline size_t after_word(const struct view *v, size_t at)
{
	uint32_t word = 0;
	if (v->n - at < 6) {
		return 0;
	}
	memcpy(&word, v->base + at, sizeof(word));
	size_t n = memcmp(&word, "fals", 4) == 0 ? 5 : 4;
	bool known = n == 5 ? v->base[at + 4] == 'e'
			    : memcmp(&word, "true", 4) == 0 || memcmp(&word, "null", 4) == 0;
	char next = v->base[at + n];
	return known && (next == ',' || next == '}' || next == ']') ? at + n : 0;
}

/* Value at `at`; *after is one past it. */
TARGET static inline enum skim_result take_member(
	struct view *v, size_t at, struct skim_member *m, size_t *after)
{
	char first = v->base[at];
	m->first = (uint8_t)first;
	m->value_escaped = false;
	if (first == '"') {
		size_t end = string_end(v, at + 1, &m->value_escaped);
		if (end == SIZE_MAX) {
			return SKIM_MORE;
		}
		m->value = (uint32_t)at + 1;
		m->value_n = (uint32_t)(end - at) - 1;
		*after = end + 1;
		return SKIM_OK;
	}
	bool bracket = first == '{' || first == '[';
	size_t end = bracket ? after_bracket(v, at) : after_word(v, at);
	bool word = !bracket && end;
	if (!bracket && !word) {
		end = after_plain(v, at);
	}
	if (end == SIZE_MAX || (!bracket && end == v->n)) {
		return SKIM_MORE;
	}
	if (bracket && (v->base[end - 1] == '}') != (first == '{')) {
		return SKIM_BAD;
	}
	m->value = (uint32_t)at;
	m->value_n = (uint32_t)(end - at);
	*after = end;
	bool good = bracket || word || skim_is_plain((struct str){ v->base + at, end - at });
	return good ? SKIM_OK : SKIM_BAD;
}

/* The key at `at` when it is the likely one: nothing has to be looked for. */
TARGET static inline bool take_likely(struct view *v, const struct skim_keys *keys,
	uint8_t likely, size_t at, struct skim_member *m)
{
	const struct skim_key *k = &keys->key[likely];
	if (v->n - at <= sizeof(k->text) || !begins(v->base + at, k)) {
		return false;
	}
	m->key = (uint32_t)at + 1;
	m->key_n = k->n - 3;
	m->key_escaped = false;
	m->known = likely;
	return true;
}

/* Key at `at`, up to its colon; *after is where the value begins. */
TARGET static enum skim_result take_key(
	struct view *v, struct skim_keys *keys, size_t at, struct skim_member *m, size_t *after)
{
	if (v->base[at] != '"') {
		return SKIM_BAD;
	}
	size_t end = string_end(v, at + 1, &m->key_escaped);
	if (end == SIZE_MAX) {
		return SKIM_MORE;
	}
	m->key = (uint32_t)at + 1;
	m->key_n = (uint32_t)(end - at) - 1;
	m->known = keys ? skim_keys_find(keys, (struct str){ v->base + m->key, m->key_n })
			: SKIM_UNKNOWN;
	at = skip_blank(v, end + 1);
	if (at >= v->n) {
		return SKIM_MORE;
	}
	if (v->base[at] != ':') {
		return SKIM_BAD;
	}
	*after = skip_blank(v, at + 1);
	return *after < v->n ? SKIM_OK : SKIM_MORE;
}

/* After a value: true when another one follows at *at; false when the bracket closes before *at. */
TARGET static inline enum skim_result take_comma(
	struct view *v, char closing, size_t *at, bool *more)
{
	size_t i = *at;
	if (i < v->n && (unsigned char)v->base[i] <= ' ') {
		i = skip_blank(v, i);
	}
	if (i >= v->n) {
		return SKIM_MORE;
	}
	*more = v->base[i] == ',';
	if (!*more && v->base[i] != closing) {
		return SKIM_BAD;
	}
	i++;
	if (*more && i < v->n && (unsigned char)v->base[i] <= ' ') {
		i = skip_blank(v, i);
	}
	*at = i;
	return *more && i >= v->n ? SKIM_MORE : SKIM_OK;
}

/* Past an object of n bytes that was skimmed before: it is as good as it was then. */
TARGET static inline void jump(
	const struct view *v, size_t at, size_t n, struct skim_member *m, size_t *after)
{
	m->first = (uint8_t)v->base[at];
	m->value_escaped = false;
	m->value = (uint32_t)at;
	m->value_n = (uint32_t)n;
	*after = at + n;
}

TARGET static inline enum skim_result run(
	struct view *v, struct skim_keys *keys, struct skim_out *out)
{
	bool object = v->base[0] == '{';
	char closing = object ? '}' : ']';
	size_t at = skip_blank(v, 1);
	uint8_t before = 0; /* place in `next` */
	bool more = at < v->n && v->base[at] != closing;
	enum skim_result r = at < v->n ? SKIM_OK : SKIM_MORE;
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
		} else if (keys && (take_likely(v, keys, keys->next[before], at, m) ||
					   take_likely(v, keys, keys->other[before], at, m))) {
			value = at + m->key_n + 3;
			value = (unsigned char)v->base[value] <= ' ' ? skip_blank(v, value)
								     : value;
		} else {
			r = take_key(v, keys, at, m, &value);
		}
		if (r != SKIM_OK || value >= v->n) {
			return r == SKIM_OK ? SKIM_MORE : r;
		}
		uint8_t key = m->known;
		size_t known = 0;
		if (keys && key != SKIM_UNKNOWN) {
			skim_keys_learn(keys, before, key);
			before = (uint8_t)(key + 1);
			known = skim_keys_jump(
				keys, out, (struct str){ v->base, v->n }, at, value);
		}
		if (known && key == keys->rest_key) {
			out->rest = at;
			out->used = at + known;
			return SKIM_OK;
		}
		if (known) {
			jump(v, value, known, m, &at);
		} else {
			r = take_member(v, value, m, &at);
		}
		out->n += r == SKIM_OK ? 1 : 0;
		r = r == SKIM_OK ? take_comma(v, closing, &at, &more) : r;
		out->used = at;
	}
	return r;
}

TARGET enum skim_result NAME(struct str s, struct skim_keys *keys, struct skim_out *out)
{
	struct view v = { .base = s.p, .n = s.n };
	enum skim_result r = run(&v, keys, out);
	out->blanks = v.blanks;
	return v.bad ? SKIM_BAD : r;
}
