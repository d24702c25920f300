/*
 * What happened, condensed while it streams by: who (holder of a credential) acted from where
 * (edge), with which calls, keys and agents (relations), and the calls that matter one by one
 * (notes). Everything is a count, a minimum, a maximum or a capped "earliest N", so the order of
 * the input leaves no trace.
 */
#ifndef CORDON_ANALYSIS_TRACK_H
#define CORDON_ANALYSIS_TRACK_H

#include "analysis/api.h"
#include "analysis/event.h"
#include "analysis/pool.h"
#include "analysis/seen.h"

/* Which event: time, its id (a UUID as two numbers, any other text in the pool) and content. */
struct track_ref {
	int64_t time_ms;
	uint64_t hi, lo;
	uint64_t hash : 62;
	uint64_t uuid : 1;
	uint64_t set : 1; /* 0: refers to nothing */
};

/* The earliest few, in order. */
#define TRACK_REFS 20
struct track_refs {
	uint32_t n;
	struct track_ref at[TRACK_REFS];
};

enum track_kind {
	TRACK_SERVICE,  /* AWS itself */
	TRACK_USER_KEY, /* long-term key of an IAM user */
	TRACK_ROOT_KEY,
	TRACK_CONSOLE,  /* a person's session made from a sign-in or GetSessionToken */
	TRACK_LOGIN,    /* the sign-in itself: no key */
	TRACK_ROLE,     /* session of a role */
	TRACK_INSTANCE, /* session of an instance's role; all its renewals together */
	TRACK_ACCOUNT,  /* a principal of another account */
	TRACK_ANONYMOUS,
	TRACK_TOKEN, /* the token of another provider: a pod's, a pipeline's, an app user's */
	TRACK_OTHER,
};

/* Whoever holds one credential (or one session with all the keys it was renewed with). */
struct track_holder {
	enum track_kind kind;
	uint32_t arn, user, account, issuer, session, creation; /* texts in the pool */
	uint32_t source_identity, issued_to; /* as in struct event_who; 0 = not stated */
	bool mfa;
};

/* A holder seen at one address. */
struct track_edge {
	uint32_t holder, ip;
	uint32_t n, n_denied, n_failed, n_read, n_iac;
	struct track_ref first, last;
	bool imds_v1, imds_v2, vpc_endpoint;
	uint32_t n_calls;  /* lines for a timeline that there were ... */
	uint32_t n_marked; /* ... and how many of them are TRACK_MARKED */
	int64_t cut_ms
		[2]; /* while reading: lines after it (lites.h) are not kept any more; 0 = all are */
};

/* One line of a timeline to come. */
struct track_lite {
	struct track_ref ref;
	uint32_t edge, action, target, outcome, region;
	unsigned tags; /* of the call, and TRACK_DENIED */
};
#define TRACK_DENIED (1u << 31) /* refused for want of rights */
/* What makes a line stand out from the everyday ones: refused, or a call that matters by itself. */
#define TRACK_MARKED (~(unsigned)(API_DATA | API_ASSUME | API_WHOAMI))

enum track_rel {
	TRACK_API = 1,
	TRACK_AGENT, /* a program: family and build (agent.h) */
	TRACK_KEY,
	TRACK_BUCKET,
	TRACK_REGION,
	TRACK_PRIVATE,  /* an instance's own address, as its agent states it */
	TRACK_ENDPOINT, /* "vpce-1", or "vpce-1/ACCOUNT" when it is another account's */
};

/* An edge and something it was seen with. */
struct track_relation {
	enum track_rel kind;
	uint32_t edge, what;
	uint32_t n, n_denied, n_ok;
	uint64_t bytes; /* TRACK_BUCKET: read */
	struct track_ref first, last, first_denied, last_ok;
};

/* A call that matters, in full. */
struct track_note {
	struct track_ref ref;
	const struct api *api;
	uint32_t edge, target, subject, detail, outcome;
	bool ok;
	bool self;      /* the caller changed its own rights */
	bool outside;   /* the parameters name another account, everybody, or 0.0.0.0/0 */
	bool everybody; /* they name everybody, not only web pages to 0.0.0.0/0 */
	bool admin;     /* the parameters name full rights */
	bool mfa;       /* sign-in */
};

/*
 * Most events repeat what another one said in all but their time, parameters and answer. What they
 * have in common is a row: who called, from where, with which program, what, and how it ended. All
 * that follows from it is found out once; a repetition costs one look-up and is counted there. Rows
 * of one caller and address share a place. When all is read, or there are too many of either, the
 * rows are added to their places and the places to the tables.
 */
struct track_place {
	uint64_t key;                                 /* 0: nothing here */
	uint32_t edge;                                /* or TRACK_NONE: not to be tracked */
	uint32_t program, region, used_key, endpoint; /* texts; the last two: or TRACK_NONE */
	bool own;                                     /* made by cordon itself: left out */
	bool person; /* neither by AWS itself nor from an AWS service's address */
	bool iac;
	uint32_t n, n_denied, n_failed, n_read, n_marked;
	struct track_ref first, last;
};
struct track_row {
	_Alignas(64) uint64_t key; /* 0: nothing here */
	const struct api *api;
	int64_t cut_ms; /* later lines for a timeline are not kept any more (lites.h) */
	uint32_t place, edge;
	uint32_t action, outcome, region;
	unsigned tags; /* of a line for a timeline */
	uint32_t n;
	bool ok, denied, read, person;
	bool noted;          /* track_note_event may have something to keep of such a call */
	bool data;           /* it reads stored data: how much of what is in its parameters */
	bool states_address; /* its parameters say the caller's own address */
	_Alignas(64) struct track_ref first, last;
};
#define TRACK_NONE        UINT32_MAX
#define TRACK_TO_COME     64u
#define TRACK_PLACE_SLOTS 16384u
#define TRACK_ROW_SLOTS   32768u

/* What is known of a service and call. */
struct track_action {
	uint32_t text; /* "iam:CreateUser" */
	const struct api *api;
	bool read;
};

/* A credential that a call made: by key id, and by session or user. */
struct track_issue {
	uint32_t what; /* key id, session ARN, "user/ACCOUNT/NAME" or "password/ACCOUNT/NAME" */
	uint32_t edge; /* who made it; UINT32_MAX: an AWS service */
	struct track_ref ref;
};

struct track {
	struct pool pool;
	uint64_t seed;
	struct seen *seen; /* duplicates; shared, borrowed */
	struct track_lite *lites;
	size_t n_lites, cap_lites;
	size_t n_sort[2];    /* of them everyday ones, and TRACK_MARKED */
	uint64_t lines_lost; /* lines of the attack's timeline past a ceiling */
	struct table holders, edges, relations, issues;
	struct track_note *notes;
	size_t n_notes, cap_notes;
	uint64_t refused; /* notes past a ceiling */
	uint64_t n_events, n_unique;
	uint64_t n_own; /* calls that cordon itself made, left out */
	struct track_ref first, last;
	struct str own_marker;
	struct table programs,
		actions; /* memo: hash of agent -> text; of service and call -> track_action */
	struct track_place *places; /* TRACK_PLACE_SLOTS, open addressing by key */
	struct track_row *rows;     /* TRACK_ROW_SLOTS, the same */
	size_t n_places, n_rows;
	struct track_relation *relations_to_come; /* room for TRACK_TO_COME */
	size_t n_to_come;
};

/* `seed` and `seen` are the same for all workers of a run. */
void track_init(struct track *t, uint64_t seed, struct seen *seen, struct str own_marker);
void track_deinit(struct track *t);
/* False when an event with the same id and content was read before; from now on this one was. */
bool track_is_fresh(struct track *t, const struct event *e);
/* Both begin to fetch what will be looked up for an event: when it has been read, and before it is taken in. */
void track_announce(const struct track *t, const struct event *e);
void track_expect(const struct track *t, const struct event *e);
/* Takes one event in; false when it is a duplicate (same id, same content). */
bool track_event(struct track *t, const struct event *e);
/* Notes that several workers made of one event are kept once. */
void track_drop_copies(struct track *t);
/* After the last event: the tables get what was added up for them. */
void track_flush(struct track *t);

int track_ref_order(const struct pool *p, const struct track_ref *a, const struct track_ref *b);
/* By time and id alone: 0 for different events that have both in common. */
int track_ref_id_order(
	const struct pool *p, const struct track_ref *a, const struct track_ref *b);
/* *into becomes the earlier (the later) of the two; one that is not set gives way. */
void track_ref_first(
	const struct pool *p, struct track_ref *into, const struct track_ref *other);
void track_ref_last(
	const struct pool *p, struct track_ref *into, const struct track_ref *other);
/* Keeps the earliest TRACK_REFS; one that is there already is not added again. */
void track_refs_add(const struct pool *p, struct track_refs *into, const struct track_ref *r);
int track_ref_cmp(const struct track *t, const struct track_ref *a, const struct track_ref *b);
/* The event's id as text into out[40 or more]; ids longer than that are cut. */
void track_ref_text(const struct track *t, const struct track_ref *r, char *out, size_t size);
/* A reference to something that is no CloudTrail event, by its id's text. */
struct track_ref track_ref_make(struct track *t, int64_t time_ms, struct str id, uint64_t hash);

struct track_holder *track_holder_at(const struct track *t, uint32_t i);
struct track_edge *track_edge_at(const struct track *t, uint32_t i);
struct str track_text(const struct track *t, uint32_t text);
/* The edge's relation to `what`, or NULL. */
struct track_relation *track_relation_of(
	const struct track *t, uint32_t edge, enum track_rel kind, uint32_t what);

/* Parts of track_event, in files of their own. */
/*
 * Adds what `more` counts to the relation of its kind, edge and text: at the latest with the next
 * track_relations_settle, so that memory can fetch the places of several meanwhile.
 */
void track_relation_add(struct track *t, const struct track_relation *more);
void track_relations_settle(struct track *t);
/* Whether calls like this one, which the table of calls knows, can leave a note or a credential. */
bool track_may_note(const struct track *t, const struct event *e, const struct track_row *row);
/* Keeps a call that the table of calls knows as a note, and the credential that it made. */
void track_note_event(struct track *t, const struct event *e, const struct track_row *row,
	const struct track_ref *ref);

#endif
