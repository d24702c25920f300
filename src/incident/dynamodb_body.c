#include "incident/dynamodb_body.h"

#include "base/crashpoint.h"
#include "base/gz.h"
#include "base/hash.h"

#include <stdio.h>

/* An item may hold 400 KB with its names; the rest is head room for those. */
#define MAX_PLAIN  ((size_t)350000)
#define MAX_PIECE  ((size_t)350000)
#define MAX_TEXT   ((size_t)32 << 20)
#define MAX_PIECES 100

static void part_pk(const struct dynamodb_body *b, char pk[DYNAMODB_PK_SIZE])
{
	(void)snprintf(pk, DYNAMODB_PK_SIZE, "part#%s#%lld#%s", b->case_id, (long long)b->seq,
		b->writer);
}

static void set_bytes(json_t *item, const char *name, struct str bytes)
{
	struct buf text;

	buf_init(&text, MAX_TEXT);
	hash_base64(bytes, &text);
	json_object_set_new(item, name, json_pack("{s:o}", "B", doc_str(buf_view(&text))));
	buf_deinit(&text);
}

static bool add_bytes(const json_t *item, const char *name, struct buf *out)
{
	const char *text = json_string_value(json_object_get(json_object_get(item, name), "B"));

	return text != NULL && hash_unbase64(str_from(text), out);
}

static enum err_status put_pieces(struct dynamodb_table *t, const struct dynamodb_body *which,
	struct str gz, int64_t *pieces, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	enum err_status st = ERR_OK;

	part_pk(which, pk);
	*pieces = 0;
	for (size_t at = 0; st == ERR_OK && at < gz.n; at += MAX_PIECE) {
		json_t *item = dynamodb_table_key(pk, ++*pieces);
		set_bytes(item, "part_gz", str_sub(gz, at, MAX_PIECE));
		st = dynamodb_table_call(
			t, "PutItem", json_pack("{s:o}", "Item", item), NULL, err);
		CRASHPOINT("after a piece of a record was written");
	}
	return st;
}

enum err_status dynamodb_body_put(struct dynamodb_table *t, const struct dynamodb_body *which,
	struct str text, json_t *item, struct err *err)
{
	struct buf gz;
	int64_t pieces = 0;
	enum err_status st;

	if (text.n <= MAX_PLAIN) {
		dynamodb_table_set_text(item, "record_body", text);
		return ERR_OK;
	}
	buf_init(&gz, MAX_TEXT);
	st = gz_deflate(text, &gz, err);
	if (st == ERR_OK && gz.n <= MAX_PIECE) {
		set_bytes(item, "record_gz", buf_view(&gz));
	} else if (st == ERR_OK) {
		st = put_pieces(t, which, buf_view(&gz), &pieces, err);
		dynamodb_table_set_number(item, "record_parts", pieces);
	}
	buf_deinit(&gz);
	return st;
}

struct gathering {
	struct buf gz;
	int64_t pieces;
	bool whole;
};

static enum err_status take_piece(void *ctx, const json_t *item, struct err *err)
{
	struct gathering *g = ctx;

	(void)err;
	g->pieces++;
	g->whole = g->whole && dynamodb_table_number(item, "sk", 0) == g->pieces &&
		   add_bytes(item, "part_gz", &g->gz);
	return ERR_OK;
}

static enum err_status get_pieces(struct dynamodb_table *t, const char *case_id,
	const json_t *item, struct gathering *g, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	int64_t pieces = dynamodb_table_number(item, "record_parts", 0);
	const struct dynamodb_body which = { case_id, dynamodb_table_number(item, "sk", 0),
		dynamodb_table_text(item, "record_writer") };

	part_pk(&which, pk);
	const struct dynamodb_range all = { .pk = pk, .from = 1, .to = MAX_PIECES };
	enum err_status st = dynamodb_table_query(t, &all, take_piece, g, err);
	g->whole = g->whole && g->pieces == pieces && pieces > 0;
	return st;
}

enum err_status dynamodb_body_get(struct dynamodb_table *t, const char *case_id,
	const json_t *item, struct buf *text, struct err *err)
{
	const char *plain =
		json_string_value(json_object_get(json_object_get(item, "record_body"), "S"));
	struct gathering g = { .whole = true };
	enum err_status st = ERR_OK;

	if (plain != NULL) {
		buf_puts(text, plain);
		return ERR_OK;
	}
	buf_init(&g.gz, MAX_TEXT);
	if (json_object_get(item, "record_gz") != NULL) {
		g.whole = add_bytes(item, "record_gz", &g.gz);
	} else {
		st = get_pieces(t, case_id, item, &g, err);
	}
	if (st == ERR_OK && (!g.whole || gz_inflate(buf_view(&g.gz), text, NULL) != ERR_OK)) {
		st = err_set(err, ERR_INTEGRITY,
			"case %s: the text of record %lld is not whole any more", case_id,
			(long long)dynamodb_table_number(item, "sk", 0));
	}
	buf_deinit(&g.gz);
	return st;
}
