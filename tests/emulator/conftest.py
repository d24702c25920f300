"""Fixtures of the tests that run the built program against an emulated AWS.

`moto` is moto's server (one a worker, its state emptied before each test): what it answers is what moto
makes of a call, which is not always what AWS would. Permission checks are off unless a test turns them on
with `auth_mode`. `dynamodb_local` and `s3_server` are other people's servers (peers.py).
"""
from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.request

import boto3
import pytest
from botocore.config import Config

from peers import dynamodb_local, dynamodb_process, free_port, s3_server, s3_server_tls, stop, wait_for_port  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = 'eu-west-1'
ACCOUNT = '123456789012'
KEYS = {'AWS_ACCESS_KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'AWS_SECRET_ACCESS_KEY': 'wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY'}


def python_tool(name: str) -> str:
    """A program of the environment that pytest runs in."""
    return str(pathlib.Path(sys.executable).parent / name)


@pytest.fixture(scope='session')
def moto_server(tmp_path_factory) -> str:
    """Address of a moto server of this worker."""
    port = free_port()
    log = open(tmp_path_factory.mktemp('moto') / 'moto.log', 'wb')
    env = {k: v for k, v in os.environ.items() if not k.startswith(('AWS_', 'MOTO_'))}
    env.update(MOTO_EC2_LOAD_DEFAULT_AMIS='false', MOTO_ALLOW_NONEXISTENT_REGION='false',
               MOTO_RECORDER_FILEPATH=str(tmp_path_factory.mktemp('recorder') / 'requests'))
    process = subprocess.Popen([python_tool('moto_server'), '-H', '127.0.0.1', '-p', str(port)], stdout=log, stderr=log,
                               env=env)
    try:
        wait_for_port(port, process)
        yield f'http://127.0.0.1:{port}'
    finally:
        stop(process)
        log.close()


def moto_post(url: str, path: str, body: str = '') -> None:
    request = urllib.request.Request(f'{url}/moto-api/{path}', data=body.encode(), method='POST',
                                     headers={'Content-Type': 'text/plain'})
    urllib.request.urlopen(request, timeout=30).read()


@pytest.fixture
def moto(moto_server: str) -> str:
    """Address of an emulated account with nothing in it."""
    moto_post(moto_server, 'reset-auth', 'inf')
    moto_post(moto_server, 'reset')
    return moto_server


@pytest.fixture
def auth_mode(moto: str):
    """A function: from its call on, moto checks signatures and permissions."""
    yield lambda: moto_post(moto, 'reset-auth', '0')
    moto_post(moto, 'reset-auth', 'inf')


@pytest.fixture
def aws(moto: str):
    """A function: boto3's client of a service, for seeding and for looking."""
    def client(service: str, region: str = REGION, endpoint: str | None = None):
        return boto3.client(service, region_name=region, endpoint_url=endpoint or moto,
                            aws_access_key_id=KEYS['AWS_ACCESS_KEY_ID'], aws_secret_access_key=KEYS['AWS_SECRET_ACCESS_KEY'],
                            config=Config(retries={'max_attempts': 1}, s3={'addressing_style': 'path'}))
    return client


@dataclasses.dataclass
class Ran:
    """What a run of the program gave."""
    code: int
    out: str
    err: str

    @property
    def json(self):
        """The last line of stdout, or all of it, as JSON."""
        text = self.out.strip()
        try:
            return json.loads(text)
        except ValueError:
            return json.loads(text.splitlines()[-1])


class Cordon:
    """Runs the program under test with an environment of its own."""

    def __init__(self, home: pathlib.Path, endpoint: str | None):
        self.binary = os.environ.get('CORDON_BIN') or str(ROOT / 'build/debug/src/app/cordon')
        self.home = home
        self.env = {
            'PATH': '/usr/bin:/bin', 'HOME': str(home), 'LANG': 'C.UTF-8', 'NO_COLOR': '1',
            'AWS_REGION': REGION, 'AWS_EC2_METADATA_DISABLED': 'true', 'CORDON_STATE': f'sqlite:{home}/cordon.db',
            'CORDON_VENV': sys.prefix, 'ASAN_OPTIONS': 'detect_leaks=1', 'UBSAN_OPTIONS': 'print_stacktrace=1', **KEYS,
        }
        if endpoint:
            self.env['AWS_ENDPOINT_URL'] = endpoint

    def start(self, *args: str, env: dict | None = None, argv0: str | None = None, **kwargs) -> subprocess.Popen:
        """The running process (the caller ends it)."""
        variables = {k: v for k, v in {**self.env, **(env or {})}.items() if v is not None}
        return subprocess.Popen([argv0 or self.binary, *args], executable=self.binary, env=variables, cwd=self.home,
                                stdin=kwargs.pop('stdin', subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)

    def __call__(self, *args: str, stdin: str | bytes | None = None, env: dict | None = None, timeout: float = 120) -> Ran:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        process = self.start(*args, env=env, stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL)
        try:
            out, err = process.communicate(data, timeout)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.communicate()
        ran = Ran(process.returncode, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace'))
        assert 'Sanitizer' not in ran.err, ran.err
        return ran


@pytest.fixture
def cordon(tmp_path: pathlib.Path, moto: str) -> Cordon:
    """The program, pointed at the emulated account."""
    return Cordon(tmp_path, moto)


@pytest.fixture
def systems_manager(cordon: Cordon, moto: str, techsolutions: Seed) -> str:
    """The stub's address, with both web servers online and cordon's document in place; `cordon` is pointed at it."""
    process = subprocess.Popen([sys.executable, str(ROOT / 'tests/emulator/stub.py'), '--print-port', '--instances',
                                ','.join(techsolutions.instances), '--account', ACCOUNT, '--region', REGION, '--upstream', moto],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        url = f'http://127.0.0.1:{int(process.stdout.readline())}'
        boto3.client('ssm', region_name=REGION, endpoint_url=url, aws_access_key_id=KEYS['AWS_ACCESS_KEY_ID'],
                     aws_secret_access_key=KEYS['AWS_SECRET_ACCESS_KEY']).create_document(
            Name='cordon-isolate', DocumentType='Command', DocumentFormat='YAML',
            Content=(ROOT / 'deploy/ssm/cordon-isolate.yaml').read_text())
        cordon.env.update(AWS_ENDPOINT_URL_SSM=url, AWS_ENDPOINT_URL_GUARDDUTY=url,
                          CORDON_RESPONSE_ISOLATION_ENDPOINTS='10.20.0.0/16', CORDON_RESPONSE_SETTLE_SECONDS='0')
        yield url
    finally:
        process.stdin.close()
        stop(process)


@pytest.fixture
def cordon_alone(tmp_path: pathlib.Path) -> Cordon:
    """The program with no AWS at all behind it."""
    return Cordon(tmp_path, None)


@dataclasses.dataclass
class Seed:
    """What `techsolutions` put into the account."""
    account: str
    region: str
    vpc: str
    subnets: list[str]
    nacl: str
    igw: str
    web_group: str
    instances: list[str]
    interfaces: list[str]
    roles: list[str]
    profiles: list[str]
    target_group: str
    load_balancer: str
    asg: str
    bucket: str
    evidence_bucket: str
    topic: str
    inbox: str
    database: str
    quarantine_profile: str


def make_network(ec2) -> tuple[str, list[str], str, str, str]:
    vpc = ec2.create_vpc(CidrBlock='10.20.0.0/16')['Vpc']['VpcId']
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.20.{n}.0/24', AvailabilityZone=f'{REGION}{zone}')['Subnet']['SubnetId']
               for n, zone in ((1, 'a'), (2, 'b'))]
    igw = ec2.create_internet_gateway()['InternetGateway']['InternetGatewayId']
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    nacl = ec2.describe_network_acls(Filters=[{'Name': 'vpc-id', 'Values': [vpc]}])['NetworkAcls'][0]['NetworkAclId']
    group = ec2.create_security_group(GroupName='web', Description='web servers', VpcId=vpc)['GroupId']
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {'IpProtocol': 'tcp', 'FromPort': port, 'ToPort': port, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]} for port in (22, 80)])
    return vpc, subnets, igw, nacl, group


def make_profile(iam, name: str, statements: list[dict]) -> str:
    trust = {'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName='app', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': statements}))
    profile = iam.create_instance_profile(InstanceProfileName=f'{name}-profile')['InstanceProfile']
    iam.add_role_to_instance_profile(InstanceProfileName=f'{name}-profile', RoleName=name)
    return profile['Arn']


@pytest.fixture
def techsolutions(aws) -> Seed:
    """A small TechSolutions: two web servers behind a balancer, files, a database, a topic with an SQS inbox."""
    ec2, iam, s3, sns, sqs = (aws(n) for n in ('ec2', 'iam', 's3', 'sns', 'sqs'))
    vpc, subnets, igw, nacl, group = make_network(ec2)
    bucket, evidence = 'techsolutions-project-files', 'techsolutions-evidence'
    where = {'LocationConstraint': REGION}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    s3.put_object(Bucket=bucket, Key='clients/acme/plan.pdf', Body=b'%PDF-1.7 plan')
    s3.create_bucket(Bucket=evidence, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    roles = ['web-role-1', 'web-role-2']
    read = [{'Effect': 'Allow', 'Action': ['s3:GetObject', 's3:ListBucket'], 'Resource': '*'}]
    profiles = [make_profile(iam, role, read) for role in roles]
    quarantine = 'cordon-quarantine'
    make_profile(iam, quarantine, [])
    instances, interfaces = [], []
    for n in range(2):
        # With NetworkInterfaces the instance's groups and the interface's agree in moto, as they do in AWS.
        made = ec2.run_instances(
            ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, IamInstanceProfile={'Arn': profiles[n]},
            NetworkInterfaces=[{'DeviceIndex': 0, 'SubnetId': subnets[n], 'Groups': [group], 'AssociatePublicIpAddress': True}],
            TagSpecifications=[{'ResourceType': 'instance', 'Tags': [{'Key': 'Name', 'Value': f'web-{n + 1}'},
                                                                     {'Key': 'Environment', 'Value': 'dev'}]}])['Instances'][0]
        instances.append(made['InstanceId'])
        interfaces.append(made['NetworkInterfaces'][0]['NetworkInterfaceId'])
    elb, scaling, rds = aws('elbv2'), aws('autoscaling'), aws('rds')
    balancer = elb.create_load_balancer(Name='web', Subnets=subnets)['LoadBalancers'][0]['LoadBalancerArn']
    target_group = elb.create_target_group(Name='web', Protocol='HTTP', Port=80, VpcId=vpc)['TargetGroups'][0]['TargetGroupArn']
    elb.create_listener(LoadBalancerArn=balancer, Protocol='HTTP', Port=80,
                        DefaultActions=[{'Type': 'forward', 'TargetGroupArn': target_group}])
    elb.register_targets(TargetGroupArn=target_group, Targets=[{'Id': i, 'Port': 80} for i in instances])
    scaling.create_launch_configuration(LaunchConfigurationName='web', ImageId='ami-12c6146b', InstanceType='t3.small')
    scaling.create_auto_scaling_group(AutoScalingGroupName='web', LaunchConfigurationName='web', MinSize=0, MaxSize=4,
                                      DesiredCapacity=0, VPCZoneIdentifier=','.join(subnets))
    scaling.attach_instances(AutoScalingGroupName='web', InstanceIds=instances)
    database = 'techsolutions-db'
    rds.create_db_instance(DBInstanceIdentifier=database, DBInstanceClass='db.t3.micro', Engine='postgres', MasterUsername='app',
                           MasterUserPassword='not-a-real-one-1', AllocatedStorage=20, VpcSecurityGroupIds=[group])
    topic = sns.create_topic(Name='cordon-alerts')['TopicArn']
    inbox = sqs.create_queue(QueueName='team-inbox')['QueueUrl']
    inbox_arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=inbox_arn)
    return Seed(ACCOUNT, REGION, vpc, subnets, nacl, igw, group, instances, interfaces, roles, profiles, target_group, balancer, 'web',
                bucket, evidence, topic, inbox, database, quarantine)


@pytest.fixture
def finding():
    """A function: a GuardDuty finding on an instance as EventBridge delivers it (documentation addresses)."""
    def make(instance: str, kind: str = 'Backdoor:EC2/C&CActivity.B', role: str = 'ACTOR', severity: float = 8.0,
             remote: str = '198.51.100.77', finding_id: str = '9ac1f0e2b7d34c5f8a6b0c1d2e3f4a5b', profile: str | None = None,
             **detail) -> dict:
        arn = f'arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/12abc34d567e8fa901bc2d34eexample/finding/{finding_id}'
        details = {'instanceId': instance, 'instanceState': 'running'}
        if profile:
            details['iamInstanceProfile'] = {'arn': profile, 'id': 'AIPAEXAMPLE'}
        return {
            'version': '0', 'id': '6041f8be-df36-b1ff-a970-da7210a382b4', 'detail-type': 'GuardDuty Finding', 'source': 'aws.guardduty',
            'account': ACCOUNT, 'time': '2026-08-01T10:00:05Z', 'region': REGION, 'resources': [],
            'detail': {
                'schemaVersion': '2.0', 'accountId': ACCOUNT, 'region': REGION, 'partition': 'aws', 'id': finding_id, 'arn': arn,
                'type': kind, 'severity': severity, 'createdAt': '2026-08-01T10:00:00.000Z', 'updatedAt': '2026-08-01T10:00:00.000Z',
                'title': 'The instance talks to a command server.', 'description': 'The instance talks to a command server.',
                'resource': {'resourceType': 'Instance', 'instanceDetails': details},
                'service': {'serviceName': 'guardduty', 'detectorId': '12abc34d567e8fa901bc2d34eexample', 'resourceRole': role,
                            'eventFirstSeen': '2026-08-01T09:55:00.000Z', 'eventLastSeen': '2026-08-01T09:59:00.000Z', 'archived': False,
                            'count': 1, 'action': {'actionType': 'NETWORK_CONNECTION', 'networkConnectionAction': {
                                'connectionDirection': 'OUTBOUND', 'protocol': 'TCP', 'blocked': False,
                                'remoteIpDetails': {'ipAddressV4': remote}}}},
                **detail}}
    return make
