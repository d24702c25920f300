#include "analysis/event_who.h"

#include "analysis/event_parts.h"
#include "analysis/table.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static struct str text_at(struct scan_tape *t, uint32_t node, const char *path)
{
	return scan_text(t, scan_path(t, node, path));
}

static enum event_identity identity_of(struct str type, struct str account)
{
	static const struct {
		const char *name;
		enum event_identity identity;
	} names[] = {
		{ "IAMUser", EVENT_IAM_USER },
		{ "AssumedRole", EVENT_ASSUMED_ROLE },
		{ "AWSService", EVENT_SERVICE },
		{ "Root", EVENT_ROOT },
		{ "AWSAccount", EVENT_ACCOUNT },
		{ "FederatedUser", EVENT_FEDERATED },
		{ "SAMLUser", EVENT_FEDERATED },
		{ "WebIdentityUser", EVENT_WEB_IDENTITY },
		{ "IdentityCenterUser", EVENT_FEDERATED },
		{ "Directory", EVENT_FEDERATED },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_is(type, names[i].name)) {
			bool anonymous = names[i].identity == EVENT_ACCOUNT &&
					 (str_is(account, "ANONYMOUS_PRINCIPAL") ||
						 str_is(account, "anonymous"));
			return anonymous ? EVENT_ANONYMOUS : names[i].identity;
		}
	}
	return EVENT_UNKNOWN;
}

#define WHO_SLOTS    2048u
#define WHO_TEXT_MAX 1536u

struct kept_who {
	/* What each event needs is in the first line. */
	_Alignas(64) uint64_t used; /* by which of all events last, counted from 1 */
	struct event_who who;
	char text[WHO_TEXT_MAX];
};

/* How long the text of an identity was that had these bytes near its beginning, and its key. */
#define GUESSES    4096u
#define GUESS_FROM 32u /* after the type, in the id, which tells most of them apart */
#define GUESS_N    63u
struct guess {
	uint64_t key;
	uint32_t n;
};

struct event_whos {
	uint64_t seed;
	struct kept_who *kept; /* WHO_SLOTS, by key */
	struct guess *guesses; /* GUESSES, by hash of some bytes */
	uint64_t jumped;       /* key of the identity that was recognised; 0: none was */
	uint64_t n;            /* events so far */
	struct scan_tape tape;
};

static void read_session(struct event_who *w, struct scan_tape *t, uint32_t context)
{
	w->issuer_arn = text_at(t, context, "sessionIssuer.arn");
	w->issuer_name = text_at(t, context, "sessionIssuer.userName");
	uint32_t attributes = scan_member(t, context, STR("attributes"));
	w->creation = text_at(t, attributes, "creationDate");
	uint32_t mfa = scan_member(t, attributes, STR("mfaAuthenticated"));
	w->mfa_known = mfa != SCAN_NONE;
	w->mfa = w->mfa_known && scan_is_true(t, mfa);
	w->source_identity = text_at(t, context, "sourceIdentity");
	w->delivery = scan_raw(t, scan_member(t, context, STR("ec2RoleDelivery")));
}

static void read_who(struct event_who *w, struct scan_tape *t, uint32_t node)
{
	struct str type = { "", 0 };
	const struct {
		struct str name;
		struct str *text;
	} texts[] = {
		{ STR("type"), &type },
		{ STR("arn"), &w->arn },
		{ STR("principalId"), &w->principal_id },
		{ STR("accessKeyId"), &w->key },
		{ STR("userName"), &w->user_name },
		{ STR("invokedBy"), &w->invoked_by },
		{ STR("accountId"), &w->account },
	};
	for (uint32_t k = scan_first(t, node); k != SCAN_NONE; k = scan_after(t, node, k + 1)) {
		struct str key = scan_raw(t, k);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			if (str_eq(key, texts[i].name)) {
				*texts[i].text = scan_text(t, k + 1);
			}
		}
		if (str_eq(key, STR("sessionContext"))) {
			read_session(w, t, k + 1);
		} else if (str_eq(key, STR("inScopeOf"))) {
			w->issued_to = text_at(t, k + 1, "credentialsIssuedTo");
		}
	}
	w->identity = identity_of(type, w->account);
	if (w->identity == EVENT_ASSUMED_ROLE) {
		size_t colon = str_find_char(w->principal_id, ':');
		w->session = colon == SIZE_MAX ? (struct str){ "", 0 }
					       : str_sub(w->principal_id, colon + 1, SIZE_MAX);
	}
}

struct event_whos *event_who_new(uint64_t seed)
{
	struct event_whos *w = calloc(1, sizeof(*w));
	struct kept_who *kept =
		aligned_alloc(_Alignof(struct kept_who), WHO_SLOTS * sizeof(*kept));
	struct guess *guesses = calloc(GUESSES, sizeof(*guesses));
	if (!w || !kept || !guesses) {
		BUG("out of memory");
	}
	memset(kept, 0, WHO_SLOTS * sizeof(*kept));
	w->seed = seed;
	w->kept = kept;
	w->guesses = guesses;
	scan_init(&w->tape);
	return w;
}

void event_who_free(struct event_whos *w)
{
	if (w) {
		scan_deinit(&w->tape);
		free(w->kept);
		free(w->guesses);
		free(w);
	}
}

static struct guess *guess_at(const struct event_whos *w, struct str json)
{
	struct str some = { json.p + GUESS_FROM, GUESS_N };
	return &w->guesses[table_hash(w->seed, some) % GUESSES];
}

void event_who_expect(const struct event_whos *w, struct str text)
{
	if (text.n >= GUESS_FROM + GUESS_N) {
		__builtin_prefetch(guess_at(w, text));
	}
}

size_t event_who_known(struct event_whos *w, struct str text)
{
	w->jumped = 0;
	if (text.n < GUESS_FROM + GUESS_N) {
		return 0;
	}
	const struct guess *g = guess_at(w, text);
	if (g->n == 0 || g->n >= text.n ||
		(table_hash(w->seed, (struct str){ text.p, g->n }) | 1) != g->key) {
		return 0;
	}
	w->jumped = g->key;
	__builtin_prefetch(&w->kept[g->key % WHO_SLOTS]);
	return g->n;
}

/* All identities are told apart by their keys, which nobody outside can foresee. */
struct event_who *event_who_read(struct event_whos *w, struct str json, struct event_who *rare)
{
	uint64_t key = w->jumped ? w->jumped : table_hash(w->seed, json) | 1;
	w->jumped = 0;
	struct kept_who *slot = &w->kept[key % WHO_SLOTS];
	w->n++;
	if (slot->who.here == key) {
		slot->used = w->n;
		return &slot->who;
	}
	struct event_who who = { .here = key, .hash = table_hash(EVENT_CONTENT_SEED, json) };
	bool plain = !memchr(json.p, '\\', json.n);
	bool busy = slot->used && w->n - slot->used < EVENT_TURNS;
	bool keep = !busy && json.n <= WHO_TEXT_MAX && plain;
	if (plain && json.n >= GUESS_FROM + GUESS_N) {
		*guess_at(w, json) = (struct guess){ key, (uint32_t)json.n };
	}
	if (keep) {
		slot->used = w->n;
		memcpy(slot->text, json.p, json.n);
		json.p = slot->text;
	}
	scan_lazy(&w->tape, json);
	read_who(&who, &w->tape, 0);
	struct event_who *out = keep ? &slot->who : rare;
	*out = who;
	return out;
}
