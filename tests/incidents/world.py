"""A made-up AWS estate for incidents: accounts, people, machines, and the logs they leave.

Everything is drawn from one seeded generator. Nothing here is shared with the drill's stories (src/app/scenario_*):
a judge that only knows its own stories would not notice that it knows nothing else.
"""
import base64
import gzip
import hashlib
import io
import ipaddress
import json
import random

HOUR, DAY = 3600, 86400
MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
REGIONS = ('us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'eu-south-2', 'ap-southeast-2', 'sa-east-1', 'ca-central-1')
# Ranges of providers as they look in real logs: none of them says by itself who is calling.
HOSTING = ('45.155.204.0/23', '185.220.100.0/22', '194.26.192.0/24', '91.240.118.0/24', '193.106.191.0/24',
           '159.223.0.0/16', '104.248.0.0/16', '2a0b:f4c2::/48', '2604:a880:400::/48', '51.158.0.0/17')
OFFICES = ('81.45.0.0/16', '62.14.0.0/16', '203.0.113.0/24', '198.51.100.0/24', '88.27.0.0/16', '2a0c:5a80:1200::/48')
HOMES = ('79.144.0.0/14', '90.160.0.0/13', '24.128.0.0/12', '2a02:9130::/36')
CLOUD = ('3.250.0.0/16', '52.18.0.0/16', '54.171.0.0/16', '18.200.0.0/15', '34.240.0.0/14')
RUNNERS = ('20.57.0.0/17', '20.109.0.0/17', '4.227.0.0/18', '13.86.0.0/17', '172.183.0.0/17')
FIRST = 'ana luis marta jorge elena pablo nuria sergio ines raul wei priya omar lena tom ivy noah zoe kofi mia'.split()
LAST = 'ruiz vega soto leal mora paz chen patel haddad berg okafor novak silva'.split()
WORDS = 'atlas orion billing ledger raven harbor quartz ember delta nimbus cobalt pixel falcon'.split()
CLIS = ('aws-cli/2.15.30 Python/3.11.8 Darwin/23.4.0 source/arm64 prompt/off command/{}',
        'aws-cli/2.13.5 Python/3.11.4 Linux/6.2.0-26-generic exe/x86_64.ubuntu.22 prompt/off command/{}',
        'aws-cli/2.17.9 md/awscrt#0.20.11 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.9 cfg/retry-mode#standard',
        'aws-cli/2.9.19 Python/3.9.11 Windows/10 exe/AMD64 prompt/off command/{}')
SDKS = ('Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.10.0 md/arch#x86_64 lang/python#3.11.6 Botocore/1.34.69',
        'aws-sdk-java/2.21.1 Linux/5.10.199 OpenJDK_64-Bit_Server_VM/17.0.9 Java/17.0.9 kotlin/1.9 io/sync http/Apache',
        'aws-sdk-go-v2/1.24.0 os/linux lang/go#1.21.5 md/GOOS#linux md/GOARCH#amd64 api/s3#1.47.5',
        'aws-sdk-js/3.450.0 ua/2.0 os/linux#5.10.186 lang/js md/nodejs#18.18.2 api/dynamodb#3.450.0')
BROWSERS = ('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36',
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:124.0) Gecko/20100101 Firefox/124.0',
            'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Safari/537.36')
DENIED = {'ec2': 'Client.UnauthorizedOperation', 's3': 'AccessDenied', 'iam': 'AccessDenied', 'sts': 'AccessDenied',
          'organizations': 'AccessDeniedException', 'secretsmanager': 'AccessDenied', 'ssm': 'AccessDeniedException'}


def rfc3339(t):
    d, s = divmod(int(t), DAY)
    y, m, dd = civil(d)
    return f'{y:04}-{m:02}-{dd:02}T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}Z'


def civil(days):
    """Days since 1970 to year, month, day."""
    z = days + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    m = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (m <= 2), m, doy - (153 * mp + 2) // 5 + 1


class Person:
    """An IAM user: a key, a console password, places and programs of their own."""

    def __init__(self, w, name, mfa=True):
        r = w.rng
        self.name, self.mfa, self.account = name, mfa, w.account
        self.arn = f'arn:aws:iam::{w.account}:user/{r.choice(["", "", "people/", "staff/eu/"])}{name}'
        self.id = 'AIDA' + w.letters(17)
        self.key = w.new_key('AKIA')
        self.place = w.office
        self.agent = r.choice(CLIS)
        self.browser = r.choice(BROWSERS)

    def who(self, key=None):
        out = {'type': 'IAMUser', 'principalId': self.id, 'arn': self.arn, 'accountId': self.account,
               'userName': self.name}
        if key != '':
            out['accessKeyId'] = key or self.key
        return out


class Session:
    """Temporary credentials: of a role, of an instance, of a console or MFA session."""

    def __init__(self, w, t, role=None, name='', person=None, mfa=False, delivery=None, key=None, account=None, console=False):
        self.t, self.role, self.name, self.person, self.mfa = int(t), role, name, person, mfa
        self.delivery, self.account, self.console = delivery, account or w.account, console
        self.key = key or w.new_key('ASIA')
        self.extra = {}
        if role:
            self.arn = f'arn:aws:sts::{self.account}:assumed-role/{role.name}/{name}'

    def who(self):
        attributes = {'creationDate': rfc3339(self.t), 'mfaAuthenticated': 'true' if self.mfa else 'false'}
        if self.person:
            out = self.person.who(self.key)
            out['sessionContext'] = {'sessionIssuer': {}, 'webIdFederationData': {}, 'attributes': attributes}
            return out
        issuer = {'type': 'Role', 'principalId': self.role.id, 'arn': self.role.arn, 'accountId': self.account,
                  'userName': self.role.name}
        out = {'type': 'AssumedRole', 'principalId': f'{self.role.id}:{self.name}', 'arn': self.arn,
               'accountId': self.account, 'accessKeyId': self.key,
               'sessionContext': {'sessionIssuer': issuer, 'webIdFederationData': {}, 'attributes': attributes}}
        if self.delivery:
            out['sessionContext']['ec2RoleDelivery'] = self.delivery
        out['sessionContext'].update(self.extra)
        return out


class Role:
    def __init__(self, w, name, account=None, path=''):
        self.name, self.account = name, account or w.account
        self.arn = f'arn:aws:iam::{self.account}:role/{path}{name}'
        self.id = 'AROA' + w.letters(17)


class Machine:
    """An EC2 instance with a role, and the addresses its calls come from."""

    def __init__(self, w, name):
        r = w.rng
        self.name, self.id = name, 'i-' + w.hex(17)
        self.eni = 'eni-' + w.hex(17)
        self.private = str(ipaddress.ip_address('10.0.0.0') + (r.randrange(1, 250) << 8 | r.randrange(4, 250)))
        self.public = w.address(CLOUD)
        self.role = Role(w, f'{name}-{r.choice(["role", "instance-role", "ec2"])}')
        self.delivery = r.choice(['2.0', '2.0', '1.0'])
        self.agent = r.choice(SDKS)
        self.host = r.choice([name, 'ip-' + self.private.replace('.', '-')])
        self.sessions = []

    def session(self, t):
        fit = [s for s in self.sessions if s.t <= t < s.t + 6 * HOUR]
        return fit[-1] if fit else self.sessions[-1]


class World:
    def __init__(self, seed, days=3, people=5, machines=2, mfa=.8):
        r = self.rng = random.Random(seed)
        self.seed = seed
        self.account = ''.join(r.choice('123456789') for _ in range(12))
        self.region = r.choice(REGIONS)
        self.version = r.choice(['1.05', '1.08', '1.09', '1.10', '1.11'])
        self.start = 1672531200 + r.randrange(0, 1100) * DAY
        self.days, self.end = days, self.start + days * DAY
        self.events, self.web, self.ssh, self.flows, self.findings, self.s3 = [], [], [], [], [], []
        self.bad = set()
        self.office = self.address(OFFICES)
        self.names = set()
        self.people = [Person(self, self.a_name(), r.random() < mfa) for _ in range(people)]
        self.staff = list(self.people)
        self.machines = [Machine(self, w) for w in r.sample(WORDS, machines)]
        self.buckets = [f'{r.choice(WORDS)}-{r.choice(["data", "backups", "exports", "media"])}-{self.hex(6)}' for _ in range(4)]
        self.zone = r.choice([0, 0, 1, 2, -5]) * HOUR  # of the hosts' clocks in web logs
        self.web_skew = self.ssh_skew = 0  # seconds that those clocks are ahead

    # ---- small change
    def letters(self, n):
        return ''.join(self.rng.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567') for _ in range(n))

    def hex(self, n):
        return ''.join(self.rng.choice('0123456789abcdef') for _ in range(n))

    def new_key(self, kind):
        return kind + self.letters(16)

    def uuid(self):
        h = self.hex(32)
        return f'{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}'

    def address(self, blocks):
        n = ipaddress.ip_network(self.rng.choice(blocks))
        return str(n[self.rng.randrange(1, min(n.num_addresses - 1, 1 << 40))])

    def v4(self, blocks):
        return self.address([b for b in blocks if ':' not in b])

    def a_name(self):
        while True:
            n = f'{self.rng.choice(FIRST)}{self.rng.choice([".", "-", ""])}{self.rng.choice(LAST)}'
            if n not in self.names:
                self.names.add(n)
                return n

    def work_time(self, day):
        """A moment of a working day."""
        return self.start + day * DAY + self.rng.randrange(8 * HOUR, 18 * HOUR)

    # ---- CloudTrail
    def call(self, t, who, ip, agent, service, name, req=None, resp=None, err=None, bad=False, extra=None, region=None,
             data=False, top=None, message=None):
        if not isinstance(who, dict):
            who = who.who()
        read = name.startswith(('Get', 'List', 'Describe', 'Head', 'Lookup', 'Search', 'Batch', 'AssumeRole'))
        e = {'eventVersion': self.version, 'userIdentity': who, 'eventTime': rfc3339(t),
             'eventSource': service + '.amazonaws.com', 'eventName': name,
             'awsRegion': region or ('us-east-1' if service in ('iam', 'organizations') else self.region),
             'sourceIPAddress': ip, 'userAgent': agent.replace('{}', f'{service}.{name.lower()}')}
        if err:
            e['errorCode'] = DENIED.get(service, 'AccessDenied') if err is True else err
            e['errorMessage'] = message or f'User: {who.get("arn", "?")} is not authorized to perform: {service}:{name}'
        e['requestParameters'] = req
        e['responseElements'] = None if err else resp
        if extra is not None:
            e['additionalEventData'] = extra
        e['requestID'] = self.uuid()
        e['eventID'] = self.uuid()
        e['readOnly'] = read
        e['eventType'] = 'AwsApiCall'
        e['managementEvent'] = not data
        e['recipientAccountId'] = who.get('accountId') if len(who.get('accountId') or '') == 12 else self.account
        e['eventCategory'] = 'Data' if data else 'Management'
        if self.version >= '1.08' and '.amazonaws.com' not in ip and ip != 'AWS Internal':
            e['tlsDetails'] = {'tlsVersion': 'TLSv1.3', 'cipherSuite': 'TLS_AES_128_GCM_SHA256',
                               'clientProvidedHostHeader': f'{service}.{e["awsRegion"]}.amazonaws.com'}
        if top:
            e.update(top)
        self.events.append((int(t), e))
        if bad:
            self.bad.add(e['eventID'])
        return e

    def read_object(self, t, who, ip, agent, bucket, key, size, bad=False, err=None, top=None):
        extra = {'SignatureVersion': 'SigV4', 'CipherSuite': 'TLS_AES_128_GCM_SHA256', 'bytesTransferredIn': 0.0,
                 'AuthenticationMethod': 'AuthHeader', 'x-amz-id-2': base64.b64encode(self.hex(20).encode()).decode(),
                 'bytesTransferredOut': 0.0 if err else float(size)}
        return self.call(t, who, ip, f'[{agent}]', 's3', 'GetObject',
                         {'bucketName': bucket, 'Host': f'{bucket}.s3.{self.region}.amazonaws.com', 'key': key},
                         err=err, bad=bad, extra=extra, data=True, top=top)

    def login(self, t, person, ip, agent, ok=True, mfa=False, bad=False, hidden=False):
        who = person.who('')
        if not ok:
            who = {'type': 'IAMUser', 'principalId': person.id, 'accountId': self.account, 'accessKeyId': '',
                   'userName': 'HIDDEN_DUE_TO_SECURITY_REASONS' if hidden else person.name}
        return self.call(t, who, ip, agent, 'signin', 'ConsoleLogin', None,
                         {'ConsoleLogin': 'Success' if ok else 'Failure'}, bad=bad,
                         extra={'LoginTo': 'https://console.aws.amazon.com/console/home?state=hashArgs%23&isauthcode=true',
                                'MobileVersion': 'No', 'MFAUsed': 'Yes' if mfa else 'No'}, region='us-east-1',
                         top={'eventType': 'AwsConsoleSignIn',
                              **({} if ok else {'errorMessage': 'Failed authentication', 'responseElements': {'ConsoleLogin': 'Failure'}})})

    def assume(self, t, who, ip, agent, role, name, bad=False, key=None, **more):
        """AssumeRole and the session it gives."""
        s = Session(self, t, role, name, key=key, account=role.account, **more)
        resp = {'credentials': {'accessKeyId': s.key, 'sessionToken': 'IQoJ' + self.letters(40),
                                'expiration': rfc3339(t + HOUR)},
                'assumedRoleUser': {'assumedRoleId': f'{role.id}:{name}', 'arn': s.arn}}
        self.call(t, who, ip, agent, 'sts', 'AssumeRole', {'roleArn': role.arn, 'roleSessionName': name}, resp, bad=bad,
                  top={'resources': [{'accountId': role.account, 'type': 'AWS::IAM::Role', 'ARN': role.arn}]})
        return s

    def boot(self, m):
        """The instance's role sessions through the whole time, renewed every six hours or so."""
        t = self.start - self.rng.randrange(0, 6 * HOUR)
        while t < self.end:
            who = {'type': 'AWSService', 'invokedBy': 'ec2.amazonaws.com'}
            for _ in range(self.rng.choice([1, 2])):
                s = Session(self, t, m.role, m.id, delivery=m.delivery)
                m.sessions.append(s)
                if t >= self.start:
                    self.call(t, who, 'ec2.amazonaws.com', 'ec2.amazonaws.com', 'sts', 'AssumeRole',
                              {'roleArn': m.role.arn, 'roleSessionName': m.id},
                              {'credentials': {'accessKeyId': s.key, 'sessionToken': 'IQoJ' + self.letters(30),
                                               'expiration': rfc3339(t + 6 * HOUR)}, 'assumedRoleUser': None})
            t += self.rng.randrange(5 * HOUR, 6 * HOUR)

    # ---- hosts
    def visit(self, t, ip, method, target, status, size, agent='Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/122.0', host=0, bad=False):
        self.web.append((int(t), ip, method, target, status, size, agent, host, bad))
        if bad and self.flows:
            m = self.machines[host]
            self.both_ways(t, ip, m.private, self.rng.randrange(32768, 60000), 443, 9, 1500, size + 700, eni=m.eni)

    def auth(self, t, host, program, text, bad=False):
        self.ssh.append((int(t), host, program, text, bad))

    def flow(self, t, src, dst, sport, dport, packets, size, ok=True, proto=6, eni=None, seconds=60):
        self.flows.append((int(t), src, dst, sport, dport, proto, packets, size, int(t) + seconds, ok,
                           eni or self.machines[0].eni))

    def both_ways(self, t, a, b, sport, dport, packets, out, back, **more):
        self.flow(t, a, b, sport, dport, packets, out, **more)
        self.flow(t, b, a, dport, sport, packets, back, **more)

    def s3_line(self, t, bucket, ip, requester, operation, key, status, size, agent):
        y, mo, d = civil(t // DAY)
        s = t % DAY
        error = 'AccessDenied' if status == 403 else '-'
        self.s3.append((t, f'{self.hex(64)} {bucket} [{d:02}/{MONTHS[mo - 1]}/{y}:{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02} +0000] {ip} {requester} '
                           f'{self.letters(16)} {operation} {key} "GET /{key} HTTP/1.1" {status} {error} {size} {size} 22 20 "-" "{agent}" - '
                           f'{self.hex(40)} - TLS_AES_128_GCM_SHA256 - {bucket}.s3.amazonaws.com TLSv1.3 - -'))

    def finding(self, t, kind, resource, ip=None, severity=8, role='TARGET', action=None, late=420):
        f = {'schemaVersion': '2.0', 'accountId': self.account, 'region': self.region, 'partition': 'aws', 'id': self.hex(32),
             'type': kind, 'severity': severity, 'createdAt': rfc3339(t + late), 'updatedAt': rfc3339(t + late),
             'title': kind, 'description': kind, 'resource': resource,
             'service': {'serviceName': 'guardduty', 'detectorId': self.hex(32), 'resourceRole': role, 'count': 1,
                         'archived': False, 'eventFirstSeen': rfc3339(t), 'eventLastSeen': rfc3339(t + 60),
                         'action': action or {}}}
        f['arn'] = f'arn:aws:guardduty:{self.region}:{self.account}:detector/{f["service"]["detectorId"]}/finding/{f["id"]}'
        if ip and not action:
            f['service']['action'] = {'actionType': 'AWS_API_CALL', 'awsApiCallAction': {
                'api': 'ListBuckets', 'serviceName': 's3.amazonaws.com', 'callerType': 'Remote IP',
                'remoteIpDetails': {'ipAddressV6' if ':' in ip else 'ipAddressV4': ip}}}
        self.findings.append((int(t + late), f))
        return f

    # ---- on disk
    def trail_files(self, shape):
        events = sorted(self.events, key=lambda p: p[0])
        if shape == 'jsonl':
            return {'trail.jsonl': ''.join(json.dumps(e) + '\n' for _, e in events).encode()}
        if shape == 'array':
            return {'export/events.json': json.dumps([e for _, e in events], indent=1).encode()}
        if shape == 'lookup':
            rows = [{'EventId': e['eventID'], 'EventName': e['eventName'], 'EventTime': float(t),
                     'EventSource': e['eventSource'], 'CloudTrailEvent': json.dumps(e)} for t, e in reversed(events)]
            return {'lookup-events.json': json.dumps({'Events': rows}).encode()}
        out, parts = {}, {}
        for t, e in events:
            parts.setdefault((e['recipientAccountId'], e['awsRegion'], t // self.slice), []).append(e)
        for (account, region, n), rows in parts.items():
            when = rfc3339((n + 1) * self.slice).replace('-', '').replace(':', '')
            key = f'AWSLogs/{account}/CloudTrail/{region}/{when[:4]}/{when[4:6]}/{when[6:8]}/' \
                  f'{account}_CloudTrail_{region}_{when[:13]}Z_{hashlib.md5(json.dumps(rows[0]).encode()).hexdigest()[:16]}.json.gz'
            out[key] = squeeze(json.dumps({'Records': rows}).encode())
        return out

    def web_file(self, rows, alb):
        lines = []
        for t, ip, method, target, status, size, agent, host, _ in sorted(rows, key=lambda v: v[0]):
            t += self.web_skew
            if alb:
                m = self.machines[host]
                lines.append(f'https {rfc3339(t)[:-1]}.{t * 7919 % 1000000:06}Z app/front/50dc6c495c0c9188 {ip}:{40000 + t % 9999} {m.private}:80 '
                             f'0.001 0.010 0.000 {status} {status} 340 {size} "{method} https://www.example.com:443{target} HTTP/2.0" '
                             f'"{agent}" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:{self.region}:{self.account}:targetgroup/t/73e2d6bc24d8a067 '
                             f'"Root=1-58337364-23a8c76965a2ef7629b185e3" "www.example.com" "-" 0 {rfc3339(t)} "forward" "-" "-" "{m.private}:80" "{status}" "-" "-"')
            else:
                y, mo, d = civil((t + self.zone) // DAY)
                s = (t + self.zone) % DAY
                z = abs(self.zone) // HOUR
                lines.append(f'{ip} - - [{d:02}/{MONTHS[mo - 1]}/{y}:{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02} {"-" if self.zone < 0 else "+"}{z:02}00] '
                             f'"{method} {target} HTTP/1.1" {status} {size} "-" "{agent}"')
        return ('\n'.join(lines) + '\n').encode()

    def ssh_file(self, rows, dated):
        lines = []
        for t, host, program, text, _ in sorted(rows, key=lambda v: v[0]):
            t += self.ssh_skew
            y, mo, d = civil(t // DAY)
            s = t % DAY
            when = f'{y:04}-{mo:02}-{d:02}T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}.123456+00:00' if dated else \
                f'{MONTHS[mo - 1]} {d:2} {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}'
            lines.append(f'{when} {host} {program}: {text}')
        return ('\n'.join(lines) + '\n').encode()

    def flow_file(self, custom):
        head = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
        rows = []
        for t, src, dst, sp, dp, proto, packets, size, end, ok, eni in sorted(self.flows):
            act = 'ACCEPT' if ok else 'REJECT'
            if custom:
                rows.append(f'{act} {src} {dst} {sp} {dp} {proto} {t} {end} {packets} {size} {eni} OK 5')
            else:
                rows.append(f'2 {self.account} {eni} {src} {dst} {sp} {dp} {proto} {packets} {size} {t} {end} {act} OK')
        if custom:
            head = 'action srcaddr dstaddr srcport dstport protocol start end packets bytes interface-id log-status version'
        return '\n'.join([head] + rows).encode() + b'\n'

    def files(self):
        """Relative path -> bytes; the kind of a log is the first part of its path."""
        r = random.Random(self.seed ^ 0x5eed)
        self.slice = r.choice([900, HOUR, 6 * HOUR])
        out = {}
        for name, data in self.trail_files(r.choice(['tree'] * 5 + ['jsonl', 'array', 'lookup'])).items():
            out['cloudtrail/' + name] = data
        if self.web:
            alb = r.random() < .3
            out['web/' + ('alb.log.gz' if alb else 'access.log')] = squeeze(self.web_file(self.web, alb)) if alb else self.web_file(self.web, alb)
        if self.ssh:
            out['ssh/' + r.choice(['auth.log', 'secure'])] = self.ssh_file(self.ssh, r.random() < .4)
        if self.flows:
            out['flow/flow.log.gz'] = squeeze(self.flow_file(r.random() < .4))
        if self.s3:
            out['s3/' + rfc3339(self.start)[:10] + '-00-00-00-' + self.hex(16).upper()] = ''.join(line + '\n' for _, line in sorted(self.s3)).encode()
        if self.findings:
            out['guardduty/findings.jsonl.gz'] = squeeze(''.join(json.dumps(f) + '\n' for _, f in sorted(self.findings, key=lambda p: p[0])).encode())
        return out


def squeeze(data, level=6):
    b = io.BytesIO()
    with gzip.GzipFile(fileobj=b, mode='wb', compresslevel=level, mtime=0) as g:
        g.write(data)
    return b.getvalue()


class Truth:
    """What is so, whatever the logs can show of it. `must` is what a good answer names, `may` what it is allowed to."""

    def __init__(self, klass, entry=None, slack=60):
        self.klass, self.entry, self.slack = klass, entry, slack
        self.also = set()  # classes that are right too
        self.principals, self.keys, self.ips = set(), set(), set()
        self.may = set()
        self.cuts = []  # kinds of logs without which nobody can know
