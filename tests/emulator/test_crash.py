"""`cordon respond` killed at every place where a kill could matter, then `cordon resume`: the account and the journal
must end as in a run that nobody disturbed. moto answers; the places are base/crashpoint.h's, in debug builds only.

With the cases in SQLite, and in DynamoDB (DynamoDB Local), where a record is several writes.

CORDON_CRASH_EVERY=N tries every N-th place (default 6, a minute; 1 is every one).
"""
from __future__ import annotations

import json
import os
import re
import secrets
import time

import pytest

import test_journal_stores
from between import Between
from conftest import KEYS, REGION, moto_post
from peers import Peer

PLAYBOOK = """
name: crash
title: An instance that works for an intruder
answers:
  types: ["Backdoor:EC2/*"]
modes:
  now: {production: {critical: auto, high: auto}}
steps:
  - {id: isolate-network, action: isolate-network, on: Instance, mode: now}
  - {id: protect-instance, action: protect-instance, on: Instance, mode: now}
  - {id: snapshot-volumes, action: snapshot-volumes, on: Instance, mode: now}
  - {id: block-address, action: block-address, on: Instance, mode: now, with: {addresses: $actor_ips}}
  - {id: disable-imds, action: disable-imds, on: Instance, mode: now, after: [snapshot-volumes]}
"""
EVERY = int(os.environ.get('CORDON_CRASH_EVERY', '6'))
MOST = 400


def seed(aws) -> tuple[str, str]:
    """One instance in a network of its own: (instance, interface)."""
    ec2 = aws('ec2')
    vpc = ec2.create_vpc(CidrBlock='10.20.0.0/16')['Vpc']['VpcId']
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.20.1.0/24')['Subnet']['SubnetId']
    group = ec2.create_security_group(GroupName='web', Description='web', VpcId=vpc)['GroupId']
    made = ec2.run_instances(ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, NetworkInterfaces=[
        {'DeviceIndex': 0, 'SubnetId': subnet, 'Groups': [group]}])['Instances'][0]
    return made['InstanceId'], made['NetworkInterfaces'][0]['NetworkInterfaceId']


def rules(permissions: list) -> list:
    return sorted(json.dumps(p, sort_keys=True) for p in permissions)


def account(aws, instance: str, interface: str) -> dict:
    """What the describe calls show, with names in the place of the ids that differ from run to run."""
    ec2 = aws('ec2')
    groups = {g['GroupId']: g for g in ec2.describe_security_groups()['SecurityGroups']}
    found = ec2.describe_instances(InstanceIds=[instance])['Reservations'][0]['Instances'][0]
    eni = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])['NetworkInterfaces'][0]
    acls = ec2.describe_network_acls()['NetworkAcls']
    snapshots = [s for s in ec2.describe_snapshots(OwnerIds=['self'])['Snapshots'] if s['VolumeId'] in
                 [m['Ebs']['VolumeId'] for m in found['BlockDeviceMappings']]]
    return {
        'state': found['State']['Name'],
        'eni': sorted(groups[g['GroupId']]['GroupName'] for g in eni['Groups']),
        'groups': sorted((g['GroupName'], rules(g['IpPermissions']), rules(g['IpPermissionsEgress'])) for g in groups.values()),
        'termination': ec2.describe_instance_attribute(InstanceId=instance, Attribute='disableApiTermination')['DisableApiTermination'],
        'shutdown': ec2.describe_instance_attribute(
            InstanceId=instance, Attribute='instanceInitiatedShutdownBehavior')['InstanceInitiatedShutdownBehavior'],
        'imds': found['MetadataOptions']['HttpEndpoint'],
        'acl': sorted(json.dumps(e, sort_keys=True) for a in acls for e in a['Entries']),
        'snapshots': len(snapshots),
        'tags': sorted(t['Key'] for t in found.get('Tags', [])),
    }


def effects(view: dict) -> list:
    return sorted((s['id'], s['state'], s['verified']) for s in view['steps'])


class Stage:
    """One fresh account and one fresh store a try."""

    def __init__(self, cordon, aws, moto, finding, tmp_path, dynamodb):
        self.cordon, self.aws, self.moto, self.finding, self.tmp, self.dynamodb = cordon, aws, moto, finding, tmp_path, dynamodb
        self.every = EVERY * 2 if dynamodb and EVERY > 1 else EVERY
        books = tmp_path / 'playbooks'
        books.mkdir()
        (books / 'crash.yaml').write_text(PLAYBOOK)
        cordon.env.update(CORDON_MODE='auto', CORDON_PLAYBOOKS=str(books))

    def set(self, name: str) -> None:
        moto_post(self.moto, 'reset')
        moto_post(self.moto, 'seed?a=42')
        self.instance, self.interface = seed(self.aws)
        self.event = self.tmp / 'finding.json'
        self.event.write_text(json.dumps(self.finding(self.instance)))
        self.cordon.env['CORDON_STATE'] = f'sqlite:{self.tmp}/{name}.db'
        if self.dynamodb:
            table = f'{name}-{secrets.token_hex(4)}'
            test_journal_stores.make_table(self.dynamodb, table)
            self.cordon.env['CORDON_STATE'] = f'dynamodb:{table}'

    def respond(self, crash_at: int | None = None):
        env = {'CORDON_CRASH_AT': str(crash_at)} if crash_at else None
        return self.cordon('respond', str(self.event), '--yes', '--output', 'json', env=env)

    def view(self) -> dict:
        cases = self.cordon('case', 'list', '--output', 'json').json
        assert len(cases) == 1
        case = cases[0]['case']
        verified = self.cordon('case', 'verify', case)
        assert verified.code == 0, verified.err
        return self.cordon('case', 'show', case, '--output', 'json').json

    def account(self) -> dict:
        return account(self.aws, self.instance, self.interface)


@pytest.fixture(params=['sqlite', 'dynamodb'])
def stage(request, cordon, aws, moto, finding, tmp_path):
    dynamodb = None
    if request.param == 'dynamodb':
        server = request.getfixturevalue('dynamodb_local')
        dynamodb = Peer('dynamodb', server.url, REGION, *KEYS.values()).client
        cordon.env['AWS_ENDPOINT_URL_DYNAMODB'] = server.url
    return Stage(cordon, aws, moto, finding, tmp_path, dynamodb)


def test_killed_anywhere_and_resumed(stage):
    stage.set('undisturbed')
    ran = stage.respond()
    assert ran.code == 0, ran.err + ran.out
    want_account, want_view = stage.account(), stage.view()
    want_effects = effects(want_view)
    assert all(e[1:] == ('done', True) for e in want_effects), want_effects

    tried = 0
    for at in range(1, MOST, stage.every):
        stage.set(f'killed-{at}')
        ran = stage.respond(at)
        if ran.code != 137:
            if at == 1:
                pytest.skip('this build has no crash points')
            assert ran.code == 0, ran.err
            break
        tried += 1
        place = re.search(r'crash point \d+: (.*)', ran.err)[1]
        where = f'killed at {at}, {place}'
        # The next delivery of the same finding, or a person's resume: both must finish it.
        again = stage.cordon('resume', '--output', 'json') if tried % 2 else stage.respond()
        if not stage.cordon('case', 'list', '--output', 'json').json:
            again = stage.respond()  # killed before there was a case: only the delivery can do it
        assert again.code == 0, f'{where}: {again.err}{again.out}'
        view = stage.view()
        assert effects(view) == want_effects, where
        assert stage.account() == want_account, where
        for kind in ('step.result', 'step.verified'):
            records = stage.cordon('case', 'show', view['case'], '--records', '--output', 'json').json
            seen = [r['payload']['step'] for r in records if r['kind'] == kind]
            assert len(seen) == len(set(seen)), f'{where}: {kind} twice: {seen}'
    assert tried * stage.every > 60, 'the run ended sooner than it can have'
    assert tried * stage.every < MOST - stage.every, 'the run never ended by itself'


def test_a_host_left_open_is_closed_by_whoever_serves(cordon, aws, moto, finding, tmp_path):
    """Killed between the two swaps, and nobody resumes: a daemon that has nothing else to do closes the host."""
    stage = Stage(cordon, aws, moto, finding, tmp_path, None)
    stage.set('left')
    swaps, victim = [], []

    def hook(method, path, headers, body):
        if b'Action=ModifyNetworkInterfaceAttribute' in body:
            swaps.append(body)
            if len(swaps) == 2:  # the closing one
                victim[0].kill()
                return 500, b''
        return None
    between = Between(moto, hook)
    try:
        victim.append(cordon.start('respond', str(stage.event), '--yes', '--output', 'json', env={'AWS_ENDPOINT_URL_EC2': between.url}))
        victim[0].communicate(timeout=120)
    finally:
        between.close()
    open_group = stage.account()['eni']
    assert len(open_group) == 1 and open_group != ['web']
    steps = {s['id']: s for s in stage.view()['steps']}
    assert steps['isolate-network']['state'] == 'running' and steps['isolate-network']['partial']['half_open'] is True
    queue = aws('sqs').create_queue(QueueName='findings')['QueueUrl']
    daemon = cordon.start('serve', '--queue-url', queue)
    try:
        until = time.monotonic() + 120
        while stage.view()['steps'][0]['state'] != 'done' and time.monotonic() < until:
            time.sleep(0.5)
    finally:
        daemon.terminate()
        daemon.communicate(timeout=60)
    closed = stage.account()
    groups = {name: (inward, outward) for name, inward, outward in closed['groups']}
    assert closed['eni'] != open_group and groups[closed['eni'][0]] == ([], [])
    assert all(rules == ([], []) for name, rules in groups.items() if name in open_group), 'and the group that cut is empty'
    assert {s['id']: s['state'] for s in stage.view()['steps']}['isolate-network'] == 'done'


def test_killed_while_undoing(stage):
    """The way back killed at every place: a second undo, or resume, brings the account to the same end."""
    stage.set('undisturbed')
    before = stage.account()
    case = stage.respond().json['case']
    ran = stage.cordon('undo', case, '--output', 'json')
    assert ran.code == 0, ran.err + ran.out
    want = stage.account()
    for key in ('eni', 'termination', 'shutdown', 'imds', 'acl', 'state'):
        assert want[key] == before[key], key

    tried = 0
    for at in range(1 + stage.every // 2, MOST, stage.every):
        stage.set(f'undo-{at}')
        case = stage.respond().json['case']
        ran = stage.cordon('undo', case, '--output', 'json', env={'CORDON_CRASH_AT': str(at)})
        if ran.code != 137:
            if not tried:
                pytest.skip('this build has no crash points')
            assert ran.code == 0, ran.err
            break
        tried += 1
        where = f'killed at {at}, ' + re.search(r'crash point \d+: (.*)', ran.err)[1]
        # Before the first record of the undo there is nothing to resume: then the person repeats it.
        begun = stage.view()['suppressed']
        again = stage.cordon(*(['resume', case] if tried % 2 and begun else ['undo', case]), '--output', 'json')
        assert again.code == 0, f'{where}: {again.err}{again.out}'
        view = stage.view()
        assert view['state'] == 'undone', where
        assert stage.account() == want, where
    assert tried * stage.every > 10, 'the undo ended sooner than it can have'
