"""The journal's test suite (tests/unit/incident/test_journal.c) on DynamoDB: AWS's own DynamoDB Local, which proves the
conditional writes, and moto. And what the table of deploy/journal.yaml is.
"""
from __future__ import annotations

import collections
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time

import pytest
import yaml

import rooms
from conftest import KEYS, REGION, ROOT
from fault_proxy import Faults, Proxy
from peers import Peer, free_port

SUITE = 'tests/unit/incident/test_journal'


def run_suite(cordon, env: dict) -> str:
    """Runs the suite on the DynamoDB that `env` names; its output."""
    program = pathlib.Path(cordon.binary).parents[2] / SUITE
    ran = subprocess.run([str(program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, cwd=cordon.home,
                         env={**cordon.env, 'AWS_REGION': REGION, **KEYS, 'CORDON_TEST_JOURNAL': 'dynamodb', **env,
                              **{k: v for k, v in os.environ.items() if k.startswith('CORDON_TEST_')}})
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert 'Sanitizer' not in ran.stdout, ran.stdout
    return ran.stdout


def test_suite_on_dynamodb_local(cordon_alone, dynamodb_local):
    out = run_suite(cordon_alone, dynamodb_local.env)
    assert out.count('[       OK ]') >= 19, out


def test_suite_on_moto(cordon, moto):
    out = run_suite(cordon, {'AWS_ENDPOINT_URL': moto, 'CORDON_TEST_ALONE': '1'})
    assert out.count('[       OK ]') >= 19, out


# ---- the table ----

TEMPLATE = ROOT / 'deploy/journal.yaml'


def table_keys() -> dict:
    """KeySchema and AttributeDefinitions of the template."""
    class Loader(yaml.SafeLoader):
        pass
    Loader.add_multi_constructor('!', lambda loader, tag, node: None)
    made = yaml.load(TEMPLATE.read_text(), Loader)['Resources']['Journal']['Properties']  # noqa: S506 (a SafeLoader)
    return {k: made[k] for k in ('KeySchema', 'AttributeDefinitions')}


def make_table(dynamodb, name: str = 'cordon-journal') -> None:
    dynamodb.create_table(TableName=name, BillingMode='PAY_PER_REQUEST', **table_keys())


@pytest.fixture(params=['dynamodb_local', 'moto'])
def stored(request, cordon_alone, monkeypatch):
    """cordon with its cases in a table as the template has it, in either DynamoDB; (cordon, DynamoDB client)."""
    if request.param == 'moto':
        moto = request.getfixturevalue('moto')
        peer = Peer('dynamodb', moto, REGION, *KEYS.values())
    else:
        peer = request.getfixturevalue('dynamodb_local')
    make_table(peer.client)
    cordon_alone.env.update(peer.env, CORDON_STATE='dynamodb:cordon-journal')
    return cordon_alone, peer.client


def note(cordon, case: str, text: str):
    ran = cordon('case', 'note', case, text)
    assert ran.code == 0, ran.err


def test_the_template_makes_the_table_that_cordon_wants(cordon, aws, moto):
    cordon.env['CORDON_STATE'] = f'dynamodb:{REGION}/cordon-journal'
    state = next(c for c in cordon('doctor', '--output', 'json').json['checks'] if c['check'] == 'state')
    assert state['state'] == 'fail' and 'there is no DynamoDB table cordon-journal in eu-west-1' in state['text']
    assert 'deploy/journal.yaml' in state['text']
    ran = cordon('case', 'list')
    assert ran.code == 3 and 'deploy/journal.yaml' in ran.err
    formation = aws('cloudformation')
    formation.create_stack(StackName='cordon-journal', TemplateBody=TEMPLATE.read_text(), Capabilities=['CAPABILITY_IAM'])
    made = formation.describe_stacks(StackName='cordon-journal')['Stacks'][0]
    assert made['StackStatus'] == 'CREATE_COMPLETE'
    outputs = {o['OutputKey']: o['OutputValue'] for o in made['Outputs']}
    assert outputs['State'] == cordon.env['CORDON_STATE']
    state = next(c for c in cordon('doctor', '--output', 'json').json['checks'] if c['check'] == 'state')
    assert state['state'] == 'ok', state
    case = rooms.open_case(cordon, 'i-0123456789abcdef0')
    assert cordon('case', 'verify', case).code == 0
    table = aws('dynamodb').describe_table(TableName='cordon-journal')['Table']
    assert table['KeySchema'] == table_keys()['KeySchema']
    # What the policy allows is what journal_calls says and what the code uses.
    policy = aws('iam').get_policy_version(PolicyArn=outputs['PolicyArn'], VersionId='v1')['PolicyVersion']['Document']
    assert not [a for a in policy['Statement'][0]['Action'] if 'Delete' in a]


def test_a_table_of_another_program_is_refused(cordon_alone, dynamodb_local):
    dynamodb_local.client.create_table(
        TableName='theirs', BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
        AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}])
    cordon_alone.env.update(dynamodb_local.env, CORDON_STATE='dynamodb:theirs')
    state = next(c for c in cordon_alone('doctor', '--output', 'json').json['checks'] if c['check'] == 'state')
    assert state['state'] == 'fail' and "not one of cordon's" in state['text']


def test_dynamodb_out_of_reach(cordon_alone):
    cordon_alone.env.update(CORDON_STATE='dynamodb:t', AWS_ENDPOINT_URL=f'http://127.0.0.1:{free_port()}', AWS_MAX_ATTEMPTS='1')
    ran = cordon_alone('case', 'list')
    assert ran.code == 5 and 'the journal (DynamoDB table t)' in ran.err


# ---- verifying ----

def records_of(cordon, case: str) -> list:
    ran = cordon('case', 'show', case, '--records', '--output', 'json')
    assert ran.code == 0, ran.err
    return ran.json


def test_a_case_is_verified_from_its_export_alone(stored, cordon_alone, tmp_path):
    cordon, _ = stored
    case = rooms.open_case(cordon, 'i-0123456789abcdef0')
    note(cordon, case, 'erste Zeile ✓')
    note(cordon, case, 'x' * 60000)
    export = tmp_path / 'records.json'
    records = records_of(cordon, case)
    export.write_text(json.dumps(records, ensure_ascii=False))
    nowhere = {'AWS_ENDPOINT_URL_DYNAMODB': 'http://127.0.0.1:9', 'CORDON_STATE': 'sqlite:/proc/none/x.db'}
    ran = cordon('case', 'verify', '--file', str(export), env=nowhere)
    assert ran.code == 0, ran.err
    records[1]['payload']['text'] = 'another line'
    export.write_text(json.dumps(records))
    ran = cordon('case', 'verify', '--file', str(export), env=nowhere)
    assert ran.code == 8 and 'record 2' in ran.err


def test_tampering_in_the_table_is_found(stored):
    cordon, dynamodb = stored
    case = rooms.open_case(cordon, 'i-0123456789abcdef0')
    note(cordon, case, 'one')  # record 3
    note(cordon, case, 'two')
    assert cordon('case', 'verify', case).code == 0
    key = {'pk': {'S': f'case#{case}'}, 'sk': {'N': '3'}}
    whole = dynamodb.get_item(TableName='cordon-journal', Key=key)['Item']
    for body in (whole['record_body']['S'].replace('one', 'eno'), 'no JSON at all', ''):
        dynamodb.put_item(TableName='cordon-journal', Item={**whole, 'record_body': {'S': body}})
        ran = cordon('case', 'verify', case)
        assert ran.code == 8 and 'record 3' in ran.err, (body, ran.err)
    dynamodb.delete_item(TableName='cordon-journal', Key=key)
    ran = cordon('case', 'verify', case)
    assert ran.code == 8 and 'records are missing' in ran.err
    dynamodb.put_item(TableName='cordon-journal', Item=whole)
    assert cordon('case', 'verify', case).code == 0
    # Cut off at the end: the head remembers.
    dynamodb.delete_item(TableName='cordon-journal', Key={**key, 'sk': {'N': '4'}})
    ran = cordon('case', 'verify', case)
    assert ran.code == 8 and "behind cordon's back" in ran.err
    assert cordon('case', 'note', case, 'three').code == 8


def test_a_missing_piece_of_a_long_record_is_found(stored):
    cordon, dynamodb = stored
    case = rooms.open_case(cordon, 'i-0123456789abcdef0')
    rooms.record(cordon, case, 'case.note', {'text': secrets.token_hex(600_000)})
    assert cordon('case', 'verify', case).code == 0
    parts = [i for i in dynamodb.scan(TableName='cordon-journal')['Items'] if i['pk']['S'].startswith('part#')]
    assert len(parts) >= 2
    dynamodb.delete_item(TableName='cordon-journal', Key={k: parts[0][k] for k in ('pk', 'sk')})
    ran = cordon('case', 'verify', case)
    assert ran.code == 8 and 'record 3' in ran.err
    assert cordon('case', 'list').code == 0


# ---- two at once ----

@pytest.fixture
def shared_table(cordon, dynamodb_local):
    """cordon's cases in a new table of DynamoDB Local, under the keys that moto knows too; (client, table)."""
    peer = Peer('dynamodb', dynamodb_local.url, REGION, *KEYS.values())
    name = f'journal-{secrets.token_hex(6)}'
    make_table(peer.client, name)
    cordon.env.update(AWS_ENDPOINT_URL_DYNAMODB=peer.url, CORDON_STATE=f'dynamodb:{name}')
    return peer.client, name


def start_many(cordon, event, n: int, **env) -> list:
    return [cordon.start('respond', str(event), '--yes', '--output', 'json', env=env) for _ in range(n)]


@pytest.mark.parametrize('store', ['dynamodb', 'sqlite'])
def test_deliveries_at_once_act_once(cordon, aws, moto, techsolutions, finding, tmp_path, request, store):
    """The same finding handed to five processes at the same time: each change is made once, every process ends well or says
    that another one is at work, and what they wrote is one chain."""
    if store == 'dynamodb':
        request.getfixturevalue('shared_table')
    faults = Faults()
    proxy = Proxy(moto, faults)
    event = tmp_path / 'finding.json'
    event.write_text(json.dumps(finding(techsolutions.instances[0])))
    cordon.env.update(AWS_ENDPOINT_URL=proxy.url, CORDON_MODE='auto', CORDON_EVIDENCE_BUCKET=techsolutions.evidence_bucket,
                      CORDON_NOTIFY_TOPIC_ARN=techsolutions.topic)
    try:
        ended = [(p.wait(120), *p.communicate()) for p in start_many(cordon, event, 5)]
        for _ in range(2):  # as a queue would: those who were turned away come again
            ended.append((lambda r: (r.code, r.out.encode(), r.err.encode()))(cordon('respond', str(event), '--yes', '--output', 'json')))
    finally:
        proxy.close()
    for code, _, err in ended[:5]:
        assert code in (0, 6) or b'is being worked on' in err, err.decode()
    assert sum(b'is being worked on' in err for _, _, err in ended[:5]) >= 1, 'they never met: nothing was tried'
    cases = cordon('case', 'list', '--output', 'json').json
    assert len(cases) == 1
    case = cases[0]['case']
    assert cordon('case', 'verify', case).code == 0
    kinds = collections.Counter((r['kind'], r['payload'].get('step')) for r in records_of(cordon, case))
    assert kinds[('finding.received', None)] == 1
    assert {n for (kind, _), n in kinds.items() if kind in ('step.intent', 'step.verified')} == {1}, kinds
    made = collections.Counter((r.operation, r.params) for r in faults.log if r.mutating and r.done
                               and r.service in ('ec2', 'iam', 'autoscaling', 'elasticloadbalancing'))
    assert made and set(made.values()) == {1}, [m for m in made if made[m] > 1]


def announced(cordon, event, case: str) -> tuple[set, set]:
    """Of the steps whose intent is in the journal: their tokens, and the calls that their actions may make."""
    calls = {s['id']: s['calls'] for s in cordon('plan', str(event), '--output', 'json').json['steps']}
    intents = [r['payload'] for r in records_of(cordon, case) if r['kind'] == 'step.intent']
    return {i['token'] for i in intents}, {c for i in intents for c in calls[i['step']]}


def test_a_process_that_slept_changes_nothing_more(cordon, moto, techsolutions, finding, tmp_path, shared_table):
    """Stopped in the middle, taken over by another after its lease ran out, and woken: by its own clock it may go on, so what
    it was in the middle of may still go out; but nothing that it had not announced, and then it stops."""
    dynamodb, table = shared_table
    cordon.env.update(CORDON_MODE='auto', CORDON_EVIDENCE_BUCKET=techsolutions.evidence_bucket, CORDON_NOTIFY_TOPIC_ARN=techsolutions.topic)
    event = tmp_path / 'finding.json'
    event.write_text(json.dumps(finding(techsolutions.instances[0])))
    first, second = Faults(), Faults()
    proxies = [Proxy(moto, first), Proxy(moto, second)]
    try:
        sleeper = cordon.start('respond', str(event), '--yes', '--output', 'json', env={'AWS_ENDPOINT_URL': proxies[0].url})
        until = time.monotonic() + 60
        while not any(r.mutating and r.service == 'ec2' for r in first.log) and time.monotonic() < until:
            time.sleep(0.002)
        sleeper.send_signal(signal.SIGSTOP)
        case = cordon('case', 'list', '--output', 'json').json[0]['case']
        tokens, calls = announced(cordon, event, case)
        head = {'pk': {'S': f'case#{case}'}, 'sk': {'N': '1000000'}}
        # As if its minute had gone by.
        dynamodb.update_item(TableName=table, Key=head, UpdateExpression='SET lease_until = :past',
                             ExpressionAttributeValues={':past': {'N': '1'}})
        ran = cordon('respond', str(event), '--yes', '--output', 'json', env={'AWS_ENDPOINT_URL': proxies[1].url})
        assert ran.code == 6, ran.err  # no Systems Manager here
        first.settle()
        seen = len(first.log)
        sleeper.send_signal(signal.SIGCONT)
        _, err = sleeper.communicate(timeout=120)
    finally:
        for proxy in proxies:
            proxy.close()
    assert sleeper.returncode != 0 and b'took the case over' in err, err.decode()
    late = [r for r in first.log[seen:] if r.mutating and r.service in ('ec2', 'iam', 'autoscaling', 'elasticloadbalancing')]
    assert not [r for r in late if f'{r.service}:{r.operation}' not in calls], (late, calls)
    assert not [r for r in late if 'cordon:token' in r.params and not any(t in r.params for t in tokens)], (late, tokens)
    view = cordon('case', 'show', ran.json['case'], '--output', 'json').json
    assert next(s for s in view['steps'] if s['action'] == 'isolate-network')['verified']
    assert cordon('case', 'verify', ran.json['case']).code == 0
