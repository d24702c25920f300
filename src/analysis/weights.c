#include "analysis/weights.h"

#include "base/err.h"
#include "base/i18n.h"

#include <math.h>

/* clang-format off */
static const struct weight table[] = {
{ W_NEW_ADDRESS, G_ORIGIN, 1.6, N_("{0} was used from {1}, an address where it is not at home in these logs"),
	"people and runners change addresses now and then, thieves always" },
{ W_OVERLAP, G_ORIGIN, 2.4, N_("{0} was used from {1} while its usual holder went on using it from {2}"),
	"two holders at one time; a move would have ended the old use" },
{ W_MOVED, G_HABIT, -1.4, N_("{0} is no longer used from {1}: it may have moved"),
	"an address change ends the old use, and the new one lasts" },
{ W_SETTLED, G_HABIT, -0.6, N_("{0} has been at {1} for {2} hours of these logs, from early on"),
	"thieves come late and go soon" },
{ W_TWO_PLACES, G_ORIGIN, 2.4, N_("The session {0} was used from {1} as well as from {2}"),
	"a temporary session is born where it is used; a second place with another program is a second holder" },
{ W_NEW_PLACE, G_ORIGIN, 1.2, N_("{0} had never been at {1} in these logs, only elsewhere"),
	"people travel, so a new place alone is little" },
{ W_DORMANT, G_ORIGIN, 1.0, N_("{0} had not been used at all for {1} hours of these logs, then was from {2}"),
	"nobody misses a forgotten key; seldom used ones look the same" },
{ W_FAMILIAR, G_HABIT, -2.5, N_("{1} is an address from which {0} also works with MFA"),
	"a thief rarely sits behind the owner's own address" },
{ W_OFF_INSTANCE, G_ORIGIN, 3.0, N_("The credentials of the role of instance {0} were used from {1}, not from the instance ({2})"),
	"role keys leave an instance only when somebody carries them out; NAT and EIP changes are the exception" },
{ W_FOREIGN_ENDPOINT, G_HOW, 1.5, N_("{0} called from {1} through a VPC endpoint that belongs to account {2}"),
	"the instance has no way into another account's network" },
{ W_OWN_ADDRESS, G_HABIT, -4.0, N_("{1} is an address of instance {0} itself: {2} of its successive keys were used there by the same program"),
	"an instance with an endpoint, a NAT gateway and IPv6 has several addresses, all of them through every renewal of its keys" },
{ W_OWN_PRIVATE, G_HABIT, -4.5, N_("{1} is the private address of instance {0}, as its own agent states it"),
	"calls through a VPC endpoint show the private address" },
{ W_OWN_THROUGHOUT, G_HABIT, -3.5, N_("{1} was used by instance {0} from the beginning of these logs to their end"),
	"thieves come and go; an instance's ways out stay" },
{ W_NEW_AGENT, G_AGENT, 1.0, N_("The program that used {0} there ({1}) is not the one that uses it elsewhere"),
	"a second holder brings a second toolchain" },
{ W_SAME_AGENT, G_AGENT, -1.5, N_("The program that used {0} there ({1}) is the usual one"),
	"automation that moved keeps its program" },
{ W_OTHER_BUILD, G_AGENT, -0.3, N_("The program that used {0} there ({1}) is the usual one, but of another version or on another system"),
	"another machine: the owner's second one, or somebody else's first" },
{ W_OTHER_IMDS, G_HOW, 1.0, N_("The stolen credentials came through another version of the metadata service than the instance's own"),
	"IMDSv1 is what an SSRF can reach; agents of today use IMDSv2" },
{ W_ATTACK_TOOL, G_TOOL, 2.5, N_("{0} called from {1} with an attack tool: {2}"),
	"the name of the tool is written by its user, who has no reason to fake guilt" },
{ W_RECON, G_RECON, 1.3, N_("{0} looked around: {1} different read calls within a minute"),
	"dashboards do this too, hence no more" },
{ W_RECON_SMALL, G_RECON, 0.7, N_("{0} looked around: {1} different read calls within a minute"),
	"five different calls in a minute is a start" },
{ W_WHOAMI, G_RECON, 0.6, N_("{0} began by asking whose credentials they are"),
	"owners know; scripts ask as well" },
{ W_DENIED, G_DENIED, 0.8, N_("{0} was refused {1} different calls"),
	"who does not know his rights tries doors" },
{ W_DENIED_FEW, G_DENIED, 0.3, N_("{0} was refused {1} different calls"),
	"a few refusals are everyday" },
{ W_CONSOLE_LOOK, G_RECON, 0.3, N_("{0} looked around in the console: {1} different read calls within a minute"),
	"the console makes dozens of calls for every page, refused ones too" },
{ W_AUDIT_LOOK, G_RECON, 0.3, N_("{0} looked around with a program that audits: {1} different read calls within a minute"),
	"such a program asks for everything and is refused some, whoever runs it" },
{ W_THEN_ALLOWED, G_RIGHTS, 1.6, N_("{0} was refused {1}, and got it later"),
	"rights that grow during a session were taken" },
{ W_SELF_RIGHTS, G_RIGHTS, 2.2, N_("{0} gave itself rights: {1}"),
	"owners do not need to, automation is not allowed to" },
{ W_GIVES_ADMIN, G_RIGHTS, 1.0, N_("{0} gave full rights: {1} on {2}"),
	"administrators do this, rarely" },
{ W_MAKES_KEY, G_KEYS, 0.7, N_("{0} made a credential for {1}: {2}"),
	"administrators do this" },
{ W_MADE_KEY_USED, G_CHAIN, 2.0, N_("The credential that {0} made was then used from the same address ({1})"),
	"administrators hand a key over, they do not act as the new user" },
{ W_MADE_FOR_THIEF, G_CHAIN, 2.2, N_("The credential that {0} made was soon used by the intruder: {1}"),
	"whoever hands an intruder a key is hardly an owner" },
{ W_COMMANDED, G_CHAIN, 2.5, N_("{0} ran a command on {1}, whose credentials were then used from the same address"),
	"the command brought them out" },
{ W_SAME_HAND, G_CHAIN, 2.0, N_("{0} was used from {1} with the intruder's program, which its owner does not have"),
	"one hand behind many addresses" },
{ W_PERSIST, G_KEYS, 0.8, N_("{0} left a way back in: {1} ({2})"),
	"deployments do this too" },
{ W_DEFENCE, G_DEFENCE, 1.8, N_("{0} blinded the defenders: {1} ({2})"),
	"logging is hardly ever reduced in daily work" },
{ W_OPENED, G_READ, 0.6, N_("{0} opened something to the Internet: {1} ({2})"),
	"web servers are opened every day; databases and shells should not be" },
{ W_EXPOSED, G_ORIGIN, 2.5, N_("Somebody at {0} opened it to everybody: {1} ({2})"),
	"open to everybody is open to whoever looks for it" },
{ W_EXPOSED_READ, G_ALARM, 3.0, N_("Afterwards {0} was taken by others"),
	"who has no credentials has no business there" },
{ W_SHARE_OUT, G_TAKE, 1.8, N_("{0} opened data to outsiders: {1} ({2})"),
	"sharing with other accounts happens, seldom by hand" },
{ W_SECRETS, G_READ, 1.0, N_("{0} read secrets, passwords or parameters: {1} calls"),
	"applications read their own; few read many" },
{ W_DATA, G_READ, 0.8, N_("{0} read stored data: {1} objects from {2}"),
	"reading is what storage is for" },
{ W_DATA_MANY, G_READ, 1.3, N_("{0} read stored data: {1} objects from {2}"),
	"bulk reading" },
{ W_DESTROY, G_HARM, 0.9, N_("{0} deleted or locked data: {1} ({2})"),
	"clean-up jobs do this too" },
{ W_COMPUTE, G_MACHINES, 0.4, N_("{0} started machines ({1})"),
	"deployments do this daily" },
{ W_QUARANTINE, G_ALARM, 4.0, N_("AWS itself put the quarantine policy on the user of {0}"),
	"AWS does this when it finds the key in public" },
{ W_ROOT_KEY, G_HOW, 1.2, N_("{0} is an access key of the root user"),
	"hardly anybody keeps one, and who finds one takes it" },
{ W_GD_KEY, G_ALARM, 2.5, N_("GuardDuty reported {0}: {1}"),
	"an independent detector named this credential" },
{ W_GD_IP, G_ALARM, 2.0, N_("GuardDuty reported the address {0}: {1}"),
	"an independent detector named this address" },
{ W_IAC, G_HABIT, -3.5, N_("{0} is used by {1} there, a tool that manages infrastructure"),
	"it makes users, keys and policies all day, from runners at changing addresses" },
{ W_MFA, G_SIGNIN, -2.0, N_("The session of {0} at {1} was opened with MFA"),
	"a second factor is rarely stolen together" },
{ W_OFFICE, G_HABIT, -1.8, N_("{0} is an address that other people of the account also sign in from with MFA"),
	"offices share an address" },
{ W_MOVED_TOGETHER, G_HABIT, -2.2, N_("{0} is an address that other people of the account moved to as well, with their usual programs"),
	"an office that gets another address takes everybody along" },
{ W_SHARED_PLACE, G_HABIT, -1.5, N_("{0} is an address that people of the account had worked from before"),
	"offices share an address; a thief of several keys brings them to a place where nobody was" },
{ W_LOGIN_AFTER_FAILURES, G_SIGNIN, 2.2, N_("{0} signed in to the console from {1} after {2} failures there"),
	"guessing; one typo does not count" },
{ W_LOGIN_AFTER_MANY, G_SIGNIN, 3.2, N_("{0} signed in to the console from {1} after {2} failures there"),
	"nobody mistypes ten times" },
{ W_LOGIN_NO_MFA, G_HOW, 0.8, N_("{0} signed in to the console from {1} without MFA"),
	"weak accounts are the ones that fall" },
{ W_PASSWORD_RESET, G_SIGNIN, 1.8, N_("The password of {0} was reset through its mailbox from {1}, then used there"),
	"owners forget passwords, too, but they have the second factor" },
{ W_LOGIN_SPRAY, G_SIGNIN, 3.4, N_("Console sign-ins for {0} different users were tried from {1}"),
	"nobody has that many users" },
{ W_WEB_BEFORE, G_WEB, 2.2, N_("Shortly before, {0} {1!}, and the server answered {2}: {3}"),
	"an exploit that was answered, then its effect" },
{ W_WEB_ROLE, G_WEB, 3.5, N_("Shortly before, {0} {1!}, and the server answered {2}: {3}. The request names the role whose credentials were then used"),
	"the request asks for these very credentials" },
{ W_WEB_CLIENT, G_WEB, 1.8, N_("{0} also attacked the web server"),
	"the address is an attacker's" },
{ W_ATTACKER_ADDRESS, G_HOW, 1.5, N_("{0} was used from {1}, an address that already belongs to the attack"),
	"one hand, several credentials" },
{ W_WEB_EFFECT, G_ALARM, 2.5, N_("Afterwards the host reacted: {0}"),
	"an exploit is proved by its effect" },
{ W_WEB_TIED, G_ALARM, 3.5, N_("Afterwards the host turned to the attacker: {0}"),
	"the address is the client's, or the one that the request names" },
{ W_ODD_CALL, G_ALARM, 1.5, N_("A machine called out as servers do not: {0}"),
	"to a port of shells, mining pools or IRC, or back to its own visitor" },
{ W_SSH_MANY, G_SSH_TRIES, 3.2, N_("{0} failed {1} times to sign in to {2} over SSH"),
	"nobody mistypes twenty times" },
{ W_SSH_SOME, G_SSH_TRIES, 1.8, N_("{0} failed {1} times to sign in to {2} over SSH"),
	"more than forgetful, less than a machine" },
{ W_SSH_ACCEPTED, G_SSH_IN, 2.5, N_("Then the password of {0} was accepted from the same address ({1})"),
	"the guess was right" },
{ W_SSH_TRIED, G_SSH_IN, 2.8, N_("Then the password of {0}, which had been tried, was accepted from the same address ({1})"),
	"the guess was right, and this user was guessed at" },
{ W_SSH_ROOT, G_SSH_AFTER, 0.8, N_("Within the hour {0} acted as root: {1}"),
	"what intruders do next; administrators too" },
{ W_SSH_NEW_PLACE, G_SSH_IN, 1.6, N_("The key of {0} was accepted from {1}, an address where it had never been in these logs"),
	"people travel; whoever has copied a key looks the same" },
{ W_SSH_FOOTHOLD, G_SSH_AFTER, 1.3, N_("Within the hour {0} left a way back in or fetched a program: {1}"),
	"administrators do this where they usually work" },
{ W_SSH_KNOWN, G_HABIT, -0.5, N_("{0} had signed in from {1} before the failures"),
	"a shared address does not clear a success" },
};
/* clang-format on */

signed char weights_tenths(enum weight_id id)
{
	return (signed char)lround(weights_of(id)->value * 10);
}

const struct weight *weights_of(enum weight_id id)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].id == id) {
			return &table[i];
		}
	}
	BUG("a kind of evidence without a weight");
}

bool weights_tells_who(enum weight_group g)
{
	switch (g) {
	case G_ORIGIN:
	case G_AGENT:
	case G_TOOL:
	case G_ALARM:
	case G_HOW:
	case G_SIGNIN:
	case G_WEB:
	case G_SSH_IN:
	case G_CHAIN:
		return true;
	default:
		return false;
	}
}

bool weights_everyday(enum weight_group g)
{
	return g == G_RECON || g == G_DENIED || g == G_RIGHTS || g == G_KEYS || g == G_READ ||
	       g == G_MACHINES;
}

double weights_probability(double log_odds)
{
	return 1.0 / (1.0 + exp(-log_odds));
}
