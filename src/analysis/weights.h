/*
 * The judgement in one table: what each kind of evidence is worth. Weights are natural log-odds:
 * +0.7 doubles the odds, +2.3 makes them ten times as high. Within a group only the strongest
 * evidence for and the strongest against count, because they are not independent of each other;
 * groups are added up, on top of a prior.
 */
#ifndef CORDON_ANALYSIS_WEIGHTS_H
#define CORDON_ANALYSIS_WEIGHTS_H

#include <stdbool.h>

enum weight_id {
	W_NEW_ADDRESS,
	W_OVERLAP,
	W_MOVED,
	W_FAMILIAR,
	W_SETTLED,
	W_TWO_PLACES,
	W_NEW_PLACE,
	W_DORMANT,
	W_OFF_INSTANCE,
	W_FOREIGN_ENDPOINT,
	W_OWN_ADDRESS,
	W_OWN_PRIVATE,
	W_OWN_THROUGHOUT,
	W_NEW_AGENT,
	W_SAME_AGENT,
	W_OTHER_BUILD,
	W_OTHER_IMDS,
	W_ATTACK_TOOL,
	W_RECON,
	W_RECON_SMALL,
	W_WHOAMI,
	W_DENIED,
	W_DENIED_FEW,
	W_CONSOLE_LOOK,
	W_AUDIT_LOOK,
	W_THEN_ALLOWED,
	W_SELF_RIGHTS,
	W_GIVES_ADMIN,
	W_MAKES_KEY,
	W_MADE_KEY_USED,
	W_MADE_FOR_THIEF,
	W_COMMANDED,
	W_SAME_HAND,
	W_PERSIST,
	W_DEFENCE,
	W_SHARE_OUT,
	W_OPENED,
	W_EXPOSED,
	W_EXPOSED_READ,
	W_SECRETS,
	W_DATA,
	W_DATA_MANY,
	W_DESTROY,
	W_COMPUTE,
	W_QUARANTINE,
	W_ROOT_KEY,
	W_GD_KEY,
	W_GD_IP,
	W_IAC,
	W_MFA,
	W_OFFICE,
	W_MOVED_TOGETHER,
	W_SHARED_PLACE,
	W_LOGIN_AFTER_FAILURES,
	W_LOGIN_AFTER_MANY,
	W_LOGIN_NO_MFA,
	W_PASSWORD_RESET,
	W_LOGIN_SPRAY,
	W_WEB_BEFORE,
	W_WEB_ROLE,
	W_WEB_CLIENT,
	W_WEB_EFFECT,
	W_WEB_TIED,
	W_ODD_CALL,
	W_ATTACKER_ADDRESS,
	W_SSH_MANY,
	W_SSH_SOME,
	W_SSH_ACCEPTED,
	W_SSH_TRIED,
	W_SSH_ROOT,
	W_SSH_NEW_PLACE,
	W_SSH_FOOTHOLD,
	W_SSH_KNOWN,
	W_COUNT,
};

enum weight_group {
	G_ORIGIN = 1,
	G_AGENT,
	G_TOOL,
	G_RECON,
	G_DENIED,
	G_RIGHTS,
	G_KEYS,
	G_CHAIN, /* a credential made and at once used by its maker */
	G_DEFENCE,
	G_READ,
	G_TAKE,
	G_HARM,
	G_MACHINES,
	G_ALARM,
	G_HOW,
	G_SIGNIN,
	G_WEB,
	G_SSH_TRIES,
	G_SSH_IN,
	G_SSH_AFTER,
	G_HABIT,
	G_COUNT,
};

struct weight {
	enum weight_id id;
	enum weight_group group;
	double value;
	const char *text;   /* N_() template of the claim */
	const char *reason; /* why it is worth that much: for the docs, not shown */
};

/* Odds before anything is known that one credential at one address is an attacker's. */
#define WEIGHTS_PRIOR (-3.5)
/* Above: an accusation. Between the two: not determinable. Below: nothing. */
#define WEIGHTS_ACCUSE  0.85
#define WEIGHTS_SUSPECT (-0.8)
/*
 * Deeds say what was done, not by whom: owners make users and delete things as well. Nobody is
 * accused without this much in the groups that tell a stranger from the owner, and without it
 * deeds that are everyday for somebody (rights, keys, looking around, reading) weigh no more than
 * a cap: the lower one where the owner is known to be at home.
 */
#define WEIGHTS_STRANGER     0.9
#define WEIGHTS_DEEDS_HOME   1.2
#define WEIGHTS_DEEDS_NOBODY 2.7

const struct weight *weights_of(enum weight_id id);
/* Its value in tenths, which it is a whole number of. */
signed char weights_tenths(enum weight_id id);
/* The group tells a stranger from the owner. */
bool weights_tells_who(enum weight_group g);
/* The group is about deeds that owners do every day, too. */
bool weights_everyday(enum weight_group g);
/* Odds to probability. */
double weights_probability(double log_odds);

#endif
