"""The EC2 containment measures one by one, each phase through `action_driver`, against moto.

What moto does not do like AWS, and what therefore is not shown here:
- connections are not modelled, so that the cut by the open group is seen only as calls in the right order;
- a public address stays although AssociatePublicIpAddress=false was accepted (the measure must say so);
- a group in use can be deleted, so that the order of undo is checked by the calls;
- InstanceInitiatedShutdownBehavior can't be modified (accepted, ignored), so the host is seeded with "stop";
- GetConsoleScreenshot is missing (an HTML 500): the picture is reported as missing.
"""
from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess

import boto3
import pytest

from conftest import KEYS, REGION, ROOT, Cordon
from fault_proxy import Faults, Proxy
from iam_gate import Gate, policy_of

DRIVER = os.environ.get('CORDON_ACTION_DRIVER') or str(ROOT / 'build/debug/tests/emulator/action_driver')
KILLED = (-9, 137)

pytestmark = pytest.mark.skipif(not pathlib.Path(DRIVER).exists(), reason=f'{DRIVER} is not built')


class Doors:
    """Proxies before the emulators that let through only what an action's own policy allows: resources and conditions too."""

    def __init__(self):
        self.faults, self.proxies = Faults(), {}

    def before(self, upstream: str) -> str:
        if upstream not in self.proxies:
            self.proxies[upstream] = Proxy(upstream, self.faults)
        return self.proxies[upstream].url

    def shut(self, policy: dict, ec2) -> None:
        self.faults.refused.clear()
        self.faults.gate = Gate(policy, ec2)


DOORS = Doors()


@functools.cache
def policy_for(action: str, kind: str, folder: pathlib.Path) -> dict:
    """Of a playbook with nothing but this action."""
    books = folder / f'book-{action}'
    books.mkdir()
    given = ', with: {about: root}' if action == 'hand-over' else ''
    (books / 'one.yaml').write_text(f'name: one\ntitle: One\nanswers: {{types: ["A:*"]}}\nsteps:\n'
                                    f'  - {{id: one, action: {action}, on: {kind}, mode: auto{given}}}\n')
    cordon = Cordon(folder, None)
    cordon.env['CORDON_PLAYBOOKS'] = str(books)
    return policy_of(cordon, 'one')


class Step:
    """One step of a case: an action on a resource, with what the journal would keep of it. Each phase runs under the least
    policy that cordon prints for the action."""

    def __init__(self, name: str, resource: str, moto: str, folder: pathlib.Path, env: dict | None = None, **given):
        self.name, self.moto = name, moto
        self.folder = folder
        self.notes_file = folder / f'{name}-{len(list(folder.iterdir()))}.notes'
        self.input = {'id': resource, 'case': '2026-0042', 'token': 'f00dfeed12345678', 'notes_file': str(self.notes_file), **given}
        self.env = env or {}
        self.before = self.after = None

    def partial(self) -> dict:
        merged: dict = {}
        if self.notes_file.exists():
            for line in self.notes_file.read_text().splitlines():
                merged.update(json.loads(line))
        return merged

    def run(self, phase: str, **more):
        document = {**self.input, 'before': self.before, 'after': self.after, 'partial': self.partial(), **more}
        env = {'PATH': '/usr/bin:/bin', 'AWS_ENDPOINT_URL': self.moto, 'AWS_REGION': REGION, 'AWS_EC2_METADATA_DISABLED': 'true',
               'HOME': '/nonexistent', **KEYS, **self.env}
        env.update({k: DOORS.before(v) for k, v in env.items() if k.startswith('AWS_ENDPOINT_URL')})
        DOORS.shut(policy_for(self.name, self.input.get('kind', 'Instance'), self.folder),
                   boto3.client('ec2', region_name=REGION, endpoint_url=self.moto, aws_access_key_id='x', aws_secret_access_key='x'))
        done = subprocess.run([DRIVER, self.name, phase], input=json.dumps(document), capture_output=True, text=True, env=env,
                              timeout=120)
        assert 'Sanitizer' not in done.stderr, done.stderr
        assert not DOORS.faults.refused, f"{self.name} does what its policy does not allow: {DOORS.faults.refused}"
        if done.returncode in KILLED:
            return None
        answer = json.loads(done.stdout)
        assert not answer.get('undeclared'), f"{self.name} calls what it does not declare: {answer['undeclared']}"
        return answer

    def observe(self) -> dict:
        answer = self.run('observe')
        assert answer['status'] == 'ok', answer
        self.before = answer['before']
        return answer

    def apply(self, **more) -> dict | None:
        answer = self.run('apply', **more)
        if answer and answer['status'] == 'ok':
            self.after = answer['after']
        return answer

    def contain(self) -> dict:
        """Observe, apply, verify; the proof's answer."""
        assert self.observe()['needed']
        applied = self.apply()
        assert applied['status'] == 'ok', applied
        proof = self.run('verify')
        assert proof['status'] == 'ok' and proof['ok'], proof
        assert proof['proof']['text']
        return proof

    def undo(self, **more) -> dict:
        return self.run('undo', **more)


@pytest.fixture
def step(moto, tmp_path):
    return lambda name, resource, **given: Step(name, resource, moto, tmp_path, **given)


class Host:
    """An instance with two interfaces, three groups, IPv6, an elastic address, two target groups, a classic
    balancer and an Auto Scaling group around it."""

    def __init__(self, aws):
        ec2 = self.ec2 = aws('ec2')
        self.aws = aws
        self.vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16', AmazonProvidedIpv6CidrBlock=True)['Vpc']['VpcId']
        v6 = ec2.describe_vpcs(VpcIds=[self.vpc])['Vpcs'][0]['Ipv6CidrBlockAssociationSet'][0]['Ipv6CidrBlock']
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f'10.0.{n}.0/24', AvailabilityZone=zone,
                              Ipv6CidrBlock=v6.replace('00::/56', f'0{n}::/64'))['Subnet']['SubnetId']
            for n, zone in ((1, 'eu-west-1a'), (2, 'eu-west-1b'))]
        self.groups = [ec2.create_security_group(GroupName=f'web-{n}', Description='d', VpcId=self.vpc)['GroupId'] for n in range(3)]
        image = ec2.register_image(Name='web', RootDeviceName='/dev/sda1', Architecture='x86_64')['ImageId']
        self.image = image
        self.instance = ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.micro',
            NetworkInterfaces=[{'DeviceIndex': 0, 'SubnetId': self.subnets[0], 'Groups': [self.groups[1], self.groups[0]]}],
            BlockDeviceMappings=[{'DeviceName': '/dev/sda1', 'Ebs': {'VolumeSize': 8, 'DeleteOnTermination': True}},
                                 {'DeviceName': '/dev/sdf', 'Ebs': {'VolumeSize': 4, 'DeleteOnTermination': True}}],
            MetadataOptions={'HttpTokens': 'required', 'HttpPutResponseHopLimit': 3, 'HttpEndpoint': 'enabled'},
        )['Instances'][0]['InstanceId']
        self.second = ec2.create_network_interface(SubnetId=self.subnets[1], Groups=[self.groups[2]])['NetworkInterface']['NetworkInterfaceId']
        ec2.attach_network_interface(NetworkInterfaceId=self.second, InstanceId=self.instance, DeviceIndex=1)
        self.first = next(i for i in self.interfaces() if i != self.second)

    def interfaces(self) -> dict[str, list[str]]:
        got = self.ec2.describe_network_interfaces(Filters=[{'Name': 'attachment.instance-id', 'Values': [self.instance]}])
        return {i['NetworkInterfaceId']: [g['GroupId'] for g in i['Groups']] for i in got['NetworkInterfaces']}

    def rules(self, group: str) -> list[dict]:
        return self.ec2.describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': [group]}])['SecurityGroupRules']

    def elastic(self, interface: str) -> dict:
        address = self.ec2.allocate_address(Domain='vpc')
        self.ec2.associate_address(AllocationId=address['AllocationId'], NetworkInterfaceId=interface)
        return address

    def serve(self) -> list[str]:
        """Registers the host with load balancers and puts it into an Auto Scaling group."""
        elb, classic, scaling = self.aws('elbv2'), self.aws('elb'), self.aws('autoscaling')
        self.target_groups = [
            elb.create_target_group(Name=f'tg-{n}', Protocol='HTTP', Port=80, VpcId=self.vpc, TargetType='instance')
            ['TargetGroups'][0]['TargetGroupArn'] for n in range(3)]
        elb.register_targets(TargetGroupArn=self.target_groups[0], Targets=[{'Id': self.instance, 'Port': 8080}])
        elb.register_targets(TargetGroupArn=self.target_groups[1], Targets=[{'Id': self.instance, 'Port': 9090}])
        classic.create_load_balancer(LoadBalancerName='old', Subnets=[self.subnets[0]], Listeners=[
            {'Protocol': 'http', 'LoadBalancerPort': 80, 'InstancePort': 80}])
        classic.register_instances_with_load_balancer(LoadBalancerName='old', Instances=[{'InstanceId': self.instance}])
        scaling.create_launch_configuration(LaunchConfigurationName='lc', ImageId=self.image, InstanceType='t3.micro')
        scaling.create_auto_scaling_group(AutoScalingGroupName='web', LaunchConfigurationName='lc', MinSize=0, MaxSize=4,
                                          DesiredCapacity=0, VPCZoneIdentifier=self.subnets[0])
        scaling.attach_instances(AutoScalingGroupName='web', InstanceIds=[self.instance])
        return self.target_groups

    def member(self) -> dict | None:
        got = self.aws('autoscaling').describe_auto_scaling_instances(InstanceIds=[self.instance])['AutoScalingInstances']
        return got[0] if got else None

    def describe(self) -> str:
        """Everything the measures touch, as one text: equal texts mean that nothing differs."""
        ec2, elb = self.ec2, self.aws('elbv2')
        instance = ec2.describe_instances(InstanceIds=[self.instance])['Reservations'][0]['Instances'][0]
        seen = {
            'instance': {k: v for k, v in instance.items() if k not in ('StateTransitionReason', 'StateReason')},
            'interfaces': sorted(ec2.describe_network_interfaces()['NetworkInterfaces'], key=lambda i: i['NetworkInterfaceId']),
            'groups': sorted(ec2.describe_security_groups()['SecurityGroups'], key=lambda g: g['GroupId']),
            'acls': sorted(ec2.describe_network_acls()['NetworkAcls'], key=lambda a: a['NetworkAclId']),
            'addresses': [{k: v for k, v in a.items() if k != 'AssociationId'} for a in ec2.describe_addresses()['Addresses']],
            'attributes': [ec2.describe_instance_attribute(InstanceId=self.instance, Attribute=a)
                           for a in ('disableApiTermination', 'instanceInitiatedShutdownBehavior')],
            'scaling': self.aws('autoscaling').describe_auto_scaling_groups()['AutoScalingGroups'],
            'targets': {g['TargetGroupArn']: elb.describe_target_health(TargetGroupArn=g['TargetGroupArn'])['TargetHealthDescriptions']
                        for g in elb.describe_target_groups()['TargetGroups']},
            'classic': self.aws('elb').describe_load_balancers()['LoadBalancerDescriptions'],
        }
        for attribute in seen['attributes']:
            attribute.pop('ResponseMetadata')
        for interface in seen['interfaces'] + instance.get('NetworkInterfaces', []):
            interface.get('Association', {}).pop('AssociationId', None)
        return json.dumps(seen, default=str, indent=1, sort_keys=True)


@pytest.fixture
def host(aws) -> Host:
    return Host(aws)


def reversible(host: Host, step: Step) -> tuple[dict, dict]:
    """Contains, undoes twice, and holds the account against what it was."""
    before = host.describe()
    proof = step.contain()
    assert host.describe() != before
    undone = step.undo()
    assert undone['status'] == 'ok', undone
    assert host.describe() == before
    again = step.undo()
    assert again['status'] == 'ok' and host.describe() == before
    return proof, undone


# isolate-network

def test_isolation_puts_every_interface_into_an_empty_group_and_back(host, step):
    isolation = step('isolate-network', host.instance)
    before = host.describe()
    isolation.contain()
    closed = isolation.after['groups'][0]['closed']
    assert host.interfaces() == {host.first: [closed], host.second: [closed]}
    assert host.rules(closed) == []
    assert host.rules(isolation.after['groups'][0]['open']) == [], 'the open group is emptied again'
    tags = host.ec2.describe_security_groups(GroupIds=[closed])['SecurityGroups'][0]['Tags']
    assert {'Key': 'cordon:case', 'Value': '2026-0042'} in tags
    assert isolation.undo()['status'] == 'ok'
    assert host.interfaces()[host.first] == [host.groups[1], host.groups[0]], 'the order of the groups is kept'
    assert host.describe() == before
    assert isolation.undo()['status'] == 'ok' and host.describe() == before


def test_isolation_takes_five_round_trips(host, step):
    isolation = step('isolate-network', host.instance)
    seen, applied = isolation.observe()['rounds'], isolation.apply()
    closed = [n.get('note') for n in applied['notes']].index('closed')
    assert seen + applied['note_rounds'][closed] <= 5, 'from looking to closed'
    assert seen + applied['rounds'] <= 6, 'and one more to see that the group which cut the connections is empty'


def test_isolation_passes_through_the_open_group(host, step):
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    applied = isolation.apply()
    assert applied['after']['cut'] == 'done'
    assert [n.get('half_open') for n in applied['notes']] == [None, True, False]
    swaps = [i for i, c in enumerate(applied['calls']) if c == 'ec2:ModifyNetworkInterfaceAttribute']
    assert len(swaps) == 4


def test_isolation_keeps_the_endpoints_it_is_told_to_keep(host, step):
    isolation = step('isolate-network', host.instance, isolation_endpoints=['10.0.9.0/24', '2001:db8:9::/64'],
                     **{'with': {'endpoints': True}})
    proof = isolation.contain()
    closed = isolation.after['groups'][0]['closed']
    rules = host.rules(closed)
    assert {r.get('CidrIpv4') or r['CidrIpv6'] for r in rules} == {'10.0.9.0/24', '2001:db8:9::/64'}
    assert all(r['IsEgress'] and (r['IpProtocol'], r['FromPort'], r['ToPort']) == ('tcp', 443, 443) for r in rules)
    assert 'TCP 443' in proof['proof']['text']
    # Closing for good needs no cut: nothing but the endpoints could be connected.
    final = step('isolate-network', host.instance, isolation_endpoints=['10.0.9.0/24', '2001:db8:9::/64'], token='beef00000000')
    assert final.observe()['needed'] and final.before['cut'] is False
    assert final.apply()['after']['cut'] == 'not asked for'
    assert final.run('verify')['ok']


def test_an_endpoint_aws_refuses_does_not_keep_the_host_open(host, step):
    isolation = step('isolate-network', host.instance, isolation_endpoints=['10.0.9.0/99'], **{'with': {'endpoints': True}})
    proof = isolation.contain()
    assert proof['proof']['unreachable_endpoints'] == ['10.0.9.0/99']
    assert host.rules(isolation.after['groups'][0]['closed']) == []


def test_an_isolated_host_is_not_opened_again(host, step):
    step('isolate-network', host.instance).contain()
    second = step('isolate-network', host.instance, case='2026-0043', token='abad1dea')
    answer = second.observe()
    assert not answer['needed'] and 'already' in answer['before']['reason']


def test_a_tag_alone_does_not_pass_for_isolation(host, step):
    """An intruder who tags his own group must not be believed."""
    for group in host.groups:
        host.ec2.create_tags(Resources=[group], Tags=[{'Key': 'cordon:case', 'Value': '2026-0042'}])
    assert step('isolate-network', host.instance).observe()['needed']


def test_a_foreign_group_of_the_same_name_is_not_used(host, step):
    trap = host.ec2.create_security_group(GroupName='cordon-2026-0042-f00dfeed-closed', Description='trap', VpcId=host.vpc)['GroupId']
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    assert isolation.after['groups'][0]['closed'] != trap
    isolation.undo()
    assert host.ec2.describe_security_groups(GroupIds=[trap])['SecurityGroups']


def test_verify_sees_a_rule_that_somebody_adds(host, step):
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    closed = isolation.after['groups'][0]['closed']
    host.ec2.authorize_security_group_ingress(GroupId=closed, IpPermissions=[
        {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'Ipv6Ranges': [{'CidrIpv6': '::/0'}]}])
    proof = isolation.run('verify')
    assert not proof['ok'] and len(proof['proof']['strays']) == 1
    # Applied once more, the rule goes.
    isolation.apply()
    assert isolation.run('verify')['ok']


def test_verify_sees_an_interface_that_is_outside(host, step):
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    late = host.ec2.create_network_interface(SubnetId=host.subnets[0], Groups=[host.groups[0]])['NetworkInterface']['NetworkInterfaceId']
    host.ec2.attach_network_interface(NetworkInterfaceId=late, InstanceId=host.instance, DeviceIndex=2)
    proof = isolation.run('verify')
    assert not proof['ok'] and late in proof['proof']['text']


@pytest.mark.parametrize('when', ('die_at', 'die_after'))
@pytest.mark.parametrize('n', range(1, 17))
def test_a_killed_isolation_is_finished_closed_and_undone(host, step, when, n):
    """2 creations, 2 + 4 rule changes, 2 + 2 swaps and 4 rule changes: killed before or after each of them."""
    before = host.describe()
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    assert isolation.apply(**{when: n}) is None
    half_open = isolation.partial().get('half_open')
    resumed = isolation.apply()
    assert resumed['status'] == 'ok', resumed
    if half_open:
        first = next(c for c in resumed['calls'] if not c.startswith('ec2:Describe'))
        assert first == 'ec2:ModifyNetworkInterfaceAttribute', 'a half-open host is closed before anything else'
    assert isolation.run('verify')['ok']
    assert isolation.undo()['status'] == 'ok'
    assert host.describe() == before


@pytest.mark.parametrize('n', (1, 2, 3, 6, 9, 10, 11, 12, 13))
def test_a_killed_isolation_is_undone_without_its_result(host, step, n):
    before = host.describe()
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    assert isolation.apply(die_after=n) is None
    assert isolation.undo()['status'] == 'ok'
    assert host.describe() == before


def test_undo_leaves_a_group_list_that_somebody_changed(host, step):
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    host.ec2.modify_network_interface_attribute(NetworkInterfaceId=host.first, Groups=[host.groups[2]])
    undone = isolation.undo()
    assert undone['status'] == 'conflict'
    assert [d['resource'] for d in undone['differences'] if d['blocking']] == [host.first]
    assert host.interfaces()[host.first] == [host.groups[2]]
    assert host.interfaces()[host.second] == [host.groups[2]], 'the other interface is restored'
    forced = isolation.undo(**{'with': {'force': True}})
    assert forced['status'] == 'ok'
    assert host.interfaces()[host.first] == [host.groups[1], host.groups[0]]


def test_undo_names_a_group_that_was_deleted(host, step):
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    host.ec2.delete_security_group(GroupId=host.groups[2])
    undone = isolation.undo()
    assert undone['status'] == 'conflict'
    assert any('deleted' in d['text'] for d in undone['differences'])
    closed = isolation.after['groups'][0]['closed']
    assert host.interfaces()[host.second] == [closed], 'it stays closed rather than open'
    assert host.ec2.describe_security_groups(GroupIds=[closed])['SecurityGroups'], 'a group in use is not deleted'


def test_a_dry_run_changes_nothing(host, step):
    before = host.describe()
    isolation = step('isolate-network', host.instance, dry_run=True)
    isolation.observe()
    assert isolation.apply()['status'] == 'refused'
    assert host.describe() == before


def test_an_instance_that_is_gone_is_not_found(host, step):
    host.ec2.terminate_instances(InstanceIds=[host.instance])
    for name in ('isolate-network', 'protect-instance', 'snapshot-volumes', 'disable-imds', 'stop-instance', 'drop-public-address',
                 'block-address', 'detach-from-service', 'collect-console'):
        answer = step(name, host.instance, actors=['198.51.100.7']).run('observe')
        assert answer['status'] == 'not_found', (name, answer)
        assert host.instance in answer['error']['message']


# protect-instance

def test_protection_holds_and_goes_back(host, step):
    protection = step('protect-instance', host.instance)
    before = host.describe()
    protection.contain()
    instance = host.ec2.describe_instances(InstanceIds=[host.instance])['Reservations'][0]['Instances'][0]
    assert [m['Ebs']['DeleteOnTermination'] for m in instance['BlockDeviceMappings']] == [False, False]
    assert {'Key': 'cordon:case', 'Value': '2026-0042'} in instance['Tags']
    for attribute, name, value in (('disableApiTermination', 'DisableApiTermination', True),
                                   ('instanceInitiatedShutdownBehavior', 'InstanceInitiatedShutdownBehavior', 'stop')):
        assert host.ec2.describe_instance_attribute(InstanceId=host.instance, Attribute=attribute)[name]['Value'] == value
    assert protection.undo()['status'] == 'ok' and host.describe() == before
    assert protection.undo()['status'] == 'ok' and host.describe() == before


@pytest.mark.parametrize('die_at', (1, 2, 3))
def test_a_killed_protection_is_finished_and_undone(host, step, die_at):
    protection = step('protect-instance', host.instance)
    before = host.describe()
    protection.observe()
    assert protection.apply(die_after=die_at) is None
    assert protection.apply()['status'] == 'ok' and protection.run('verify')['ok']
    protection.after = None
    assert protection.undo()['status'] == 'ok' and host.describe() == before


def test_protection_keeps_what_another_changed(host, step):
    protection = step('protect-instance', host.instance)
    protection.contain()
    host.ec2.create_tags(Resources=[host.instance], Tags=[{'Key': 'cordon:case', 'Value': '2026-0099'}])
    undone = protection.undo()
    assert undone['status'] == 'conflict'
    instance = host.ec2.describe_instances(InstanceIds=[host.instance])['Reservations'][0]['Instances'][0]
    assert {'Key': 'cordon:case', 'Value': '2026-0099'} in instance['Tags']
    assert not host.ec2.describe_instance_attribute(InstanceId=host.instance, Attribute='disableApiTermination')['DisableApiTermination']['Value']


# snapshot-volumes

def test_all_volumes_are_snapshotted_once(host, step):
    snapshots = step('snapshot-volumes', host.instance)
    snapshots.contain()
    assert len(snapshots.after['snapshots']) == 2
    # Killed after the call, before the result: the repeated step finds what was made.
    again = snapshots.apply()
    assert 'ec2:CreateSnapshots' not in again['calls']
    mine = host.ec2.describe_snapshots(Filters=[{'Name': 'tag:cordon:case', 'Values': ['2026-0042']}])['Snapshots']
    assert len(mine) == 2


def test_a_failed_snapshot_is_not_proven(host, step):
    snapshots = step('snapshot-volumes', host.instance)
    snapshots.contain()
    host.ec2.delete_snapshot(SnapshotId=snapshots.after['snapshots'][1]['snapshot'])
    assert not snapshots.run('verify')['ok']


# disable-imds

def test_imds_goes_off_and_comes_back_with_every_option(host, step):
    proof, _ = reversible(host, step('disable-imds', host.instance))
    assert proof['proof']['options']['HttpEndpoint'] == 'disabled'


def test_imds_that_somebody_switched_on_is_left(host, step):
    imds = step('disable-imds', host.instance)
    imds.contain()
    host.ec2.modify_instance_metadata_options(InstanceId=host.instance, HttpEndpoint='enabled', HttpTokens='optional')
    assert imds.undo()['status'] == 'conflict'
    assert not step('disable-imds', host.instance).run('verify')['ok']


# drop-public-address

def test_elastic_addresses_go_and_come_back(host, step):
    host.elastic(host.first)
    host.elastic(host.second)
    proof, undone = reversible(host, step('drop-public-address', host.instance))
    assert undone['differences'] == []
    assert proof['proof']['elastic'] == []


def test_an_elastic_address_used_elsewhere_is_left_there(host, step):
    address = host.elastic(host.second)
    drop = step('drop-public-address', host.instance)
    drop.contain()
    other = host.ec2.create_network_interface(SubnetId=host.subnets[0])['NetworkInterface']['NetworkInterfaceId']
    host.ec2.associate_address(AllocationId=address['AllocationId'], NetworkInterfaceId=other)
    undone = drop.undo()
    assert undone['status'] == 'conflict'
    assert host.ec2.describe_addresses()['Addresses'][0]['NetworkInterfaceId'] == other


def test_a_released_address_is_named(host, step):
    address = host.elastic(host.second)
    drop = step('drop-public-address', host.instance)
    drop.contain()
    host.ec2.release_address(AllocationId=address['AllocationId'])
    undone = drop.undo()
    assert undone['status'] == 'ok' and 'released' in undone['differences'][0]['text']


def test_an_automatic_address_that_stays_is_not_called_dropped(aws, host, step):
    """moto accepts AssociatePublicIpAddress=false and does nothing: the measure must see that."""
    instance = host.ec2.run_instances(ImageId=host.image, MinCount=1, MaxCount=1, NetworkInterfaces=[
        {'DeviceIndex': 0, 'SubnetId': host.subnets[0], 'Groups': host.groups[:1], 'AssociatePublicIpAddress': True}])['Instances'][0]['InstanceId']
    drop = step('drop-public-address', instance)
    assert drop.observe()['needed'] and drop.before['automatic']
    applied = drop.apply()
    assert 'ec2:ModifyNetworkInterfaceAttribute' in applied['calls']
    proof = drop.run('verify')
    assert not proof['ok'] and drop.before['automatic']['address'] in proof['proof']['text']


def test_a_host_without_public_address_needs_nothing(host, step):
    assert not step('drop-public-address', host.instance).observe()['needed']


# block-address

def entries(host: Host) -> dict:
    acl = host.ec2.describe_network_acls(Filters=[{'Name': 'association.subnet-id', 'Values': [host.subnets[0]]}])['NetworkAcls'][0]
    return {(e['Egress'], e['RuleNumber']): (e['RuleAction'], e.get('CidrBlock') or e.get('Ipv6CidrBlock')) for e in acl['Entries']}


def acl_id(host: Host) -> str:
    return host.ec2.describe_network_acls(Filters=[{'Name': 'association.subnet-id', 'Values': [host.subnets[0]]}])['NetworkAcls'][0]['NetworkAclId']


def test_attackers_are_denied_both_ways(host, step):
    block = step('block-address', host.instance, actors=['198.51.100.7', '2001:db8::bad', '198.51.100.7'])
    before = host.describe()
    block.contain()
    found = entries(host)
    for egress in (False, True):
        assert found[egress, 1] == ('deny', '198.51.100.7/32')
        assert found[egress, 2] == ('deny', '2001:db8::bad/128')
    assert block.undo()['status'] == 'ok' and host.describe() == before
    assert block.undo()['status'] == 'ok' and host.describe() == before


def test_own_and_private_addresses_are_never_denied(host, step):
    elastic = host.elastic(host.second)['PublicIp']
    block = step('block-address', host.instance, never_block=['203.0.113.0/24'],
                 actors=['10.0.1.9', '192.168.0.1', '127.0.0.1', elastic, '203.0.113.5', 'fd00::1', 'attacker.example', '0.0.0.0/0'])
    answer = block.observe()
    assert not answer['needed']
    assert len(block.before['left_out']) == 8 and not block.before['addresses']


def test_numbers_in_use_are_stepped_over(host, step):
    acl = acl_id(host)
    host.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Protocol='-1', RuleAction='deny', Egress=False, CidrBlock='192.0.2.1/32')
    block = step('block-address', host.instance, actors=['198.51.100.7'])
    block.contain()
    found = entries(host)
    assert found[False, 1] == ('deny', '192.0.2.1/32') and found[False, 2] == ('deny', '198.51.100.7/32')
    assert found[True, 1] == ('deny', '198.51.100.7/32')
    block.undo()
    assert entries(host)[False, 1] == ('deny', '192.0.2.1/32'), 'only own rules are removed'


def test_a_number_taken_between_look_and_act_is_replaced(host, step):
    block = step('block-address', host.instance, actors=['198.51.100.7'])
    block.observe()
    host.ec2.create_network_acl_entry(NetworkAclId=acl_id(host), RuleNumber=1, Protocol='-1', RuleAction='allow', Egress=True,
                                      CidrBlock='192.0.2.0/24')
    answer = block.apply()
    # Rule 1 allows now: no number before it is free, and a deny behind it might not work.
    assert answer['status'] == 'limit', answer
    before = entries(host)
    block.after = None
    assert block.undo()['status'] == 'ok'
    assert (True, 1) in entries(host) and (False, 1) not in entries(host) and (False, 1) in before


def test_strangers_that_come_between_keep_their_numbers(host, step):
    """Both numbers that were chosen are taken by somebody else's rules before they are used."""
    block = step('block-address', host.instance, actors=['198.51.100.7', '198.51.100.8'])
    block.observe()
    acl, strange = acl_id(host), {}
    for number, egress in ((1, False), (2, True)):
        host.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Protocol='-1', RuleAction='deny', Egress=egress,
                                          CidrBlock=f'192.0.2.{number}/32')
        strange[egress, number] = ('deny', f'192.0.2.{number}/32')
    was = entries(host)
    assert block.apply()['status'] == 'ok' and block.run('verify')['ok']
    found = entries(host)
    assert {k: found[k] for k in was} == was and len(found) == len(was) + 4, 'nothing of theirs was overwritten'
    assert block.undo()['differences'] == [] and entries(host) == was


def test_an_acl_without_room_is_left_as_it_is(host, step):
    acl = acl_id(host)
    for egress in (False, True):
        host.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Protocol='-1', RuleAction='allow', Egress=egress, CidrBlock='192.0.2.0/24')
    was = entries(host)
    answer = step('block-address', host.instance, actors=['198.51.100.7']).observe()
    assert not answer['needed'] and 'no room' in answer['before']['reason']
    assert entries(host) == was


def test_undo_keeps_a_rule_that_became_another(host, step):
    block = step('block-address', host.instance, actors=['198.51.100.7'])
    block.contain()
    acl = acl_id(host)
    host.ec2.replace_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Protocol='-1', RuleAction='deny', Egress=False, CidrBlock='192.0.2.9/32')
    undone = block.undo()
    assert undone['status'] == 'ok' and len(undone['differences']) == 1
    assert entries(host)[False, 1] == ('deny', '192.0.2.9/32') and (True, 1) not in entries(host)


@pytest.mark.parametrize('die_at', (1, 2))
def test_a_killed_block_is_finished(host, step, die_at):
    before = host.describe()
    block = step('block-address', host.instance, actors=['198.51.100.7'])
    block.observe()
    assert block.apply(die_after=die_at) is None
    assert block.apply()['status'] == 'ok' and block.run('verify')['ok']
    assert block.undo()['status'] == 'ok' and host.describe() == before


# detach-from-service

def test_the_host_leaves_the_service_and_returns_with_its_ports(host, step):
    groups = host.serve()
    detach = step('detach-from-service', host.instance)
    before = host.describe()
    detach.contain()
    assert host.member()['LifecycleState'] == 'Standby' and host.member()['ProtectedFromScaleIn']
    elb = host.aws('elbv2')
    assert all(not elb.describe_target_health(TargetGroupArn=g)['TargetHealthDescriptions'] for g in groups)
    assert detach.undo()['status'] == 'ok'
    assert host.describe() == before
    assert [t['Target'] for t in elb.describe_target_health(TargetGroupArn=groups[1])['TargetHealthDescriptions']] == [
        {'Id': host.instance, 'Port': 9090}]
    assert detach.undo()['status'] == 'ok' and host.describe() == before


def test_the_group_may_be_left_altogether(host, step):
    host.serve()
    detach = step('detach-from-service', host.instance, **{'with': {'autoscaling': 'detach'}})
    detach.contain()
    assert host.member() is None
    assert detach.undo()['status'] == 'ok'
    assert host.member()['LifecycleState'] == 'InService'


def test_a_group_at_its_minimum_gets_a_replacement_and_undo_says_so(host, step):
    host.serve()
    host.aws('autoscaling').update_auto_scaling_group(AutoScalingGroupName='web', MinSize=1)
    detach = step('detach-from-service', host.instance)
    detach.contain()
    assert detach.before['member']['decrement'] is False
    undone = detach.undo()
    assert undone['status'] == 'ok' and 'one instance more' in undone['differences'][0]['text']


@pytest.mark.parametrize('die_at', range(1, 6))
def test_a_killed_detachment_is_finished(host, step, die_at):
    host.serve()
    before = host.describe()
    detach = step('detach-from-service', host.instance)
    detach.observe()
    assert detach.apply(die_after=die_at) is None
    assert detach.apply()['status'] == 'ok' and detach.run('verify')['ok']
    assert detach.undo()['status'] == 'ok' and host.describe() == before


def test_a_deleted_target_group_is_named(host, step):
    groups = host.serve()
    detach = step('detach-from-service', host.instance)
    detach.contain()
    host.aws('elbv2').delete_target_group(TargetGroupArn=groups[0])
    undone = detach.undo()
    assert undone['status'] == 'ok', undone
    assert [d['resource'] for d in undone['differences']] == [groups[0]]
    assert host.member()['LifecycleState'] == 'InService'


def test_a_host_that_serves_nobody_needs_nothing(host, step):
    assert not step('detach-from-service', host.instance).observe()['needed']


# stop-instance, collect-console

def test_the_host_is_stopped_and_started(host, step):
    stop = step('stop-instance', host.instance)
    stop.contain()
    state = lambda: host.ec2.describe_instances(InstanceIds=[host.instance])['Reservations'][0]['Instances'][0]['State']['Name']
    assert state() == 'stopped'
    assert not stop.observe()['needed']
    stop.before['state'] = 'running'
    assert stop.undo()['status'] == 'ok' and state() == 'running'
    assert stop.undo()['status'] == 'ok' and state() == 'running'


def test_a_host_its_group_watches_is_not_stopped(host, step):
    host.serve()
    stop = step('stop-instance', host.instance)
    stop.observe()
    answer = stop.apply()
    assert answer['status'] == 'refused' and 'detach-from-service' in answer['error']['message']
    assert host.ec2.describe_instances(InstanceIds=[host.instance])['Reservations'][0]['Instances'][0]['State']['Name'] == 'running'
    step('detach-from-service', host.instance).contain()
    assert stop.apply()['status'] == 'ok' and stop.run('verify')['ok']


def test_the_console_is_kept_and_the_missing_picture_named(host, step):
    console = step('collect-console', host.instance)
    before = host.describe()
    console.observe()
    applied = console.apply()
    assert applied['status'] == 'ok', applied
    output, picture = applied['after']['artifacts']
    assert output['bytes'] == applied['artifacts'][0]['bytes'] > 0 and len(output['sha256']) == 64
    assert picture['missing']
    assert console.run('verify')['ok']
    assert host.describe() == before


# --- a group provisioned beforehand

def provisioned(host, name='quarantine', empty=True):
    group = host.ec2.create_security_group(GroupName=name, Description='d', VpcId=host.vpc)['GroupId']
    if empty:
        for rule in host.rules(group):
            host.ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=[rule['SecurityGroupRuleId']])
    return group


@pytest.mark.parametrize('cut', [False, True])
def test_a_provisioned_group_is_used_when_its_rules_are_none(host, step, cut):
    group, before = provisioned(host), host.describe()
    isolation = step('isolate-network', host.instance, isolation_groups=[group], **{'with': {'cut': cut}})
    isolation.contain()
    assert set(map(tuple, host.interfaces().values())) == {(group,)}
    assert isolation.undo()['differences'] == []
    assert host.describe() == before and host.rules(group) == [], 'neither changed nor deleted'


def test_a_provisioned_group_needs_one_round_of_changes(host, step):
    isolation = step('isolate-network', host.instance, isolation_groups=[provisioned(host)], **{'with': {'cut': False}})
    isolation.observe()
    changes = [c for c in isolation.apply()['calls'] if not c.startswith('ec2:Describe')]
    assert set(changes) == {'ec2:ModifyNetworkInterfaceAttribute'}


def test_a_name_proves_nothing(host, step):
    """A group of the configured id whose rules let something through is not trusted."""
    group = provisioned(host, empty=False)
    was = host.rules(group)
    isolation = step('isolate-network', host.instance, isolation_groups=[group])
    isolation.contain()
    assert (group,) not in set(map(tuple, host.interfaces().values()))
    assert host.rules(group) == was != [], 'and is left as it is'
    assert isolation.undo()['status'] == 'ok'


def test_rules_that_came_into_the_provisioned_group_meanwhile(host, step):
    group = provisioned(host)
    isolation = step('isolate-network', host.instance, isolation_groups=[group], **{'with': {'cut': False}})
    isolation.observe()
    host.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {'IpProtocol': 'tcp', 'FromPort': 4444, 'ToPort': 4444, 'Ipv6Ranges': [{'CidrIpv6': '::/0'}]}])
    assert isolation.apply()['status'] == 'ok'
    assert isolation.run('verify')['ok']
    assert (group,) not in set(map(tuple, host.interfaces().values())) and len(host.rules(group)) == 1
    assert isolation.undo()['differences'] == []


# --- connections that survive

def test_survivors_are_found_in_flow_logs_and_cut(aws, host, step):
    import time
    logs, now = aws('logs'), int(time.time())
    nothing = step('block-address', host.instance, **{'with': {'survivors': True}}).observe()
    assert not nothing['needed'] and "can't be seen" in nothing['before']['reason']
    logs.create_log_group(logGroupName='flows')
    logs.create_log_stream(logGroupName='flows', logStreamName=f'{host.first}-all')
    host.ec2.create_flow_logs(ResourceIds=[host.vpc], ResourceType='VPC', TrafficType='ALL', LogGroupName='flows',
                              DeliverLogsPermissionArn=f'arn:aws:iam::123456789012:role/{flow_role(aws)}')
    none = step('block-address', host.instance, **{'with': {'survivors': True}}).observe()
    assert not none['needed'] and 'no connection' in none['before']['reason'] and 'not_before' not in none['before']

    def isolated(seconds_ago):
        return {'isolate-network': {'action': 'isolate-network', 'resource': {'kind': 'Instance', 'id': host.instance}, 'after': {
            'at': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now - seconds_ago))}}}
    early = step('block-address', host.instance, **{'with': {'survivors': True}, 'facts': isolated(60)}).observe()
    assert not early['needed'] and 'asked again' in early['before']['reason'], 'ten minutes of aggregation, five of delivery'
    assert early['before']['not_before'] == time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now - 60 + 900))
    late = step('block-address', host.instance, **{'with': {'survivors': True}, 'facts': isolated(1000)}).observe()
    assert not late['needed'] and 'not_before' not in late['before']
    own = host.ec2.describe_network_interfaces(NetworkInterfaceIds=[host.first])['NetworkInterfaces'][0]['PrivateIpAddress']

    def record(src, dst, start, action='ACCEPT', eni=host.first):
        return {'timestamp': start * 1000, 'message': f'2 123456789012 {eni} {src} {dst} 443 51000 6 9 900 {start} {start + 60} {action} OK'}
    logs.put_log_events(logGroupName='flows', logStreamName=f'{host.first}-all', logEvents=sorted([
        record('198.51.100.66', own, now - 500), record(own, '198.51.100.66', now - 20), record('198.51.100.67', own, now - 20, 'REJECT'),
        record(own, '198.51.100.68', now - 20, eni='eni-other'), record(own, '203.0.113.80', now - 400), record(own, '10.0.9.9', now - 20)], key=lambda e: e['timestamp']))
    at = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now - 60))
    s = step('block-address', host.instance, **{'with': {'survivors': True}, 'facts': {
        'isolate-network': {'action': 'isolate-network', 'after': {'at': at}}}})
    s.contain()
    assert {e['cidr'] for e in s.before['entries']} == {'198.51.100.66/32'}, 'of this host, accepted, since the isolation'
    assert any(x['address'] == '10.0.9.9' for x in s.before['left_out']), 'a private peer is named, not blocked'
    assert s.undo()['differences'] == []


def test_whom_the_host_names_is_cut(host, step):
    facts = {'ask': {'action': 'find-survivors', 'resource': {'kind': 'Instance', 'id': host.instance},
                     'after': {'survivors': ['198.51.100.70', '10.0.9.9']}}}
    s = step('block-address', host.instance, **{'with': {'survivors': True}, 'facts': facts})
    s.contain()
    assert {e['cidr'] for e in s.before['entries']} == {'198.51.100.70/32'}
    assert [x['address'] for x in s.before['left_out']] == ['10.0.9.9'], 'a private peer is named, not blocked'
    facts['ask']['after']['survivors'] = []
    nobody = step('block-address', host.instance, **{'with': {'survivors': True}, 'facts': facts}).observe()
    assert not nobody['needed'] and 'host itself' in nobody['before']['reason']
    facts['ask']['resource']['id'] = 'i-of-somebody-else'
    unasked = step('block-address', host.instance, **{'with': {'survivors': True}, 'facts': facts}).observe()
    assert "can't be seen" in unasked['before']['reason']
    assert s.undo()['differences'] == []


def flow_role(aws):
    trust = {'Version': '2012-10-17', 'Statement': [
        {'Effect': 'Allow', 'Principal': {'Service': 'vpc-flow-logs.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}
    aws('iam').create_role(RoleName='flows', AssumeRolePolicyDocument=json.dumps(trust))
    return 'flows'
