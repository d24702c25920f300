"""A door in the fault proxy that lets nothing through but what a policy of `cordon policy` allows."""
from __future__ import annotations

import re

from conftest import ACCOUNT, REGION
from iam_eval import judge
from iam_requests import read, wants


def policy_of(cordon, playbook: str) -> dict:
    ran = cordon('policy', '--playbook', playbook, '--account', ACCOUNT, '--region', REGION, '--output', 'json')
    assert ran.code == 0, ran.err
    return ran.json


class Gate:
    """Called with each request; remembers what was used of the policy. `ec2` looks up the tags of groups."""

    def __init__(self, policy: dict, ec2):
        self.policy, self.ec2 = policy, ec2
        self.used: set[str] = set()

    def resource_tags(self, arn: str) -> dict:
        group = re.search(r':security-group/(sg-\w+)$', arn)
        if not group:
            return {}
        found = self.ec2.describe_tags(Filters=[{'Name': 'resource-id', 'Values': [group[1]]}])['Tags']
        return {f'aws:resourcetag/{t["Key"].lower()}': t['Value'] for t in found}

    def __call__(self, service: str, method: str, path: str, headers, body: bytes) -> str | None:
        try:
            operation, members = read(service, method, path, headers, body)
            wanted = wants(service, operation, members)
        except LookupError as e:
            return f'{service} {method} {path}: the judge does not know it: {e!r}'
        for want in wanted:
            arn = re.sub(r'(:)R:A:|(:)R::', lambda m: f':{REGION}:{ACCOUNT}:' if m[1] else f':{REGION}::', want.resource).replace('::A:', f'::{ACCOUNT}:')
            if judge(self.policy, want.action, arn, {**want.context, **self.resource_tags(arn)}) != 'Allow':
                return f'{operation} needs {want.action} on {arn} {want.context}'
            self.used.add(want.action)
        return None


