"""The tests' own AWS stub, asked by botocore's clients: what other tests rely on."""
from __future__ import annotations

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import botocore.exceptions
import botocore.session
import pytest
from botocore.config import Config

HERE = pathlib.Path(__file__).resolve().parent
INSTANCE = 'i-0123456789abcdef0'
FINDING = {
    'schemaVersion': '2.0', 'accountId': '123456789012', 'region': 'us-east-1', 'partition': 'aws', 'id': '0' * 31 + '1',
    'arn': 'arn:aws:guardduty:us-east-1:123456789012:detector/d/finding/1', 'type': 'Backdoor:EC2/C&CActivity.B', 'severity': 8,
    'createdAt': '2026-08-01T10:00:00.000Z', 'updatedAt': '2026-08-01T10:00:00.000Z', 'title': 't', 'description': 'd',
    'resource': {'resourceType': 'Instance', 'instanceDetails': {'instanceId': INSTANCE}},
    'service': {'serviceName': 'guardduty', 'archived': False, 'count': 1}}


class Running:
    def __init__(self, latency_ms=60):
        self.process = subprocess.Popen([sys.executable, str(HERE / 'stub.py'), '--print-port', '--instances', INSTANCE,
                                         '--latency-ms', str(latency_ms), '--key', 'AKID=SECRET'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = f'http://127.0.0.1:{int(self.process.stdout.readline())}'

    def client(self, service, secret='SECRET', attempts=0):
        return botocore.session.get_session().create_client(
            service, region_name='us-east-1', endpoint_url=self.url, aws_access_key_id='AKID', aws_secret_access_key=secret,
            config=Config(retries={'max_attempts': attempts}, parameter_validation=False))

    def control(self, name, body=None):
        data = None if body is None else json.dumps(body).encode()
        return json.load(urllib.request.urlopen(urllib.request.Request(f'{self.url}/_stub/{name}', data=data), timeout=30))

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        return code


@pytest.fixture
def stub():
    s = Running()
    yield s
    if s.process.poll() is None:
        assert s.close() == 0


def code_of(call, **params) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**params)
    return e.value.response['Error']['Code']


def test_findings_are_listed_by_criteria_paged_read_and_archived(stub):
    gd = stub.client('guardduty')
    [detector] = gd.list_detectors()['DetectorIds']
    stub.control('findings', [{**FINDING, 'id': f'{n:032x}', 'severity': n % 9 + 0.5} for n in range(1, 70)])
    seen = [i for page in gd.get_paginator('list_findings').paginate(
        DetectorId=detector, FindingCriteria={'Criterion': {'severity': {'GreaterThanOrEqual': 7}}}) for i in page['FindingIds']]
    assert len(seen) == len(set(seen)) == 14
    got = gd.get_findings(DetectorId=detector, FindingIds=seen[:2])['Findings']
    assert {f['Id'] for f in got} == set(seen[:2])
    assert got[0]['Resource']['InstanceDetails']['InstanceId'] == INSTANCE
    gd.archive_findings(DetectorId=detector, FindingIds=seen[:1])
    left = gd.list_findings(DetectorId=detector, FindingCriteria={'Criterion': {'service.archived': {'Eq': ['true']}}})['FindingIds']
    assert left == seen[:1]
    assert code_of(gd.get_findings, DetectorId='f' * 32, FindingIds=seen[:1]) == 'BadRequestException'


def test_samples_say_that_they_are(stub):
    gd = stub.client('guardduty')
    [detector] = gd.list_detectors()['DetectorIds']
    gd.create_sample_findings(DetectorId=detector, FindingTypes=['UnauthorizedAccess:IAMUser/MaliciousIPCaller'])
    ids = gd.list_findings(DetectorId=detector)['FindingIds']
    [f] = gd.get_findings(DetectorId=detector, FindingIds=ids)['Findings']
    assert f['Title'].startswith('[SAMPLE]') and json.loads(f['Service']['AdditionalInfo']['Value'])['sample'] is True


def test_finding_that_guardduty_would_not_send_is_refused(stub):
    with pytest.raises(urllib.error.HTTPError):
        stub.control('findings', {k: v for k, v in FINDING.items() if k != 'arn'})


def wait(ssm, command):
    seen = []
    for _ in range(200):
        try:
            answer = ssm.get_command_invocation(CommandId=command, InstanceId=INSTANCE)
        except botocore.exceptions.ClientError as e:
            assert e.response['Error']['Code'] == 'InvocationDoesNotExist'
            time.sleep(0.01)
            continue
        if not seen or seen[-1] != answer['Status']:
            seen.append(answer['Status'])
        if answer['Status'] not in ('Pending', 'InProgress'):
            return seen, answer
        time.sleep(0.01)
    raise AssertionError('the command does not end')


@pytest.fixture
def slow_stub():
    s = Running(latency_ms=400)
    yield s
    assert s.close() == 0


def test_command_goes_through_its_states_and_output_is_cut(slow_stub):
    stub = slow_stub
    ssm = stub.client('ssm')
    stub.control('outputs', {'AWS-RunShellScript': {'stdout': 'é' * 30000, 'code': 3}})
    command = ssm.send_command(InstanceIds=[INSTANCE], DocumentName='AWS-RunShellScript', Parameters={'commands': ['x']})['Command']
    seen, answer = wait(ssm, command['CommandId'])
    assert seen == ['Pending', 'InProgress', 'Failed'] and answer['ResponseCode'] == 3
    assert len(answer['StandardOutputContent']) == 24000


def test_only_scripts_of_this_tree_are_run(stub):
    ssm = stub.client('ssm')
    command = ssm.send_command(InstanceIds=[INSTANCE], DocumentName='AWS-RunShellScript', Parameters={'commands': ['id']})['Command']
    _, answer = wait(ssm, command['CommandId'])
    assert answer['Status'] == 'Failed' and answer['StandardOutputContent'] == ''


def test_command_can_be_cancelled(stub):
    ssm = stub.client('ssm')
    command = ssm.send_command(InstanceIds=[INSTANCE], DocumentName='AWS-RunShellScript', Parameters={'commands': ['x']})['Command']
    ssm.cancel_command(CommandId=command['CommandId'])
    assert wait(ssm, command['CommandId'])[1]['Status'] == 'Cancelled'


def test_documents_are_versioned_and_parameters_checked(stub):
    ssm = stub.client('ssm')
    content = (HERE.parents[1] / 'deploy/ssm/cordon-isolate.yaml').read_text(encoding='utf-8')
    ssm.create_document(Name='cordon-isolate', Content=content, DocumentType='Command', DocumentFormat='YAML')
    assert code_of(ssm.create_document, Name='cordon-isolate', Content=content, DocumentType='Command',
                   DocumentFormat='YAML') == 'DocumentAlreadyExists'
    assert code_of(ssm.update_document, Name='cordon-isolate', Content=content, DocumentFormat='YAML',
                   DocumentVersion='$LATEST') == 'DuplicateDocumentContent'
    ssm.update_document(Name='cordon-isolate', Content=content + '# more\n', DocumentFormat='YAML', DocumentVersion='$LATEST')
    assert ssm.get_document(Name='cordon-isolate', DocumentVersion='$LATEST')['DocumentVersion'] == '2'
    assert ssm.get_document(Name='cordon-isolate')['DocumentVersion'] == '1', 'the default version stays'
    for parameters in ({'action': ['isolate'], 'caseId': ["x'; reboot; '"]}, {'action': ['reboot'], 'caseId': ['x']},
                       {'action': ['isolate']}, {'action': ['isolate'], 'caseId': ['x'], 'more': ['y']}):
        assert code_of(ssm.send_command, InstanceIds=[INSTANCE], DocumentName='cordon-isolate',
                       Parameters=parameters) == 'InvalidParameters'
    assert code_of(ssm.send_command, InstanceIds=[INSTANCE], DocumentName='cordon-isolate', DocumentHash='0' * 64,
                   DocumentHashType='Sha256', Parameters={'action': ['status'], 'caseId': ['x']}) == 'InvalidDocument'
    assert code_of(ssm.send_command, InstanceIds=['i-0fffffffffffffff0'], DocumentName='cordon-isolate',
                   Parameters={'action': ['status'], 'caseId': ['x']}) == 'InvalidInstanceId'


def test_requests_are_held_to_the_model_and_the_signature(stub):
    ssm = stub.client('ssm')
    assert code_of(ssm.get_document) == 'ValidationException'
    assert code_of(ssm.get_document, Name='a b') == 'ValidationException'
    assert code_of(stub.client('ssm', secret='other').describe_instance_information) == 'InvalidSignatureException'
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(urllib.request.Request(stub.url, data=b'{}'), timeout=10)
    assert e.value.code == 403
    e.value.close()


@pytest.mark.parametrize('fault', [{'code': 'ThrottlingException'}, {'body': '<html>oops</html>', 'status': 503},
                                   {'close': 'before'}, {'close': 'after'}])
def test_faults_hit_once_and_a_retry_gets_through(stub, fault):
    stub.control('fault', {'operation': 'DescribeInstanceInformation', **fault})
    answer = stub.client('ssm', attempts=2).describe_instance_information()
    assert [i['InstanceId'] for i in answer['InstanceInformationList']] == [INSTANCE]
    assert len([r for r in stub.control('requests') if r['operation'] == 'DescribeInstanceInformation']) == 2


def test_cloudtrail_events_are_looked_up(stub):
    stub.control('events', [{'eventID': str(n), 'eventName': 'ConsoleLogin' if n % 2 else 'GetObject', 'eventSource': 's',
                             'eventTime': f'2026-11-{n:02}T00:00:00Z', 'userIdentity': {'userName': 'bob'}} for n in range(1, 11)])
    ct = stub.client('cloudtrail')
    found = ct.lookup_events(LookupAttributes=[{'AttributeKey': 'EventName', 'AttributeValue': 'ConsoleLogin'}], MaxResults=3,
                             StartTime=0, EndTime=4102444800)
    assert [e['EventId'] for e in found['Events']] == ['9', '7', '5'] and found['NextToken']
    assert ct.list_public_keys()['PublicKeyList'] == []


def children_of(pid: int) -> list[int]:
    tasks = pathlib.Path(f'/proc/{pid}/task').glob('*/children')
    return [int(c) for t in tasks for c in t.read_text().split()]


def holder_of(folder: pathlib.Path) -> int | None:
    """The process that keeps the host's namespace names the folder in its command line."""
    for p in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if str(folder).encode() in p.read_bytes().split(b'\0'):
                return int(p.parent.name)
        except OSError:
            continue
    return None


@pytest.mark.parametrize('how', ['stdin', 'term', 'kill'])
def test_nothing_is_left_behind(how):
    s = Running()
    ssm = s.client('ssm')
    content = (HERE.parents[1] / 'deploy/ssm/cordon-isolate.yaml').read_text(encoding='utf-8')
    ssm.create_document(Name='cordon-isolate', Content=content, DocumentType='Command', DocumentFormat='YAML')
    command = ssm.send_command(InstanceIds=[INSTANCE], DocumentName='cordon-isolate',
                               Parameters={'action': ['status'], 'caseId': ['x']})['Command']
    wait(ssm, command['CommandId'])
    held = {p for p in children_of(s.process.pid)}
    folders = [p for p in pathlib.Path(tempfile.gettempdir()).glob('cordon-host-*') if holder_of(p) in held]
    assert folders or not s.control('state')['namespaces']
    if how != 'stdin':
        s.process.send_signal(signal.SIGTERM if how == 'term' else signal.SIGKILL)
    assert s.close() == (0 if how != 'kill' else -signal.SIGKILL)
    until = time.monotonic() + 5
    while time.monotonic() < until and ([p for p in held if pathlib.Path(f'/proc/{p}').exists()] or [f for f in folders if f.exists()]):
        time.sleep(0.05)
    assert not [p for p in held if pathlib.Path(f'/proc/{p}').exists()]
    assert not [f for f in folders if f.exists()]
