"""Attackers' addresses and domains blocked, and two cases that want the same one, through `action_driver`.

Network ACLs and WAF are moto, Network Firewall and Resolver DNS Firewall the tests' own stub. Not shown here: packets
and questions, web ACLs that refer to a set, firewall policies that refer to a group, capacity.
"""
from __future__ import annotations

import types

import pytest

from between import Between
from conftest import REGION
from test_actions_ec2 import pytestmark  # noqa: F401 (the mark skips without the driver)
from test_actions_iam import step, stub  # noqa: F401 (fixtures)

BAD, OTHER, V6 = '198.51.100.7', '203.0.113.9', '2001:db8:bad::1'


def two(step, name, resource, **given):  # noqa: F811
    """The same step of two cases."""
    return [step(name, resource, case=case, token=token, **given)
            for case, token in (('2026-0001', 'aaaaaaaaaaaaaaaa'), ('2026-0002', 'bbbbbbbbbbbbbbbb'))]


# --- network ACLs

def denies(aws, acl):
    found = aws('ec2').describe_network_acls(NetworkAclIds=[acl])['NetworkAcls'][0]
    return {(e['Egress'], e['RuleNumber'], e.get('CidrBlock') or e.get('Ipv6CidrBlock')) for e in found['Entries']
            if e['RuleAction'] == 'deny' and e['RuleNumber'] < 32767}


def acl_state(aws, acl):
    found = aws('ec2').describe_network_acls(NetworkAclIds=[acl])['NetworkAcls'][0]
    return sorted(map(str, found['Entries'])), found.get('Tags', [])


@pytest.mark.parametrize('first', [0, 1])
def test_two_cases_share_a_rule_and_the_last_takes_it_away(aws, techsolutions, step, first):  # noqa: F811
    was = acl_state(aws, techsolutions.nacl)
    cases = two(step, 'block-address', techsolutions.instances[0], actors=[BAD])
    for s in cases:
        s.contain()
    assert len(denies(aws, techsolutions.nacl)) == 2, 'one rule a direction, however many cases'
    kept = cases[first].undo()
    assert kept['status'] == 'ok' and all(not d['blocking'] for d in kept['differences'])
    assert kept['differences'][0]['before'] == f'2026-000{2 - first}', 'the case that needs it is named'
    assert len(denies(aws, techsolutions.nacl)) == 2, 'undo of one does not open it for the other'
    assert cases[first].undo()['status'] == 'ok', 'undo may be repeated'
    assert cases[1 - first].run('verify')['ok']
    assert cases[1 - first].undo()['differences'] == []
    assert acl_state(aws, techsolutions.nacl) == was


def test_a_foreign_deny_is_nobodys_to_take(aws, techsolutions, step):  # noqa: F811
    ec2 = aws('ec2')
    for egress in (False, True):
        ec2.create_network_acl_entry(NetworkAclId=techsolutions.nacl, RuleNumber=7, Egress=egress, Protocol='-1', RuleAction='deny',
                                     CidrBlock=f'{BAD}/32')
    was = acl_state(aws, techsolutions.nacl)
    s = step('block-address', techsolutions.instances[0], actors=[BAD])
    assert not s.observe()['needed'] and 'already' in s.before['reason']
    mixed = step('block-address', techsolutions.instances[0], actors=[BAD, OTHER])
    mixed.contain()
    assert {e['cidr'] for e in mixed.before['entries']} == {f'{OTHER}/32'}
    assert mixed.undo()['differences'] == []
    assert acl_state(aws, techsolutions.nacl) == was


@pytest.mark.parametrize('call', range(1, 4))
def test_a_killed_second_case_neither_opens_nor_keeps(aws, techsolutions, step, call):  # noqa: F811
    was = acl_state(aws, techsolutions.nacl)
    one, other = two(step, 'block-address', techsolutions.instances[0], actors=[BAD])
    one.contain()
    other.observe()
    other.apply(die_after=call)
    assert other.undo(after=None)['status'] == 'ok'
    assert one.run('verify')['ok']
    assert one.undo()['differences'] == []
    assert acl_state(aws, techsolutions.nacl) == was


# --- WAF

@pytest.fixture
def ip_set(aws):
    waf = aws('wafv2')
    made = waf.create_ip_set(Name='blocked', Scope='REGIONAL', IPAddressVersion='IPV4', Addresses=['192.0.2.1/32'],
                             Description='kept by hand')['Summary']

    def state():
        found = waf.get_ip_set(Name='blocked', Scope='REGIONAL', Id=made['Id'])['IPSet']
        tags = waf.list_tags_for_resource(ResourceARN=made['ARN'])['TagInfoForResource']['TagList']
        return sorted(found['Addresses']), found['Description'], tags
    state.arn, state.id, state.waf = made['ARN'], made['Id'], waf
    return state


def test_waf_set_gains_and_loses_the_address(ip_set, step):  # noqa: F811
    was = ip_set()
    s = step('block-at-waf', 'i-1', actors=[BAD, V6], **{'with': {'ip_sets': [ip_set.arn]}})
    s.contain()
    assert ip_set()[:2] == (['192.0.2.1/32', f'{BAD}/32'], 'kept by hand'), 'IPv6 belongs into a set of its own'
    assert s.apply()['status'] == 'ok'
    assert s.undo()['differences'] == []
    assert ip_set() == was
    assert s.undo()['status'] == 'ok'


@pytest.mark.parametrize('first', [0, 1])
def test_two_cases_share_a_waf_address(ip_set, step, first):  # noqa: F811
    was = ip_set()
    cases = two(step, 'block-at-waf', 'i-1', actors=[BAD], **{'with': {'ip_sets': [ip_set.arn]}})
    for s in cases:
        s.contain()
    kept = cases[first].undo()
    assert kept['status'] == 'ok' and kept['differences'][0]['before'] == f'2026-000{2 - first}'
    assert f'{BAD}/32' in ip_set()[0]
    assert cases[1 - first].undo()['differences'] == []
    assert ip_set() == was


def test_an_address_listed_by_hand_stays(ip_set, step):  # noqa: F811
    s = step('block-at-waf', 'i-1', actors=['198.51.100.99'], **{'with': {'ip_sets': [ip_set.arn]}})
    lock = ip_set.waf.get_ip_set(Name='blocked', Scope='REGIONAL', Id=ip_set.id)['LockToken']
    ip_set.waf.update_ip_set(Name='blocked', Scope='REGIONAL', Id=ip_set.id, Addresses=['198.51.100.99/32'], LockToken=lock)
    assert not s.observe()['needed'] and 'already' in s.before['reason']


@pytest.fixture
def raced(ip_set, moto):
    """Before each of the next `raced.times` updates somebody else changes the set: the lock token of the reading is stale then."""
    def hook(method, path, headers, body):
        if headers.get('X-Amz-Target', '').endswith('.UpdateIPSet') and raced.times > 0:
            raced.times -= 1
            now = ip_set.waf.get_ip_set(Name='blocked', Scope='REGIONAL', Id=ip_set.id)
            ip_set.waf.update_ip_set(Name='blocked', Scope='REGIONAL', Id=ip_set.id, LockToken=now['LockToken'], Description='kept by hand',
                                     Addresses=now['IPSet']['Addresses'] + [f'192.0.2.{100 + raced.done}/32'])
            raced.done += 1

    def look(status, body):
        raced.refused += b'WAFOptimisticLockException' in body
    raced = types.SimpleNamespace(times=0, refused=0, done=0)
    between = Between(moto, hook, look)
    raced.url = between.url
    yield raced
    between.close()


def test_a_stale_lock_token_is_read_anew(ip_set, step, raced):  # noqa: F811
    s = step('block-at-waf', 'i-1', actors=[BAD], env={'AWS_ENDPOINT_URL_WAFV2': raced.url}, **{'with': {'ip_sets': [ip_set.arn]}})
    s.observe()
    raced.times = 2
    assert s.apply()['status'] == 'ok' and s.run('verify')['ok']
    assert raced.refused == 2, 'the emulator really refused'
    others = ['192.0.2.1/32', '192.0.2.100/32', '192.0.2.101/32']
    assert ip_set()[0] == sorted([*others, f'{BAD}/32']), 'what the others wrote meanwhile is there'
    raced.times = 1
    assert s.undo()['status'] == 'ok' and raced.refused == 3
    assert ip_set()[0] == [*others, '192.0.2.102/32'] and ip_set()[2] == []


def test_a_set_that_others_never_leave_alone_is_said(ip_set, step, raced):  # noqa: F811
    s = step('block-at-waf', 'i-1', actors=[BAD], env={'AWS_ENDPOINT_URL_WAFV2': raced.url}, **{'with': {'ip_sets': [ip_set.arn]}})
    s.observe()
    raced.times = 99
    answer = s.apply()
    assert answer['status'] == 'conflict' and 'changed by others' in answer['error']['message']
    raced.times = 0
    assert s.apply()['status'] == 'ok' and s.run('verify')['ok']


def test_waf_without_a_set_or_with_nonsense(step):  # noqa: F811
    assert 'waf_ip_sets' in step('block-at-waf', 'i-1', actors=[BAD]).observe()['before']['reason']
    answer = step('block-at-waf', 'i-1', actors=[BAD], **{'with': {'ip_sets': ['arn:aws:s3:::x']}}).run('observe')
    assert answer['status'] == 'config' and 'IP set' in answer['error']['message']


# --- Network Firewall

RULE = {'Action': 'PASS', 'Header': {'Protocol': 'TCP', 'Source': '10.0.0.0/8', 'SourcePort': 'ANY', 'Direction': 'FORWARD',
                                     'Destination': 'ANY', 'DestinationPort': '443'},
        'RuleOptions': [{'Keyword': 'sid', 'Settings': ['1']}]}


@pytest.fixture
def firewall(step, stub):  # noqa: F811
    arn = f'arn:aws:network-firewall:{REGION}:123456789012:stateful-rulegroup/edge'
    stub('rule_groups', {'edge': {'RulesSource': {'StatefulRules': [RULE]}, 'StatefulRuleOptions': {'RuleOrder': 'STRICT_ORDER'}}})

    def make(**given):
        return step('block-at-firewall', 'i-1', env={'AWS_ENDPOINT_URL_NETWORK_FIREWALL': stub.url},
                    **{'with': {'rule_groups': [arn]}, 'actors': [BAD], **given})
    make.rules = lambda: stub('state')['rule_groups'][arn]['RulesSource'].get('StatefulRules')
    make.stub, make.arn = stub, arn
    return make


def test_firewall_drops_first_and_is_restored(firewall):
    s = firewall(actors=[BAD, V6])
    s.contain()
    rules = firewall.rules()
    assert [r['Header']['Source'] for r in rules] == [f'{BAD}/32', f'{V6}/128', '10.0.0.0/8']
    assert all(r['Action'] == 'DROP' and r['Header']['Direction'] == 'ANY' for r in rules[:2])
    assert s.apply()['status'] == 'ok' and firewall.rules() == rules, 'a second try adds nothing'
    assert s.undo()['differences'] == []
    assert firewall.rules() == [RULE]
    assert s.undo()['status'] == 'ok'


def test_firewall_rules_of_two_cases_are_two(firewall):
    one, other = firewall(case='2026-0001', token='a' * 16), firewall(case='2026-0002', token='b' * 16)
    one.contain()
    other.contain()
    assert len(firewall.rules()) == 3
    assert one.undo()['status'] == 'ok'
    assert len(firewall.rules()) == 2 and other.run('verify')['ok']
    assert other.undo()['status'] == 'ok' and firewall.rules() == [RULE]


def test_a_stale_update_token_is_tried_again(firewall):
    firewall.stub('fault', {'operation': 'UpdateRuleGroup', 'times': 2, 'code': 'InvalidTokenException', 'message': 'stale'})
    firewall().contain()
    assert len(firewall.rules()) == 2


SURICATA = ('# kept by hand\r\npass tcp $HOME_NET any -> $EXTERNAL_NET 443 (msg:"out"; sid:1; rev:2;)\n\n'
            'drop ip 203.0.113.66 any <> any any (msg:"cordon 2026-0042 somebody"; sid:2;)\nalert http any any -> any any (sid:1900000001;)')


def text_group(firewall):
    firewall.stub('rule_groups', {'edge': {'RulesSource': {'RulesString': SURICATA}, 'RuleVariables': {'IPSets': {'HOME_NET': {
        'Definition': ['10.0.0.0/8']}}}, 'StatefulRuleOptions': {'RuleOrder': 'STRICT_ORDER'}}})
    return lambda: firewall.stub('state')['rule_groups'][firewall.arn]


def test_rules_that_are_one_text_get_lines_before_all_others(firewall):
    group = text_group(firewall)
    was = group()
    s = firewall(actors=[BAD, V6])
    s.contain()
    lines = group()['RulesSource']['RulesString'].split('\n')
    assert lines[0].startswith(f'drop ip {BAD}/32 any <> any any (msg:"cordon ') and lines[1].startswith(f'drop ip {V6}/128 any <> any any (')
    assert '\n'.join(lines[2:]) == SURICATA, 'and every byte of the others is there'
    assert {k: v for k, v in group().items() if k != 'RulesSource'} == {k: v for k, v in was.items() if k != 'RulesSource'}
    written = group()
    assert s.apply()['status'] == 'ok' and group() == written, 'a second try adds nothing'
    assert s.undo()['differences'] == [] and group() == was
    assert s.undo()['status'] == 'ok' and group() == was


def test_cases_in_one_text_keep_to_their_own_lines(firewall):
    group = text_group(firewall)
    one, other = firewall(case='2026-0001', token='a' * 16), firewall(case='2026-0002', token='b' * 16)
    one.contain()
    other.contain()
    assert group()['RulesSource']['RulesString'].count(BAD) == 2
    assert one.undo()['status'] == 'ok' and other.run('verify')['ok'] and not one.run('verify')['ok']
    assert other.undo()['status'] == 'ok' and group()['RulesSource']['RulesString'] == SURICATA


def test_a_text_that_others_rewrite_meanwhile_is_read_anew(firewall):
    group = text_group(firewall)
    firewall.stub('fault', {'operation': 'UpdateRuleGroup', 'times': 2, 'code': 'InvalidTokenException', 'message': 'stale'})
    firewall().contain()
    assert group()['RulesSource']['RulesString'].endswith(SURICATA)


def test_a_group_of_domains_is_no_place_for_addresses(firewall):
    firewall.stub('rule_groups', {'edge': {'RulesSource': {'RulesSourceList': {
        'Targets': ['.example.com'], 'TargetTypes': ['TLS_SNI'], 'GeneratedRulesType': 'DENYLIST'}}}})
    answer = firewall().observe()
    assert not answer['needed'] and 'stateful rules' in answer['before']['reason']


# --- DNS

@pytest.fixture
def resolver(step, stub, techsolutions):  # noqa: F811
    def make(**given):
        return step('block-domain', techsolutions.instances[0], env={'AWS_ENDPOINT_URL_ROUTE53RESOLVER': stub.url},
                    **{'with': {'domains': ['c2.example', 'sts.amazonaws.com', 'x"y'], **given.pop('more', {})}, **given})
    make.state = lambda: stub('state')['dns']
    make.stub, make.vpc = stub, techsolutions.vpc
    return make


def test_domains_are_blocked_where_the_firewall_is_in_use(resolver):
    resolver.stub('dns', {'vpcs': {resolver.vpc: ['rslvr-frg-theirs']}})
    s = resolver()
    s.contain()
    now = resolver.state()
    [made] = now['lists'].values()
    assert made['domains'] == ['*.c2.example', 'c2.example'], 'AWS itself and nonsense are left out'
    assert {a['Priority'] for a in now['associations'].values()} == {101, 102}
    assert s.apply()['status'] == 'ok' and len(resolver.state()['lists']) == 1, 'a second try makes nothing new'
    assert s.undo()['differences'] == []
    after = resolver.state()
    assert after['lists'] == {} and after['groups'] == {} and len(after['associations']) == 1
    assert s.undo()['status'] == 'ok'


def test_without_the_firewall_it_is_said_plainly(resolver):
    answer = resolver().observe()
    assert not answer['needed'] and 'still leave it' in answer['before']['reason']
    resolver(more={'create': True}).contain()


@pytest.mark.parametrize('call', range(1, 6))
def test_killed_block_of_a_domain_is_undone(resolver, call):
    resolver.stub('dns', {'vpcs': {resolver.vpc: ['rslvr-frg-theirs']}})
    s = resolver()
    s.observe()
    s.apply(die_after=call)
    assert s.undo(after=None)['status'] == 'ok'
    after = resolver.state()
    assert after['lists'] == {} and after['groups'] == {} and len(after['associations']) == 1
