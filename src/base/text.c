#include "base/text.h"

#include <string.h>

enum kind { KIND_PLAIN, KIND_CONTROL, KIND_BROKEN, KIND_STEERING };

/* Characters that reorder or hide text: bidi controls, zero-width ones, separators, tags. */
static bool is_steering(uint32_t c)
{
	return c == 0x061c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

/* Takes the next character: its bytes in *ch, its code in *code. */
static enum kind next_char(struct str *s, struct str *ch, uint32_t *code)
{
	size_t len = str_utf8_len(*s);
	*ch = str_sub(*s, 0, len ? len : 1);
	*s = str_sub(*s, ch->n, s->n);
	unsigned char lead = (unsigned char)ch->p[0];
	*code = lead;
	if (len == 0) {
		return KIND_BROKEN;
	}
	if (len > 1) {
		*code = lead & (0xffu >> (len + 1));
		for (size_t i = 1; i < len; i++) {
			*code = *code << 6 | ((unsigned char)ch->p[i] & 0x3f);
		}
	}
	if (*code < 0x20 || (*code >= 0x7f && *code < 0xa0)) {
		return KIND_CONTROL;
	}
	return is_steering(*code) ? KIND_STEERING : KIND_PLAIN;
}

static void add_visible(enum kind kind, uint32_t code, struct buf *out)
{
	if (kind == KIND_STEERING) {
		buf_printf(out, "\\u{%04X}", (unsigned)code);
	} else {
		buf_printf(out, "\\x%02X", (unsigned)code);
	}
}

void text_terminal(struct str s, struct buf *out)
{
	struct str ch;
	uint32_t code;
	while (s.n) {
		enum kind kind = next_char(&s, &ch, &code);
		if (kind == KIND_PLAIN) {
			buf_add_str(out, ch);
		} else {
			add_visible(kind, code, out);
		}
	}
}

static const char *html_entity(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void text_html(struct str s, struct buf *out)
{
	struct str ch;
	uint32_t code;
	while (s.n) {
		enum kind kind = next_char(&s, &ch, &code);
		const char *entity = html_entity(code);
		if (kind == KIND_PLAIN && entity) {
			buf_puts(out, entity);
		} else if (kind == KIND_PLAIN || (kind == KIND_CONTROL && code == '\n')) {
			buf_add_str(out, ch);
		} else {
			add_visible(kind, code, out);
		}
	}
}

void text_csv(struct str s, struct buf *out)
{
	bool formula = s.n && strchr("=+-@\t\r", s.p[0]) && s.p[0];
	bool quote = formula;
	for (size_t i = 0; i < s.n && !quote; i++) {
		quote = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r' ||
			s.p[i] == ' ' || s.p[i] == ';';
	}
	if (!quote) {
		text_terminal(s, out);
		return;
	}
	buf_puts(out, formula ? "\"'" : "\"");
	struct str ch;
	uint32_t code;
	while (s.n) {
		enum kind kind = next_char(&s, &ch, &code);
		if (code == '"') {
			buf_puts(out, "\"\"");
		} else if (kind == KIND_PLAIN || (kind == KIND_CONTROL && code == '\n')) {
			buf_add_str(out, ch);
		} else {
			add_visible(kind, code, out);
		}
	}
	buf_putc(out, '"');
}

void text_json(struct str s, struct buf *out)
{
	struct str ch;
	uint32_t code;
	while (s.n) {
		size_t plain = 0;
		while (plain < s.n && (unsigned char)s.p[plain] < 0x7f) {
			plain++;
		}
		buf_add_str(out, str_sub(s, 0, plain));
		s = str_sub(s, plain, SIZE_MAX);
		if (s.n == 0) {
			break;
		}
		enum kind kind = next_char(&s, &ch, &code);
		if (kind != KIND_CONTROL && kind != KIND_STEERING) {
			buf_add_str(out, ch);
		} else if (code < 0x10000) {
			buf_printf(out, "\\u%04x", (unsigned)code);
		} else {
			code -= 0x10000;
			buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + (code >> 10)),
				(unsigned)(0xdc00 + (code & 0x3ff)));
		}
	}
}

void text_shell(struct str s, struct buf *out)
{
	buf_putc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'') {
			buf_puts(out, "'\\''");
		} else if (s.p[i] != '\0') {
			buf_putc(out, s.p[i]);
		}
	}
	buf_putc(out, '\'');
}

/* Mark-up anywhere, against what is mark-up only where a line begins. */
static bool markdown_special(uint32_t code, struct str rest, bool first)
{
	if (code >= 0x80) {
		return false;
	}
	if (strchr("\\`*_[]<>|~&", (int)code)) {
		return true;
	}
	if (code == ':') {
		return str_starts(rest, STR("//")); /* else some readers make a link of it */
	}
	return first && strchr("#+-=!", (int)code);
}

void text_markdown(struct str s, struct buf *out)
{
	struct str ch;
	uint32_t code;
	bool first = true;   /* nothing but blanks so far */
	bool numbers = true; /* nothing but digits so far: "1." would begin a list */
	while (s.n) {
		enum kind kind = next_char(&s, &ch, &code);
		if (kind == KIND_CONTROL && code == '\n') {
			buf_putc(out, ' ');
			continue;
		}
		if (kind != KIND_PLAIN) {
			add_visible(kind, code, out);
		} else {
			if (markdown_special(code, s, first) ||
				(numbers && !first && (code == '.' || code == ')'))) {
				buf_putc(out, '\\');
			}
			buf_add_str(out, ch);
		}
		numbers = numbers && code >= '0' && code <= '9';
		first = first && code == ' ';
	}
}

void text_clip(struct str s, size_t max_chars, struct buf *out)
{
	struct str ch;
	uint32_t code;
	size_t total = 0;
	struct str count = s;
	while (count.n && total <= max_chars) {
		total += next_char(&count, &ch, &code) == KIND_PLAIN;
	}
	size_t keep = total > max_chars && max_chars >= 3 ? max_chars - 3 : max_chars;
	size_t n = 0;
	while (s.n && n < keep) {
		if (next_char(&s, &ch, &code) == KIND_PLAIN) {
			buf_add_str(out, ch);
			n++;
		}
	}
	if (total > max_chars && max_chars >= 3) {
		buf_puts(out, "...");
	}
}
