"""The measures on databases, functions, containers and clusters, each phase through `action_driver`.

RDS, Secrets Manager, Lambda and ECS are moto; EKS access entries are the tests' own stub. Not shown here, because no
emulator does it:
- states on the way (RDS "modifying", a group "adding"): moto changes at once;
- that a cluster's groups wait for the maintenance window without ApplyImmediately: the parameter sent is looked at;
- a rotation that really changes a password: moto's needs a function and never runs it, so the new version is put by hand;
- ListFunctionUrlConfigs but in one test that answers it itself (missing in moto): elsewhere a function's URL is a door that could not be read;
- invocations, containers, Kubernetes.
"""
from __future__ import annotations

import base64
import io
import json
import urllib.request
import zipfile

import pytest

from conftest import ACCOUNT, REGION, moto_post
from between import Between
from test_actions_ec2 import Step, pytestmark  # noqa: F401 (the mark skips without the driver)
from test_actions_iam import step, stub  # noqa: F401 (fixtures)

ROLE = f'arn:aws:iam::{ACCOUNT}:role/leaked'


# --- databases

@pytest.fixture
def database(aws, techsolutions):
    aws('rds').modify_db_instance(DBInstanceIdentifier=techsolutions.database, PubliclyAccessible=True)
    return techsolutions.database


@pytest.fixture
def cluster(aws, techsolutions):
    rds = aws('rds')
    rds.create_db_subnet_group(DBSubnetGroupName='subnets', DBSubnetGroupDescription='d', SubnetIds=techsolutions.subnets)
    rds.create_db_cluster(DBClusterIdentifier='orders', Engine='aurora-mysql', MasterUsername='app', MasterUserPassword='not-a-real-one-1',
                          VpcSecurityGroupIds=[techsolutions.web_group], DBSubnetGroupName='subnets')
    for n in (1, 2):
        rds.create_db_instance(DBInstanceIdentifier=f'orders-{n}', DBClusterIdentifier='orders', Engine='aurora-mysql',
                               DBInstanceClass='db.r6g.large', DBSubnetGroupName='subnets', PubliclyAccessible=True)
    return 'orders'


def database_state(rds, name):
    d = rds.describe_db_instances(DBInstanceIdentifier=name)['DBInstances'][0]
    return [g['VpcSecurityGroupId'] for g in d['VpcSecurityGroups']], d['PubliclyAccessible']


def groups_in(aws):
    return {g['GroupId'] for g in aws('ec2').describe_security_groups()['SecurityGroups']}


def test_database_is_isolated_and_put_back(aws, techsolutions, database, step):  # noqa: F811
    rds, known = aws('rds'), groups_in(aws)
    was = database_state(rds, database)
    s = step('isolate-database', database, kind='RDSDBInstance')
    s.contain()
    groups, public = database_state(rds, database)
    assert groups and not set(groups) & known and not public
    rules = aws('ec2').describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': groups}])
    assert rules['SecurityGroupRules'] == [], 'the group lets nothing through, in either family'
    assert s.undo()['differences'] == []
    assert database_state(rds, database) == was
    assert groups_in(aws) == known, 'the group made for the case is gone'
    assert s.undo()['status'] == 'ok'


def recorded(moto, fill):
    """Bodies of the requests that moto got while `fill` ran."""
    for what in ('reset-recording', 'start-recording'):
        moto_post(moto, f'recorder/{what}')
    fill()
    moto_post(moto, 'recorder/stop-recording')
    lines = urllib.request.urlopen(f'{moto}/moto-api/recorder/download-recording', timeout=30).read().decode().splitlines()
    return [base64.b64decode(r['body']).decode() if r.get('body_encoded') else str(r['body']) for r in map(json.loads, lines)]


def test_pending_changes_are_never_applied_along(aws, moto, database, cluster, step):  # noqa: F811
    s = step('isolate-database', database, kind='RDSDBInstance')
    s.observe()
    [sent] = [b for b in recorded(moto, s.apply) if 'Action=ModifyDBInstance' in b]
    assert 'PubliclyAccessible=false' in sent and 'ApplyImmediately' not in sent
    s = step('isolate-database', 'orders-1', kind='RDSDBInstance', token='b' * 16)
    s.observe()
    [sent] = [b for b in recorded(moto, s.apply) if 'Action=ModifyDBCluster' in b]
    assert 'ApplyImmediately=true' in sent, 'nothing waits there, so nothing is taken along'


def test_foreign_groups_of_a_database_are_not_overwritten(aws, techsolutions, database, step):  # noqa: F811
    rds = aws('rds')
    s = step('isolate-database', database, kind='RDSDBInstance')
    s.contain()
    foreign = aws('ec2').create_security_group(GroupName='theirs', Description='d', VpcId=techsolutions.vpc)['GroupId']
    rds.modify_db_instance(DBInstanceIdentifier=database, VpcSecurityGroupIds=[foreign])
    answer = s.undo()
    assert answer['status'] == 'conflict' and answer['differences'][0]['blocking']
    assert database_state(rds, database)[0] == [foreign]
    assert s.undo(**{'with': {'force': True}})['status'] == 'ok'
    assert database_state(rds, database)[0] == [techsolutions.web_group]


@pytest.mark.parametrize('when', ['die_at', 'die_after'])
@pytest.mark.parametrize('call', range(1, 5))
def test_killed_isolation_of_a_database_is_finished_and_undone(aws, database, step, when, call):  # noqa: F811
    rds, known = aws('rds'), groups_in(aws)
    was = database_state(rds, database)
    s = step('isolate-database', database, kind='RDSDBInstance')
    s.observe()
    if s.apply(**{when: call}) is not None:
        pytest.skip('the step makes fewer calls')
    assert s.apply()['status'] == 'ok' and s.run('verify')['ok']
    assert len(groups_in(aws) - known) == 1, 'one group, not one a try'
    assert s.undo()['differences'] == []
    assert database_state(rds, database) == was and groups_in(aws) == known


def test_killed_isolation_of_a_database_is_undone_without_a_result(aws, database, step):  # noqa: F811
    rds, known = aws('rds'), groups_in(aws)
    was = database_state(rds, database)
    for call in range(1, 6):
        s = step('isolate-database', database, kind='RDSDBInstance', token=f'f00d{call:012d}')
        s.observe()
        s.apply(die_after=call)
        assert s.undo(after=None)['status'] == 'ok'
        assert database_state(rds, database) == was and groups_in(aws) == known


def test_a_member_stands_for_its_cluster(aws, techsolutions, cluster, step):  # noqa: F811
    rds = aws('rds')

    def state():
        c = rds.describe_db_clusters(DBClusterIdentifier=cluster)['DBClusters'][0]
        return ([g['VpcSecurityGroupId'] for g in c['VpcSecurityGroups']],
                [database_state(rds, f'orders-{n}')[1] for n in (1, 2)])
    was = state()
    assert was == ([techsolutions.web_group], [True, True])
    s = step('isolate-database', 'orders-1', kind='RDSDBInstance')
    assert s.observe()['needed']
    answer = s.apply()
    assert answer['status'] == 'ok' and 'rds:ModifyDBCluster' in answer['calls']
    assert s.run('verify')['ok']
    assert state()[0] != was[0] and state()[1] == [False, False], 'every member, not only the one that was named'
    assert s.undo()['differences'] == []
    assert state() == was


def test_snapshot_of_an_instance_and_of_a_cluster(aws, database, cluster, step):  # noqa: F811
    rds = aws('rds')
    s = step('snapshot-database', database, kind='RDSDBInstance')
    s.contain()
    assert s.apply()['status'] == 'ok', 'made once, however often it is tried'
    assert [x['DBInstanceIdentifier'] for x in rds.describe_db_snapshots(SnapshotType='manual')['DBSnapshots']] == [database]
    step('snapshot-database', 'orders-2', kind='RDSDBInstance').contain()
    found = rds.describe_db_cluster_snapshots(DBClusterIdentifier=cluster, SnapshotType='manual')['DBClusterSnapshots']
    assert [x['DBClusterSnapshotIdentifier'] for x in found] == ['cordon-2026-0042-f00dfeed']


def test_missing_database_is_said_plainly(step):  # noqa: F811
    answer = step('isolate-database', 'no-such', kind='RDSDBInstance').run('observe')
    assert answer['status'] == 'not_found' and 'no-such' in answer['error']['message']


def test_password_outside_secrets_manager_is_for_a_person(database, step):  # noqa: F811
    answer = step('rotate-database-secret', database, kind='RDSDBInstance').observe()
    assert not answer['needed'] and 'manage-master-user-password' in answer['before']['reason']


def test_secret_is_rotated_once(aws, database, step):  # noqa: F811
    secrets = aws('secretsmanager')
    arn = secrets.create_secret(Name='rds!orders', SecretString='old')['ARN']
    s = step('rotate-database-secret', database, kind='RDSDBInstance', **{'with': {'secret': arn}})
    assert s.observe()['needed']
    first = s.apply()
    assert first['status'] == 'ok' and 'secretsmanager:RotateSecret' in first['calls']
    again = s.apply()
    assert again['status'] == 'ok' and 'secretsmanager:RotateSecret' not in again['calls'], 'its own version is there already'
    secrets.put_secret_value(SecretId=arn, SecretString='new')
    proof = s.run('verify')
    assert proof['ok'] and arn in proof['proof']['text']


# --- functions

@pytest.fixture
def function(aws):
    iam, lam = aws('iam'), aws('lambda')
    role = iam.create_role(RoleName='worker', AssumeRolePolicyDocument='{}')['Role']['Arn']
    code = io.BytesIO()
    with zipfile.ZipFile(code, 'w') as z:
        z.writestr('f.py', 'def h(e, c): pass')
    lam.create_function(FunctionName='worker', Runtime='python3.12', Handler='f.h', Role=role, Code={'ZipFile': code.getvalue()})
    return 'worker'


@pytest.mark.parametrize('reserved', [None, 0, 7])
def test_function_is_frozen_and_thawed(aws, function, step, reserved):  # noqa: F811
    lam = aws('lambda')
    if reserved is not None:
        lam.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=reserved)
    lam.add_permission(FunctionName=function, StatementId='open', Action='lambda:InvokeFunction', Principal='*')
    s = step('freeze-function', function, kind='Lambda')
    if reserved == 0:
        assert not s.observe()['needed']
        return
    s.contain()
    assert s.before['parts'] == {'reserved': 'none' if reserved is None else reserved}
    assert {(d['door'], d['who']) for d in s.before['doors']} == {
        ('resource policy', '*'), ('unknown', "the function's URLs or policy can't be read")}
    assert lam.get_function_concurrency(FunctionName=function)['ReservedConcurrentExecutions'] == 0
    assert s.undo()['differences'] == []
    assert lam.get_function_concurrency(FunctionName=function).get('ReservedConcurrentExecutions') == reserved


@pytest.mark.parametrize('auth, who', [('NONE', 'everybody on the Internet'), ('AWS_IAM', 'AWS_IAM')])
def test_the_url_of_a_function_is_a_door(aws, function, step, moto, auth, who):  # noqa: F811
    """moto has no function URLs: this one call is answered here, as botocore's model reads it."""
    def hook(method, path, headers, body):
        if path.split('?')[0] == f'/2021-10-31/functions/{function}/urls':
            return 200, json.dumps({'FunctionUrlConfigs': [{
                'FunctionUrl': 'https://abc.lambda-url.eu-west-1.on.aws/', 'FunctionArn': f'arn:aws:lambda:eu-west-1:123456789012:function:{function}',
                'CreationTime': '2026-01-01T00:00:00Z', 'LastModifiedTime': '2026-01-01T00:00:00Z', 'AuthType': auth}]}).encode()
        return None
    between = Between(moto, hook)
    try:
        seen = aws('lambda', endpoint=between.url).list_function_url_configs(FunctionName=function)['FunctionUrlConfigs']
        assert [u['AuthType'] for u in seen] == [auth]
        s = step('freeze-function', function, kind='Lambda', env={'AWS_ENDPOINT_URL_LAMBDA': between.url})
        s.contain()
        assert {(d['door'], d['who']) for d in s.before['doors']} == {('function URL', who)}
        assert s.undo()['differences'] == []
    finally:
        between.close()


def test_foreign_concurrency_is_left_alone(aws, function, step):  # noqa: F811
    lam = aws('lambda')
    s = step('freeze-function', function, kind='Lambda')
    s.contain()
    lam.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=3)
    answer = s.undo()
    assert answer['status'] == 'conflict' and answer['differences'][0]['now'] == {'reserved': 3}
    assert s.undo(**{'with': {'force': True}})['status'] == 'ok'
    assert 'ReservedConcurrentExecutions' not in lam.get_function_concurrency(FunctionName=function)


def test_event_sources_are_switched_off_and_on(aws, function, step):  # noqa: F811
    lam, sqs = aws('lambda'), aws('sqs')
    mappings = {}
    for name, enabled in (('one', True), ('two', True), ('three', False)):
        url = sqs.create_queue(QueueName=name)['QueueUrl']
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
        mappings[name] = lam.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, Enabled=enabled)['UUID']

    def states():
        return {n: lam.get_event_source_mapping(UUID=u)['State'] for n, u in mappings.items()}
    was = states()
    assert was == {'one': 'Enabled', 'two': 'Enabled', 'three': 'Disabled'}
    s = step('disable-event-sources', function, kind='Lambda')
    s.contain()
    assert set(states().values()) == {'Disabled'}
    lam.delete_event_source_mapping(UUID=mappings['two'])
    answer = s.undo()
    assert answer['status'] == 'ok' and [d['blocking'] for d in answer['differences']] == [False], 'gone is named'
    del mappings['two']
    assert states() == {'one': 'Enabled', 'three': 'Disabled'}


def test_killed_between_two_event_sources(aws, function, step):  # noqa: F811
    lam, sqs = aws('lambda'), aws('sqs')
    for name in ('one', 'two'):
        url = sqs.create_queue(QueueName=name)['QueueUrl']
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
        lam.create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    s = step('disable-event-sources', function, kind='Lambda')
    s.observe()
    assert s.apply(die_after=1) is None
    assert s.undo(after=None)['differences'] == [], 'half done is not taken for a foreign change'
    assert {m['State'] for m in lam.list_event_source_mappings()['EventSourceMappings']} == {'Enabled'}


def test_function_without_event_sources(function, step):  # noqa: F811
    answer = step('disable-event-sources', function, kind='Lambda').observe()
    assert not answer['needed'] and 'no queue or stream' in answer['before']['reason']


# --- containers

@pytest.fixture
def service(aws, techsolutions):
    ecs = aws('ecs')
    aws('ec2').modify_vpc_attribute(VpcId=techsolutions.vpc, EnableDnsHostnames={'Value': True})  # else moto's RunTask fails
    ecs.create_cluster(clusterName='shop')
    ecs.register_task_definition(family='web', networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256', memory='512',
                                 containerDefinitions=[{'name': 'web', 'image': 'web:1', 'memory': 128}])
    ecs.create_service(cluster='shop', serviceName='web', taskDefinition='web', desiredCount=3, launchType='FARGATE')
    return ecs


def run_task(ecs, techsolutions, **more):
    return ecs.run_task(cluster='shop', taskDefinition='web', launchType='FARGATE', networkConfiguration={
        'awsvpcConfiguration': {'subnets': techsolutions.subnets[:1], 'securityGroups': [techsolutions.web_group]}}, **more)['tasks'][0]


def test_service_is_scaled_down_and_keeps_its_definition(service, step):  # noqa: F811
    def now():
        s = service.describe_services(cluster='shop', services=['web'])['services'][0]
        return s['desiredCount'], s['taskDefinition']
    was = now()
    s = step('scale-down-service', 'shop', kind='ECSCluster', **{'with': {'service': 'web'}})
    s.contain()
    assert s.before['definitions'] == {'web': was[1]}
    assert now() == (0, was[1])
    assert s.undo()['differences'] == []
    assert now() == was


def test_standalone_task_belongs_to_no_service(service, techsolutions, step):  # noqa: F811
    task = run_task(service, techsolutions)
    answer = step('scale-down-service', 'shop', kind='ECSCluster', **{'with': {'tasks': [task['taskArn']]}}).observe()
    assert not answer['needed'] and 'belong to no service' in answer['before']['reason']


def test_task_is_stopped_and_told_apart(service, techsolutions, step):  # noqa: F811
    task = run_task(service, techsolutions)['taskArn']
    s = step('stop-task', 'shop', kind='ECSCluster', **{'with': {'tasks': [task]}})
    proof = s.contain()
    assert s.before['tasks'][0]['service'] is None and s.before['tasks'][0]['instance'] is None and 'stood alone' in proof['proof']['text']
    assert service.describe_tasks(cluster='shop', tasks=[task])['tasks'][0]['lastStatus'] == 'STOPPED'
    assert not step('stop-task', 'shop', kind='ECSCluster', **{'with': {'tasks': [task]}}).observe()['needed']
    assert service.describe_task_definition(taskDefinition='web')['taskDefinition']['status'] == 'ACTIVE'


def test_the_host_of_a_task_is_named(aws, service, techsolutions, step):  # noqa: F811
    host = techsolutions.instances[0]
    service.register_container_instance(cluster='shop', instanceIdentityDocument=json.dumps({'instanceId': host, 'region': REGION}))
    service.register_task_definition(family='job', containerDefinitions=[{'name': 'job', 'image': 'job:1', 'memory': 128}])
    task = service.run_task(cluster='shop', taskDefinition='job', launchType='EC2')['tasks'][0]
    s = step('stop-task', 'shop', kind='ECSCluster', **{'with': {'tasks': [task['taskArn']]}})
    assert s.observe()['before']['tasks'][0]['instance'] == host


def test_cluster_without_a_task_in_the_finding(service, step):  # noqa: F811
    answer = step('stop-task', 'shop', kind='ECSCluster').run('observe')
    assert answer['status'] == 'not_found' and 'parameter tasks' in answer['error']['message']


# --- clusters

ADMIN = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy'
VIEW = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy'


@pytest.fixture
def eks(step, stub):  # noqa: F811
    stub('eks', {'prod': {
        ROLE: {'kubernetesGroups': ['ops', 'dev'], 'username': 'ops:{{SessionName}}', 'policies': {
            ADMIN: {'type': 'cluster'}, VIEW: {'type': 'namespace', 'namespaces': ['web', 'jobs']}}},
        f'arn:aws:iam::{ACCOUNT}:role/nodes': {'type': 'EC2_LINUX'}}})

    def make(**given):
        return step('revoke-cluster-access', 'prod', kind='EKSCluster', env={'AWS_ENDPOINT_URL_EKS': stub.url}, **{'with': given})
    make.entry = lambda: stub('state')['eks']['prod'][ROLE]
    make.stub = stub
    return make


def test_cluster_access_is_taken_and_given_back(eks):
    was = eks.entry()
    s = eks(principal=ROLE)
    s.contain()
    now = eks.entry()
    assert now['kubernetesGroups'] == [] and now['policies'] == {} and now['username'].startswith('cordon-cut-')
    assert s.apply()['status'] == 'ok', 'a second try after a kill changes nothing more'
    assert s.undo()['differences'] == []
    assert eks.entry() == was
    assert s.undo()['status'] == 'ok'


@pytest.mark.parametrize('call', [1, 2, 3])
def test_cluster_access_half_taken_is_given_back(eks, call):
    was = eks.entry()
    s = eks(role='leaked')
    s.observe()
    assert s.apply(die_after=call) is None
    assert s.undo(after=None)['differences'] == []
    assert eks.entry() == was


def test_access_given_again_by_somebody_is_named(eks):
    s = eks(principal=ROLE)
    s.contain()
    eks.stub('eks', {'prod': {ROLE: {'kubernetesGroups': ['break-glass'], 'username': 'cordon-cut-f00dfeed', 'policies': {}}}})
    answer = s.undo()
    assert answer['status'] == 'conflict' and answer['differences'][0]['now'] == {'groups': ['break-glass']}


def test_nodes_and_strangers_keep_what_they_have(eks):
    nodes = eks(role='nodes').observe()
    assert not nodes['needed'] and 'nodes' in nodes['before']['reason']
    unknown = eks(role='nobody').observe()
    assert not unknown['needed'] and 'aws-auth' in unknown['before']['reason']
    nameless = eks().observe()
    assert not nameless['needed'] and 'no IAM principal' in nameless['before']['reason']


# --- images and snapshots

def test_snapshot_is_shared_with_nobody_and_again(aws, step):  # noqa: F811
    ec2 = aws('ec2')
    volume = ec2.create_volume(AvailabilityZone=f'{REGION}a', Size=1)['VolumeId']
    snapshot = ec2.create_snapshot(VolumeId=volume)['SnapshotId']
    s = step('unshare-snapshot', snapshot, kind='EBSSnapshot')
    assert not s.observe()['needed']

    def shared():
        found = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute='createVolumePermission')['CreateVolumePermissions']
        return {p.get('UserId') or p['Group'] for p in found}
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute='createVolumePermission', OperationType='add', GroupNames=['all'])
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute='createVolumePermission', OperationType='add', UserIds=['222222222222'])
    assert shared() == {'all', '222222222222'}
    s.contain()
    assert shared() == set()
    assert s.undo()['differences'] == []
    assert shared() == {'all', '222222222222'}


def test_image_is_disabled_and_enabled(aws, step):  # noqa: F811
    ec2 = aws('ec2')
    image = ec2.register_image(Name='web', RootDeviceName='/dev/sda1', Architecture='x86_64')['ImageId']
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={'Add': [{'UserId': '222222222222'}]})

    def now():
        return (ec2.describe_images(ImageIds=[image], IncludeDisabled=True)['Images'][0]['State'],
                ec2.describe_image_attribute(ImageId=image, Attribute='launchPermission')['LaunchPermissions'])
    was = now()
    s = step('disable-image', image, kind='EC2Image')
    s.contain()
    assert now() == ('disabled', [])
    assert s.undo()['differences'] == []
    assert now() == was


# --- what is for people

def test_steps_for_people_are_quoted_and_never_done(step):  # noqa: F811
    s = step('hand-over', "shop'; rm -rf /", kind='EKSCluster', **{'with': {
        'about': 'kubernetes', 'namespace': 'web', 'workload': '$(reboot)', 'workload_type': 'pods'}})
    seen = s.observe()
    assert not seen['needed'] and 'for a person' in seen['before']['reason'] and seen['calls'] == []
    commands = [x['command'] for x in seen['before']['steps'] if 'command' in x]
    assert any("kubectl -n 'web' label 'pods' '$(reboot)'" in c or "kubectl -n web label pods '$(reboot)'" in c for c in commands), commands
    assert all('$(reboot)' not in c.replace("'$(reboot)'", '') for c in commands)
    assert any('SERVICE_ACCOUNT' in c for c in commands), 'what is not known is left to fill in'


@pytest.mark.parametrize('about', ['root', 'identity-center', 'image', 'snapshot', 'recovery-point', 'model', 'database'])
def test_there_are_steps_about(step, about):  # noqa: F811
    seen = step('hand-over', 'x', kind='AccessKey', **{'with': {'about': about}}).observe()
    assert len(seen['before']['steps']) >= 1


def test_identity_center_roles_are_recognised(aws, step):  # noqa: F811
    name = 'AWSReservedSSO_AdministratorAccess_0123456789abcdef'
    aws('iam').create_role(RoleName=name, AssumeRolePolicyDocument='{}')
    seen = step('revoke-role-sessions', 'ASIAEXAMPLE', kind='AccessKey', **{'with': {'role': name}}).observe()
    assert not seen['needed'] and 'Identity Center' in seen['before']['reason']
    assert any('identitystore:userId' in x['text'] for x in seen['before']['steps'])
