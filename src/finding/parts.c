#include "finding/parts.h"

#include "base/utc.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX  ((size_t)8 << 20)
#define MAX_TAGS   200
#define MAX_DOMAIN 253

struct finding *parts_new(json_t *raw)
{
	struct finding *f = calloc(1, sizeof(*f));
	if (f == NULL) {
		BUG("out of memory");
	}
	arena_init(&f->arena, ARENA_MAX);
	f->count = 1;
	f->raw = json_incref(raw);
	return f;
}

/* "dbClusterIdentifier" -> "db_cluster_identifier"; false when it does not fit or would not differ. */
static bool snake_case(const char *key, char *out, size_t size)
{
	size_t n = 0;
	bool differs = false;

	for (; *key != '\0'; key++) {
		bool capital = *key >= 'A' && *key <= 'Z';
		if (n + 3 > size) {
			return false;
		}
		if (capital) {
			out[n++] = '_';
		}
		out[n++] = (char)(capital ? *key - 'A' + 'a' : *key);
		differs = differs || capital;
	}
	out[n] = '\0';
	return differs;
}

/* `key` in its three spellings; writable. */
static json_t *member(const json_t *from, char *key)
{
	char snake[96];
	json_t *v = json_object_get(from, key);

	if (v == NULL && snake_case(key, snake, sizeof(snake))) {
		v = json_object_get(from, snake);
	}
	if (v == NULL && key[0] >= 'a' && key[0] <= 'z') {
		key[0] = (char)(key[0] - 'a' + 'A');
		v = json_object_get(from, key);
	}
	return v;
}

json_t *parts_at(const json_t *root, const char *path)
{
	const json_t *from = root;
	json_t *v = NULL;
	struct str rest = str_from(path);
	struct str piece;

	while (str_cut(&rest, '.', &piece)) {
		char key[64];
		if (piece.n == 0 || piece.n >= sizeof(key)) {
			return NULL;
		}
		memcpy(key, piece.p, piece.n);
		key[piece.n] = '\0';
		v = member(from, key);
		from = v;
	}
	return v;
}

static struct str view(const json_t *v)
{
	if (!json_is_string(v)) {
		return (struct str){ NULL, 0 };
	}
	return (struct str){ json_string_value(v), json_string_length(v) };
}

struct str parts_text(struct finding *f, const json_t *v)
{
	struct str s = view(v);
	if (s.n > FINDING_MAX_TEXT) {
		s.n = FINDING_MAX_TEXT;
		/* Never end in the middle of a UTF-8 sequence. */
		while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80) {
			s.n--;
		}
	}
	return s.n == 0 ? (struct str){ NULL, 0 } : arena_str(&f->arena, s);
}

struct str parts_id(struct finding *f, const json_t *v)
{
	struct str s = view(v);
	if (s.n == 0 || s.n > FINDING_MAX_ID) {
		return (struct str){ NULL, 0 };
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7F) {
			return (struct str){ NULL, 0 };
		}
	}
	return arena_str(&f->arena, s);
}

int64_t parts_int(const json_t *v, int64_t otherwise)
{
	int64_t n = 0;
	if (json_is_integer(v)) {
		return json_integer_value(v);
	}
	if (json_is_real(v)) {
		double d = json_real_value(v);
		return d > -9e15 && d < 9e15 ? (int64_t)d : otherwise;
	}
	if (json_is_string(v) && str_to_i64(view(v), &n)) {
		return n;
	}
	return otherwise;
}

double parts_real(const json_t *v, double otherwise)
{
	if (json_is_number(v)) {
		double d = json_number_value(v);
		return isfinite(d) ? d : otherwise;
	}
	if (json_is_string(v)) {
		char *end = NULL;
		double d = strtod(json_string_value(v), &end);
		if (end != json_string_value(v) && *end == '\0' && isfinite(d)) {
			return d;
		}
	}
	return otherwise;
}

bool parts_true(const json_t *v)
{
	return json_is_true(v) || str_eq_nocase(view(v), STR("true"));
}

int64_t parts_time(const json_t *v)
{
	int64_t ms = 0;
	if (json_is_string(v)) {
		return utc_parse(view(v), &ms) ? ms : 0;
	}
	double d = parts_real(v, 0);
	if (d <= 0 || d > 4e15) {
		return 0;
	}
	/* Seconds reach 1e11 in the year 5138, milliseconds passed it in 1973. */
	return d < 1e11 ? (int64_t)(d * 1000) : (int64_t)d;
}

bool parts_is(const json_t *v, const char *text)
{
	return json_is_string(v) && str_is(view(v), text);
}

struct str parts_arn(struct str arn, int part)
{
	struct str rest = arn;
	for (int i = 0; i < part; i++) {
		size_t colon = str_find_char(rest, ':');
		if (colon == SIZE_MAX) {
			return (struct str){ NULL, 0 };
		}
		rest = str_sub(rest, colon + 1, SIZE_MAX);
	}
	size_t colon = part < 5 ? str_find_char(rest, ':') : SIZE_MAX;
	return colon == SIZE_MAX ? rest : str_sub(rest, 0, colon);
}

struct str parts_tail(struct str s)
{
	for (int pass = 0; pass < 2; pass++) {
		char sep = pass == 0 ? '/' : ':';
		for (size_t i = s.n; i > 0; i--) {
			if (s.p[i - 1] == sep) {
				return str_sub(s, i, SIZE_MAX);
			}
		}
	}
	return s;
}

struct str parts_known_as(enum finding_kind kind, struct str uid)
{
	struct str rest = uid;
	struct str piece = uid;

	if (kind == FINDING_ACCESS_KEY) {
		/* "AWS::IAM::AccessKey:AKIA..." in ASFF, and "...:null" for a console login */
		piece = parts_tail(uid);
		return str_is(piece, "null") ? (struct str){ NULL, 0 } : piece;
	}
	if (!str_starts(uid, STR("arn:"))) {
		return uid;
	}
	switch (kind) {
	case FINDING_OTHER:
	case FINDING_RECOVERY_POINT:
		return uid;
	case FINDING_S3_BUCKET:
	case FINDING_S3_OBJECT:
		return parts_arn(uid, 5); /* bucket/key */
	case FINDING_LAMBDA:
		/* arn:aws:lambda:region:account:function:name[:version] */
		rest = parts_arn(uid, 5);
		(void)str_cut(&rest, ':', &piece);
		(void)str_cut(&rest, ':', &piece);
		return piece;
	default:
		return parts_tail(uid);
	}
}

/* Room for one more element: arrays double, starting at four; what is left behind is arena waste. */
static void *grow(struct finding *f, void *old, size_t n, size_t size)
{
	if (n != 0 && (n < 4 || (n & (n - 1)) != 0)) {
		return old;
	}
	void *bigger = arena_array(&f->arena, n == 0 ? 4 : n * 2, size);
	if (bigger != NULL && n > 0) {
		memcpy(bigger, old, n * size);
	}
	return bigger;
}

struct finding_resource *parts_resource(
	struct finding *f, enum finding_kind kind, struct str id)
{
	for (size_t i = 0; i < f->n_resources; i++) {
		if (f->resources[i].kind == kind && str_eq(f->resources[i].id, id)) {
			return &f->resources[i];
		}
	}
	void *room = f->n_resources < FINDING_MAX_RESOURCES
			     ? grow(f, f->resources, f->n_resources, sizeof(*f->resources))
			     : NULL;
	if (room == NULL) {
		f->dropped++;
		return NULL;
	}
	f->resources = room;
	struct finding_resource *r = &f->resources[f->n_resources++];
	r->kind = kind;
	r->id = id.n == 0 ? (struct str){ NULL, 0 } : arena_str(&f->arena, id);
	return r;
}

static bool is_address(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL) {
		return false;
	}
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_domain(struct str s)
{
	if (s.n == 0 || s.n > MAX_DOMAIN) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c >= 0x7F) {
			return false;
		}
	}
	return true;
}

struct finding_actor *parts_actor(struct finding *f, const json_t *ip, const json_t *domain)
{
	struct str address = view(ip);
	struct str name = view(domain);

	if (!is_address(address)) {
		address.n = 0;
	}
	if (!is_domain(name)) {
		name.n = 0;
	}
	if (address.n == 0 && name.n == 0) {
		return NULL;
	}
	for (size_t i = 0; i < f->n_actors; i++) {
		if (str_eq(f->actors[i].ip, address) && str_eq(f->actors[i].domain, name)) {
			return &f->actors[i];
		}
	}
	void *room = f->n_actors < FINDING_MAX_ACTORS
			     ? grow(f, f->actors, f->n_actors, sizeof(*f->actors))
			     : NULL;
	if (room == NULL) {
		f->dropped++;
		return NULL;
	}
	f->actors = room;
	struct finding_actor *a = &f->actors[f->n_actors++];
	if (address.n > 0) {
		a->ip = arena_str(&f->arena, address);
	}
	if (name.n > 0) {
		a->domain = arena_str(&f->arena, name);
	}
	return a;
}

struct finding_signal *parts_signal(struct finding *f)
{
	void *room = f->n_signals < FINDING_MAX_SIGNALS
			     ? grow(f, f->signals, f->n_signals, sizeof(*f->signals))
			     : NULL;
	if (room == NULL) {
		f->dropped++;
		return NULL;
	}
	f->signals = room;
	return &f->signals[f->n_signals++];
}

bool parts_ip_is_private(struct str ip)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char b[16];

	if (ip.n == 0 || ip.n >= sizeof(text)) {
		return true;
	}
	memcpy(text, ip.p, ip.n);
	text[ip.n] = '\0';
	if (inet_pton(AF_INET, text, b) == 1) {
		return b[0] == 0 || b[0] == 10 || b[0] == 127 || (b[0] == 169 && b[1] == 254) ||
		       (b[0] == 172 && (b[1] & 0xF0) == 16) || (b[0] == 192 && b[1] == 168) ||
		       (b[0] == 100 && (b[1] & 0xC0) == 64);
	}
	if (inet_pton(AF_INET6, text, b) == 1) {
		static const unsigned char zero[15];
		return (b[0] & 0xFE) == 0xFC || (b[0] == 0xFE && (b[1] & 0xC0) == 0x80) ||
		       (memcmp(b, zero, sizeof(zero)) == 0 && b[15] <= 1);
	}
	return true;
}

void parts_tags(struct finding_resource *r, json_t *tags)
{
	if (r == NULL || r->tags != NULL || (!json_is_array(tags) && !json_is_object(tags))) {
		return;
	}
	json_t *out = json_object();
	const char *key = NULL;
	json_t *value = NULL;
	size_t i = 0;
	if (json_is_object(tags)) {
		json_object_foreach(tags, key, value)
		{
			if (json_is_string(value) && json_object_size(out) < MAX_TAGS) {
				json_object_set(out, key, value);
			}
		}
	}
	json_array_foreach(tags, i, value)
	{
		const json_t *name = parts_at(value, "key");
		json_t *text = parts_at(value, "value");
		name = name != NULL ? name : parts_at(value, "name");
		if (!json_is_string(name) || json_object_size(out) >= MAX_TAGS) {
			continue;
		}
		if (json_is_string(text)) {
			json_object_set(out, json_string_value(name), text);
		} else {
			json_object_set_new(out, json_string_value(name), json_string(""));
		}
	}
	r->tags = out;
}

struct str parts_principal_instance(struct str principal_id)
{
	size_t colon = str_find_char(principal_id, ':');
	if (colon == SIZE_MAX) {
		return (struct str){ NULL, 0 };
	}
	struct str id = str_sub(principal_id, colon + 1, SIZE_MAX);
	if (!str_starts(id, STR("i-")) || id.n < 10 || id.n > 19) {
		return (struct str){ NULL, 0 };
	}
	for (size_t i = 2; i < id.n; i++) {
		bool hex = (id.p[i] >= '0' && id.p[i] <= '9') ||
			   (id.p[i] >= 'a' && id.p[i] <= 'f');
		if (!hex) {
			return (struct str){ NULL, 0 };
		}
	}
	return id;
}

/*
 * CreateSampleFindings writes names such as GeneratedFindingAccessKeyId, and the instance
 * i-99999999. Only identifiers that AWS assigns are looked at: an intruder who picks such a user,
 * bucket or session name must not thereby make a real finding look like a sample.
 */
static bool has_sample_names(const struct finding *f)
{
	const struct str mark = STR("GeneratedFinding");
	for (size_t i = 0; i < f->n_resources; i++) {
		const struct finding_resource *r = &f->resources[i];
		if ((r->kind == FINDING_ACCESS_KEY &&
			    (str_starts(r->id, mark) || str_starts(r->principal_id, mark))) ||
			(r->kind == FINDING_INSTANCE && str_is(r->id, "i-99999999")) ||
			str_starts(r->vpc_id, mark) || str_starts(r->subnet_id, mark)) {
			return true;
		}
	}
	return false;
}

static struct str first_of(struct finding *f, struct str a, struct str b, struct str c)
{
	struct str s = a.n > 0 ? a : b.n > 0 ? b : c;
	return s.n == 0 || s.p == a.p ? s : arena_str(&f->arena, s);
}

/* Says what kind of principal it is where the finding does not, or says it in another word. */
static void settle_user_type(struct finding_resource *r)
{
	if (str_is(r->user_type, "Role")) {
		r->user_type = STR("AssumedRole");
	}
	if (r->user_type.n > 0) {
		return;
	}
	/* Long-term keys are users' (or root's, which findings name as such). */
	bool users_key = str_starts(r->id, STR("AKIA")) && r->user_name.n > 0;
	if (str_starts(r->principal_id, STR("AROA"))) {
		r->user_type = STR("AssumedRole");
	} else if (str_starts(r->principal_id, STR("AIDA")) || users_key) {
		r->user_type = STR("IAMUser");
	}
}

void parts_finish(struct finding *f, const struct parts_origin *from)
{
	size_t n = f->n_resources;
	for (size_t i = 0; i < n; i++) {
		/* Read anew each time: adding a resource may move the array. */
		struct str instance = parts_principal_instance(f->resources[i].principal_id);
		if (f->resources[i].kind != FINDING_ACCESS_KEY) {
			continue;
		}
		settle_user_type(&f->resources[i]);
		if (instance.n > 0) {
			f->resources[i].instance_id = instance;
			(void)parts_resource(f, FINDING_INSTANCE, instance);
		}
	}
	f->type = str_trim(f->type); /* a blank must not carry it past a rule */
	f->account = first_of(f, f->account, from->account, parts_arn(f->arn, 4));
	f->region = first_of(f, f->region, from->region, parts_arn(f->arn, 3));
	f->partition = first_of(f, f->partition, parts_arn(f->arn, 1), STR("aws"));
	if (f->id.n == 0) {
		f->id = parts_tail(f->arn);
	}
	if (f->updated_ms == 0) {
		f->updated_ms = f->created_ms;
	}
	f->count = f->count < 1 ? 1 : f->count;
	f->severity = f->severity < 10 ? f->severity : 10;
	f->severity = f->severity > 0 ? f->severity : 0;
	f->sample = f->sample || has_sample_names(f);
}

enum err_status parts_check(const struct finding *f, struct err *err)
{
	if (f->arena.overflow) {
		return err_set(err, ERR_LIMIT, "the finding holds more than %zu MiB of text",
			ARENA_MAX >> 20);
	}
	return ERR_OK;
}
