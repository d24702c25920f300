"""Hosts of every make, isolated and read back by somebody else: the emulator is asked, not the program.

Many interfaces in several subnets, secondary addresses, IPv6, delegated prefixes, an interface in another VPC; Auto Scaling, both
sorts of load balancer, a shared role, no agent, instance store, no hibernation. Undo is held against every describe call before.
"""
from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request

import pytest

from between import Between
from conftest import ACCOUNT, REGION
from test_actions_ec2 import Host, flow_role, pytestmark, step  # noqa: F401 (the mark skips without the driver; fixtures)


class Big(Host):
    """The host of the other tests with more interfaces, of every make that EC2 has."""

    def __init__(self, aws):
        super().__init__(aws)
        ec2 = self.ec2
        self.third = self.attach(2, self.subnets[0], self.groups[:1], SecondaryPrivateIpAddressCount=3)
        self.sixes = self.attach(3, self.subnets[1], self.groups[1:], Ipv6AddressCount=3)
        self.prefixed = self.attach(4, self.subnets[0], [self.groups[2], self.groups[0]])
        other = ec2.create_vpc(CidrBlock='10.99.0.0/16')['Vpc']['VpcId']
        subnet = ec2.create_subnet(VpcId=other, CidrBlock='10.99.1.0/24', AvailabilityZone='eu-west-1a')['Subnet']['SubnetId']
        self.elsewhere = other
        self.foreign = ec2.create_security_group(GroupName='elsewhere', Description='d', VpcId=other)['GroupId']
        self.abroad = self.attach(5, subnet, [self.foreign])
        # a neighbour in the same groups and subnets, which nothing may touch
        self.neighbour = ec2.run_instances(ImageId=self.image, MinCount=1, MaxCount=1, NetworkInterfaces=[
            {'DeviceIndex': 0, 'SubnetId': self.subnets[0], 'Groups': self.groups[:2]}])['Instances'][0]['InstanceId']

    def attach(self, index: int, subnet: str, groups: list[str], **more) -> str:
        eni = self.ec2.create_network_interface(SubnetId=subnet, Groups=groups, **more)['NetworkInterface']['NetworkInterfaceId']
        self.ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=self.instance, DeviceIndex=index)
        return eni


@pytest.fixture
def big(aws) -> Big:
    return Big(aws)


def inside(host: Host, *endpoints: str) -> None:
    """Asks the emulator: every interface in one group of its own VPC, and no group that the case made lets anything through but
    TCP 443 to the endpoints."""
    ec2 = host.ec2
    attached = ec2.describe_network_interfaces(Filters=[{'Name': 'attachment.instance-id', 'Values': [host.instance]}])['NetworkInterfaces']
    made = {g['GroupId']: g for g in ec2.describe_security_groups(Filters=[{'Name': 'tag-key', 'Values': ['cordon:case']}])['SecurityGroups']}
    assert len(attached) >= 2
    for eni in attached:
        groups = [g['GroupId'] for g in eni['Groups']]
        assert len(groups) == 1 and groups[0] in made, (eni['NetworkInterfaceId'], groups)
        assert made[groups[0]]['VpcId'] == eni['VpcId']
    for group in made.values():  # the closed ones and the ones that cut connections
        rules = ec2.describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': [group['GroupId']]}])['SecurityGroupRules']
        assert {(r['IsEgress'], r['IpProtocol'], r['FromPort'], r['ToPort'], r.get('CidrIpv4')) for r in rules} <= {
            (True, 'tcp', 443, 443, e) for e in endpoints}, rules
        assert group['IpPermissions'] == [] and (endpoints or group['IpPermissionsEgress'] == []), group


def addresses(host: Host) -> dict:
    return {i['NetworkInterfaceId']: (i['PrivateIpAddresses'], i.get('Ipv6Addresses'), i.get('Ipv4Prefixes'), i.get('Ipv6Prefixes'))
            for i in host.ec2.describe_network_interfaces()['NetworkInterfaces']}


def test_every_interface_of_a_big_host_is_read_back_isolated(big, step):  # noqa: F811
    before, owned, neighbour = big.describe(), addresses(big), big.ec2.describe_instances(InstanceIds=[big.neighbour])['Reservations']
    assert len(big.interfaces()) == 6
    isolation = step('isolate-network', big.instance)
    proof = isolation.contain()
    inside(big)
    assert addresses(big) == owned, 'addresses stay'
    assert big.ec2.describe_instances(InstanceIds=[big.neighbour])['Reservations'] == neighbour
    assert {i['id'] for i in proof['proof']['interfaces']} == set(big.interfaces())
    assert len({g['vpc'] for g in isolation.after['groups']}) == 2, 'a group in each VPC'
    assert isolation.undo()['differences'] == []
    assert big.describe() == before


@pytest.mark.parametrize('which', ['third', 'sixes', 'abroad'])
def test_one_interface_left_outside_is_no_isolation(big, step, which):  # noqa: F811
    isolation = step('isolate-network', big.instance)
    isolation.contain()
    loose = getattr(big, which)
    big.ec2.modify_network_interface_attribute(NetworkInterfaceId=loose, Groups=[big.foreign if which == 'abroad' else big.groups[0]])
    answer = isolation.run('verify')
    assert not answer['ok'] and loose in answer['proof']['text']


def test_a_rule_for_ipv6_in_any_of_the_groups_is_no_isolation(big, step):  # noqa: F811
    isolation = step('isolate-network', big.instance)
    isolation.contain()
    for group in isolation.after['groups']:
        big.ec2.authorize_security_group_egress(GroupId=group['closed'], IpPermissions=[
            {'IpProtocol': '-1', 'Ipv6Ranges': [{'CidrIpv6': '::/0'}]}])
        answer = isolation.run('verify')
        assert not answer['ok'], group
        rule = big.rules(group['closed'])[0]['SecurityGroupRuleId']
        big.ec2.revoke_security_group_egress(GroupId=group['closed'], SecurityGroupRuleIds=[rule])
    assert isolation.run('verify')['ok']


def answering(moto: str, operation: str, change) -> Between:
    """EC2 with something in the answers to one operation that moto has not; `change(text)` gives the XML that is answered."""
    def hook(method, path, headers, body):
        if urllib.parse.parse_qs(body.decode()).get('Action') != [operation]:
            return None
        request = urllib.request.Request(moto + path, body, {k: v for k, v in headers.items() if k != 'Host'}, method='POST')
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, change(answer.read().decode()).encode()
    return Between(moto, hook)


def test_prefixes_delegated_to_an_interface_are_its_own(aws, big, step, moto):  # noqa: F811
    """moto delegates none: they are put into its answer, as EC2's model has them. Pods of a node speak from such addresses."""
    def delegate(text: str) -> str:
        before, eni, after = text.partition(f'<networkInterfaceId>{big.prefixed}</networkInterfaceId>')
        return before + eni + ('<ipv4PrefixSet><item><ipv4Prefix>10.0.1.192/28</ipv4Prefix></item></ipv4PrefixSet><ipv6PrefixSet><item>'
                               '<ipv6Prefix>2001:db8:1:2:3::/80</ipv6Prefix></item></ipv6PrefixSet>' if eni else '') + after
    between = answering(moto, 'DescribeNetworkInterfaces', delegate)
    env, now, logs = {'AWS_ENDPOINT_URL_EC2': between.url}, int(time.time()), aws('logs')
    try:
        seen = aws('ec2', endpoint=between.url).describe_network_interfaces(NetworkInterfaceIds=[big.prefixed])['NetworkInterfaces'][0]
        assert seen['Ipv4Prefixes'] == [{'Ipv4Prefix': '10.0.1.192/28'}], 'as boto3 reads it'
        isolation = step('isolate-network', big.instance, env=env)
        isolation.contain()
        inside(big)
        logs.create_log_group(logGroupName='flows')
        logs.create_log_stream(logGroupName='flows', logStreamName=f'{big.prefixed}-all')
        big.ec2.create_flow_logs(ResourceIds=[big.vpc], ResourceType='VPC', TrafficType='ALL', LogGroupName='flows',
                                 DeliverLogsPermissionArn=f'arn:aws:iam::123456789012:role/{flow_role(aws)}')
        logs.put_log_events(logGroupName='flows', logStreamName=f'{big.prefixed}-all', logEvents=[
            {'timestamp': now * 1000, 'message': f'2 123456789012 {big.prefixed} {src} {dst} 443 51000 6 9 900 {now} {now + 60} ACCEPT OK'}
            for src, dst in (('10.0.1.200', '198.51.100.66'), ('2001:db8:1:2:3::7', '2001:db8:bad::1'))])
        survivors = step('block-address', big.instance, env=env, **{'with': {'survivors': True}})
        survivors.observe()
        assert {a['cidr'] for a in survivors.before['addresses']} == {'198.51.100.66/32', '2001:db8:bad::1/128'}
        assert survivors.before['left_out'] == [], 'no pod is taken for a stranger'
        assert isolation.undo()['differences'] == []
    finally:
        between.close()


@pytest.mark.parametrize('n', [2, 4, 6])
def test_a_killed_isolation_of_a_big_host_is_finished(big, step, n):  # noqa: F811
    before = big.describe()
    isolation = step('isolate-network', big.instance)
    isolation.observe()
    isolation.apply(die_at=n)
    assert isolation.apply()['status'] == 'ok' and isolation.run('verify')['ok']
    inside(big)
    assert isolation.undo()['differences'] == []
    assert big.describe() == before


def test_a_host_in_service_leaves_it_and_returns(big, step):  # noqa: F811
    big.serve()
    before = big.describe()
    detach, isolation = step('detach-from-service', big.instance), step('isolate-network', big.instance)
    detach.contain()
    isolation.contain()
    inside(big)
    elb, classic = big.aws('elbv2'), big.aws('elb')
    for arn in big.target_groups:
        left = elb.describe_target_health(TargetGroupArn=arn)['TargetHealthDescriptions']
        assert [t for t in left if t['Target']['Id'] == big.instance and t['TargetHealth']['State'] not in ('draining', 'unused')] == []
    assert classic.describe_load_balancers()['LoadBalancerDescriptions'][0]['Instances'] == []
    assert big.member()['LifecycleState'] == 'Standby'
    assert isolation.undo()['differences'] == [] and detach.undo()['status'] == 'ok'
    assert big.describe() == before


# the whole response, on hosts that lack what it would like to have


@pytest.fixture
def shared_role(aws, big) -> str:
    """Both instances wear one profile."""
    iam, ec2 = aws('iam'), big.ec2
    trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}
    iam.create_role(RoleName='web', Path='/team/', AssumeRolePolicyDocument=json.dumps(trust))
    for name in ('web', 'cordon-quarantine'):
        iam.create_instance_profile(InstanceProfileName=name, Path='/team/' if name == 'web' else '/')
    iam.add_role_to_instance_profile(InstanceProfileName='web', RoleName='web')
    arn = iam.get_instance_profile(InstanceProfileName='web')['InstanceProfile']['Arn']
    for instance in (big.instance, big.neighbour):
        ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={'Arn': arn})
    return arn


def finding_of(host: Host, profile: str) -> dict:
    return {'schemaVersion': '2.0', 'accountId': ACCOUNT, 'region': REGION, 'partition': 'aws', 'id': 'f', 'severity': 9.5,
            'arn': f'arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/d/finding/f', 'type': 'Backdoor:EC2/C&CActivity.B',
            'createdAt': '2026-08-01T10:00:00Z', 'updatedAt': '2026-08-01T10:00:00Z', 'title': 't', 'description': 'd',
            'resource': {'resourceType': 'Instance', 'instanceDetails': {
                'instanceId': host.instance, 'iamInstanceProfile': {'arn': profile}, 'tags': [{'key': 'Environment', 'value': 'production'}]}},
            'service': {'resourceRole': 'TARGET', 'count': 1, 'action': {'actionType': 'NETWORK_CONNECTION', 'networkConnectionAction': {
                'remoteIpDetails': {'ipAddressV4': '198.51.100.77'}}}}}


def profiles(host: Host) -> dict:
    return {a['InstanceId']: a['IamInstanceProfile']['Arn'] for a in host.ec2.describe_iam_instance_profile_associations()['IamInstanceProfileAssociations']}


def test_a_host_in_service_without_an_agent_and_with_a_shared_role(cordon, aws, big, shared_role, systems_manager, tmp_path):  # noqa: F811
    """No agent, no hibernation, an Auto Scaling group, two sorts of balancer, a role that a healthy neighbour wears."""
    big.serve()
    before, policies, wearing = big.describe(), aws('iam').list_role_policies(RoleName='web')['PolicyNames'], profiles(big)
    path = tmp_path / 'finding.json'
    path.write_text(json.dumps(finding_of(big, shared_role)))
    cordon.env.update(CORDON_MODE='auto', CORDON_RESPONSE_QUARANTINE_PROFILE='cordon-quarantine', CORDON_EVIDENCE_BUCKET='kept-evidence')
    assert cordon('evidence', 'init').code == 0
    ran = cordon('respond', str(path), '--output', 'json')
    answer = ran.json
    steps = {a['step']: a for a in answer['actions']}
    assert answer['state'] == 'awaiting_approval' and answer['errors'] == [], (ran.code, ran.err[-600:])
    inside(big, '10.20.0.0/16')
    for name in ('isolate-host', 'find-survivors'):
        assert steps[name]['state'] == 'skipped' and 'Systems Manager does not know' in steps[name]['reason'], steps[name]
    for name in ('isolate-network', 'protect-instance', 'snapshot-volumes', 'detach-from-service', 'replace-instance-profile', 'revoke-role-sessions'):
        assert steps[name]['state'] == 'done' and steps[name]['verified'], steps[name]
    worn = profiles(big)
    assert worn[big.instance].endswith('/cordon-quarantine') and worn[big.neighbour] == shared_role
    assert len(aws('iam').list_role_policies(RoleName='web')['PolicyNames']) == len(policies) + 1
    assert steps['stop-instance']['state'] == 'awaiting_approval'
    undone = cordon('undo', answer['case'], '--output', 'json')
    assert undone.code == 0, undone.out
    assert aws('iam').list_role_policies(RoleName='web')['PolicyNames'] == policies and profiles(big) == wearing
    now, then = json.loads(big.describe()), json.loads(before)
    for seen in (now, then):  # moto shows a profile's newest association id
        seen['instance'].pop('IamInstanceProfile', None)
    assert now == then


def test_an_instance_store_host_is_isolated_and_its_stop_refused(big, step, moto):  # noqa: F811
    before = big.describe()
    between = answering(moto, 'DescribeInstances', lambda text: text.replace('<rootDeviceType>ebs</rootDeviceType>', '<rootDeviceType>instance-store</rootDeviceType>'))
    env = {'AWS_ENDPOINT_URL_EC2': between.url}
    try:
        isolation, stop = step('isolate-network', big.instance, env=env), step('stop-instance', big.instance, env=env)
        isolation.contain()
        inside(big)
        told = stop.observe()
        assert not told['needed'] and 'instance store' in told['before']['reason']
        assert isolation.undo()['differences'] == [] and big.describe() == before
    finally:
        between.close()


def test_hibernation_that_was_not_enabled_becomes_a_stop_and_says_so(big, step):  # noqa: F811
    stop = step('stop-instance', big.instance, **{'with': {'mode': 'hibernate'}})
    seen = stop.observe()
    assert seen['needed'] and not stop.before['hibernate']
    assert 'hibernation' in json.dumps(stop.before)
    assert stop.apply()['after']['hibernate'] is False and stop.run('verify')['ok']
