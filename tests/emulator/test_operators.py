"""What people do wrong, and what findings do not say: each with a plain message, and never the wrong thing done.
moto answers for AWS; the playbooks are the shipped ones unless a test brings its own."""
from __future__ import annotations

import copy
import json
import signal
import threading
import time

import pytest

from conftest import ACCOUNT, REGION
from fault_proxy import Faults, Proxy

SMALL = """
name: small
title: An instance that works for an intruder
answers:
  types: ["Backdoor:EC2/*"]
modes:
  by_env: {production: approve, other: auto}
steps:
  - {id: isolate-network, action: isolate-network, on: Instance, mode: %s}
"""


@pytest.fixture
def auto(cordon):
    cordon.env.update(CORDON_MODE='auto', USER='ana')
    return cordon


@pytest.fixture
def small(auto, tmp_path):
    """A function: only this playbook counts."""
    def write(mode: str = 'auto'):
        folder = tmp_path / 'playbooks'
        folder.mkdir(exist_ok=True)
        (folder / 'small.yaml').write_text(SMALL % mode)
        auto.env['CORDON_PLAYBOOKS'] = str(folder)
        return auto
    return write


@pytest.fixture
def saved(tmp_path):
    """A function: a document as a file."""
    n = iter(range(10000))

    def save(document) -> str:
        path = tmp_path / f'f{next(n)}.json'
        path.write_text(json.dumps(document))
        return str(path)
    return save


def groups_of(aws, interface: str) -> list[str]:
    found = aws('ec2').describe_network_interfaces(NetworkInterfaceIds=[interface])['NetworkInterfaces'][0]
    return sorted(g['GroupId'] for g in found['Groups'])


def view_of(cordon, case: str) -> dict:
    assert cordon('case', 'verify', case).code == 0
    return cordon('case', 'show', case, '--output', 'json').json


def held(view: dict) -> set[str]:
    return {h['guard'] for h in view['held_back']}


# ---- operators' mistakes ----

def test_wrong_region_and_wrong_account(small, aws, techsolutions, finding, saved):
    cordon = small()
    event = saved(finding(techsolutions.instances[0]))
    ran = cordon('respond', event, '--yes', '--region', 'us-east-1')
    assert ran.code == 1 and f'repeat with --region {REGION}' in ran.err
    other = finding(techsolutions.instances[0])
    other['detail']['accountId'] = other['account'] = '999999999999'
    ran = cordon('respond', saved(other), '--yes')
    assert ran.code == 1 and 'account 999999999999' in ran.err and 'use a profile or role of that account' in ran.err
    assert groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    assert cordon('case', 'list', '--output', 'json').json == []


def test_an_instance_that_is_gone(small, aws, techsolutions, finding, saved):
    cordon = small()
    ran = cordon('respond', saved(finding('i-0123456789abcdef0')), '--yes', '--output', 'json')
    step = ran.json['actions'][0]
    assert step['state'] == 'skipped', step
    assert 'is gone: nothing of it is left to contain. CloudTrail knows who deleted it' in step['reason']
    shown = cordon('respond', saved(finding('i-0123456789abcdef1', finding_id='4' * 32)), '--yes', '--output', 'text')
    assert 'is gone' in shown.out and 'take it back' not in shown.out, shown.out  # there is nothing to undo
    event = saved(finding(techsolutions.instances[0], finding_id='2' * 32))
    case = cordon('respond', event, '--yes', '--output', 'json').json['case']
    aws('ec2').terminate_instances(InstanceIds=[techsolutions.instances[0]])
    undone = cordon('undo', case, '--output', 'json')
    assert undone.code in (0, 6), undone.err
    assert undone.json['undone'] or undone.json['errors'], undone.out


def test_somebody_else_changed_it_before_undo(small, aws, techsolutions, finding, saved):
    cordon = small()
    case = cordon('respond', saved(finding(techsolutions.instances[0])), '--yes', '--output', 'json').json['case']
    other = aws('ec2').create_security_group(GroupName='someone', Description='x', VpcId=techsolutions.vpc)['GroupId']
    aws('ec2').modify_network_interface_attribute(NetworkInterfaceId=techsolutions.interfaces[0], Groups=[other])
    ran = cordon('undo', case, '--output', 'text')
    assert ran.code in (1, 6) and groups_of(aws, techsolutions.interfaces[0]) == [other]
    # What, since when it is so, what undo would make of it, and what to do.
    assert f'{techsolutions.interfaces[0]} The interface\'s security groups were changed after the isolation.' in ran.out
    assert f'now      ["{other}"]' in ran.out and f'undo makes ["{techsolutions.web_group}"]' in ran.out
    assert 'because somebody changed it meanwhile' in ran.err and f'`cordon undo {case} --force`' in ran.err
    assert cordon('undo', case, '--force').code == 0 and groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    assert 'Nothing is left to take back.' in cordon('undo', case, '--output', 'text').out


def test_two_people_at_once(small, aws, moto, techsolutions, finding, saved):
    """While one's command is in the middle of a change, another's is told so and changes nothing."""
    cordon = small()
    event = saved(finding(techsolutions.instances[0]))
    faults = Faults()
    proxy = Proxy(moto, faults)
    try:
        first = cordon.start('respond', event, '--yes', '--output', 'json', env={'AWS_ENDPOINT_URL': proxy.url})
        until = time.monotonic() + 60
        while not any(r.mutating and r.service == 'ec2' for r in faults.log) and time.monotonic() < until:
            time.sleep(0.002)
        first.send_signal(signal.SIGSTOP)
        case = cordon('case', 'list', '--output', 'json').json[0]['case']
        for command in (('undo', case), ('resume', case), ('respond', event, '--yes')):
            ran = cordon(*command)
            assert ran.code == 1 and f'case {case} is being worked on by another process' in ran.err, ran.err
            assert 'nothing was changed by this one' in ran.err and f'cordon case show {case}' in ran.err
        first.send_signal(signal.SIGCONT)
        out, err = first.communicate(timeout=120)
    finally:
        proxy.close()
    assert first.returncode == 0, err
    assert json.loads(out)['state'] == 'contained'
    assert cordon('undo', case).code == 0 and groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]


def test_the_default_profile_must_be_named_to_write(small, techsolutions, finding, saved, tmp_path):
    cordon = small()
    (tmp_path / 'credentials').write_text('[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n')
    env = {'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None, 'AWS_SHARED_CREDENTIALS_FILE': str(tmp_path / 'credentials')}
    event = saved(finding(techsolutions.instances[0]))
    ran = cordon('respond', event, '--yes', env=env)
    assert ran.code == 3 and '--profile default' in ran.err
    assert cordon('plan', event, env=env).code == 0  # to look needs no name
    assert cordon('respond', event, '--dry-run', env=env).code == 0
    assert cordon('respond', event, '--yes', '--profile', 'default', env=env).code == 0


def test_a_first_installation_only_tells(cordon, aws, techsolutions, finding, saved):
    event = saved(finding(techsolutions.instances[0]))
    ran = cordon('respond', event, '--yes', '--output', 'json')
    assert ran.code == 0 and ran.json['state'] == 'notified', ran.out
    assert 'mode is observe' in ran.err and 'mode: auto' in ran.err
    assert 'El modo es observe' in cordon('plan', event, '--lang', 'es').err
    assert groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    checks = {c['check']: c for c in cordon('doctor', '--output', 'json').json['checks']}
    assert 'observe' in checks['mode']['text'] and checks['mode']['fix']


def test_a_dry_run_runs_the_same_code_and_sends_nothing(small, aws, techsolutions, finding, saved):
    cordon = small()
    event = saved(finding(techsolutions.instances[0]))
    before = len(aws('ec2').describe_security_groups()['SecurityGroups'])
    ran = cordon('respond', event, '--dry-run', '--output', 'json')
    assert ran.code == 0, ran.err
    sent = ran.json['actions'][0]['would_call']
    assert sent[0]['call'] == 'ec2:CreateSecurityGroup' and sent[0]['params']['VpcId'] == techsolutions.vpc
    assert len(aws('ec2').describe_security_groups()['SecurityGroups']) == before
    case = cordon('respond', event, '--yes', '--output', 'json').json['case']
    after = groups_of(aws, techsolutions.interfaces[0])
    ran = cordon('undo', case, '--dry-run', '--output', 'json')
    assert ran.code == 0 and ran.json['undone'][0]['would_call'][0]['call'] == 'ec2:ModifyNetworkInterfaceAttribute'
    assert groups_of(aws, techsolutions.interfaces[0]) == after
    assert view_of(cordon, case)['state'] == 'contained'


# ---- the environment is looked up; exemptions hold whatever the finding says ----

@pytest.mark.parametrize('tag, mode', [('dev', 'auto'), ('Production', 'approve'), (None, 'approve'), ('whatever', 'approve')])
def test_the_environment_is_looked_up(small, aws, techsolutions, finding, saved, tag, mode):
    cordon = small('by_env')
    aws('ec2').delete_tags(Resources=[techsolutions.instances[0]], Tags=[{'Key': 'Environment'}])
    if tag:
        aws('ec2').create_tags(Resources=[techsolutions.instances[0]], Tags=[{'Key': 'environment', 'Value': tag}])
    plan = cordon('plan', saved(finding(techsolutions.instances[0])), '--output', 'json')
    assert plan.json['steps'][0]['mode'] == mode, plan.err


def test_the_environment_of_a_credential(auto, aws, finding, saved):
    iam = aws('iam')
    for name, tags in (('dev-user', [{'Key': 'Environment', 'Value': 'dev'}]), ('user', [])):
        iam.create_user(UserName=name, Tags=tags)
        key = iam.create_access_key(UserName=name)['AccessKey']['AccessKeyId']
        event = finding('x', kind='UnauthorizedAccess:IAMUser/TorIPCaller', severity=5.0)
        event['detail']['resource'] = {'resourceType': 'AccessKey', 'accessKeyDetails': {
            'accessKeyId': key, 'principalId': 'AIDAEXAMPLE', 'userName': name, 'userType': 'IAMUser'}}
        plan = auto('plan', saved(event), '--output', 'json').json
        modes = {s['id']: s['mode'] for s in plan['steps']}
        assert modes['disable-access-key'] == ('auto' if name == 'dev-user' else 'approve'), (name, modes)


def test_an_exempt_tag_that_the_finding_does_not_carry(small, aws, techsolutions, finding, saved):
    cordon = small()
    cordon.env['CORDON_GUARDS_EXEMPT_TAGS'] = 'cordon-exempt=yes'
    aws('ec2').create_tags(Resources=[techsolutions.instances[0]], Tags=[{'Key': 'Cordon-Exempt', 'Value': 'YES'}])
    ran = cordon('respond', saved(finding(techsolutions.instances[0])), '--yes', '--output', 'json')
    assert ran.json['state'] == 'held_back' and groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    assert held(view_of(cordon, ran.json['case'])) == {'exempt_tag'}


def test_a_finding_without_account_in_an_exempt_account(small, aws, techsolutions, finding, saved):
    cordon = small()
    cordon.env['CORDON_GUARDS_EXEMPT_ACCOUNTS'] = ACCOUNT
    bare = finding(techsolutions.instances[0])['detail']
    del bare['accountId'], bare['arn']
    ran = cordon('respond', saved(bare), '--yes', '--output', 'json')
    assert ran.json['state'] == 'held_back', ran.out
    assert held(view_of(cordon, ran.json['case'])) == {'exempt_account'}


# ---- guards that only the journal can keep ----

def test_own_action_counts_only_when_the_journal_bears_it_out(auto, aws, techsolutions, finding, saved):
    aws('iam').create_role(RoleName='cordon-responder', AssumeRolePolicyDocument=json.dumps({
        'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'},
                                                'Action': 'sts:AssumeRole'}]}))
    event = finding('x', kind='UnauthorizedAccess:IAMUser/TorIPCaller', severity=8.0)
    event['detail']['resource'] = {'resourceType': 'AccessKey', 'accessKeyDetails': {
        'accessKeyId': 'ASIAIOSFODNN7EXAMPLE', 'principalId': 'AROAEXAMPLE:2031-0007', 'userName': 'cordon-responder',
        'userType': 'AssumedRole'}}
    ran = auto('respond', saved(event), '--yes', '--output', 'json')  # there is no such case: somebody only says so
    assert held(view_of(auto, ran.json['case'])) == set(), ran.out
    assert [a['action'] for a in ran.json['actions']] == ['revoke-role-sessions']


def test_a_repetition_is_told_and_an_update_is_not(small, aws, techsolutions, finding, saved):
    cordon = small()
    event = finding(techsolutions.instances[0])
    case = cordon('respond', saved(event), '--yes', '--output', 'json').json['case']
    for variant in ({}, {'arn': event['detail']['arn'].upper().replace('ARN:AWS:GUARDDUTY', 'arn:aws:guardduty')}, {'count': 7}):
        again = copy.deepcopy(event)
        again['detail'].update({k: v for k, v in variant.items() if k != 'count'})
        again['detail']['service']['count'] = variant.get('count', 1)
        ran = cordon('respond', saved(again), '--yes', '--output', 'json')
        assert ran.json['case'] == case
    view = view_of(cordon, case)
    assert [h['guard'] for h in view['held_back']] == ['duplicate'] and len(view['findings']) == 1
    assert [s['intents'] for s in view['steps']] == [1]
    event['detail']['updatedAt'] = '2026-08-01T11:00:00.000Z'
    event['detail']['service']['count'] = 9
    assert cordon('respond', saved(event), '--yes', '--output', 'json').json['case'] == case
    assert view_of(cordon, case)['findings'][0]['count'] == 9


def test_after_undo_the_finding_stays_quiet_in_every_spelling(small, aws, techsolutions, finding, saved):
    cordon = small()
    event = finding(techsolutions.instances[0])
    case = cordon('respond', saved(event), '--yes', '--output', 'json').json['case']
    assert cordon('undo', case).code == 0
    event['detail'].update(updatedAt='2026-08-02T00:00:00.000Z', arn=event['detail']['arn'] + ' ')
    ran = cordon('respond', saved(event), '--yes', '--output', 'json')
    assert 'suppressed' in held(view_of(cordon, ran.json['case'])), ran.out
    assert groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    plan = cordon('plan', saved(event), '--output', 'json').json
    assert plan['steps'] == [] and plan['held_back'][0]['guard'] == 'suppressed'


def test_a_step_that_was_undone_is_left_alone_by_its_finding(small, aws, techsolutions, finding, saved):
    cordon = small()
    event = finding(techsolutions.instances[0])
    case = cordon('respond', saved(event), '--yes', '--output', 'json').json['case']
    assert cordon('undo', case, 'isolate-network').code == 0
    event['detail']['updatedAt'] = '2026-08-02T00:00:00.000Z'
    cordon('respond', saved(event), '--yes')
    assert groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    assert 'suppressed' in held(view_of(cordon, case))
    assert cordon('respond', saved(finding(techsolutions.instances[0], finding_id='3' * 32)), '--yes').code == 0
    assert groups_of(aws, techsolutions.interfaces[0]) != [techsolutions.web_group]  # another finding is new evidence


def test_the_breaker_counts_over_processes(small, aws, techsolutions, finding, saved):
    cordon = small()
    ec2 = aws('ec2')
    cordon.env.update(CORDON_GUARDS_BREAKER_ACTIONS='3', CORDON_GUARDS_BREAKER_MINUTES='10')
    made = [ec2.run_instances(ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, NetworkInterfaces=[
        {'DeviceIndex': 0, 'SubnetId': techsolutions.subnets[0], 'Groups': [techsolutions.web_group]}])['Instances'][0]
        for _ in range(8)]
    events = [saved(finding(m['InstanceId'], finding_id=f'{n:032x}')) for n, m in enumerate(made, 1)]
    ran = {}
    many = [threading.Thread(target=lambda e=e: ran.update({e: cordon('respond', e, '--output', 'json')})) for e in events]
    for t in many:
        t.start()
    for t in many:
        t.join()
    isolated = [m for m in made if groups_of(aws, m['NetworkInterfaces'][0]['NetworkInterfaceId']) != [techsolutions.web_group]]
    assert len(isolated) <= 3, [(r.code, r.err) for r in ran.values()]
    asked = [r for r in ran.values() if r.code == 7]
    # Eight at once are much for the emulator: whoever got no answer says so, and has changed nothing.
    failed = [r for r in ran.values() if r.code not in (0, 6, 7) and r.err]
    assert len(isolated) + len(asked) + len(failed) == 8 and len(failed) <= 2, [(r.code, r.err) for r in ran.values() if r.code != 7]
    assert all(held(view_of(cordon, r.json['case'])) == {'circuit_breaker'} for r in asked)


# ---- attack sequences ----

def sequence(seed, instances, signals=()) -> dict:
    return {'schemaVersion': '2.0', 'accountId': ACCOUNT, 'region': REGION, 'id': 'f' * 32,
            'arn': f'arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/12abc34d567e8fa901bc2d34eexample/finding/{"f" * 32}',
            'type': 'AttackSequence:EC2/CompromisedInstanceGroup', 'severity': 9.0, 'createdAt': '2026-08-01T10:20:00Z',
            'updatedAt': '2026-08-01T10:20:00Z', 'title': 'sequence', 'description': 'x', 'resource': {'resourceType': 'AttackSequence'},
            'service': {'count': 1, 'detection': {'sequence': {
                'uid': 's', 'description': 'x', 'actors': [], 'endpoints': [], 'signals': [{'uid': s} for s in signals],
                'resources': [{'uid': f'arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{i}', 'resourceType': 'EC2_INSTANCE'} for i in instances]}}}}


def test_a_sequence_merges_the_cases_it_names(auto, aws, techsolutions, finding, saved):
    first, second = (auto('respond', saved(finding(i, finding_id=f'{n}' * 32)), '--yes', '--output', 'json').json['case']
                     for n, i in enumerate(techsolutions.instances, 4))
    other = finding('x', kind='UnauthorizedAccess:IAMUser/TorIPCaller', severity=2.0, finding_id='6' * 32)
    other['detail']['resource'] = {'resourceType': 'AccessKey', 'accessKeyDetails': {
        'accessKeyId': 'AKIAIOSFODNN7EXAMPLE', 'principalId': 'AIDAEXAMPLE', 'userName': 'nobody', 'userType': 'IAMUser'}}
    third = auto('respond', saved(other), '--output', 'json').json['case']
    apart = auto('respond', saved({**other, 'detail': {**other['detail'], 'id': '7' * 32, 'arn': other['detail']['arn'][:-32] + '7' * 32,
                 'resource': {'resourceType': 'AccessKey', 'accessKeyDetails': {
                     'accessKeyId': 'AKIAIOSFODNN7EXAMPLF', 'userName': 'somebody-else', 'userType': 'IAMUser'}}}}), '--output', 'json').json['case']
    ran = auto('respond', saved(sequence(techsolutions, techsolutions.instances, ['6' * 32])), '--yes', '--output', 'json')
    main = ran.json['case']
    assert main == first, ran.err + ran.out
    view = view_of(auto, main)
    assert sorted(m['case'] for m in view['merged']) == sorted([second, third])
    assert {r['id'] for r in view['resources']} >= set(techsolutions.instances)
    for case in (second, third):
        merged = view_of(auto, case)
        assert merged['state'] == 'closed' and merged['merged_into'] == main
        assert f'merged into case {main}' in auto('approve', case, 'x').err
    assert view_of(auto, apart)['state'] != 'closed'
    later = auto('respond', saved(finding(techsolutions.instances[1], finding_id='8' * 32)), '--yes', '--output', 'json')
    assert later.json['case'] == main  # what the merged case owned is the main one's
    undone = auto('undo', main, '--force', '--output', 'json')
    assert {u.get('case', main) for u in undone.json['undone']} >= {main, second}
    assert all(groups_of(aws, i) == [techsolutions.web_group] for i in techsolutions.interfaces)


# ---- findings of shapes that nobody has seen ----

def variations(event: dict) -> list:
    """The finding with each field once missing, null, of another type, and wrapped in every way there is."""
    detail, out = event['detail'], []
    for path in ([], ['resource'], ['resource', 'instanceDetails'], ['service'], ['service', 'action']):
        at = detail
        for key in path:
            at = at[key]
        for key in at:
            for value in ('missing', None, [], {}, 7, 'x' * 300, True):
                changed = copy.deepcopy(detail)
                node = changed
                for k in path:
                    node = node[k]
                if value == 'missing':
                    del node[key]
                else:
                    node[key] = value
                out.append(changed)
    for kind in ('Quantum:Teleporter/Entangled', 'AttackSequence:New/Thing', 'Backdoor:Robot/C&CActivity.B', 'Impact:EC2/New.Kind!Odd', ''):
        out.append({**detail, 'type': kind})
    for resource in ('Teleporter', 'instance', 'Instance ', None):
        out.append({**detail, 'resource': {'resourceType': resource, 'teleporterDetails': {'id': 't-1'}}})
    out.append({**detail, 'resource': {'resourceType': 'Instance', 'instanceDetails': {'instanceId': '../../etc/passwd'}}})
    out.append({**detail, 'resource': {'resourceType': 'Instance', 'instanceDetails': {'instanceId': 'i-0$(reboot)'}}})
    out.append({'Findings': [detail, None, 5, {'Type': 'x'}]})
    out.append({'Records': [{'body': json.dumps({'Message': json.dumps(event)})}]})
    return out


def test_every_variation_is_routed_or_told(cordon_alone, techsolutions, finding, saved):
    made = variations(finding('i-0a1b2c3d4e5f67890'))
    assert len(made) > 200
    path = saved(made)
    ran = cordon_alone('playbook', 'test', path, '--mode', 'auto', '--output', 'json')
    assert ran.code in (0, 6), ran.err
    for line in ran.out.splitlines():
        route = json.loads(line)
        for s in route['steps']:  # never on something that the finding does not name
            assert s['resource']['id'] in {r['id'] for r in route['finding']['resources']}, route
        if route['playbook'] == 'unknown':
            assert route['steps'] == [] and route['mode'] in ('notify', 'none')


def test_variations_never_touch_what_they_do_not_name(auto, aws, techsolutions, finding, saved):
    """A choice of them against the account: nothing but the named instance changes, and no run ends in a crash."""
    untouched = groups_of(aws, techsolutions.interfaces[1])
    for document in variations(finding(techsolutions.instances[0]))[::9]:
        ran = auto('respond', saved(document), '--yes', '--output', 'json')
        assert ran.code in (0, 1, 6, 7), (document, ran.code, ran.err)
        assert groups_of(aws, techsolutions.interfaces[1]) == untouched, document
