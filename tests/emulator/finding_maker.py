"""Findings of every known type, and of none, in many variations: one seed, one finding.

`make(seed)` gives the finding as GuardDuty's HTTP API has it (camelCase), beside what a reader must find
in it. Field names are those of the GuardDuty model; what it does not know is named in EXTRA.
"""
from __future__ import annotations

import pathlib
import random
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXTRA = 'somethingNew'

# type -> (kinds of resource, default severity), from the list that the program itself is built with
TYPES = {}
for _line in (ROOT / 'playbooks/types.list').read_text().splitlines():
    if _line and not _line.startswith('#'):
        _type, _kinds, _severity = _line.split()
        TYPES[_type] = (_kinds.split(','), _severity)

UNKNOWN_TYPES = ['Foo:EC2/Bar', 'Novel:Quantum/Entanglement.B!Qubit', 'Execution:Mainframe/Job', 'Backdoor:Glue/C&CActivity.B', 'x:y/z']
BANDS = {'low': (1.0, 3.9), 'medium': (4.0, 6.9), 'high': (7.0, 8.9), 'critical': (9.0, 10.0)}
ENVIRONMENTS = {'production': 'production', 'Prod': 'production', 'unheard-of': 'production', None: 'production', '': 'production',
                'staging': 'staging', 'stg': 'staging', 'test': 'test', 'QA': 'test', 'dev': 'development', ' Development ': 'development',
                'sandbox': 'sandbox', 'lab': 'sandbox'}
PARTITIONS = {'aws': 'eu-west-1', 'aws-cn': 'cn-north-1', 'aws-us-gov': 'us-gov-west-1'}
UNICODE = ['naïve', '日本語', '🦀', 'a\u0301', '\u202eevil', 'tab\there', 'quote"\'`$(id)', '<script>alert(1)</script>', '\ufeffbom']


@dataclass
class Made:
    finding: dict
    type: str
    severity: float
    environment: str
    known: bool                                      # a type of the list, on a kind of resource of the list
    sample: bool = False
    archived: bool = False
    role: str | None = 'TARGET'
    resources: set[tuple[str, str]] = field(default_factory=set)  # (kind, id) that must be found
    ips: set[str] = field(default_factory=set)
    variations: list[str] = field(default_factory=list)


class Maker:
    def __init__(self, seed: int):
        self.r = random.Random(seed)
        self.partition = self.r.choices(list(PARTITIONS), [8, 1, 1])[0]
        self.region = PARTITIONS[self.partition]
        self.account = self.r.choice(['111122223333', '444455556666'])
        self.said: list[str] = []
        self.found: set[tuple[str, str]] = set()
        tag = self.r.choice(list(ENVIRONMENTS))
        self.environment = ENVIRONMENTS[tag]
        self.tags = [{'key': 'Name', 'value': self.text()}]
        if tag is not None:
            self.tags.append({'key': self.r.choice(['Environment', 'environment', 'ENVIRONMENT']), 'value': tag})
        self.r.shuffle(self.tags)

    def often(self, chance: float, name: str) -> bool:
        yes = self.r.random() < chance
        if yes:
            self.said.append(name)
        return yes

    def hexes(self, n: int) -> str:
        return ''.join(self.r.choice('0123456789abcdef') for _ in range(n))

    def text(self) -> str:
        return self.r.choice(['web-1', 'shop', *UNICODE])

    def arn(self, service: str, rest: str, region: bool = True, account: bool = True) -> str:
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account if account else ''}:{rest}"

    def name(self, kind: str, id: str) -> str:
        self.found.add((kind, id))
        return id

    # resources, each as the block it stands in

    def interface(self, i: int) -> dict:
        eni = {'networkInterfaceId': f'eni-{self.hexes(17)}', 'subnetId': f'subnet-{self.hexes(17)}', 'vpcId': f'vpc-{self.hexes(17)}',
               'securityGroups': [{'groupId': f'sg-{self.hexes(17)}', 'groupName': self.text()}], 'ipv6Addresses': []}
        if self.six_only or self.r.random() < 0.2:
            eni['ipv6Addresses'] = [f'2001:db8::{i}:{k}' for k in range(self.r.randint(1, 3))]
        if not self.six_only:
            eni['privateIpAddress'] = f'10.0.{i % 256}.10'
            eni['privateIpAddresses'] = [{'privateIpAddress': f'10.0.{i % 256}.{10 + k}', 'privateDnsName': f'ip-10-0-{i}-{k}'}
                                         for k in range(self.r.randint(1, 4))]
            eni['publicIp'] = f'203.0.113.{i % 256}'
        return eni

    def instance(self, id: str | None = None) -> dict:
        id = self.name('Instance', id or f'i-{self.hexes(17)}')
        self.six_only = self.often(0.1, 'only IPv6')
        block = {'instanceId': id, 'instanceType': 't3.large', 'imageId': f'ami-{self.hexes(17)}', 'instanceState': 'running',
                 'availabilityZone': f'{self.region}a', 'launchTime': '2026-01-01T00:00:00Z', 'tags': self.tags,
                 'networkInterfaces': [self.interface(i) for i in range(self.r.choice([1, 1, 2, 3, 15]))]}
        if self.r.random() < 0.7:
            path = self.r.choice(['', 'path/', 'a/deep/path/'])
            block['iamInstanceProfile'] = {'arn': self.arn('iam', f'instance-profile/{path}web', region=False), 'id': 'AIPAEXAMPLE'}
        if self.often(0.15, 'instance cut short'):
            for key in self.r.sample([k for k in block if k not in ('instanceId', 'tags')], 3):
                del block[key]
        elif self.often(0.05, 'no interfaces'):
            block['networkInterfaces'] = self.r.choice([[], None])
        return block

    def access_key(self) -> dict:
        who = self.r.choice(['IAMUser', 'AssumedRole', 'instance role', 'FederatedUser', 'Root', 'AWSAccount', 'SAMLUser', 'UnheardOf'])
        self.said.append(who)
        if who == 'IAMUser':
            key = self.r.choice(['AKIA', 'ASIA']) + self.hexes(16).upper()
            return {'accessKeyId': self.name('AccessKey', key), 'principalId': f'AIDA{self.hexes(16).upper()}', 'userName': 'deploy',
                    'userType': 'IAMUser'}
        if who in ('AssumedRole', 'instance role'):
            session = f'i-{self.hexes(17)}' if who == 'instance role' else self.r.choice(['alice@example.com', 'botocore-session-1'])
            if who == 'instance role':
                self.name('Instance', session)
            return {'accessKeyId': self.name('AccessKey', f'ASIA{self.hexes(16).upper()}'), 'userName': 'web-role',
                    'principalId': f'AROA{self.hexes(16).upper()}:{session}', 'userType': self.r.choice(['AssumedRole', 'Role'])}
        if who == 'Root':
            return {'accessKeyId': self.name('AccessKey', f'ASIA{self.hexes(16).upper()}'), 'principalId': self.account,
                    'userName': 'Root', 'userType': 'Root'}
        return {'accessKeyId': self.name('AccessKey', f'ASIA{self.hexes(16).upper()}'), 'principalId': f'{self.account}:somebody',
                'userName': 'somebody', 'userType': who}

    def buckets(self, objects: bool, malware: bool) -> list[dict]:
        n = self.r.choice([1, 1, 1, 2, 5])
        out = []
        for i in range(n):
            name = f'bucket-{self.hexes(6)}-{i}'
            if not malware:
                self.name('S3Bucket', name)
            block = {'name': name, 'arn': f'arn:{self.partition}:s3:::{name}', 'type': 'Destination', 'tags': self.tags,
                     'owner': {'id': 'CanonicalId'}, 'createdAt': 1513612692.0,
                     'publicAccess': {'effectivePermission': self.r.choice(['PUBLIC', 'NOT_PUBLIC'])}}
            if objects:
                keys = self.r.sample(['a/key', 'b/ü/ñ', 'sp ace/🦀.exe', 'x' * 900, '../../etc/passwd'], self.r.randint(1, 3))
                block['s3ObjectDetails'] = [{'key': key, 'objectArn': f'arn:{self.partition}:s3:::{name}/{key}', 'versionId': 'v1',
                                             'eTag': 'x', 'hash': self.hexes(64)} for key in keys]
                if malware:
                    for key in keys:
                        self.name('S3Object', f'{name}/{key}')
            out.append(block)
        return out

    def kubernetes(self) -> dict:
        out = {'kubernetesUserDetails': {'username': self.r.choice(['system:anonymous', 'system:serviceaccount:shop:web', 'alice']),
                                         'uid': '', 'groups': ['system:authenticated'], 'sessionName': []}}
        if self.r.random() < 0.7:
            out['kubernetesWorkloadDetails'] = {
                'name': 'web', 'type': 'pods', 'uid': self.hexes(8), 'namespace': 'shop', 'hostNetwork': False, 'serviceAccountName': 'web',
                'containers': [{'name': f'c{i}', 'image': 'alpine:3', 'securityContext': {'privileged': True}} for i in range(2)]}
        return out

    def blocks(self, kind: str, malware: bool) -> dict:
        arn = self.arn
        if kind == 'Instance':
            return {'instanceDetails': self.instance()}
        if kind == 'AccessKey':
            return {'accessKeyDetails': self.access_key()}
        if kind in ('S3Bucket', 'S3Object'):
            out = {'s3BucketDetails': self.buckets(kind == 'S3Object' or self.r.random() < 0.2, kind == 'S3Object')}
            if kind == 'S3Bucket' and self.r.random() < 0.8:
                out['accessKeyDetails'] = self.access_key()
            return out
        if kind == 'RDSDBInstance':
            out = {'rdsDbInstanceDetails': {'dbInstanceIdentifier': self.name(kind, 'shop-1'), 'dbInstanceArn': arn('rds', 'db:shop-1'),
                                            'engine': 'aurora-postgresql', 'dbiResourceId': 'db-1', 'tags': self.tags},
                   'rdsDbUserDetails': {'user': "o'brien", 'application': self.text(), 'database': 'shop', 'ssl': 'off', 'authMethod': 'password'}}
            if self.r.random() < 0.5:
                out['rdsDbInstanceDetails']['dbClusterIdentifier'] = 'shop'
            return out
        if kind == 'RDSLimitlessDB':
            return {'rdsLimitlessDbDetails': {'dbShardGroupIdentifier': self.name(kind, 'shards'), 'dbClusterIdentifier': 'shop',
                                              'dbShardGroupArn': arn('rds', 'shard-group:shards'), 'tags': self.tags}}
        if kind == 'Lambda':
            path = self.r.choice(['', 'service-role/'])
            return {'lambdaDetails': {'functionName': self.name(kind, 'resize'), 'functionArn': arn('lambda', 'function:resize'),
                                      'functionVersion': '$LATEST', 'role': arn('iam', f'role/{path}resize-role', region=False),
                                      'tags': self.tags, 'vpcConfig': {'vpcId': 'vpc-1', 'subnetIds': ['subnet-1'], 'securityGroups': []}}}
        if kind == 'EKSCluster':
            out = {'eksClusterDetails': {'name': self.name(kind, 'shop'), 'arn': arn('eks', 'cluster/shop'), 'vpcId': 'vpc-1',
                                         'status': 'ACTIVE', 'tags': self.tags, 'createdAt': 1513612692.0}}
            if self.r.random() < 0.8:
                out['kubernetesDetails'] = self.kubernetes()
            if self.r.random() < 0.3:
                out['accessKeyDetails'] = self.access_key()
            return out
        if kind == 'ECSCluster':
            out = {'ecsClusterDetails': {'name': self.name(kind, 'batch'), 'arn': arn('ecs', 'cluster/batch'), 'status': 'ACTIVE',
                                         'tags': self.tags}}
            if self.r.random() < 0.8:
                out['ecsClusterDetails']['taskDetails'] = {
                    'arn': arn('ecs', f'task/batch/{self.hexes(32)}'), 'definitionArn': arn('ecs', 'task-definition/batch:3'), 'version': '1',
                    'containers': [{'containerRuntime': 'docker', 'id': 'c', 'name': 'c', 'image': 'alpine'}], 'startedBy': 'ecs-svc/1'}
            if malware or self.r.random() < 0.3:
                out['instanceDetails'] = self.instance()
            return out
        if kind == 'Container':
            return {'containerDetails': {'id': self.name(kind, self.hexes(64)), 'name': 'web', 'image': 'alpine:3', 'containerRuntime': 'docker'},
                    'instanceDetails': self.instance()}
        if kind == 'EBSSnapshot':
            return {'ebsSnapshotDetails': {'snapshotArn': arn('ec2', f"snapshot/{self.name(kind, 'snap-' + self.hexes(17))}", account=False)}}
        if kind == 'EC2Image':
            return {'ec2ImageDetails': {'imageArn': arn('ec2', f"image/{self.name(kind, 'ami-' + self.hexes(17))}", account=False)}}
        if kind in ('EBSRecoveryPoint', 'EC2RecoveryPoint', 'S3RecoveryPoint'):
            return {'recoveryPointDetails': {'recoveryPointArn': self.name(kind, arn('backup', f'recovery-point:{self.hexes(8)}')),
                                             'backupVaultName': 'Default'}}
        return {}

    # what was done, by whom

    def remote(self) -> tuple[dict, set[str]]:
        if self.often(0.15, 'attacker on IPv6'):
            ip = f'2001:db8:bad::{self.hexes(4).lstrip("0") or "1"}'
            out = {'ipAddressV6': ip, 'ipAddressV4': ''}
        else:
            ip = f'198.51.100.{self.r.randint(1, 254)}'
            out = {'ipAddressV4': ip}
        out.update(country={'countryName': 'Nowhere'}, city={'cityName': self.text()}, geoLocation={'lat': 1.5, 'lon': -3},
                   organization={'asn': self.number(64500), 'asnOrg': self.text(), 'isp': 'x', 'org': 'x'})
        return out, {ip}

    def number(self, n: int) -> object:
        return str(n) if self.strings else n

    def action(self) -> tuple[dict, set[str]]:
        kind = self.r.choice(['AWS_API_CALL', 'NETWORK_CONNECTION', 'PORT_PROBE', 'DNS_REQUEST', 'KUBERNETES_API_CALL', 'RDS_LOGIN_ATTEMPT'])
        remote, ips = self.remote()
        port = {'port': self.number(443), 'portName': 'HTTPS'}
        if kind == 'AWS_API_CALL':
            return {'actionType': kind, 'awsApiCallAction': {'api': 'PutBucketPolicy', 'serviceName': 's3.amazonaws.com', 'callerType': 'Remote IP',
                                                             'userAgent': self.text(), 'remoteIpDetails': remote}}, ips
        if kind == 'NETWORK_CONNECTION':
            return {'actionType': kind, 'networkConnectionAction': {'connectionDirection': 'OUTBOUND', 'protocol': 'TCP', 'blocked': False,
                                                                    'localPortDetails': {'port': 51000}, 'remotePortDetails': port,
                                                                    'remoteIpDetails': remote}}, ips
        if kind == 'PORT_PROBE':
            second, more = self.remote()
            return {'actionType': kind, 'portProbeAction': {'blocked': False, 'portProbeDetails': [
                {'localPortDetails': port, 'remoteIpDetails': remote}, {'localPortDetails': port, 'remoteIpDetails': second}]}}, ips | more
        if kind == 'DNS_REQUEST':
            return {'actionType': kind, 'dnsRequestAction': {'domain': 'evil.example', 'protocol': 'UDP', 'blocked': False}}, set()
        if kind == 'KUBERNETES_API_CALL':
            return {'actionType': kind, 'kubernetesApiCallAction': {'requestUri': '/api/v1/secrets', 'verb': 'list', 'statusCode': self.number(200),
                                                                    'userAgent': 'kubectl', 'sourceIps': list(ips), 'remoteIpDetails': remote}}, ips
        return {'actionType': kind, 'rdsLoginAttemptAction': {'remoteIpDetails': remote, 'LoginAttributes': [
            {'user': 'postgres', 'application': 'psql', 'failedLoginAttempts': 3, 'successfulLoginAttempts': 1}]}}, ips

    def sequence(self) -> dict:
        n = self.r.choice([1, 2, 5, 40])
        resources, actors, words = [], [], self.r.sample(['EC2_INSTANCE', 'S3_BUCKET', 'ACCESS_KEY', 'EKS_CLUSTER', 'ECS_CLUSTER', 'EC2_IMAGE'], 3)
        for i in range(n):
            word = self.r.choice([*words, 'EC2_VPC', 'AUTOSCALING_AUTO_SCALING_GROUP', 'BEDROCK_PROMPT', 'WHAT_COMES_NEXT'])
            resources.append(self.sequence_resource(word, i))
        for i in range(self.r.choice([0, 1, 3])):
            key = self.name('AccessKey', f'AKIA{self.hexes(16).upper()}')
            actors.append({'id': f'a{i}', 'user': {'name': 'deploy', 'uid': f'AIDA{self.hexes(16).upper()}', 'type': 'IAMUser',
                                                   'credentialUid': key, 'account': {'uid': self.account}}})
        signals = [{'uid': self.arn('guardduty', f'detector/d/finding/{self.hexes(32)}'), 'type': 'FINDING', 'name': self.text(),
                    'createdAt': 1772330441.0, 'updatedAt': 1772330471.0, 'firstSeenAt': 1772330441.0, 'lastSeenAt': 1772330471.0,
                    'severity': 5.0, 'count': 1, 'resourceUids': [], 'actorIds': [], 'endpointIds': []} for _ in range(self.r.choice([1, 3, 100]))]
        return {'sequence': {'uid': self.hexes(32), 'description': self.text(), 'actors': actors, 'resources': resources, 'signals': signals,
                             'endpoints': [{'id': 'e', 'ip': '198.51.100.9', 'port': 443}], 'sequenceIndicators': []}}

    def sequence_resource(self, word: str, i: int) -> dict:
        arn, data = self.arn, {}
        if word == 'EC2_INSTANCE':
            uid = arn('ec2', f"instance/{self.name('Instance', 'i-' + self.hexes(17))}")
        elif word == 'S3_BUCKET':
            uid = f"arn:{self.partition}:s3:::{self.name('S3Bucket', 'bucket-' + self.hexes(8))}"
            data = {'s3Bucket': {'effectivePermission': 'NOT_PUBLIC'}}
        elif word == 'ACCESS_KEY':
            uid = self.name('AccessKey', f'AKIA{self.hexes(16).upper()}')
            data = {'accessKey': {'principalId': f'AIDA{self.hexes(16).upper()}', 'userName': 'deploy', 'userType': 'IAMUser'}}
        elif word == 'EKS_CLUSTER':
            uid = arn('eks', f"cluster/{self.name('EKSCluster', f'cluster-{i}')}")
        elif word == 'ECS_CLUSTER':
            uid = arn('ecs', f"cluster/{self.name('ECSCluster', f'batch-{i}')}")
        elif word == 'EC2_IMAGE':
            uid = arn('ec2', f"image/{self.name('EC2Image', 'ami-' + self.hexes(17))}")
        else:
            uid = arn('ec2', f'something/{self.hexes(8)}')
        return {'uid': uid, 'name': self.text(), 'accountId': self.account, 'resourceType': word, 'region': self.region, 'service': 'x',
                'cloudPartition': self.partition, 'tags': self.tags, 'data': data}

    # the whole

    def resource(self, kind: str, type: str) -> dict:
        malware = type.startswith('Execution:') and 'File' in type
        out = {'resourceType': kind, **self.blocks(kind, malware)}
        if malware and 'instanceDetails' in out:
            out['ebsVolumeDetails'] = {'scannedVolumeDetails': [
                {'volumeArn': self.arn('ec2', f"volume/{self.name('EBSVolume', 'vol-' + self.hexes(17))}"), 'volumeType': 'gp3',
                 'volumeSizeInGB': 8} for _ in range(self.r.randint(1, 3))]}
        return out

    def make(self) -> Made:
        self.strings = self.often(0.1, 'numbers as text')
        type = self.r.choice(list(TYPES))
        kinds, band = TYPES[type]
        kind, known = self.r.choice(kinds), True
        if self.often(0.08, 'unknown type'):
            type, known = self.r.choice(UNKNOWN_TYPES), False
        if kind != 'AttackSequence' and self.often(0.05, 'unknown resource'):
            kind, known = self.r.choice(['QuantumComputer', 'Mainframe']), False
        band = self.r.choice(list(BANDS)) if self.r.random() < 0.5 else band
        severity = round(self.r.uniform(*BANDS[band]), 1) if self.r.random() < 0.5 else {'low': 2, 'medium': 5, 'high': 8, 'critical': 9}[band]
        id, detector = self.hexes(32), self.hexes(32)
        action, ips = self.action()
        role = self.r.choice(['TARGET', 'TARGET', 'ACTOR'])
        service = {'serviceName': 'guardduty', 'detectorId': detector, 'resourceRole': role, 'count': self.number(self.r.randint(1, 300)),
                   'archived': False, 'eventFirstSeen': '2026-08-01T09:00:00.000Z', 'eventLastSeen': '2026-08-01T10:00:00.000Z',
                   'additionalInfo': {'value': '{}', 'type': 'default'}, 'action': action}
        if kind == 'AttackSequence':
            service['detection'], ips = self.sequence(), {'198.51.100.9'}
            del service['action']
        if kind == 'AttackSequence':
            resource = {'resourceType': kind}
        else:
            resource = self.resource(kind, type)
        finding = {'schemaVersion': '2.0', 'accountId': self.account, 'region': self.region, 'partition': self.partition, 'id': id,
                   'arn': self.arn('guardduty', f'detector/{detector}/finding/{id}'), 'type': type, 'resource': resource, 'service': service,
                   'severity': self.number(severity), 'createdAt': '2026-08-01T09:30:00.000Z', 'updatedAt': '2026-08-01T10:00:00.000Z',
                   'title': self.text(), 'description': self.text()}
        made = Made(finding, type, float(severity), self.environment, known, role=role, resources=self.found, ips=ips)
        self.vary(made)
        made.variations = self.said
        return made

    def vary(self, made: Made) -> None:
        f, service = made.finding, made.finding['service']
        if self.often(0.06, 'sample'):
            made.sample = True
            service['additionalInfo'] = self.r.choice([{'sample': True}, {'value': '{"sample":true}', 'type': 'default'}])
        if self.often(0.05, 'archived'):
            made.archived = service['archived'] = True
        if self.often(0.1, 'parts missing'):
            for key in self.r.sample(['title', 'description', 'createdAt', 'partition', 'schemaVersion'], 3):
                del f[key]
            for key in self.r.sample(['count', 'eventFirstSeen', 'additionalInfo'], 2):
                if not (made.sample and key == 'additionalInfo'):
                    service.pop(key, None)
        if self.often(0.1, 'unknown fields'):
            f[EXTRA] = {'a': [1, {'b': None}], 'type': 'Trojan:EC2/Fake', 'instanceId': 'i-00000000000000000'}
            f['resource'][EXTRA] = [[[]]]
            service[EXTRA] = self.text()
        if self.often(0.03, 'nulls'):
            f['resource'].setdefault('containerDetails', None)
            f['resource'].setdefault('rdsDbUserDetails', None)
            service['evidence'] = None
        if self.often(0.02, 'huge'):
            service['evidence'] = {'threatIntelligenceDetails': [{'threatListName': 'x' * 100, 'threatNames': ['y'] * 50}] * 200}
            f['description'] = 'd' * 100_000


def make(seed: int) -> Made:
    return Maker(seed).make()
