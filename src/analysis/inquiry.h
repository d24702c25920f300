/*
 * From facts to a verdict. A suspect is a credential at an address; evidence for and against each
 * is weighed, those that are an attacker's are linked into attacks, and the main attack is walked
 * back to how it began. Internal to the room.
 */
#ifndef CORDON_ANALYSIS_INQUIRY_H
#define CORDON_ANALYSIS_INQUIRY_H

#include "analysis/reader.h"
#include "analysis/weights.h"
#include "base/doc.h"

#define INQUIRY_NONE  SIZE_MAX
#define INQUIRY_CITED 10 /* events cited for one claim */

enum inquiry_class {
	CLASS_LEAKED_KEY,
	CLASS_INSTANCE_THEFT,
	CLASS_CONSOLE,
	CLASS_WEB,
	CLASS_SSH,
	CLASS_PUBLIC,
	CLASS_INSIDER,
	CLASS_NO_INCIDENT,
	CLASS_UNDETERMINED,
};

/* Evidence about something, by group, and as sentences. */
struct inquiry_weigh {
	signed char for_it[G_COUNT], against[G_COUNT]; /* the strongest, as weights_tenths */
	json_t *claims;    /* array of phrase + "weight", "events"; NULL while there are none */
	bool numbers_only; /* claims are counted, their sentences not written */
};

/* A credential at one address (the edges of one console user there are taken together). */
struct suspect {
	enum track_kind kind;
	uint32_t holder, ip;
	size_t edge_from, edge_to; /* range in inquiry.unit_edges */
	uint32_t n;
	struct track_ref first, last;
	bool mfa;       /* a session there, or the sign-in, had a second factor */
	bool new_place; /* the person was at other places before, and never here */
	bool moved_in;  /* used the same programs at another place before, and no longer does */
	struct inquiry_weigh weigh;
	double score;
	bool guilty;
	size_t from;               /* the suspect it got the credential from, or INQUIRY_NONE */
	struct track_ref from_ref; /* the call that made it, when there is one */
	bool has_from_ref;
	size_t attack; /* smallest suspect of the same attack */
};

/* Suspects that have something in common, side by side, the earliest first. */
struct inquiry_alike {
	uint32_t *order; /* suspects */
	uint32_t *at;    /* suspect -> where its group begins in `order` */
	uint32_t *n;     /* place in `order` where a group begins -> how many are in it */
};

struct inquiry {
	struct reader *r;
	struct track *t;
	struct suspect *suspects; /* sorted by first event */
	size_t n_suspects;
	uint32_t *unit_edges;
	size_t *suspect_of;                /* edge -> suspect or INQUIRY_NONE */
	struct track_relation **relations; /* sorted by edge, kind, text */
	size_t *relation_from;             /* edge -> first of its relations; n+1 entries */
	size_t *note_from;                 /* edge -> first of its notes; n+1 entries */
	struct inquiry_alike holders, addresses, persons, roles;
	size_t *by_time;                     /* all notes, the earliest first */
	size_t *failed_logins, *quarantines; /* notes, the earliest first */
	size_t n_failed_logins, n_quarantines;
	bool numbers_only; /* every suspect is being weighed: nothing is cited */

	/* what was decided */
	enum inquiry_class verdict;
	double confidence;
	int64_t entry_ms;                /* INT64_MIN: none */
	size_t root;                     /* suspect, or INQUIRY_NONE */
	size_t web_hit;                  /* index, or INQUIRY_NONE */
	size_t ssh_entry;                /* index of the accepted login, or INQUIRY_NONE */
	const struct track_note *opened; /* public exposure: the call that opened the door */
	const struct track_note *taken;  /* and one by which it was taken; or NULL */
	json_t *visitors;                /* and addresses that came, from flow and S3 logs */
	struct inquiry_weigh weigh;      /* of the verdict */
	json_t *chain, *alternatives, *missing;
};

void inquiry_init(struct inquiry *q, struct reader *r);
void inquiry_deinit(struct inquiry *q);

/* Parts. In this order. */
void inquiry_index(struct inquiry *q);  /* suspects and indices */
void inquiry_assess(struct inquiry *q); /* weighs every suspect; sentences only when told */
void inquiry_link(struct inquiry *q);   /* attacks: whose credential made whose */
void inquiry_decide(struct inquiry *q); /* class, entry, confidence */
void inquiry_chain(struct inquiry *q);  /* links of the chain */
/* The document of design 4.6; `timeline_max` entries of timeline at most. New reference. */
json_t *inquiry_document(struct inquiry *q, size_t timeline_max, json_t *detections_taken);
json_t *inquiry_timeline(struct inquiry *q, size_t max);
json_t *inquiry_scope(struct inquiry *q);
/* Appends to `claims` the sentences behind a suspect's numbers: few suspects' are ever read. */
void inquiry_tell(struct inquiry *q, const struct suspect *s, json_t *claims);
/* An address of the main attack. */
bool inquiry_is_attacker(const struct inquiry *q, uint32_t ip);

/* Suspects with something in common, the earliest first, at most INQUIRY_PEERS. Borrowed. */
#define INQUIRY_PEERS 4096
struct inquiry_peers {
	const uint32_t *suspects;
	size_t n;
};
struct inquiry_peers inquiry_same_holder(const struct inquiry *q, const struct suspect *s);
struct inquiry_peers inquiry_same_address(const struct inquiry *q, const struct suspect *s);
/* Of the same user or role session by name, whatever the credential. */
struct inquiry_peers inquiry_same_person(const struct inquiry *q, const struct suspect *s);
/* Sessions of the same role, whoever took it on. */
struct inquiry_peers inquiry_same_role(const struct inquiry *q, const struct suspect *s);

/* Events cited: ids as texts, at most INQUIRY_CITED. */
void inquiry_cite(const struct inquiry *q, json_t *events, const struct track_ref *ref);
/* A list that cites one event; new reference, or NULL while numbers_only. */
json_t *inquiry_cited(const struct inquiry *q, const struct track_ref *ref);
/* Adds evidence: a claim by its weight, `args` ended by NULL; takes `events_taken`. */
void inquiry_claim(struct inquiry_weigh *w, enum weight_id id, const char *const *args,
	json_t *events_taken);
double inquiry_score(const struct inquiry_weigh *w);
/* The score accuses, and part of it tells a stranger from the owner. */
bool inquiry_accuses(const struct inquiry_weigh *w);
/* What speaks for a stranger, in log-odds. */
double inquiry_stranger(const struct inquiry_weigh *w);
/* Different things of one kind that a suspect was seen with. */
size_t inquiry_count(const struct inquiry *q, const struct suspect *s, enum track_rel kind);
/* Short name of a suspect for sentences: key id, role session, or ARN. Static until reuse. */
const char *inquiry_name(const struct inquiry *q, const struct suspect *s);
const char *inquiry_text(const struct inquiry *q, uint32_t text);
const char *inquiry_class_name(enum inquiry_class c);
/* Notes of a suspect, in order of time: calls fn until it returns false. */
typedef bool (*inquiry_note_fn)(void *ctx, const struct track_note *n);
void inquiry_each_note(
	const struct inquiry *q, const struct suspect *s, inquiry_note_fn fn, void *ctx);
typedef void (*inquiry_relation_fn)(void *ctx, struct track_relation *rel);
void inquiry_each_relation(const struct inquiry *q, const struct suspect *s,
	enum track_rel kind, inquiry_relation_fn fn, void *ctx);

#endif
