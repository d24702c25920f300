"""What describe calls show of the account of fault_accounts.py, made comparable between runs; and how open its hosts are."""
from __future__ import annotations

import datetime
import ipaddress
import json
import re

from botocore.exceptions import ClientError

# Ids of resources, of people and keys, of tokens: whatever differs between two runs of the same thing.
IDS = re.compile(r'\b(?:[a-z]+(?:-[a-z]+)?-[0-9a-f]{8,17}|A[A-Z]{3}[A-Z0-9]{12,17}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
                 r'|[0-9a-f]{16}|[a-z0-9]{20}|\d{1,3}(?:[.-]\d{1,3}){3}|[0-9a-f]{2}(?::[0-9a-f]{2}){5})\b')
TIMES = re.compile(r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?')
STAMPS = re.compile(r'\b20\d{6}-?T?\d{6}Z?\b|\b20\d\d(?:-\d\d){4,5}\b')


def paged(client, operation: str, **params) -> list | dict:
    answer = (client.get_paginator(operation).paginate(**params).build_full_result() if client.can_paginate(operation)
              else getattr(client, operation)(**params))
    answer.pop('ResponseMetadata', None)
    return answer


def maybe(call, *codes: str):
    """The answer, or the code of the error that says there is none."""
    try:
        answer = call()
    except ClientError as e:
        return e.response['Error']['Code']
    answer.pop('ResponseMetadata', None)
    return answer


def describe(aws, without_bucket: str) -> dict:
    ec2, iam, s3, rds, elb, scaling, ecs = (aws(n) for n in ('ec2', 'iam', 's3', 'rds', 'elbv2', 'autoscaling', 'ecs'))
    out = {}
    for operation, params in (('describe_instances', {}), ('describe_network_interfaces', {}), ('describe_security_groups', {}),
                              ('describe_security_group_rules', {}), ('describe_network_acls', {}), ('describe_volumes', {}),
                              ('describe_snapshots', {'OwnerIds': ['self']}), ('describe_addresses', {}),
                              ('describe_iam_instance_profile_associations', {})):
        out[f'ec2 {operation}'] = paged(ec2, operation, **params)
    for instance in [i['InstanceId'] for r in out['ec2 describe_instances']['Reservations'] for i in r['Instances']]:
        for attribute in ('disableApiTermination', 'instanceInitiatedShutdownBehavior'):
            out[f'ec2 {attribute}'] = maybe(lambda i=instance, a=attribute: ec2.describe_instance_attribute(InstanceId=i, Attribute=a))
    out['iam account'] = paged(iam, 'get_account_authorization_details', Filter=['User', 'Role', 'Group', 'LocalManagedPolicy'])
    for user in [u['UserName'] for u in out['iam account']['UserDetailList']]:
        out[f'iam keys {user}'] = paged(iam, 'list_access_keys', UserName=user)
        out[f'iam login {user}'] = maybe(lambda u=user: iam.get_login_profile(UserName=u))
    for bucket in [b['Name'] for b in s3.list_buckets()['Buckets'] if b['Name'] != without_bucket]:
        for operation in ('get_bucket_policy', 'get_public_access_block', 'get_bucket_ownership_controls', 'get_bucket_tagging',
                          'get_bucket_acl', 'list_object_versions'):
            out[f's3 {operation} {bucket}'] = maybe(lambda b=bucket, o=operation: getattr(s3, o)(Bucket=b))
        for item in s3.list_objects_v2(Bucket=bucket).get('Contents', []):
            out[f's3 tags {bucket}/{item["Key"]}'] = maybe(lambda b=bucket, k=item['Key']: s3.get_object_tagging(Bucket=b, Key=k))
    for operation in ('describe_db_instances', 'describe_db_clusters', 'describe_db_snapshots', 'describe_db_cluster_snapshots'):
        out[f'rds {operation}'] = paged(rds, operation)
    for group in elb.describe_target_groups()['TargetGroups']:
        out[f'elbv2 {group["TargetGroupName"]}'] = elb.describe_target_health(TargetGroupArn=group['TargetGroupArn'])['TargetHealthDescriptions']
    out['autoscaling'] = paged(scaling, 'describe_auto_scaling_groups')
    for function in aws('lambda').list_functions()['Functions']:
        name = function['FunctionName']
        out[f'lambda {name}'] = {**maybe(lambda n=name: aws('lambda').get_function_concurrency(FunctionName=n)), 'sources': [
            {k: m.get(k) for k in ('State', 'EventSourceArn', 'BatchSize')} for m in
            aws('lambda').list_event_source_mappings(FunctionName=name)['EventSourceMappings']]}
    for cluster in ecs.list_clusters()['clusterArns']:
        services = ecs.list_services(cluster=cluster)['serviceArns']
        out[f'ecs {cluster}'] = [{k: s.get(k) for k in ('serviceName', 'status', 'desiredCount', 'taskDefinition')} for s in
                                 (ecs.describe_services(cluster=cluster, services=services)['services'] if services else [])]
    return out


def kind_of(ident: str) -> str:
    """What sort of id it is: sg, AKIA, uuid, hex, address."""
    if re.fullmatch(r'[\d.-]+|[0-9a-f:]{17}', ident):
        return 'address'
    if ident[0] == 'A' and ident[3].isupper():
        return ident[:4]
    return re.sub(r'-?[0-9a-f]{8,17}$', '', ident) if '-' in ident and ident.count('-') < 4 else 'uuid' if '-' in ident else 'hex'


def text(value: str, names: dict) -> str:
    """`names` are the labels of the ids that were there before; an id made later is only told by its sort. An elastic address
    that is associated again never gets the old association's id."""
    value = IDS.sub(lambda m: 'eipassoc' if m[0].startswith('eipassoc-') else names.get(m[0]) or f'{kind_of(m[0])}-new', value)
    return STAMPS.sub('T', TIMES.sub('T', value))


def normal(value, names: dict):
    """Times and ids replaced, lists in an order of their own, JSON texts read."""
    if isinstance(value, dict):
        return {text(k, names): normal(v, names) for k, v in value.items() if k not in ('LastModified', 'ETag', 'RequestId')}
    if isinstance(value, (list, tuple)):
        return sorted((normal(v, names) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    if isinstance(value, datetime.datetime):
        return 'T'
    if isinstance(value, str):
        if value.startswith('{'):
            try:
                return normal(json.loads(value), names)
            except ValueError:
                pass
        return text(value, names)
    return value


def label(state: dict) -> dict:
    """A label for each id of a state: the same one in two states that differ in nothing but their ids."""
    names: dict = {}
    counts: dict = {}

    def walk(value):
        if isinstance(value, dict):
            for key in sorted(value):
                walk(value[key])
        elif isinstance(value, (list, tuple)):
            for item in sorted(value, key=lambda v: json.dumps(normal(v, {}), sort_keys=True)):
                walk(item)
        elif isinstance(value, str):
            for ident in IDS.findall(value):
                if ident not in names:
                    counts[kind_of(ident)] = counts.get(kind_of(ident), 0) + 1
                    names[ident] = f'{kind_of(ident)}#{counts[kind_of(ident)]}'
    walk(state)
    return names


def differences(want, got, path: str = '') -> list[str]:
    """Where two normalised states differ, field by field."""
    if isinstance(want, dict) and isinstance(got, dict):
        return [d for k in sorted({**want, **got}) for d in differences(want.get(k), got.get(k), f'{path}.{k}')]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for n, (a, b) in enumerate(zip(want, got)) for d in differences(a, b, f'{path}[{n}]')]
    return [] if want == got else [f'{path}: {json.dumps(want)[:300]} -> {json.dumps(got)[:300]}']


# ---- how open a host is ----

def rules_of(group: dict) -> set:
    """(direction, protocol, first port, last port, peer) of a group's rules."""
    out = set()
    for direction, permissions in (('in', group['IpPermissions']), ('out', group['IpPermissionsEgress'])):
        for p in permissions:
            ports = (p.get('FromPort', -1), p.get('ToPort', -1)) if p['IpProtocol'] != '-1' else (-1, -1)
            peers = [r['CidrIp'] for r in p.get('IpRanges', [])] + [r['CidrIpv6'] for r in p.get('Ipv6Ranges', [])]
            peers += [r['GroupId'] for r in p.get('UserIdGroupPairs', [])] + [r['PrefixListId'] for r in p.get('PrefixListIds', [])]
            out |= {(direction, p['IpProtocol'], *ports, peer) for peer in peers}
    return out


def covers(wide: tuple, narrow: tuple) -> bool:
    if wide[0] != narrow[0] or wide[1] not in ('-1', narrow[1]):
        return False
    if wide[1] != '-1' and wide[2] != -1 and not (wide[2] <= narrow[2] and narrow[3] <= wide[3]):
        return False
    try:
        a, b = ipaddress.ip_network(wide[4]), ipaddress.ip_network(narrow[4])
        return a.version == b.version and b.subnet_of(a)
    except ValueError:
        return wide[4] == narrow[4]


def openness(aws) -> dict:
    """Interface -> the rules that its groups add up to."""
    ec2 = aws('ec2')
    groups = {g['GroupId']: rules_of(g) for g in ec2.describe_security_groups()['SecurityGroups']}
    return {n['NetworkInterfaceId']: set().union(*(groups[g['GroupId']] for g in n['Groups']))
            for n in ec2.describe_network_interfaces()['NetworkInterfaces'] if n.get('Attachment', {}).get('InstanceId')}


def more_open(before: dict, now: dict) -> list[str]:
    return [f'{interface}: {rule}' for interface, rules in now.items() for rule in sorted(rules)
            if not any(covers(old, rule) for old in before.get(interface, set()))]
