"""EKS for the stub: access entries and their policies, which moto lacks.

Planted by POST /_stub/eks {"CLUSTER": {"PRINCIPAL-ARN": {"kubernetesGroups": [], "username": "", "type": "STANDARD",
"policies": {"POLICY-ARN": {"type": "cluster"}}}}}. Who may do what inside Kubernetes is not played.
"""
from __future__ import annotations

import datetime

from stub_wire import AwsError

UTC = datetime.timezone.utc
_MADE = datetime.datetime(2026, 1, 1, tzinfo=UTC)


class Eks:
    def __init__(self, account: str, region: str):
        self.account, self.region = account, region
        self.clusters: dict[str, dict] = {}

    def call(self, operation: str, p: dict) -> dict:
        method = getattr(self, f'_{operation}', None)
        if method is None:
            raise AwsError('UnsupportedOperationException', f'the stub does not do {operation}')
        entries = self.clusters.get(p['clusterName'])
        if entries is None:
            raise AwsError('ResourceNotFoundException', f"No cluster found for name: {p['clusterName']}.", 404)
        entry = entries.get(p['principalArn'])
        if entry is None:
            raise AwsError('ResourceNotFoundException', 'The specified principalArn could not be found.', 404)
        return method(p, entry)

    def _DescribeAccessEntry(self, p, entry):
        return {'accessEntry': {
            'clusterName': p['clusterName'], 'principalArn': p['principalArn'],
            'kubernetesGroups': entry.get('kubernetesGroups', []), 'username': entry.get('username', p['principalArn']),
            'type': entry.get('type', 'STANDARD'), 'createdAt': _MADE, 'modifiedAt': _MADE, 'tags': {},
            'accessEntryArn': f"arn:aws:eks:{self.region}:{self.account}:access-entry/{p['clusterName']}/role/x"}}

    def _UpdateAccessEntry(self, p, entry):
        name = p.get('username', '')
        if name.startswith(('system:', 'eks:', 'aws:', 'amazon:', 'iam:')):
            raise AwsError('InvalidParameterException', 'The username must not begin with a reserved prefix')
        entry.update({k: p[k] for k in ('kubernetesGroups', 'username') if k in p})
        return self._DescribeAccessEntry(p, entry)

    def _ListAssociatedAccessPolicies(self, p, entry):
        return {'clusterName': p['clusterName'], 'principalArn': p['principalArn'], 'associatedAccessPolicies': [
            {'policyArn': arn, 'accessScope': scope, 'associatedAt': _MADE, 'modifiedAt': _MADE}
            for arn, scope in entry.get('policies', {}).items()]}

    def _DisassociateAccessPolicy(self, p, entry):
        if entry.get('policies', {}).pop(p['policyArn'], None) is None:
            raise AwsError('ResourceNotFoundException', 'The access policy is not associated.', 404)
        return {}

    def _AssociateAccessPolicy(self, p, entry):
        entry.setdefault('policies', {})[p['policyArn']] = p['accessScope']
        return {'clusterName': p['clusterName'], 'principalArn': p['principalArn'], 'associatedAccessPolicy': {
            'policyArn': p['policyArn'], 'accessScope': p['accessScope'], 'associatedAt': _MADE, 'modifiedAt': _MADE}}
