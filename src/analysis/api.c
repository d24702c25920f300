#include "analysis/api.h"

#include "base/i18n.h"

#include <stdlib.h>

#define IAM "iam.amazonaws.com"
#define STS "sts.amazonaws.com"
#define EC2 "ec2.amazonaws.com"
#define S3  "s3.amazonaws.com"
#define RDS "rds.amazonaws.com"
#define CT  "cloudtrail.amazonaws.com"
#define GD  "guardduty.amazonaws.com"
#define SSM "ssm.amazonaws.com"
#define LAM "lambda.amazonaws.com"
#define LOG "logs.amazonaws.com"
#define KMS "kms.amazonaws.com"
#define SEC "secretsmanager.amazonaws.com"
#define ORG "organizations.amazonaws.com"
#define CFG "config.amazonaws.com"
#define RA  "rolesanywhere.amazonaws.com"
#define HUB "securityhub.amazonaws.com"

/* Sorted by source, then name (a test holds it to that). */
/* clang-format off */
static const struct api table[] = {
	{ CT, "DeleteEventDataStore", API_DEFENCE, "T1685.002", N_("deleted a CloudTrail Lake store") },
	{ CT, "DeleteTrail", API_DEFENCE, "T1685.002", N_("deleted a CloudTrail trail") },
	{ CT, "PutEventSelectors", API_DEFENCE, "T1685.002", N_("changed which events a trail records") },
	{ CT, "StopLogging", API_DEFENCE, "T1685.002", N_("stopped a CloudTrail trail") },
	{ CT, "UpdateTrail", API_DEFENCE, "T1685.002", N_("changed a CloudTrail trail") },
	{ CFG, "DeleteConfigurationRecorder", API_DEFENCE, "T1685.002", N_("deleted the AWS Config recorder") },
	{ CFG, "DeleteDeliveryChannel", API_DEFENCE, "T1685.002", N_("deleted the AWS Config delivery channel") },
	{ CFG, "StopConfigurationRecorder", API_DEFENCE, "T1685.002", N_("stopped the AWS Config recorder") },
	{ "dynamodb.amazonaws.com", "ExportTableToPointInTime", API_EXFIL, "T1537", N_("exported a DynamoDB table") },
	{ "dynamodb.amazonaws.com", "Scan", API_DATA, "T1530", N_("read a whole DynamoDB table") },
	{ "ec2-instance-connect.amazonaws.com", "SendSSHPublicKey", API_EXECUTE, "T1021.004", N_("sent an SSH key to an instance") },
	{ "ec2-instance-connect.amazonaws.com", "SendSerialConsoleSSHPublicKey", API_EXECUTE, "T1021.008", N_("sent an SSH key to a serial console") },
	{ EC2, "AuthorizeSecurityGroupIngress", API_EXPOSE, "T1686.001", N_("opened a security group") },
	{ EC2, "CreateImage", API_PERSIST, "T1578.001", N_("made an image of an instance") },
	{ EC2, "CreateKeyPair", API_CREDENTIAL, "T1098.004", N_("made an SSH key pair") },
	{ EC2, "CreateSnapshot", 0, "T1578.001", N_("made a snapshot of a volume") },
	{ EC2, "DeleteFlowLogs", API_DEFENCE, "T1685.002", N_("deleted VPC flow logs") },
	{ EC2, "DeleteSnapshot", API_DESTROY, "T1485", N_("deleted a snapshot") },
	{ EC2, "DeleteVolume", API_DESTROY, "T1485", N_("deleted a volume") },
	{ EC2, "GetPasswordData", API_SECRET, "T1552.005", N_("asked for a Windows administrator password") },
	{ EC2, "ImportKeyPair", API_CREDENTIAL, "T1098.004", N_("brought in an SSH key pair") },
	{ EC2, "ModifyImageAttribute", API_EXFIL, "T1537", N_("shared a machine image") },
	{ EC2, "ModifyInstanceAttribute", API_EXECUTE, "T1578.005", N_("changed an attribute of an instance") },
	{ EC2, "ModifySnapshotAttribute", API_EXFIL, "T1537", N_("shared a volume snapshot") },
	{ EC2, "ReplaceIamInstanceProfileAssociation", API_PRIVILEGE, "T1098", N_("changed the role of an instance") },
	{ EC2, "RunInstances", API_COMPUTE, "T1578.002", N_("started instances") },
	{ EC2, "SendSSHPublicKey", API_EXECUTE, "T1021.004", N_("sent an SSH key to an instance") },
	{ EC2, "SendSerialConsoleSSHPublicKey", API_EXECUTE, "T1021.008", N_("sent an SSH key to a serial console") },
	{ EC2, "SharedSnapshotCopyInitiated", API_EXFIL, "T1537", N_("copied a shared snapshot") },
	{ EC2, "SharedSnapshotVolumeCreated", API_EXFIL, "T1537", N_("made a volume of a shared snapshot") },
	{ EC2, "TerminateInstances", API_DESTROY, "T1485", N_("terminated instances") },
	{ GD, "CreateFilter", API_DEFENCE, "T1685", N_("made a filter that hides findings") },
	{ GD, "DeleteDetector", API_DEFENCE, "T1685", N_("deleted the GuardDuty detector") },
	{ GD, "DisassociateFromMasterAccount", API_DEFENCE, "T1685", N_("left the GuardDuty administrator") },
	{ GD, "StopMonitoringMembers", API_DEFENCE, "T1685", N_("stopped GuardDuty for members") },
	{ GD, "UpdateDetector", API_DEFENCE, "T1685", N_("changed the GuardDuty detector") },
	{ IAM, "AddUserToGroup", API_PRIVILEGE, "T1098.003", N_("put a user in a group") },
	{ IAM, "AttachGroupPolicy", API_PRIVILEGE, "T1098.003", N_("attached a policy to a group") },
	{ IAM, "AttachRolePolicy", API_PRIVILEGE, "T1098.003", N_("attached a policy to a role") },
	{ IAM, "AttachUserPolicy", API_PRIVILEGE, "T1098.003", N_("attached a policy to a user") },
	{ IAM, "CreateAccessKey", API_CREDENTIAL | API_PERSIST, "T1098.001", N_("made an access key") },
	{ IAM, "CreateLoginProfile", API_CREDENTIAL | API_PERSIST, "T1098.001", N_("gave a user a console password") },
	{ IAM, "CreateOpenIDConnectProvider", API_PERSIST, "T1484.002", N_("made an identity provider") },
	{ IAM, "CreatePolicyVersion", API_PRIVILEGE, "T1098.003", N_("made a new version of a policy") },
	{ IAM, "CreateRole", API_PERSIST, "T1136.003", N_("made a role") },
	{ IAM, "CreateSAMLProvider", API_PERSIST, "T1484.002", N_("made an identity provider") },
	{ IAM, "CreateUser", API_PERSIST, "T1136.003", N_("made a user") },
	{ IAM, "DeactivateMFADevice", API_DEFENCE, "T1556.006", N_("switched off an MFA device") },
	{ IAM, "DeleteAccountPasswordPolicy", API_DEFENCE, "T1556", N_("deleted the password policy") },
	{ IAM, "DeleteRolePermissionsBoundary", API_PRIVILEGE, "T1098.003", N_("removed a permissions boundary") },
	{ IAM, "DeleteUserPermissionsBoundary", API_PRIVILEGE, "T1098.003", N_("removed a permissions boundary") },
	{ IAM, "PutGroupPolicy", API_PRIVILEGE, "T1098.003", N_("wrote a policy into a group") },
	{ IAM, "PutRolePolicy", API_PRIVILEGE, "T1098.003", N_("wrote a policy into a role") },
	{ IAM, "PutUserPolicy", API_PRIVILEGE, "T1098.003", N_("wrote a policy into a user") },
	{ IAM, "SetDefaultPolicyVersion", API_PRIVILEGE, "T1098.003", N_("switched the version of a policy") },
	{ IAM, "UpdateAssumeRolePolicy", API_PERSIST, "T1098.003", N_("changed who may assume a role") },
	{ IAM, "UpdateLoginProfile", API_CREDENTIAL | API_PERSIST, "T1098.001", N_("changed a user's console password") },
	{ KMS, "DisableKey", API_DESTROY, "T1485", N_("disabled an encryption key") },
	{ KMS, "ScheduleKeyDeletion", API_DESTROY, "T1485", N_("scheduled an encryption key for deletion") },
	{ LAM, "AddPermission", API_PERSIST | API_EXPOSE, "T1098", N_("let somebody invoke a function") },
	{ LAM, "CreateFunction", API_EXECUTE | API_PERSIST, "T1648", N_("made a function") },
	{ LAM, "CreateFunctionUrlConfig", API_PERSIST | API_EXPOSE, "T1648", N_("gave a function a public address") },
	{ LAM, "UpdateFunctionCode", API_EXECUTE | API_PERSIST, "T1525", N_("replaced the code of a function") },
	{ LAM, "UpdateFunctionConfiguration", API_EXECUTE, "T1525", N_("changed a function") },
	{ LOG, "DeleteLogGroup", API_DEFENCE, "T1685.002", N_("deleted a log group") },
	{ LOG, "DeleteLogStream", API_DEFENCE, "T1070", N_("deleted a log stream") },
	{ ORG, "LeaveOrganization", API_DEFENCE, "T1666", N_("tried to take the account out of its organization") },
	{ RDS, "DeleteDBCluster", API_DESTROY, "T1485", N_("deleted a database cluster") },
	{ RDS, "DeleteDBInstance", API_DESTROY, "T1485", N_("deleted a database") },
	{ RDS, "ModifyDBClusterSnapshotAttribute", API_EXFIL, "T1537", N_("shared a database snapshot") },
	{ RDS, "ModifyDBInstance", API_EXPOSE, "T1098", N_("changed a database") },
	{ RDS, "ModifyDBSnapshotAttribute", API_EXFIL, "T1537", N_("shared a database snapshot") },
	{ RDS, "StartExportTask", API_EXFIL, "T1537", N_("exported a database snapshot") },
	{ RA, "CreateProfile", API_PERSIST, "T1098", N_("made a Roles Anywhere profile") },
	{ RA, "CreateTrustAnchor", API_PERSIST, "T1098", N_("made a Roles Anywhere trust anchor") },
	{ S3, "CopyObject", API_DATA, "T1530", N_("copied objects") },
	{ S3, "DeleteBucket", API_DESTROY, "T1485", N_("deleted a bucket") },
	{ S3, "DeleteObject", API_DESTROY, "T1485", N_("deleted objects") },
	{ S3, "DeleteObjects", API_DESTROY, "T1485", N_("deleted objects") },
	{ S3, "DeletePublicAccessBlock", API_EXPOSE, "T1686.001", N_("removed a public access block") },
	{ S3, "GetObject", API_DATA, "T1530", N_("read objects") },
	{ S3, "PutAccountPublicAccessBlock", API_EXPOSE, "T1686.001", N_("changed the account's public access block") },
	{ S3, "PutBucketAcl", API_EXPOSE | API_EXFIL, "T1537", N_("changed the access list of a bucket") },
	{ S3, "PutBucketLifecycle", API_DEFENCE, "T1685.002", N_("changed how long a bucket keeps objects") },
	{ S3, "PutBucketPolicy", API_EXPOSE | API_EXFIL, "T1537", N_("changed the policy of a bucket") },
	{ S3, "PutBucketPublicAccessBlock", API_EXPOSE, "T1686.001", N_("changed a public access block") },
	{ S3, "PutBucketReplication", API_EXFIL, "T1537", N_("set up replication of a bucket") },
	{ S3, "PutBucketVersioning", API_DEFENCE, "T1490", N_("changed the versioning of a bucket") },
	{ SEC, "BatchGetSecretValue", API_SECRET, "T1555.006", N_("read secrets") },
	{ SEC, "DeleteSecret", API_DESTROY, "T1485", N_("deleted a secret") },
	{ SEC, "GetSecretValue", API_SECRET, "T1555.006", N_("read a secret") },
	{ HUB, "BatchDisableStandards", API_DEFENCE, "T1685", N_("switched off Security Hub standards") },
	{ HUB, "DisableSecurityHub", API_DEFENCE, "T1685", N_("switched off Security Hub") },
	{ "signin.amazonaws.com", "ConsoleLogin", API_LOGIN, "T1078.004", N_("signed in to the console") },
	{ "signin.amazonaws.com", "GetSigninToken", API_CREDENTIAL, "T1550.001", N_("turned a key into a console session") },
	{ "signin.amazonaws.com", "PasswordRecoveryCompleted", API_LOGIN, "T1098.001", N_("set a new root password through the mailbox") },
	{ "signin.amazonaws.com", "PasswordRecoveryRequested", API_LOGIN, "T1078.004", N_("asked for the root password to be reset") },
	{ SSM, "GetParameters", API_SECRET, "T1552", N_("read parameters") },
	{ SSM, "SendCommand", API_EXECUTE, "T1651", N_("ran a command on an instance") },
	{ SSM, "StartSession", API_EXECUTE, "T1651", N_("opened a shell on an instance") },
	{ STS, "AssumeRole", API_ASSUME, "T1548.005", N_("assumed a role") },
	{ STS, "AssumeRoleWithSAML", API_ASSUME, "T1078.004", N_("assumed a role by SAML") },
	{ STS, "AssumeRoleWithWebIdentity", API_ASSUME, "T1078.004", N_("assumed a role by web identity") },
	{ STS, "GetCallerIdentity", API_WHOAMI, "T1087.004", N_("asked whose credentials these are") },
	{ STS, "GetFederationToken", API_ASSUME | API_CREDENTIAL, "T1550.001", N_("made a federated session") },
	{ STS, "GetSessionToken", API_ASSUME, "T1550.001", N_("made a session") },
};
/* clang-format on */

struct wanted {
	struct str source, name;
};

static int order(const void *key, const void *row)
{
	const struct wanted *w = key;
	const struct api *a = row;
	int c = str_cmp(w->source, str_from(a->source));
	return c ? c : str_cmp(w->name, str_from(a->name));
}

/* S3's lifecycle calls come under two names. */
static struct str other_name(struct str name)
{
	return str_is(name, "PutBucketLifecycleConfiguration") ? STR("PutBucketLifecycle")
							       : name;
}

const struct api *api_find(struct str source, struct str plain_name)
{
	struct wanted w = { source, other_name(plain_name) };
	return bsearch(&w, table, sizeof(table) / sizeof(table[0]), sizeof(table[0]), order);
}

bool api_is_read(struct str name)
{
	static const char *const starts[] = { "List", "Describe", "Get", "Head", "Lookup",
		"Search", "BatchGet", "Scan", "Query", "Simulate", "Check" };
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (str_starts(name, str_from(starts[i]))) {
			return true;
		}
	}
	return false;
}

const char *api_tag_word(unsigned bit)
{
	static const char *const words[] = { "credential", "privilege", "persistence",
		"defence", "exfiltration", "secret", "destruction", "execution", "exposure",
		"data", "login", "assume", "whoami", "compute" };
	return bit < sizeof(words) / sizeof(words[0]) ? words[bit] : NULL;
}

const struct api *api_row(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}
