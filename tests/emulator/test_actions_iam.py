"""The credential, bucket and Systems Manager measures, each phase through `action_driver`.

Answered by moto (EC2, IAM, S3, STS) and by the tests' own stub (Systems Manager). Not shown here, because
no emulator does it:
- that a deny on aws:TokenIssueTime refuses older sessions and lets newer ones through (moto ignores the
  condition): the policy document is tested instead, here and in tests/unit/response/test_iam.c;
- that service-linked roles can't be edited; the refusal is cordon's own, by the role's path;
- eventual consistency of IAM;
- what AWS's containment runbook really does: the stub plays it, see stub_runbook.py.
What the host script does is proved in test_ssm_script.py; here it runs behind the stub.
"""
from __future__ import annotations

import datetime
import json
import subprocess
import sys
import urllib.request

import botocore.exceptions
import pytest

from conftest import ACCOUNT, KEYS, REGION, ROOT, stop
from test_actions_ec2 import DRIVER, Step, pytestmark  # noqa: F401 (the mark skips without the driver)

ENDPOINTS = ['10.20.0.0/16', 'fd00:ec2::/32', 'pl-6da54004']  # the last is for security groups only


@pytest.fixture
def step(moto, tmp_path):
    return lambda name, resource, **given: Step(name, resource, moto, tmp_path, **given)


@pytest.fixture
def stub(moto):
    """The Systems Manager stub in front of moto's instances; control(name, body) speaks to it."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'tests/emulator/stub.py'), '--print-port', '--region', REGION, '--account', ACCOUNT,
         '--latency-ms', '40', '--upstream', moto, '--key', f"{KEYS['AWS_ACCESS_KEY_ID']}={KEYS['AWS_SECRET_ACCESS_KEY']}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    url = f'http://127.0.0.1:{int(process.stdout.readline())}'

    def control(name, body=None):
        data = None if body is None else json.dumps(body).encode()
        return json.load(urllib.request.urlopen(urllib.request.Request(f'{url}/_stub/{name}', data=data), timeout=30))

    control.url = url
    yield control
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()
    stop(process)


@pytest.fixture
def ssm_step(step, stub):
    return lambda name, resource, **given: step(name, resource, env={'AWS_ENDPOINT_URL_SSM': stub.url}, **given)


def profile_of(aws, instance: str) -> str | None:
    found = aws('ec2').describe_iam_instance_profile_associations(
        Filters=[{'Name': 'instance-id', 'Values': [instance]}])['IamInstanceProfileAssociations']
    return found[0]['IamInstanceProfile']['Arn'] if found else None


def user_with_keys(iam, name='deploy', n=2) -> list[str]:
    iam.create_user(UserName=name)
    return [iam.create_access_key(UserName=name)['AccessKey']['AccessKeyId'] for _ in range(n)]


def statuses(iam, name='deploy') -> dict:
    return {k['AccessKeyId']: k['Status'] for k in iam.list_access_keys(UserName=name)['AccessKeyMetadata']}


# --- replace-instance-profile

def test_profile_is_replaced_and_comes_back(aws, techsolutions, step):
    i = techsolutions.instances[0]
    s = step('replace-instance-profile', i, quarantine_profile='cordon-quarantine-profile')
    s.contain()
    assert profile_of(aws, i).endswith('/cordon-quarantine-profile')
    assert s.apply()['status'] == 'ok', 'a second apply after a crash changes nothing more'
    assert s.undo()['differences'] == []
    assert profile_of(aws, i) == techsolutions.profiles[0]
    assert s.undo()['status'] == 'ok'


def test_profile_with_a_path_is_named_by_its_last_segment(aws, techsolutions, step):
    aws('iam').create_instance_profile(InstanceProfileName='deep', Path='/team/blue/')
    arn = aws('iam').get_instance_profile(InstanceProfileName='deep')['InstanceProfile']['Arn']
    i = techsolutions.instances[0]
    s = step('replace-instance-profile', i, quarantine_profile=arn)
    s.contain()
    assert profile_of(aws, i) == arn
    assert s.undo()['status'] == 'ok'
    assert profile_of(aws, i) == techsolutions.profiles[0]


def test_profile_is_taken_away_when_no_quarantine_is_configured(aws, techsolutions, step):
    i = techsolutions.instances[1]
    s = step('replace-instance-profile', i)
    s.contain()
    assert profile_of(aws, i) is None
    assert s.undo()['status'] == 'ok'
    assert profile_of(aws, i) == techsolutions.profiles[1]


def test_foreign_profile_is_not_overwritten(aws, techsolutions, step):
    i = techsolutions.instances[0]
    s = step('replace-instance-profile', i, quarantine_profile='cordon-quarantine-profile')
    s.contain()
    ec2 = aws('ec2')
    a = ec2.describe_iam_instance_profile_associations(Filters=[{'Name': 'instance-id', 'Values': [i]}])
    ec2.replace_iam_instance_profile_association(
        AssociationId=a['IamInstanceProfileAssociations'][0]['AssociationId'], IamInstanceProfile={'Arn': techsolutions.profiles[1]})
    answer = s.undo()
    assert answer['status'] == 'conflict' and answer['differences'][0]['blocking']
    assert profile_of(aws, i) == techsolutions.profiles[1]
    assert s.undo(**{'with': {'force': True}})['status'] == 'ok'
    assert profile_of(aws, i) == techsolutions.profiles[0]


def test_missing_quarantine_profile_is_said_before_anything_changes(aws, techsolutions, step):
    s = step('replace-instance-profile', techsolutions.instances[0], quarantine_profile='no-such')
    answer = s.run('observe')
    assert answer['status'] == 'not_found' and 'quarantine_profile no-such' in answer['error']['message']


# --- revoke-role-sessions

def test_sessions_of_the_instance_role_are_revoked(aws, techsolutions, step):
    began = datetime.datetime.now(datetime.timezone.utc)
    s = step('revoke-role-sessions', techsolutions.instances[0])
    s.contain()
    iam = aws('iam')
    document = iam.get_role_policy(RoleName='web-role-1', PolicyName='cordon-revoke-2026-0042')['PolicyDocument']
    [statement] = document['Statement']
    assert (statement['Effect'], statement['Action'], statement['Resource']) == ('Deny', '*', '*')
    assert list(statement['Condition']) == ['DateLessThan']
    cut = datetime.datetime.fromisoformat(statement['Condition']['DateLessThan']['aws:TokenIssueTime'].replace('Z', '+00:00'))
    assert cut.microsecond == 0 and began <= cut <= began + datetime.timedelta(seconds=30), 'the cut-off is now, in UTC'
    assert s.undo()['differences'] == []
    assert iam.list_role_policies(RoleName='web-role-1')['PolicyNames'] == ['app']
    assert s.undo()['status'] == 'ok'


def test_role_is_found_behind_the_profile_that_was_swapped_before(aws, techsolutions, step):
    revoke = step('revoke-role-sessions', techsolutions.instances[0], quarantine_profile='cordon-quarantine-profile')
    assert revoke.observe()['before']['roles'][0]['role'] == 'web-role-1'
    step('replace-instance-profile', techsolutions.instances[0], quarantine_profile='cordon-quarantine-profile').contain()
    assert revoke.apply()['status'] == 'ok', 'what observe saw before the swap is what is revoked'
    assert aws('iam').list_role_policies(RoleName='cordon-quarantine')['PolicyNames'] == []


def test_service_linked_and_identity_center_roles_are_refused(aws, techsolutions, step):
    iam = aws('iam')
    trust = json.dumps({'Version': '2012-10-17', 'Statement': []})
    iam.create_role(RoleName='AWSServiceRoleForX', Path='/aws-service-role/x.amazonaws.com/', AssumeRolePolicyDocument=trust)
    iam.create_role(RoleName='AWSReservedSSO_Admin_0123456789abcdef', Path='/aws-reserved/sso.amazonaws.com/',
                    AssumeRolePolicyDocument=trust)
    for role, word in (('AWSServiceRoleForX', 'service-linked'), ('AWSReservedSSO_Admin_0123456789abcdef', 'Identity Center')):
        answer = step('revoke-role-sessions', '', kind='AccessKey', **{'with': {'role': role}}).observe()
        assert not answer['needed'] and word in answer['before']['reason']
    answer = step('revoke-role-sessions', '', kind='AccessKey', **{'with': {'role': 'gone'}}).observe()
    assert not answer['needed'] and 'does not exist' in answer['before']['reason']


def test_policy_that_somebody_rewrote_stays(aws, techsolutions, step):
    s = step('revoke-role-sessions', techsolutions.instances[0])
    s.contain()
    iam = aws('iam')
    other = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Deny', 'Action': 's3:*', 'Resource': '*'}]}
    iam.put_role_policy(RoleName='web-role-1', PolicyName='cordon-revoke-2026-0042', PolicyDocument=json.dumps(other))
    assert s.undo()['status'] == 'conflict'
    assert 'cordon-revoke-2026-0042' in iam.list_role_policies(RoleName='web-role-1')['PolicyNames']
    assert s.undo(**{'with': {'force': True}})['status'] == 'ok'
    assert iam.list_role_policies(RoleName='web-role-1')['PolicyNames'] == ['app']


# --- users and keys

def test_one_key_is_made_inactive_and_the_leaked_one_stays_so(aws, techsolutions, step):
    iam = aws('iam')
    leaked, other = user_with_keys(iam)
    s = step('disable-access-key', leaked, kind='AccessKey', **{'with': {'user': 'deploy'}})
    s.contain()
    assert statuses(iam) == {leaked: 'Inactive', other: 'Active'}
    answer = s.undo()
    assert answer['status'] == 'conflict' and 'foreign hands' in answer['differences'][0]['text']
    assert statuses(iam)[leaked] == 'Inactive'
    assert s.undo(**{'with': {'force': True}})['status'] == 'ok'
    assert statuses(iam)[leaked] == 'Active'


def test_all_keys_and_only_the_others_come_back(aws, techsolutions, step):
    iam = aws('iam')
    leaked, other = user_with_keys(iam)
    s = step('disable-access-key', leaked, kind='AccessKey', **{'with': {'user': 'deploy', 'all': True}})
    s.contain()
    assert set(statuses(iam).values()) == {'Inactive'}
    s.undo()
    assert statuses(iam) == {leaked: 'Inactive', other: 'Active'}


def test_key_that_was_inactive_before_is_not_woken(aws, techsolutions, step):
    iam = aws('iam')
    leaked, other = user_with_keys(iam)
    iam.update_access_key(UserName='deploy', AccessKeyId=other, Status='Inactive')
    s = step('disable-access-key', leaked, kind='AccessKey', **{'with': {'user': 'deploy', 'all': True}})
    s.contain()
    s.undo(**{'with': {'user': 'deploy', 'all': True, 'force': True}})
    assert statuses(iam) == {leaked: 'Active', other: 'Inactive'}


def test_owner_of_a_key_is_found_and_a_foreign_key_skipped(aws, techsolutions, step):
    iam = aws('iam')
    key, _ = user_with_keys(iam)
    assert step('disable-access-key', key, kind='AccessKey').observe()['before']['user'] == 'deploy'
    answer = step('disable-access-key', 'ASIAIOSFODNN7EXAMPLE', kind='AccessKey').observe()
    assert not answer['needed'] and answer['before']['reason']


def test_user_is_denied_everything(aws, techsolutions, step):
    iam = aws('iam')
    key, _ = user_with_keys(iam)
    s = step('deny-user', key, kind='AccessKey')
    s.contain()
    document = iam.get_user_policy(UserName='deploy', PolicyName='cordon-deny-2026-0042')['PolicyDocument']
    assert document['Statement'] == [{'Sid': 'CordonDenyAll', 'Effect': 'Deny', 'Action': '*', 'Resource': '*'}]
    assert not s.observe()['needed'], 'done already'
    assert s.undo()['status'] == 'ok'
    assert iam.list_user_policies(UserName='deploy')['PolicyNames'] == []


def test_console_password_is_taken_away(aws, techsolutions, step):
    iam = aws('iam')
    key, _ = user_with_keys(iam)
    s = step('disable-login-profile', key, kind='AccessKey')
    assert not s.observe()['needed']
    iam.create_login_profile(UserName='deploy', Password='not-A-real-1-either')
    s.contain()
    with pytest.raises(botocore.exceptions.ClientError, match='NoSuchEntity'):
        iam.get_login_profile(UserName='deploy')
    assert s.apply()['status'] == 'ok', 'gone already is fine'


# --- buckets

def block_of(aws, bucket):
    try:
        return aws('s3').get_public_access_block(Bucket=bucket)['PublicAccessBlockConfiguration']
    except botocore.exceptions.ClientError as e:
        assert e.response['Error']['Code'] == 'NoSuchPublicAccessBlockConfiguration'
        return None


@pytest.mark.parametrize('old', [None, {'BlockPublicAcls': True, 'IgnorePublicAcls': False, 'BlockPublicPolicy': False,
                                        'RestrictPublicBuckets': True}])
def test_public_access_is_blocked_and_given_back(aws, techsolutions, step, old):
    b = techsolutions.bucket
    if old:
        aws('s3').put_public_access_block(Bucket=b, PublicAccessBlockConfiguration=old)
    s = step('block-bucket-public-access', b, kind='S3Bucket')
    s.contain()
    assert set(block_of(aws, b).values()) == {True}
    assert not step('block-bucket-public-access', b, kind='S3Bucket').observe()['needed']
    assert s.undo()['differences'] == []
    assert block_of(aws, b) == old


def policy_of(aws, bucket):
    try:
        return json.loads(aws('s3').get_bucket_policy(Bucket=bucket)['Policy'])
    except botocore.exceptions.ClientError as e:
        assert e.response['Error']['Code'] == 'NoSuchBucketPolicy'
        return None


ALLOW = {'Version': '2012-10-17', 'Statement': {'Sid': 'Tls', 'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{ACCOUNT}:root'},
                                                'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::techsolutions-project-files/*'}}
THIEF = f'arn:aws:iam::{ACCOUNT}:role/web-role-1'


@pytest.mark.parametrize('old', [None, ALLOW])
def test_principal_is_denied_on_the_bucket(aws, techsolutions, step, old):
    b = techsolutions.bucket
    if old:
        aws('s3').put_bucket_policy(Bucket=b, Policy=json.dumps(old))
    s = step('deny-principal-on-bucket', b, kind='S3Bucket', **{'with': {'principal': THIEF}})
    s.contain()
    now = policy_of(aws, b)
    assert now['Statement'][-1] == {
        'Sid': 'CordonDeny20260042', 'Effect': 'Deny', 'Principal': {'AWS': [THIEF]}, 'Action': 's3:*',
        'Resource': [f'arn:aws:s3:::{b}', f'arn:aws:s3:::{b}/*']}
    assert now['Statement'][:-1] == ([old['Statement']] if old else [])
    assert s.apply()['status'] == 'ok' and policy_of(aws, b) == now, 'a second apply adds no second statement'
    assert s.undo()['differences'] == []
    assert policy_of(aws, b) == old


def test_policy_changed_meanwhile_keeps_the_change(aws, techsolutions, step):
    b = techsolutions.bucket
    aws('s3').put_bucket_policy(Bucket=b, Policy=json.dumps(ALLOW))
    s = step('deny-principal-on-bucket', b, kind='S3Bucket', **{'with': {'principal': THIEF}})
    s.contain()
    now = policy_of(aws, b)
    now['Statement'].insert(0, {**ALLOW['Statement'], 'Sid': 'Later'})
    aws('s3').put_bucket_policy(Bucket=b, Policy=json.dumps(now))
    answer = s.undo()
    assert answer['status'] == 'ok' and answer['differences'][0]['what'] == 'BucketPolicy'
    assert [x['Sid'] for x in policy_of(aws, b)['Statement']] == ['Later', 'Tls']


@pytest.mark.parametrize('principal', ['*', f'arn:aws:iam::{ACCOUNT}:root', 'web-role-1', f'arn:aws:iam::{ACCOUNT}:role/*'])
def test_nobody_is_locked_out_by_mistake(aws, techsolutions, step, principal):
    answer = step('deny-principal-on-bucket', techsolutions.bucket, kind='S3Bucket', **{'with': {'principal': principal}}).observe()
    assert not answer['needed'] and answer['before']['reason']


def test_policy_that_would_be_too_long_is_refused(aws, techsolutions, step):
    big = {**ALLOW, 'Statement': []}
    while len(text := json.dumps(big, separators=(',', ':'))) < 20300:
        big['Statement'].append({**ALLOW['Statement'], 'Sid': f'S{len(big["Statement"])}'})
    aws('s3').put_bucket_policy(Bucket=techsolutions.bucket, Policy=text)
    answer = step('deny-principal-on-bucket', techsolutions.bucket, kind='S3Bucket', **{'with': {'principal': THIEF}}).run('observe')
    assert answer['status'] == 'limit' and '20480' in answer['error']['message']


# --- Systems Manager

def test_host_is_isolated_proved_and_opened(aws, techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    documents = stub('state')['documents']
    s = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
    proof = s.contain()
    assert proof['proof']['result']['state'] == 'isolated' and proof['proof']['result']['cases'] == ['2026-0042']
    sent = [r for r in stub('requests') if r['operation'] == 'SendCommand']
    assert all(len(r['params']['DocumentHash']) == 64 and r['params']['DocumentVersion'] == '1' for r in sent)
    assert s.apply()['status'] == 'ok', 'isolating twice is fine'
    answer = s.undo()
    assert answer['status'] == 'ok' and answer['differences'] == []
    assert stub('state')['documents'] == documents, 'the document that the step made is gone'
    assert s.undo()['status'] == 'ok'
    assert stub('state')['documents'] == documents


def test_document_that_only_has_the_name_is_not_trusted(aws, techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    ssm = aws('ssm', endpoint=stub.url)
    evil = json.dumps({'schemaVersion': '2.2', 'mainSteps': [
        {'action': 'aws:runShellScript', 'name': 'x', 'inputs': {'runCommand': ['echo owned']}}]})
    ssm.create_document(Name='cordon-isolate', Content=evil, DocumentType='Command', DocumentFormat='JSON')
    s = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
    assert s.observe()['before']['document'] == 'another content'
    s.contain()
    sent = [r['params']['DocumentVersion'] for r in stub('requests') if r['operation'] == 'SendCommand']
    assert set(sent) == {'2'}
    assert s.undo()['status'] == 'ok'
    assert stub('state')['documents']['cordon-isolate'] == ['1'], 'only what the step added is taken away'


@pytest.mark.parametrize('facts, word', [
    (None, 'does not know'), ({'PingStatus': 'ConnectionLost'}, 'lost'), ({'PlatformType': 'Windows'}, 'Linux')])
def test_host_without_a_usable_agent_is_skipped(techsolutions, ssm_step, stub, facts, word):
    i = techsolutions.instances[0]
    stub('instances', {i: facts})
    answer = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS).observe()
    assert not answer['needed'] and word in answer['before']['reason']


@pytest.mark.parametrize('ranges', [[], ['pl-6da54004'], ['0.0.0.0/0'], ['example.com'], ['10.0.0.0/8', '::/0']])
def test_host_is_not_isolated_without_sane_endpoints(techsolutions, ssm_step, stub, ranges):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    answer = ssm_step('isolate-host', i, isolation_endpoints=ranges).observe()
    assert not answer['needed'] and 'isolation_endpoints' in answer['before']['reason']


@pytest.mark.parametrize('stdout', [
    '', 'ok\n', '{"schema":"cordon.isolate/1"', '{"schema":"other","state":"isolated"}\n',
    '{"schema":"cordon.isolate/1","state":"isolated","cases":["2026-0042"],"ipv6":"closed"}\nmore words\n', 'x' * 30000])
def test_hostile_output_proves_nothing(techsolutions, ssm_step, stub, stdout):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    s = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
    s.observe()
    stub('outputs', {'cordon-isolate': {'stdout': stdout}})
    answer = s.apply()
    assert answer['status'] == 'input' and answer['after'] is None


def cut_off(instance: str, seconds_ago: int) -> dict:
    at = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)).strftime('%Y-%m-%dT%H:%M:%SZ')
    return {'isolate-network': {'action': 'isolate-network', 'resource': {'kind': 'Instance', 'id': instance}, 'after': {'at': at}}}


def test_an_isolated_host_is_asked_and_names_nobody(techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    documents = stub('state')['documents']
    s = ssm_step('find-survivors', i, isolation_endpoints=ENDPOINTS, settle_seconds=20, facts=cut_off(i, 100))
    proof = s.contain()
    assert proof['ok'] and proof['proof']['survivors'] == [] and 'itself says' in proof['proof']['text']
    sent = [r['params']['Parameters'] for r in stub('requests') if r['operation'] == 'SendCommand']
    assert len(sent) == 1 and sent[0]['action'] == ['survivors'] and 85 <= int(sent[0]['seconds'][0]) <= 300, sent
    assert s.undo()['differences'] == [] and stub('state')['documents'] == documents


def test_a_host_names_whom_it_talks_to(techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    s = ssm_step('find-survivors', i, isolation_endpoints=ENDPOINTS, facts=cut_off(i, 100))
    s.observe()
    endpoint = '10.20.0.9'
    stub('outputs', {'cordon-isolate': {'stdout': json.dumps({
        'schema': 'cordon.isolate/1', 'state': 'asked', 'note': '', 'silent': ['203.0.113.9'],
        'survivors': ['198.51.100.66', '2001:DB8::0:7', endpoint, '$(reboot)', '0.0.0.0/0', 7, None, '198.51.100.66\n']}) + '\n'}})
    assert s.apply()['status'] == 'ok'
    assert s.after['survivors'] == ['198.51.100.66', '2001:db8::7'], 'no endpoint, and nothing that is no address'
    answer = s.run('verify')
    assert not answer['ok'] and '198.51.100.66, 2001:db8::7' in answer['proof']['text']


@pytest.mark.parametrize('ranges, facts, word', [([], {}, 'isolation_endpoints is empty'), (None, None, 'does not know'),
                                                 (None, {'PingStatus': 'ConnectionLost'}, 'lost')])
def test_a_host_that_cannot_be_asked_is_told(techsolutions, ssm_step, stub, ranges, facts, word):
    i = techsolutions.instances[0]
    stub('instances', {i: facts})
    answer = ssm_step('find-survivors', i, isolation_endpoints=ENDPOINTS if ranges is None else ranges).observe()
    assert not answer['needed'] and word in answer['before']['reason']


def test_other_case_still_holds_the_host(techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    first = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
    first.contain()
    second = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
    second.input['case'] = '2026-0043'
    second.contain()
    answer = first.undo()
    assert answer['status'] == 'ok' and 'Another case' in answer['differences'][0]['text']
    assert second.run('verify')['ok']
    assert second.undo()['differences'] == []


def test_lost_agent_at_undo_says_what_to_do_by_hand(techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    s = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
    s.contain()
    stub('instances', {i: {'PingStatus': 'ConnectionLost'}})
    answer = s.undo()
    assert answer['status'] == 'failed' and 'nft delete table inet cordon' in answer['error']['message']


def test_killed_host_isolation_is_completed_and_undone(techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    documents = stub('state')['documents']
    for at in (1, 2):
        s = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
        s.observe()
        assert s.apply(die_at=at) is None
        assert s.apply()['status'] == 'ok'
        assert s.run('verify')['ok']
        assert s.undo()['status'] == 'ok'
    assert set(stub('state')['documents']) - {'cordon-isolate'} == set(documents)


def groups_of(aws, interface):
    found = aws('ec2').describe_network_interfaces(NetworkInterfaceIds=[interface])['NetworkInterfaces'][0]
    return [g['GroupId'] for g in found['Groups']]


def test_runbook_contains_and_releases(aws, techsolutions, ssm_step, stub):
    i, eni = techsolutions.instances[0], techsolutions.interfaces[0]
    before = groups_of(aws, eni)
    s = ssm_step('contain-runbook', i, **{'with': {'backup_bucket': 'techsolutions-evidence'}})
    s.contain()
    assert groups_of(aws, eni) != before
    sent = [r['params'] for r in stub('requests') if r['operation'] == 'StartAutomationExecution']
    assert sent[0]['Parameters']['DryRun'] == ['false'] and sent[0]['Parameters']['Action'] == ['Contain']
    assert s.apply()['status'] == 'ok', 'the noted execution is waited for, not started again'
    assert len([r for r in stub('requests') if r['operation'] == 'StartAutomationExecution']) == 1
    assert s.undo()['differences'] == []
    assert groups_of(aws, eni) == before


def test_runbook_preview_contains_nothing(aws, techsolutions, ssm_step):
    i, eni = techsolutions.instances[0], techsolutions.interfaces[0]
    before = groups_of(aws, eni)
    s = ssm_step('contain-runbook', i, **{'with': {'dry_run': True}})
    assert s.observe()['needed'] and s.apply()['status'] == 'ok'
    answer = s.run('verify')
    assert not answer['ok'] and 'only previewed' in answer['proof']['text']
    assert groups_of(aws, eni) == before


def test_denied_command_is_a_failure(techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    s = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS)
    s.observe()
    stub('fault', {'operation': 'SendCommand', 'code': 'AccessDeniedException', 'status': 400, 'message': 'not authorized'})
    assert s.apply()['status'] == 'denied'
    assert s.undo()['status'] == 'ok'


def test_slow_service_is_waited_for(techsolutions, ssm_step, stub):
    i = techsolutions.instances[0]
    stub('instances', {i: {}})
    s = ssm_step('isolate-host', i, isolation_endpoints=ENDPOINTS, **{'with': {'timeout_seconds': 1}})
    s.observe()
    stub('instances', {i: {'PingStatus': 'ConnectionLost'}})
    answer = s.apply()
    assert answer['status'] == 'unreachable' and 'does not end' in answer['error']['message']


# --- remove-user-from-groups

def test_groups_of_a_user_are_kept_and_given_back(aws, step):
    iam = aws('iam')
    [key] = user_with_keys(iam, n=1)
    for group in ('admins', 'developers'):
        iam.create_group(GroupName=group)
        iam.add_user_to_group(GroupName=group, UserName='deploy')

    def groups():
        return {g['GroupName'] for g in iam.list_groups_for_user(UserName='deploy')['Groups']}
    s = step('remove-user-from-groups', key, kind='AccessKey', **{'with': {'user': 'deploy'}})
    s.contain()
    assert groups() == set() and s.before['parts'] == {'admins': True, 'developers': True}
    assert s.undo()['differences'] == []
    assert groups() == {'admins', 'developers'}
    assert s.apply(die_after=1) is None
    assert s.undo(after=None)['differences'] == []
    assert groups() == {'admins', 'developers'}


def test_user_without_groups(aws, step):
    [key] = user_with_keys(aws('iam'), n=1)
    answer = step('remove-user-from-groups', key, kind='AccessKey', **{'with': {'user': 'deploy'}}).observe()
    assert not answer['needed'] and 'no group' in answer['before']['reason']


# --- chains

def test_chained_roles_are_named_and_revoked_when_asked(aws, techsolutions, step):
    iam = aws('iam')
    arn = iam.get_role(RoleName='web-role-1')['Role']['Arn']
    trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': arn}, 'Action': 'sts:AssumeRole'}]}
    iam.create_role(RoleName='deeper', AssumeRolePolicyDocument=json.dumps(trust))
    trust['Statement'][0]['Principal'] = {'AWS': arn + 'x'}
    iam.create_role(RoleName='unrelated', AssumeRolePolicyDocument=json.dumps(trust))
    named = step('revoke-role-sessions', techsolutions.instances[0])
    named.contain()
    assert named.before['chained'] == ['deeper'] and [r['role'] for r in named.before['roles']] == ['web-role-1']
    assert named.before['roles'][0]['holders'] == ['instances']
    assert iam.list_role_policies(RoleName='deeper')['PolicyNames'] == []
    assert named.undo()['status'] == 'ok'
    s = step('revoke-role-sessions', techsolutions.instances[0], **{'with': {'chained': True}})
    s.contain()
    assert iam.list_role_policies(RoleName='deeper')['PolicyNames'] == ['cordon-revoke-2026-0042']
    assert s.undo()['differences'] == []
    assert iam.list_role_policies(RoleName='deeper')['PolicyNames'] == []


def test_sessions_of_a_function_are_revoked_by_its_role(aws, step):
    iam = aws('iam')
    trust = {'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Principal': {'Service': 'lambda.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}
    iam.create_role(RoleName='worker-role', Path='/service-role/', AssumeRolePolicyDocument=json.dumps(trust))
    s = step('revoke-role-sessions', 'worker', kind='Lambda', **{'with': {'role': 'worker-role'}})
    s.contain()
    assert s.before['roles'][0]['holders'] == ['functions']
