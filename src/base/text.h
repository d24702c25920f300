/* Escaping: attacker-written text made safe for the place where it is shown. */
#ifndef CORDON_BASE_TEXT_H
#define CORDON_BASE_TEXT_H

#include "base/buf.h"

/*
 * For a terminal or a one-line message: control bytes, DEL, C1, invalid UTF-8 and bidirectional
 * controls (U+202A..E, U+2066..9, U+200E/F, U+061C) become visible \xNN or \u{NNNN}.
 */
void text_terminal(struct str s, struct buf *out);
/* For HTML text and double- or single-quoted attributes; controls and bidi as for a terminal. */
void text_html(struct str s, struct buf *out);
/* One CSV cell: quoted when needed; a cell starting with = + - @ TAB CR gets a leading '. */
void text_csv(struct str s, struct buf *out);
/*
 * JSON text that says the same: DEL, C1 and bidirectional controls, which would steer a terminal,
 * become \uNNNN; nothing else changes. They can stand in strings only.
 */
void text_json(struct str s, struct buf *out);
/* One POSIX shell word in single quotes. */
void text_shell(struct str s, struct buf *out);
/* For Markdown body text and table cells. */
void text_markdown(struct str s, struct buf *out);
/* The text with controls gone, at most `max_chars` characters, "..." at the end when cut. */
void text_clip(struct str s, size_t max_chars, struct buf *out);

#endif
