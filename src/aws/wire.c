#include "aws/wire.h"

#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void wire_add(struct wire_pairs *p, const char *name, struct str value)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 16;
		struct wire_pair *items = cap > (size_t)WIRE_MAX_HEADERS * 8
						  ? NULL
						  : realloc(p->items, cap * sizeof(*items));
		if (!items) {
			return;
		}
		p->items = items;
		p->cap = cap;
	}
	p->items[p->n++] = (struct wire_pair){ str_dup(str_from(name)), str_dup(value) };
}

static struct wire_pair *find(const struct wire_pairs *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcasecmp(p->items[i].name, name) == 0) {
			return &p->items[i];
		}
	}
	return NULL;
}

void wire_set(struct wire_pairs *p, const char *name, struct str value)
{
	struct wire_pair *old = find(p, name);
	if (!old) {
		wire_add(p, name, value);
		return;
	}
	char *copy = str_dup(value);
	wipe_free(old->value);
	old->value = copy;
}

const char *wire_get(const struct wire_pairs *p, const char *name)
{
	const struct wire_pair *found = find(p, name);
	return found ? found->value : NULL;
}

void wire_remove(struct wire_pairs *p, const char *name)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (strcasecmp(p->items[i].name, name) == 0) {
			free(p->items[i].name);
			wipe_free(p->items[i].value);
		} else {
			p->items[kept++] = p->items[i];
		}
	}
	p->n = kept;
}

void wire_pairs_deinit(struct wire_pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->items[i].name);
		wipe_free(p->items[i].value);
	}
	free(p->items);
	*p = (struct wire_pairs){ 0 };
}

void wire_request_init(struct wire_request *r)
{
	*r = (struct wire_request){ .method = "POST" };
	buf_init(&r->host_prefix, 128);
	buf_init(&r->authority, 512);
	buf_init(&r->path, WIRE_MAX_PATH);
	buf_init(&r->body, WIRE_MAX_BODY);
	r->body.wipe = true; /* web identity tokens, passwords */
}

void wire_request_deinit(struct wire_request *r)
{
	buf_deinit(&r->host_prefix);
	buf_deinit(&r->authority);
	buf_deinit(&r->path);
	buf_deinit(&r->body);
	wire_pairs_deinit(&r->query);
	wire_pairs_deinit(&r->headers);
}

struct str wire_body(const struct wire_request *r)
{
	if (r->source) {
		return (struct str){ 0 };
	}
	return r->blob.p ? r->blob : buf_view(&r->body);
}

void wire_query_text(const struct wire_request *r, struct buf *out)
{
	for (size_t i = 0; i < r->query.n; i++) {
		buf_putc(out, i ? '&' : '?');
		buf_puts(out, r->query.items[i].name);
		buf_putc(out, '=');
		buf_puts(out, r->query.items[i].value);
	}
}

void wire_url(const struct wire_request *r, struct buf *out)
{
	buf_puts(out, r->tls ? "https://" : "http://");
	buf_add_str(out, buf_view(&r->authority));
	buf_add_str(out, buf_view(&r->path));
	wire_query_text(r, out);
}

void wire_response_init(struct wire_response *r, size_t max_body)
{
	*r = (struct wire_response){ 0 };
	buf_init(&r->body, max_body);
	r->body.wipe = true; /* STS answers with keys */
}

void wire_response_reset(struct wire_response *r)
{
	r->status = 0;
	wire_pairs_deinit(&r->headers);
	buf_reset(&r->body);
}

void wire_response_deinit(struct wire_response *r)
{
	wire_pairs_deinit(&r->headers);
	buf_deinit(&r->body);
}
