"""More incidents: the less usual doors, and the look-alikes that stand beside them."""
import alike
import calm
from attacks import (FOREIGN, RECON, THIEVES, Hand, console, hiding_place, key_at_work, moment, off_host, web_base)
from calm import CONSOLE_READS, WORK, console_day, ssh_noise
from world import BROWSERS, CLIS, CLOUD, DAY, HOMES, HOSTING, HOUR, SDKS, Person, Role, Session, Truth, rfc3339


def database_public(w):
    """A database is opened to the world, and somebody helps themselves."""
    r, truth = w.rng, Truth('public_exposure')
    web_base(w)
    p, t = r.choice(w.staff), moment(w, .2, .5)
    m = w.machines[0]
    truth.entry = t
    if r.random() < .5:
        w.call(t, p, p.place, p.agent, 'rds', 'ModifyDBInstance', {'dBInstanceIdentifier': 'main', 'publiclyAccessible': True}, {})
    else:
        w.call(t, p, p.place, p.agent, 'ec2', 'AuthorizeSecurityGroupIngress', {'groupId': 'sg-' + w.hex(8), 'ipPermissions': {'items': [
            {'ipProtocol': 'tcp', 'fromPort': 5432, 'toPort': 5432, 'ipRanges': {'items': [{'cidrIp': '0.0.0.0/0'}]}}]}}, {})
    ip, u = w.v4(HOSTING), t + r.randrange(HOUR, 8 * HOUR)
    for i in range(3):
        w.both_ways(u + i * 60, ip, m.private, 40000 + i, 5432, 900, 90000, 40 * 10 ** 6, eni=m.eni)
    truth.ips.add(ip)
    truth.may |= {p.arn, p.key, p.place}
    truth.cuts = ['flow']
    return truth


def bucket_access_log(w):
    """Only S3's own access logs show who read the public bucket."""
    r, truth = w.rng, Truth('public_exposure')
    p, t, bucket = r.choice(w.staff), moment(w, .2, .5), w.buckets[3]
    w.call(t, p, p.place, p.agent, 's3', 'PutBucketAcl', {'bucketName': bucket, 'x-amz-acl': 'public-read', 'accessControlList': {'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'}})
    truth.entry = t
    ip = w.address(HOSTING)
    for i in range(r.randrange(5, 60)):
        w.s3_line(t + 2 * HOUR + i * 3, bucket, ip, '-', 'REST.GET.OBJECT', f'{w.hex(5)}.csv', 200, r.randrange(10 ** 6), 'curl/8.4.0')
    w.s3_line(t - HOUR, bucket, w.address(HOSTING), '-', 'REST.GET.OBJECT', 'x.csv', 403, 243, 'curl/8.4.0')
    truth.ips.add(ip)
    truth.may |= {p.arn, p.key, p.place}
    truth.cuts = ['s3']
    return truth


def ssh_spread(w):
    """Many addresses guess at one user; one of them is right."""
    r, truth = w.rng, Truth('ssh_bruteforce')
    if not w.ssh:
        ssh_noise(w)
    m, t, u = r.choice(w.machines), moment(w), 'deploy'
    ips = [w.v4(HOSTING) for _ in range(6)]
    for i in range(r.randrange(60, 240)):
        ip = r.choice(ips)
        w.auth(t - 3000 + i * 10, m.host, f'sshd[{2000 + i}]', f'Failed password for {u} from {ip} port {30000 + i} ssh2', bad=True)
        truth.may.add(ip)
    ip = ips[0]
    for i in range(8):
        w.auth(t - 60 + i * 5, m.host, f'sshd[{3000 + i}]', f'Failed password for {u} from {ip} port {31000 + i} ssh2', bad=True)
    w.auth(t, m.host, 'sshd[3999]', f'Accepted password for {u} from {ip} port 31999 ssh2', bad=True)
    truth.ips.add(ip)
    truth.entry, truth.slack = t, 3100
    return truth


def session_stolen(w):
    """A person's role session (Identity Center) in a second hand: cookies or cached keys taken from a laptop."""
    r, truth = w.rng, Truth('undetermined')
    truth.also = {'leaked_access_key', 'console_password', 'instance_credential_theft', 'valid_credentials_known_origin'}
    role = Role(w, f'AWSReservedSSO_Admin_{w.hex(16)}', path='aws-reserved/sso.amazonaws.com/')
    name, home, agent = w.a_name() + '@example.com', w.address(HOMES), r.choice(CLIS[:2])
    t = moment(w)
    s = Session(w, t, role, name)
    for i in range(20):
        service, act = r.choice(WORK)
        w.call(t + i * 300, s, home, agent, service, act)
    h = Hand(w, truth, s, w.address(HOSTING), r.choice(THIEVES[2:6]))
    h.t = t + 3000
    h.look(9)
    h.persist()
    h.rob()
    truth.may |= truth.ips | truth.principals | truth.keys
    truth.principals, truth.ips, truth.keys = set(), set(), set()
    truth.entry = None
    return truth


def command_stolen(w):
    """A stolen key runs a command on an instance; the instance's credentials then turn up at the thief's."""
    r = w.rng
    truth, h = key_at_work(w)
    m = r.choice(w.machines)
    h.do('ssm', r.choice(['SendCommand', 'StartSession']), {'instanceIds': [m.id], 'target': m.id, 'documentName': 'AWS-RunShellScript'}, {'command': {'commandId': w.uuid()}})
    entry = truth.entry
    off_host(w, truth, m, h.ip, r.choice(THIEVES), h.t + 60)
    truth.entry = entry
    truth.cuts = ['cloudtrail']
    return truth


def root_password(w):
    """The root password is reset through the mailbox, and root signs in without MFA from a new place."""
    r, truth = w.rng, Truth('console_password')
    t, ip = moment(w), w.address(HOSTING)
    who = {'type': 'Root', 'principalId': w.account, 'arn': f'arn:aws:iam::{w.account}:root', 'accountId': w.account, 'accessKeyId': ''}
    w.call(t - 300, who, ip, BROWSERS[1], 'signin', 'PasswordRecoveryRequested', None, {'PasswordRecoveryRequested': 'Success'}, bad=True, region='us-east-1', top={'eventType': 'AwsConsoleSignIn'})
    w.call(t - 200, who, ip, BROWSERS[1], 'signin', 'PasswordRecoveryCompleted', None, {'PasswordRecoveryCompleted': 'Success'}, bad=True, region='us-east-1', top={'eventType': 'AwsConsoleSignIn'})
    w.call(t, who, ip, BROWSERS[1], 'signin', 'ConsoleLogin', None, {'ConsoleLogin': 'Success'}, bad=True, region='us-east-1',
           extra={'LoginTo': 'https://console.aws.amazon.com/', 'MobileVersion': 'No', 'MFAUsed': 'No'}, top={'eventType': 'AwsConsoleSignIn'})
    s = dict(who, accessKeyId=w.new_key('ASIA'), sessionContext={'attributes': {'creationDate': rfc3339(t), 'mfaAuthenticated': 'false'}})
    h = Hand(w, truth, s, ip, BROWSERS[1])
    h.t = t + 20
    h.look(9, 0)
    h.persist()
    h.rob()
    truth.principals.add(who['arn'])
    truth.entry, truth.slack = t, 310
    truth.cuts = ['cloudtrail']
    return truth


def busy(w):
    """Nothing happens, loudly: everything that looks like an attack and is none, at once."""
    for part in calm.SOMETIMES + alike.SOMETIMES:
        if w.rng.random() < .7:
            part(w)
    return Truth('no_incident')


def sparse(w):
    """Nothing happens, quietly: a morning's worth of one person's work."""
    w.events, w.web, w.ssh, w.flows = [], [], [], []
    p = w.staff[0]
    console_day(w, p, 0)
    return Truth('no_incident')


def hole(w):
    """A key thief's hours are missing from a trail that otherwise never pauses."""
    truth, h = key_at_work(w)
    low, high = truth.entry - 1800, max(h.t, truth.entry + 4 * HOUR)
    low, high = low - low % HOUR, high - high % HOUR + HOUR
    w.events = [(t, e) for t, e in w.events if not low <= t < high]
    out = Truth('undetermined')
    out.also = {'no_incident'} if w.days < 2 else set()
    return out


KINDS = {f.__name__: f for f in (database_public, bucket_access_log, ssh_spread, session_stolen, command_stolen, root_password, busy, sparse, hole)}
