"""plan, respond, undo, resume and case on a compromised instance. moto answers for EC2, Auto Scaling, ELB, IAM."""
from __future__ import annotations

import json
import os
import pathlib
import pty
import signal
import subprocess
import time

import pytest

PLAYBOOK = """
name: small
title: An instance that works for an intruder
answers:
  types: ["Backdoor:EC2/*"]
modes:
  now: {production: {critical: auto, high: auto}}
  ask: {production: {critical: approve, high: approve}}
steps:
  - {id: isolate-network, action: isolate-network, on: Instance, mode: now}
  - {id: protect-instance, action: protect-instance, on: Instance, mode: now}
  - {id: snapshot-volumes, action: snapshot-volumes, on: Instance, mode: now}
  - {id: detach-from-service, action: detach-from-service, on: Instance, mode: now}
  - {id: stop-instance, action: stop-instance, on: Instance, mode: ask, needs: [isolate-network, detach-from-service],
     after: [snapshot-volumes]}
"""


@pytest.fixture
def configured(cordon, tmp_path):
    """cordon allowed to act, with one small playbook."""
    books = tmp_path / 'playbooks'
    books.mkdir()
    (books / 'small.yaml').write_text(PLAYBOOK)
    cordon.env.update(CORDON_MODE='auto', CORDON_PLAYBOOKS=str(books))
    return cordon


@pytest.fixture
def event(finding, techsolutions, tmp_path):
    path = tmp_path / 'finding.json'
    path.write_text(json.dumps(finding(techsolutions.instances[0])))
    return str(path)


def groups_of(ec2, interface: str) -> list[str]:
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])['NetworkInterfaces'][0]
    return sorted(g['GroupId'] for g in found['Groups'])


def test_plan_reads_and_changes_nothing(configured, aws, techsolutions, event):
    before = groups_of(aws('ec2'), techsolutions.interfaces[0])
    ran = configured('plan', event, '--output', 'json')
    assert ran.code == 0, ran.err
    plan = ran.json
    assert plan['schema'] == 'cordon.plan/1'
    assert [s['id'] for s in plan['steps']] == ['isolate-network', 'protect-instance', 'snapshot-volumes', 'detach-from-service',
                                                'stop-instance']
    assert 1 <= plan['round_trips_to_isolation'] <= 5
    for step in plan['steps']:
        for key in ('before', 'after', 'why', 'risk', 'undo', 'calls'):
            assert step[key], (step['id'], key)
    assert 'ec2:ModifyNetworkInterfaceAttribute' in plan['permissions']
    assert groups_of(aws('ec2'), techsolutions.interfaces[0]) == before
    table = configured('plan', event, '--output', 'table').out
    assert 'isolate-network' in table and 'undo' in table
    spanish = configured('plan', event, '--output', 'table', '--lang', 'es').out
    assert 'por qué' in spanish


def test_respond_then_undo(configured, aws, techsolutions, event):
    ec2 = aws('ec2')
    before = groups_of(ec2, techsolutions.interfaces[0])
    ran = configured('respond', event, '--output', 'json')
    assert ran.code == 7, ran.err
    assert f'account {techsolutions.account} ' in ran.err
    answer = ran.json
    assert answer['schema'] == 'cordon.response/1' and answer['state'] == 'awaiting_approval'
    case = answer['case']
    quarantined = groups_of(ec2, techsolutions.interfaces[0])
    assert len(quarantined) == 1 and quarantined != before
    state = ec2.describe_instances(InstanceIds=[techsolutions.instances[0]])['Reservations'][0]['Instances'][0]['State']['Name']
    assert state == 'running'

    assert configured('case', 'verify', case).code == 0
    ran = configured('approve', case, 'stop-instance', '--reason', 'go', '--output', 'json')
    assert ran.code == 0, ran.err + ran.out
    assert ran.json['state'] == 'contained'
    state = ec2.describe_instances(InstanceIds=[techsolutions.instances[0]])['Reservations'][0]['Instances'][0]['State']['Name']
    assert state == 'stopped'

    again = configured('respond', event, '--yes', '--output', 'json')
    assert again.json['case'] == case
    view = configured('case', 'show', case, '--output', 'json').json
    assert len([s for s in view['steps'] if s['intents'] == 1]) == 5

    ran = configured('undo', case, '--output', 'json')
    assert ran.code == 0, ran.err + ran.out
    assert groups_of(ec2, techsolutions.interfaces[0]) == before
    assert configured('case', 'verify', case).code == 0
    view = configured('case', 'show', case, '--output', 'json').json
    assert view['state'] == 'undone'
    after = configured('respond', event, '--yes', '--output', 'json')
    assert groups_of(ec2, techsolutions.interfaces[0]) == before, after.out


def test_yes_approves_everything(configured, aws, techsolutions, event):
    ran = configured('respond', event, '--yes', '--output', 'json')
    assert ran.code == 0, ran.err + ran.out
    assert ran.json['state'] == 'contained'
    assert all(a['verified'] for a in ran.json['actions'])


@pytest.mark.parametrize('flag', ['--dry-run', '--dryrun'])
def test_dry_run(configured, aws, techsolutions, event, flag):
    before = groups_of(aws('ec2'), techsolutions.interfaces[0])
    ran = configured('respond', event, '--yes', flag, '--output', 'json')
    assert ran.code == 0, ran.err
    assert [a['state'] for a in ran.json['actions']] == ['planned'] * 5
    assert groups_of(aws('ec2'), techsolutions.interfaces[0]) == before
    assert configured('case', 'list', '--output', 'json').json == []


def test_drift_is_left_alone_without_force(configured, aws, techsolutions, event):
    ec2 = aws('ec2')
    before = groups_of(ec2, techsolutions.interfaces[0])
    case = configured('respond', event, '--yes', '--output', 'json').json['case']
    other = ec2.create_security_group(GroupName='someone', Description='x', VpcId=techsolutions.vpc)['GroupId']
    ec2.modify_network_interface_attribute(NetworkInterfaceId=techsolutions.interfaces[0], Groups=[other])
    drifted = groups_of(ec2, techsolutions.interfaces[0])
    ran = configured('undo', case, '--output', 'json')
    assert ran.code == 6, ran.err + ran.out
    assert ran.json['differences']
    assert groups_of(ec2, techsolutions.interfaces[0]) == drifted
    ran = configured('undo', f'{case}/isolate-network', '--force', '--output', 'json')
    assert ran.code == 0, ran.err + ran.out
    assert set(before) <= set(groups_of(ec2, techsolutions.interfaces[0]))


def test_denied_call(configured, aws, auth_mode, techsolutions, event):
    iam = aws('iam')
    iam.create_user(UserName='poor')
    key = iam.create_access_key(UserName='poor')['AccessKey']
    allow = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['ec2:Describe*', 'sts:*'], 'Resource': '*'}]}
    iam.put_user_policy(UserName='poor', PolicyName='p', PolicyDocument=json.dumps(allow))
    auth_mode()
    poor = {'AWS_ACCESS_KEY_ID': key['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': key['SecretAccessKey']}
    ran = configured('respond', event, '--yes', '--output', 'json', env=poor)
    assert ran.code == 4, ran.err + ran.out
    assert ran.json['state'] == 'failed'
    assert any(e['status'] == 'denied' for e in ran.json['errors'])


def test_dead_endpoint_and_missing_credentials(configured, event):
    dead = configured('plan', event, env={'AWS_ENDPOINT_URL': 'http://127.0.0.1:9', 'AWS_MAX_ATTEMPTS': '1'})
    assert dead.code == 5, dead.err
    none = configured('plan', event, env={'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None})
    assert none.code == 3, none.err


def test_case_records_verify_offline(configured, techsolutions, event, tmp_path):
    case = configured('respond', event, '--yes', '--output', 'json').json['case']
    records = configured('case', 'show', case, '--records', '--output', 'json').json
    good = tmp_path / 'records.json'
    good.write_text(json.dumps(records))
    nothing = {'AWS_ENDPOINT_URL': 'http://127.0.0.1:9', 'CORDON_STATE': 'sqlite:/nonexistent/x.db'}
    assert configured('case', 'verify', '--file', str(good), env=nothing).code == 0
    records[3]['payload']['extra'] = 1
    good.write_text('\n'.join(json.dumps(r) for r in records))
    bad = configured('case', 'verify', '--file', str(good), env=nothing)
    assert bad.code == 8 and 'record 4' in bad.err


def test_notes_close_and_list(configured, techsolutions, event):
    case = configured('respond', event, '--yes', '--output', 'json').json['case']
    assert configured('case', 'note', case, 'called the owner', env={'USER': 'ana'}).code == 0
    assert configured('case', 'close', case, 'over').code == 0
    view = configured('case', 'show', case, '--output', 'json').json
    assert view['state'] == 'closed' and view['notes'][0]['actor'] == 'person:ana'
    assert configured('case', 'list', '--output', 'json').json[0]['state'] == 'closed'
    assert configured('case', 'show', '2099-0001').code == 1
    assert configured('case', 'dance').code == 2


def catches(pid: int, signal_number: int) -> bool:
    caught = pathlib.Path(f'/proc/{pid}/status').read_text().split('SigCgt:')[1].split()[0]
    return bool(int(caught, 16) >> (signal_number - 1) & 1)


def test_interrupted_run_says_what_to_do(configured, techsolutions, event):
    process = configured.start('respond', event, '--yes', '--output', 'json')
    while process.poll() is None and not catches(process.pid, signal.SIGINT):
        time.sleep(0.05)
    time.sleep(0.4)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130), err
    if process.returncode == 130 and b'cordon resume' in err:
        case = json.loads(out)['case']
        assert configured('resume', case, '--output', 'json').json['state'] == 'contained'


def answer_on_terminal(cordon, event: str, answer: bytes) -> tuple[int, str]:
    """Runs respond with a terminal as stdin and stderr, types the answer at the question."""
    mine, theirs = pty.openpty()
    env = {**cordon.env, 'TERM': 'dumb'}
    process = subprocess.Popen([cordon.binary, 'respond', event, '--output', 'json'], env=env, cwd=cordon.home, stdin=theirs,
                               stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said = b''
    while b'[y/N]' not in said:
        said += os.read(mine, 4096)
    os.write(mine, answer + b'\n')
    out, _ = process.communicate(timeout=60)
    os.close(mine)
    return process.returncode, out.decode()


def test_a_person_is_shown_the_plan_and_asked(configured, aws, techsolutions, event):
    before = groups_of(aws('ec2'), techsolutions.interfaces[0])
    code, out = answer_on_terminal(configured, event, b'n')
    assert code == 0 and out == ''
    assert groups_of(aws('ec2'), techsolutions.interfaces[0]) == before
    assert configured('case', 'list', '--output', 'json').json == []
    code, out = answer_on_terminal(configured, event, b'y')
    assert code == 0, out
    assert json.loads(out)['state'] == 'contained'
