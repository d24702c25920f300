"""Innocent work that stands beside an attack and looks like it: the second list, next to calm.SOMETIMES."""
from calm import CONSOLE_READS, WORK, console_day
from world import BROWSERS, CLIS, CLOUD, DAY, HOMES, HOUR, OFFICES, RUNNERS, SDKS, Person, Role, Session, rfc3339

AGENTS = ('aws-sdk-js/2.1501.0 linux/v20.11.1 configure-aws-credentials-for-github-actions promise',
          'Boto3/1.34.80 md/Botocore#1.34.80 ua/2.0 os/linux#5.15.0 lang/python#3.11',
          'Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10.210 lang/python#3.12 exec-env/AWS_Lambda_python3.12')
GITHUB = 'token.actions.githubusercontent.com'


def by_token(w, t, role, ip, agent, name, provider=GITHUB, subject='repo:acme/shop:ref:refs/heads/main', bad=False):
    """AssumeRoleWithWebIdentity, as a provider's token gets it, and the session."""
    s = Session(w, t, role, name)
    arn = f'arn:aws:iam::{w.account}:oidc-provider/{provider}'
    w.call(t, {'type': 'WebIdentityUser', 'principalId': f'{arn}:sts.amazonaws.com:{subject}', 'userName': subject, 'identityProvider': arn},
           ip, agent, 'sts', 'AssumeRoleWithWebIdentity', {'roleArn': role.arn, 'roleSessionName': name, 'durationSeconds': 3600},
           {'credentials': {'accessKeyId': s.key, 'sessionToken': 'x', 'expiration': rfc3339(t + HOUR)}, 'subjectFromWebIdentityToken': subject,
            'assumedRoleUser': {'assumedRoleId': f'{role.id}:{name}', 'arn': s.arn}, 'provider': arn, 'audience': 'sts.amazonaws.com'}, bad=bad)
    return s


def pipeline(w, regions=False):
    """Deployments by token, each from another runner; with `regions` also into regions where nobody was before."""
    r = w.rng
    role = Role(w, r.choice(['deploy', 'release-bot', 'github-prod']) + '-' + w.hex(3))
    for day in range(w.days):
        for _ in range(r.randrange(2, 5)):
            t, ip = w.work_time(day), w.v4(RUNNERS)
            s = by_token(w, t, role, ip, AGENTS[0], 'GitHubActions')
            where = r.choice(['ap-northeast-1', 'eu-north-1', 'af-south-1']) if regions and r.random() < .5 else None
            for service, name in (('sts', 'GetCallerIdentity'), ('ecr', 'GetAuthorizationToken'), ('ecr', 'BatchCheckLayerAvailability'), ('ecr', 'PutImage'),
                                  ('ecs', 'DescribeTaskDefinition'), ('ecs', 'RegisterTaskDefinition'), ('ecs', 'UpdateService'), ('ssm', 'GetParameter')):
                t += r.randrange(1, 30)
                w.call(t, s, ip, AGENTS[0], service, name, region=where)
    return role


def new_runners(w):
    pipeline(w, True)


def pod_roles(w):
    """Pods get their role by a service account's token, again every hour or so, from the nodes' ways out."""
    r = w.rng
    role = Role(w, r.choice(['eks-orders', 'irsa-search', 'pod-billing']) + '-' + w.hex(3))
    issuer = f'oidc.eks.{w.region}.amazonaws.com/id/{w.hex(32).upper()}'
    ways, agent, out = [w.v4(CLOUD) for _ in range(r.randrange(1, 4))], r.choice(SDKS), []
    for _ in range(r.randrange(1, 4)):
        t, ip = w.start + r.randrange(0, 3 * HOUR), r.choice(ways)
        while t < w.end - HOUR:
            s = by_token(w, t, role, ip, agent, f'botocore-session-{int(t)}', issuer, 'system:serviceaccount:prod:orders')
            out.append(s)
            for i in range(r.randrange(3, 12)):
                w.read_object(t + 9 + i * 200, s, ip, agent, w.buckets[2], f'q/{w.hex(6)}', 2000)
            t += r.randrange(45 * 60, 4 * HOUR)
    return out


def task_roles(w):
    """Containers get their role from the agent's address on the host; the session is named after the task."""
    r = w.rng
    role = Role(w, r.choice(['checkout-task', 'mailer-task']) + '-' + w.hex(3))
    ways, agent, out = [w.v4(CLOUD) for _ in range(2)], r.choice(SDKS), []
    for _ in range(r.randrange(1, 3)):
        name, ip, t = w.hex(32), r.choice(ways), w.start + r.randrange(0, 4 * HOUR)
        while t < w.end - HOUR:
            s = w.assume(t, {'type': 'AWSService', 'invokedBy': 'ecs-tasks.amazonaws.com'}, 'ecs-tasks.amazonaws.com', 'ecs-tasks.amazonaws.com', role, name)
            out.append(s)
            for i in range(r.randrange(3, 12)):
                w.read_object(t + 9 + i * 200, s, ip, agent, w.buckets[0], f'c/{w.hex(6)}', 5000)
            t += r.randrange(2 * HOUR, 6 * HOUR)
    return out


def office_moves(w):
    """The office's way out gets another address; keys, consoles and everybody go along."""
    t0, new = w.start + w.days * DAY // 2, w.address(OFFICES)
    for t, e in w.events:
        if t >= t0 and e['sourceIPAddress'] == w.office:
            e['sourceIPAddress'] = new


def pentest(w):
    """Ordered and announced: a scanner that says its name tries the site, and an auditor's role is read with."""
    r = w.rng
    ip, t = w.v4(['195.60.88.0/24']), w.work_time(r.randrange(w.days))
    for i in range(r.randrange(40, 160) if w.web else 0):
        what = r.choice(['/?id=1%27%20UNION%20SELECT%201,2,3--', '/.env', '/index.php?page=../../../../etc/passwd', '/search?q=%3Cscript%3E', '/cgi-bin/status', '/actuator/env'])
        w.visit(t + i, ip, 'GET', what, r.choice([403, 404, 404, 400]), 153, 'Mozilla/5.0 (compatible; AcmeSecurityScan/3.1; +https://pentest.example/contract/7781)')
    boss, role = r.choice(w.staff), Role(w, 'SecurityAudit-external')
    s = w.assume(t + 60, boss, boss.place, boss.agent, role, 'audit-' + w.hex(4))
    for i in range(r.randrange(60, 200)):
        service, name = r.choice(CONSOLE_READS)
        w.call(t + 70 + i // 4, s, boss.place, 'Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.5 lang/python#3.11 prowler/4.2.0', service, name, err=r.random() < .1 or None)


def key_handed_over(w):
    """An administrator gives a pipeline a new key; the pipeline uses it an hour later and the old one goes."""
    r = w.rng
    boss, bot = r.choice(w.staff), Person(w, r.choice(['reporting-bot', 'sync-job']), False)
    day, agent, new = w.days - 1, r.choice(SDKS), w.new_key('AKIA')
    for d in range(w.days):
        t, ip = w.start + d * DAY + 4 * HOUR, w.v4(RUNNERS)
        for i in range(12):
            w.call(t + i * 9, bot, ip, agent, *r.choice([('s3', 'ListBuckets'), ('dynamodb', 'DescribeTable'), ('ecr', 'DescribeImages')]))
    t = w.work_time(day)
    w.call(t, boss, boss.place, boss.agent, 'iam', 'CreateAccessKey', {'userName': bot.name}, {'accessKey': {'accessKeyId': new, 'status': 'Active', 'userName': bot.name}})
    ip = w.v4(RUNNERS)
    for i in range(10):
        w.call(t + HOUR + i * 9, bot.who(new), ip, agent, *r.choice([('s3', 'ListBuckets'), ('dynamodb', 'DescribeTable')]))
    w.call(t + 2 * HOUR, boss, boss.place, boss.agent, 'iam', 'DeleteAccessKey', {'userName': bot.name, 'accessKeyId': bot.key})


def terraform_at_home(w):
    """The plan that a pipeline applies every day, applied once from a kitchen table."""
    from calm import TERRAFORM
    r = w.rng
    p = Person(w, 'tf-' + w.hex(3), False)
    for day in range(w.days):
        t, ip = w.work_time(day), w.v4(RUNNERS)
        for i in range(30):
            w.call(t + i // 4, p, ip, TERRAFORM, *r.choice(CONSOLE_READS))
        w.call(t + 20, p, ip, TERRAFORM, 'iam', 'CreateRole', {'roleName': f'svc-{w.hex(4)}', 'assumeRolePolicyDocument': '{}'}, {})
    t, ip = w.work_time(w.days - 1) + 1800, w.address(HOMES)
    for i in range(25):
        w.call(t + i // 4, p, ip, TERRAFORM, *r.choice(CONSOLE_READS))
    w.call(t + 20, p, ip, TERRAFORM, 'iam', 'PutRolePolicy', {'roleName': f'svc-{w.hex(4)}', 'policyName': 'x', 'policyDocument': '{}'}, {})


def root_in_need(w):
    """Root opens a colleague's account again: with MFA, from the office, in a hurry."""
    r = w.rng
    t, q = w.work_time(r.randrange(w.days)), r.choice(w.staff)
    who = {'type': 'Root', 'principalId': w.account, 'arn': f'arn:aws:iam::{w.account}:root', 'accountId': w.account, 'accessKeyId': ''}
    w.call(t, who, w.office, BROWSERS[1], 'signin', 'ConsoleLogin', None, {'ConsoleLogin': 'Success'}, region='us-east-1',
           extra={'LoginTo': 'https://console.aws.amazon.com/', 'MobileVersion': 'No', 'MFAUsed': 'Yes'}, top={'eventType': 'AwsConsoleSignIn'})
    who = dict(who, accessKeyId=w.new_key('ASIA'), sessionContext={'attributes': {'creationDate': rfc3339(t), 'mfaAuthenticated': 'true'}})
    for i, (name, req) in enumerate([('GetAccountSummary', None), ('ListUsers', None), ('DeactivateMFADevice', {'userName': q.name}), ('UpdateLoginProfile', {'userName': q.name}),
                                     ('AttachUserPolicy', {'userName': q.name, 'policyArn': 'arn:aws:iam::aws:policy/AdministratorAccess'})]):
        w.call(t + 20 + i * 30, who, w.office, BROWSERS[1], 'iam', name, req, {}, top={'sessionCredentialFromConsole': 'true'})


def denied_delivery(w):
    """A bucket's policy is wrong, and everything that delivers into it is refused, for hours."""
    r = w.rng
    t = w.start + r.randrange(0, w.days * DAY - 6 * HOUR)
    for i in range(r.randrange(60, 300)):
        svc = r.choice(['cloudtrail', 'config', 'delivery.logs', 'vpc-flow-logs', 'logging.s3'])
        w.call(t + i * 40, {'type': 'AWSService', 'invokedBy': svc + '.amazonaws.com'}, svc + '.amazonaws.com', svc + '.amazonaws.com', 's3',
               r.choice(['PutObject', 'GetBucketAcl']), {'bucketName': w.buckets[0], 'key': f'AWSLogs/{w.account}/{w.hex(8)}'}, err='AccessDenied')


def admin_at_home(w):
    """Somebody's own key over SSH, from home, and a service restarted as root."""
    r = w.rng
    if not w.ssh:
        return
    who, ip, m = r.choice(w.staff).name.replace('.', ''), w.v4(HOMES), r.choice(w.machines)
    for day in range(w.days):
        t, port = w.start + day * DAY + r.randrange(18 * HOUR, 23 * HOUR), r.randrange(40000, 60000)
        w.auth(t, m.host, 'sshd[640]', f'Accepted publickey for {who} from {ip} port {port} ssh2: ED25519 SHA256:{w.letters(43)}')
        w.auth(t + 20, m.host, 'sudo', f'  {who} : TTY=pts/0 ; PWD=/home/{who} ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx')


SOMETIMES = (new_runners, pod_roles, task_roles, office_moves, pentest, key_handed_over, terraform_at_home, root_in_need, denied_delivery, admin_at_home)
