#include "analysis/weights.h"

#include "base/err.h"
#include "base/i18n.h"

#include <math.h>

/* clang-format off */
static const struct weight table[] = {
{ W_NEW_ADDRESS, G_ORIGIN, 1.6, N_("{0} was used from {1}, an address it had never been used from in these logs"),
	"people and runners change addresses now and then, thieves always" },
{ W_OVERLAP, G_ORIGIN, 2.4, N_("{0} was used from {1} while its usual holder went on using it from {2}"),
	"two holders at one time; a move would have ended the old use" },
{ W_MOVED, G_HABIT, -1.4, N_("{0} is no longer used from {1}: it may have moved"),
	"an address change ends the old use" },
{ W_FAMILIAR, G_HABIT, -2.0, N_("{1} is an address from which {0} also works with MFA"),
	"a thief rarely sits behind the owner's own address" },
{ W_OFF_INSTANCE, G_ORIGIN, 3.0, N_("The credentials of the role of instance {0} were used from {1}, not from the instance ({2})"),
	"role keys leave an instance only when somebody carries them out; NAT and EIP changes are the exception" },
{ W_NEW_AGENT, G_AGENT, 1.0, N_("The program that used {0} there ({1}) is not the one that uses it elsewhere"),
	"a second holder brings a second toolchain" },
{ W_SAME_AGENT, G_AGENT, -1.5, N_("The program that used {0} there ({1}) is the usual one"),
	"automation that moved keeps its program" },
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
{ W_DENIED, G_DENIED, 1.2, N_("{0} was refused {1} different calls"),
	"who does not know his rights tries doors" },
{ W_DENIED_FEW, G_DENIED, 0.5, N_("{0} was refused {1} different calls"),
	"a few refusals are everyday" },
{ W_THEN_ALLOWED, G_DENIED, 1.6, N_("{0} was refused {1}, and got it later"),
	"rights that grow during a session were taken" },
{ W_SELF_RIGHTS, G_RIGHTS, 2.2, N_("{0} gave itself rights: {1}"),
	"owners do not need to, automation is not allowed to" },
{ W_GIVES_ADMIN, G_RIGHTS, 1.0, N_("{0} gave full rights: {1} on {2}"),
	"administrators do this, rarely" },
{ W_MAKES_KEY, G_KEYS, 0.7, N_("{0} made a credential for {1}: {2}"),
	"administrators do this" },
{ W_MADE_KEY_USED, G_KEYS, 2.0, N_("The credential that {0} made was then used from the same address ({1})"),
	"administrators hand a key over, they do not act as the new user" },
{ W_PERSIST, G_KEYS, 0.8, N_("{0} left a way back in: {1} ({2})"),
	"deployments do this too" },
{ W_DEFENCE, G_DEFENCE, 1.8, N_("{0} blinded the defenders: {1} ({2})"),
	"logging is hardly ever reduced in daily work" },
{ W_SHARE_OUT, G_TAKE, 1.8, N_("{0} opened data to outsiders: {1} ({2})"),
	"sharing with other accounts happens, seldom by hand" },
{ W_SECRETS, G_TAKE, 1.0, N_("{0} read secrets, passwords or parameters: {1} calls"),
	"applications read their own; few read many" },
{ W_DATA, G_TAKE, 0.8, N_("{0} read stored data: {1} objects from {2}"),
	"reading is what storage is for" },
{ W_DATA_MANY, G_TAKE, 1.3, N_("{0} read stored data: {1} objects from {2}"),
	"bulk reading" },
{ W_DESTROY, G_HARM, 0.9, N_("{0} deleted or locked data: {1} ({2})"),
	"clean-up jobs do this too" },
{ W_COMPUTE, G_HARM, 0.4, N_("{0} started machines ({1})"),
	"deployments do this daily" },
{ W_QUARANTINE, G_ALARM, 4.0, N_("AWS itself put the quarantine policy on the user of {0}"),
	"AWS does this when it finds the key in public" },
{ W_GD_KEY, G_ALARM, 2.5, N_("GuardDuty reported {0}: {1}"),
	"an independent detector named this credential" },
{ W_GD_IP, G_ALARM, 2.0, N_("GuardDuty reported the address {0}: {1}"),
	"an independent detector named this address" },
{ W_IAC, G_HABIT, -1.8, N_("{0} is used by {1} there, a tool that manages infrastructure"),
	"it makes users, keys and policies all day" },
{ W_MFA, G_SIGNIN, -2.0, N_("The session of {0} at {1} was opened with MFA"),
	"a second factor is rarely stolen together" },
{ W_OFFICE, G_HABIT, -1.0, N_("{0} is an address that other people of the account also sign in from with MFA"),
	"offices share an address" },
{ W_LOGIN_AFTER_FAILURES, G_SIGNIN, 2.2, N_("{0} signed in to the console from {1} after {2} failures there"),
	"guessing; one typo does not count" },
{ W_LOGIN_AFTER_MANY, G_SIGNIN, 3.2, N_("{0} signed in to the console from {1} after {2} failures there"),
	"nobody mistypes ten times" },
{ W_LOGIN_NO_MFA, G_HOW, 0.8, N_("{0} signed in to the console from {1} without MFA"),
	"weak accounts are the ones that fall" },
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
{ W_SSH_KNOWN, G_HABIT, -0.5, N_("{0} had signed in from {1} before the failures"),
	"a shared address does not clear a success" },
};
/* clang-format on */

const struct weight *weights_of(enum weight_id id)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].id == id) {
			return &table[i];
		}
	}
	BUG("a kind of evidence without a weight");
}

double weights_probability(double log_odds)
{
	return 1.0 / (1.0 + exp(-log_odds));
}
