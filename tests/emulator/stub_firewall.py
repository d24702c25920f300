"""Network Firewall rule groups and Resolver DNS Firewall for the stub; moto has neither.

Planted by POST /_stub/rule_groups {"NAME": RuleGroup} and POST /_stub/dns {"vpcs": {"vpc-..": ["rslvr-.."]}}: the
rule groups that a VPC has already. No packet and no DNS question is ever looked at.
"""
from __future__ import annotations

import uuid

from stub_wire import AwsError


class NetworkFirewall:
    """Stateful rule groups with their update token; a stale token is refused as the service does."""

    def __init__(self, account: str, region: str):
        self.prefix = f'arn:aws:network-firewall:{region}:{account}:stateful-rulegroup/'
        self.groups: dict[str, dict] = {}

    def plant(self, name: str, group: dict):
        self.groups[self.prefix + name] = {'group': group, 'token': str(uuid.uuid4())}

    def call(self, operation: str, p: dict) -> dict:
        if operation not in ('DescribeRuleGroup', 'UpdateRuleGroup'):
            raise AwsError('UnsupportedOperationException', f'the stub does not do {operation}')
        arn = p.get('RuleGroupArn') or self.prefix + p.get('RuleGroupName', '')
        kept = self.groups.get(arn)
        if kept is None:
            raise AwsError('ResourceNotFoundException', 'no such rule group')
        if operation == 'UpdateRuleGroup':
            if p['UpdateToken'] != kept['token']:
                raise AwsError('InvalidTokenException', 'Update token is invalid.')
            sids = [o['Settings'][0] for r in p['RuleGroup']['RulesSource'].get('StatefulRules', [])
                    for o in r['RuleOptions'] if o['Keyword'] == 'sid']
            if len(sids) != len(set(sids)):
                raise AwsError('InvalidRequestException', 'stateful rule is invalid, reason: duplicate sid')
            self.plant(arn.removeprefix(self.prefix), p['RuleGroup'])
            kept = self.groups[arn]
        response = {'RuleGroupArn': arn, 'RuleGroupName': arn.removeprefix(self.prefix), 'RuleGroupId': str(uuid.UUID(int=7)),
                    'Type': 'STATEFUL', 'RuleGroupStatus': 'ACTIVE'}
        out = {'UpdateToken': kept['token'], 'RuleGroupResponse': response}
        return out if operation == 'UpdateRuleGroup' else {**out, 'RuleGroup': kept['group']}


class Resolver:
    """DNS Firewall: domain lists, rule groups, rules, associations. What one creates twice with the same
    CreatorRequestId is the same thing; an association that goes shows DELETING once."""

    def __init__(self, account: str, region: str):
        self.base = f'arn:aws:route53resolver:{region}:{account}:'
        self.lists: dict[str, dict] = {}
        self.groups: dict[str, dict] = {}
        self.associations: dict[str, dict] = {}

    def plant(self, vpcs: dict):
        for vpc, groups in vpcs.items():
            for group in groups:
                self._associate(vpc, group, 'planted', 101)

    def _associate(self, vpc, group, request, priority, name='rules'):
        ident = f'rslvr-frgassoc-{uuid.uuid4().hex[:16]}'
        self.associations[ident] = {
            'Id': ident, 'Arn': f'{self.base}firewall-rule-group-association/{ident}', 'FirewallRuleGroupId': group, 'VpcId': vpc,
            'Name': name, 'Priority': priority, 'MutationProtection': 'DISABLED', 'Status': 'COMPLETE', 'CreatorRequestId': request}
        return self.associations[ident]

    def call(self, operation: str, p: dict) -> dict:
        method = getattr(self, f'_{operation}', None)
        if method is None:
            raise AwsError('UnsupportedOperationException', f'the stub does not do {operation}')
        return method(p)

    @staticmethod
    def _of(things: dict, ident: str) -> dict:
        if ident not in things:
            raise AwsError('ResourceNotFoundException', f'{ident} does not exist')
        return things[ident]

    def _make(self, things, kind, p):
        for thing in things.values():
            if thing['CreatorRequestId'] == p['CreatorRequestId']:
                return thing
        ident = f'rslvr-{kind}-{uuid.uuid4().hex[:16]}'
        things[ident] = {'Id': ident, 'Name': p['Name'], 'CreatorRequestId': p['CreatorRequestId'], 'Status': 'COMPLETE',
                         'domains': set(), 'rules': {}, 'tags': {t['Key']: t['Value'] for t in p.get('Tags', [])}}
        return things[ident]

    def _list_of(self, d):
        return {'Id': d['Id'], 'Arn': f"{self.base}firewall-domain-list/{d['Id']}", 'Name': d['Name'], 'Status': 'COMPLETE',
                'DomainCount': len(d['domains']), 'CreatorRequestId': d['CreatorRequestId']}

    def _group_of(self, g):
        return {'Id': g['Id'], 'Arn': f"{self.base}firewall-rule-group/{g['Id']}", 'Name': g['Name'], 'Status': 'COMPLETE',
                'RuleCount': len(g['rules']), 'CreatorRequestId': g['CreatorRequestId']}

    def _CreateFirewallDomainList(self, p):
        return {'FirewallDomainList': self._list_of(self._make(self.lists, 'fdl', p))}

    def _CreateFirewallRuleGroup(self, p):
        return {'FirewallRuleGroup': self._group_of(self._make(self.groups, 'frg', p))}

    def _ListFirewallDomainLists(self, p):
        return {'FirewallDomainLists': [{k: v for k, v in self._list_of(d).items() if k not in ('Status', 'DomainCount')}
                                        for d in self.lists.values()]}

    def _ListFirewallRuleGroups(self, p):
        return {'FirewallRuleGroups': [{k: v for k, v in self._group_of(g).items() if k not in ('Status', 'RuleCount')}
                                       for g in self.groups.values()]}

    def _UpdateFirewallDomains(self, p):
        d = self._of(self.lists, p['FirewallDomainListId'])
        if p['Operation'] == 'REMOVE':
            d['domains'] -= set(p['Domains'])
        else:
            d['domains'] = (d['domains'] if p['Operation'] == 'ADD' else set()) | set(p['Domains'])
        return {'Id': d['Id'], 'Name': d['Name'], 'Status': 'COMPLETE'}

    def _ListFirewallDomains(self, p):
        return {'Domains': sorted(self._of(self.lists, p['FirewallDomainListId'])['domains'])}

    def _CreateFirewallRule(self, p):
        g = self._of(self.groups, p['FirewallRuleGroupId'])
        if p['FirewallDomainListId'] in g['rules']:
            raise AwsError('ConflictException', 'the rule exists')
        g['rules'][p['FirewallDomainListId']] = {k: v for k, v in p.items() if k != 'CreatorRequestId'}
        return {'FirewallRule': g['rules'][p['FirewallDomainListId']]}

    def _ListFirewallRules(self, p):
        return {'FirewallRules': list(self._of(self.groups, p['FirewallRuleGroupId'])['rules'].values())}

    def _DeleteFirewallRule(self, p):
        g = self._of(self.groups, p['FirewallRuleGroupId'])
        return {'FirewallRule': g['rules'].pop(p['FirewallDomainListId'], None) or self._gone(p)}

    def _gone(self, p):
        raise AwsError('ResourceNotFoundException', 'no such rule')

    def _AssociateFirewallRuleGroup(self, p):
        for a in self.associations.values():
            if a['VpcId'] == p['VpcId'] and a['CreatorRequestId'] == p['CreatorRequestId']:
                return {'FirewallRuleGroupAssociation': a}
            if a['VpcId'] == p['VpcId'] and a['Priority'] == p['Priority']:
                raise AwsError('ConflictException', 'the priority is taken')
        self._of(self.groups, p['FirewallRuleGroupId'])
        return {'FirewallRuleGroupAssociation': self._associate(
            p['VpcId'], p['FirewallRuleGroupId'], p['CreatorRequestId'], p['Priority'], p['Name'])}

    def _DisassociateFirewallRuleGroup(self, p):
        a = self._of(self.associations, p['FirewallRuleGroupAssociationId'])
        a['Status'] = 'DELETING'
        return {'FirewallRuleGroupAssociation': a}

    def _ListFirewallRuleGroupAssociations(self, p):
        found = [dict(a) for a in self.associations.values()
                 if p.get('VpcId', a['VpcId']) == a['VpcId'] and
                 p.get('FirewallRuleGroupId', a['FirewallRuleGroupId']) == a['FirewallRuleGroupId']]
        for a in found:  # what is being deleted is seen once more, then gone
            if a['Status'] == 'DELETING':
                del self.associations[a['Id']]
        return {'FirewallRuleGroupAssociations': found}

    def _DeleteFirewallRuleGroup(self, p):
        g = self._of(self.groups, p['FirewallRuleGroupId'])
        if g['rules'] or any(a['FirewallRuleGroupId'] == g['Id'] for a in self.associations.values()):
            raise AwsError('ConflictException', 'the rule group has rules or is associated')
        return {'FirewallRuleGroup': self._group_of(self.groups.pop(g['Id']))}

    def _DeleteFirewallDomainList(self, p):
        d = self._of(self.lists, p['FirewallDomainListId'])
        if any(d['Id'] in g['rules'] for g in self.groups.values()):
            raise AwsError('ConflictException', 'the list is used by a rule')
        return {'FirewallDomainList': self._list_of(self.lists.pop(d['Id']))}
