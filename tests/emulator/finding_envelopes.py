"""One finding in every shape and wrapping it may arrive in.

The SDK spelling comes from botocore's model. ASFF and OCSF are written as Security Hub writes them, as far as
published findings and AWS's pages show: `service` flattened into ProductFields, what ASFF has no field for
under Details.Other, GuardDuty's own block in snake_case under resources[].data (or OCSF's `device`).
"""
from __future__ import annotations

import functools
import gzip
import json
import random
import re

import botocore.session

import finding_maker


@functools.cache
def _guardduty():
    return botocore.session.get_session().get_service_model('guardduty').shape_for('Finding')


def sdk_spelling(value, shape=None):
    """camelCase as on the wire -> the names of the SDKs; unknown names get a capital letter."""
    if isinstance(value, list):
        member = shape.member if shape is not None and shape.type_name == 'list' else None
        return [sdk_spelling(v, member) for v in value]
    if not isinstance(value, dict):
        return value
    members = shape.members if shape is not None and shape.type_name == 'structure' else {}
    wire = {m.serialization.get('name', n): (n, m) for n, m in members.items()}
    out = {}
    for key, v in value.items():
        name, member = wire.get(key, (key[:1].upper() + key[1:], None))
        out[name] = sdk_spelling(v, member)
    return out


def snake(value):
    if isinstance(value, list):
        return [snake(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {re.sub(r'(?<!^)([A-Z])', lambda m: '_' + m[1].lower(), k): snake(v) for k, v in value.items()}


def _text(v) -> str:
    return v if isinstance(v, str) else json.dumps(v)


def flatten(value, path: str = '') -> dict[str, str]:
    """{"a": {"b": [1]}} -> {"a/b.0_": "1"}"""
    if isinstance(value, dict) and value:
        out = {}
        for k, v in value.items():
            out.update(flatten(v, f'{path}/{k}' if path else k))
        return out
    if isinstance(value, list) and value:
        out = {}
        for i, v in enumerate(value):
            out.update(flatten(v, f'{path}.{i}_'))
        return out
    return {path: '' if value is None or value == {} else _text(value)}


# ASFF

BANDS = {'low': ('LOW', 1), 'medium': ('MEDIUM', 40), 'high': ('HIGH', 70), 'critical': ('CRITICAL', 90)}


def band(severity: float) -> str:
    return 'critical' if severity >= 9 else 'high' if severity >= 7 else 'medium' if severity >= 4 else 'low'


def _asff_severity(severity: float, r: random.Random) -> dict:
    label, normalized = BANDS[band(severity)]
    return r.choice([{'Product': severity, 'Label': label, 'Normalized': round(severity * 10)},
                     {'Label': label, 'Normalized': normalized, 'Original': str(severity)},
                     {'Label': label, 'Normalized': normalized}, {'Label': label}, {'Product': severity, 'Normalized': round(severity * 10)}])


def _tags(block: dict) -> dict:
    return {t['key']: t['value'] for t in block.get('tags') or []}


def named_resources(finding: dict) -> list[tuple[str, str, dict, dict]]:
    """(ASFF type, Id, GuardDuty's block, the block's name -> what goes under Other) in the order of the finding."""
    if finding['resource'].get('resourceType') == 'AttackSequence':
        return [_sequence_resource(x) for x in finding['service']['detection']['sequence']['resources']]
    res, account, region = finding['resource'], finding['accountId'], finding['region']
    partition = finding['arn'].split(':')[1]

    def arn(service, rest):
        return f'arn:{partition}:{service}:{region}:{account}:{rest}'
    out = []
    for name, block in res.items():
        if name == 'instanceDetails':
            out.append(('AwsEc2Instance', arn('ec2', f"instance/{block['instanceId']}"), block, {}))
        elif name == 'accessKeyDetails':
            out.append(('AwsIamAccessKey', f"AWS::IAM::AccessKey:{block['accessKeyId']}", block, {}))
        elif name == 's3BucketDetails':
            for b in block:
                if res['resourceType'] == 'S3Object':
                    out += [('AwsS3Object', o['objectArn'], o, {}) for o in b['s3ObjectDetails']]
            for b in block:
                out.append(('AwsS3Bucket', b['arn'], b, {'publicAccess': b['publicAccess']}))
        elif name == 'rdsDbInstanceDetails':
            out.append(('AwsRdsDbInstance', block['dbInstanceArn'], block, {}))
        elif name == 'lambdaDetails':
            out.append(('AwsLambdaFunction', block['functionArn'], block, {}))
        elif name == 'eksClusterDetails':
            other = {'kubernetesDetails': res['kubernetesDetails']} if 'kubernetesDetails' in res else {}
            out.append(('AwsEksCluster', block['arn'], block, other))
        elif name == 'ecsClusterDetails':
            other = {'ecsClusterDetails': {'taskDetails': block['taskDetails']}} if 'taskDetails' in block else {}
            out.append(('AwsEcsCluster', block['arn'], block, other))
        elif name == 'containerDetails' and block:
            out.append(('Container', block['id'], block, {}))
        elif name == 'ebsVolumeDetails':
            out += [('AwsEc2Volume', v['volumeArn'], v, {}) for v in block['scannedVolumeDetails']]
        elif name == 'ebsSnapshotDetails':
            out.append(('AwsEc2Snapshot', block['snapshotArn'], block, {}))
        elif name == 'ec2ImageDetails':
            out.append(('AwsEc2Image', block['imageArn'], block, {}))
    primary = {'Instance': 'AwsEc2Instance', 'AccessKey': 'AwsIamAccessKey'}.get(res.get('resourceType'))
    return sorted(out, key=lambda x: x[0] != primary) if primary else out


SEQUENCE = {'EC2_INSTANCE': 'AwsEc2Instance', 'S3_BUCKET': 'AwsS3Bucket', 'ACCESS_KEY': 'AwsIamAccessKey', 'EKS_CLUSTER': 'AwsEksCluster',
            'ECS_CLUSTER': 'AwsEcsCluster', 'EC2_IMAGE': 'AwsEc2Image'}


def _sequence_resource(x: dict) -> tuple[str, str, dict, dict]:
    data = x['data'].get('accessKey', {})
    return SEQUENCE.get(x['resourceType'], 'Other'), x['uid'], {**data, 'tags': x['tags']}, {}


def _asff_details(kind: str, block: dict, other: dict) -> dict:
    details = {}
    if kind == 'AwsEc2Instance':
        first = (block.get('networkInterfaces') or [{}])[0]
        addresses = [a for a in (first.get('privateIpAddress'), first.get('publicIp')) if a]
        details[kind] = {'Type': block.get('instanceType'), 'IpV4Addresses': addresses, 'IpV6Addresses': first.get('ipv6Addresses', []),
                         'VpcId': first.get('vpcId'), 'SubnetId': first.get('subnetId'),
                         'IamInstanceProfileArn': (block.get('iamInstanceProfile') or {}).get('arn')}
    elif kind == 'AwsIamAccessKey':
        details[kind] = {'PrincipalId': block.get('principalId'), 'PrincipalName': block.get('userName'), 'PrincipalType': block.get('userType')}
    elif kind == 'AwsRdsDbInstance':
        details[kind] = {'DBInstanceIdentifier': block.get('dbInstanceIdentifier'), 'DBClusterIdentifier': block.get('dbClusterIdentifier')}
    elif kind == 'AwsLambdaFunction':
        details[kind] = {'FunctionName': block.get('functionName'), 'Role': block.get('role')}
    elif kind == 'AwsS3Object':
        details[kind] = {'VersionId': block.get('versionId')}
    details = {k: {n: v for n, v in d.items() if v is not None} for k, d in details.items()}
    if other:
        details['Other'] = flatten(other)
    return details


def asff(finding: dict, r: random.Random) -> dict:
    partition, service = finding['arn'].split(':')[1], dict(finding['service'])
    sequence = service.pop('detection', {}).get('sequence')
    severity = float(finding['severity'])
    dotted = re.sub(r'(?<=:)([^/]*)/', r.choice([r'\1-', r'\1/']), finding['type'], count=1)
    out = {'SchemaVersion': '2018-10-08', 'Id': finding['arn'], 'ProductArn': f"arn:{partition}:securityhub:{finding['region']}::product/aws/guardduty",
           'ProductName': 'GuardDuty', 'CompanyName': 'Amazon', 'Region': finding['region'], 'GeneratorId': finding['arn'].split('/finding/')[0],
           'AwsAccountId': finding['accountId'], 'Types': [r.choice(['TTPs/Command and Control/', 'TTPs/', 'Effects/Data Exfiltration/']) + dotted],
           'CreatedAt': '2026-08-01T09:30:00.000Z', 'UpdatedAt': finding['updatedAt'], 'Severity': _asff_severity(severity, r),
           'Title': finding.get('title', 'x'), 'Description': finding.get('description', 'x')[:1024], 'WorkflowState': 'NEW',
           'ProductFields': {**{f'aws/guardduty/service/{k}': v for k, v in flatten(service).items()}, 'aws/securityhub/ProductName': 'GuardDuty'},
           'RecordState': 'ARCHIVED' if service.get('archived') else 'ACTIVE', 'Workflow': {'Status': 'NEW'}, 'Resources': []}
    for kind, id, block, other in named_resources(finding):
        x = {'Type': kind, 'Id': id, 'Partition': partition, 'Region': finding['region']}
        if details := _asff_details(kind, block, other):
            x['Details'] = details
        if tags := _tags(block):
            x['Tags'] = tags
        out['Resources'].append(x)
    if sequence:
        out['Detection'] = {'Sequence': {
            'Uid': sequence['uid'], 'Actors': sdk_spelling(sequence['actors']), 'Endpoints': sdk_spelling(sequence['endpoints']),
            'Signals': [{'Id': s['uid'], 'Type': s['type'], 'Title': s['name'], 'Name': s['name'], 'Severity': s['severity'], 'Count': s['count'],
                         'FirstSeenAt': int(s['firstSeenAt'] * 1000), 'LastSeenAt': int(s['lastSeenAt'] * 1000)} for s in sequence['signals']],
            'SequenceIndicators': []}}
    return out


# OCSF

SEVERITY_ID = {'low': 2, 'medium': 3, 'high': 4, 'critical': 5}


def _ocsf_resource(kind: str, id: str, block: dict, other: dict, r: random.Random) -> dict:
    cloudformation = {'AwsEc2Instance': 'AWS::EC2::Instance', 'AwsIamAccessKey': 'AWS::IAM::AccessKey', 'AwsS3Bucket': 'AWS::S3::Bucket',
                      'AwsS3Object': 'AWS::S3::Object', 'AwsRdsDbInstance': 'AWS::RDS::DBInstance', 'AwsLambdaFunction': 'AWS::Lambda::Function',
                      'AwsEksCluster': 'AWS::EKS::Cluster', 'AwsEcsCluster': 'AWS::ECS::Cluster', 'Container': 'AWS::Container::Container',
                      'AwsEc2Volume': 'AWS::EC2::Volume', 'AwsEc2Snapshot': 'AWS::EC2::Snapshot', 'AwsEc2Image': 'AWS::EC2::Image'}
    out = {'type': r.choice([kind, cloudformation.get(kind, kind)]), 'uid': id, 'tags': [{'name': k, 'value': v} for k, v in _tags(block).items()]}
    if kind == 'AwsEc2Instance' and r.random() < 0.5:
        first = (block.get('networkInterfaces') or [{}])[0]
        out['uid'] = id.rsplit('/', 1)[1]
        out['device'] = {'uid': out['uid'], 'type': 'Virtual', 'type_id': 6, 'network_interfaces': [{'ip': first.get('publicIp', '')}],
                         'instance_profile': {'uid_alt': (block.get('iamInstanceProfile') or {}).get('arn', '')}}
    else:
        out['data'] = snake({**block, **other})
    return out


def _ocsf_evidences(finding: dict) -> list[dict]:
    out, action = [], finding['service'].get('action') or {}
    for name, block in action.items():
        if not isinstance(block, dict):
            continue
        for each in [block, *block.get('portProbeDetails', [])]:
            remote = each.get('remoteIpDetails', {})
            if ip := remote.get('ipAddressV4') or remote.get('ipAddressV6'):
                out.append({'src_endpoint': {'ip': ip, 'location': {'country': 'Nowhere'}, 'autonomous_system': {'number': 64500, 'name': 'x'}}})
        if name == 'awsApiCallAction':
            out.append({'api': {'operation': block['api'], 'service': {'name': block['serviceName']}}})
        if name == 'dnsRequestAction':
            out.append({'query': {'hostname': block['domain']}})
    outward = {'ACTOR': 2, 'TARGET': 1}[finding['service']['resourceRole']]
    out.append({'connection_info': {'direction_id': outward}})
    for x in (finding['service'].get('detection') or {}).get('sequence', {}).get('actors', []):
        u = x['user']
        out.append({'actor': {'user': {'name': u['name'], 'uid': u['uid'], 'type': u['type'], 'credential_uid': u['credentialUid']}}})
    for x in (finding['service'].get('detection') or {}).get('sequence', {}).get('endpoints', []):
        out.append({'src_endpoint': {'ip': x['ip']}})
    return out


def ocsf(finding: dict, r: random.Random) -> dict:
    partition, severity = finding['arn'].split(':')[1], float(finding['severity'])
    return {'activity_id': 1, 'category_uid': 2, 'class_uid': 2004, 'class_name': 'Detection Finding', 'type_uid': 200401,
            'cloud': {'account': {'uid': finding['accountId']}, 'region': finding['region'], 'provider': 'AWS', 'cloud_partition': partition},
            'finding_info': {'uid': finding['arn'], 'title': finding.get('title', 'x'), 'desc': finding.get('description', 'x'),
                             'types': ['Threats', finding['type']], 'created_time': 1785576600000, 'modified_time': 1785578400000},
            'metadata': {'product': {'name': 'GuardDuty', 'vendor_name': 'AWS', 'uid': f"arn:{partition}:securityhub:{finding['region']}::productv2/aws/guardduty"},
                         'version': '1.6.0'},
            'severity_id': SEVERITY_ID[band(severity)], 'status_id': 5 if finding['service'].get('archived') else 1,
            'resources': [_ocsf_resource(*x, r) for x in named_resources(finding)], 'evidences': _ocsf_evidences(finding)}


def ocsf_first_version(finding: dict, r: random.Random) -> dict:
    """Security Lake's source version 1: OCSF 1.0, class 2001."""
    out = ocsf(finding, r)
    out['class_uid'] = r.choice([2001, '2001'])
    out['finding'] = out.pop('finding_info')
    out['cloud'] = {'account_uid': finding['accountId'], 'region': finding['region'], 'provider': 'AWS'}
    out['metadata']['product']['uid'] = out['metadata']['product']['uid'].replace('productv2', 'product')
    out['state_id'] = {5: 4, 1: 1}[out.pop('status_id')]
    return out


# transports

def event(detail: dict, finding: dict, source: str = 'aws.guardduty', kind: str = 'GuardDuty Finding') -> dict:
    return {'version': '0', 'id': 'e', 'detail-type': kind, 'source': source, 'account': finding['accountId'], 'time': '2026-08-01T10:00:01Z',
            'region': finding['region'], 'resources': [], 'detail': detail}


def _dump(doc, **options) -> bytes:
    return json.dumps(doc, **options).encode()


def native(finding: dict) -> dict[str, bytes]:
    """The same finding, untouched, in each transport."""
    e, sdk = event(finding, finding), sdk_spelling(finding, _guardduty())
    text = json.dumps(e)
    return {
        'bare': _dump(finding), 'bare, not ASCII': _dump(finding, ensure_ascii=False), 'SDK names': _dump(sdk), 'event': _dump(e),
        'event, SDK names': _dump(event(sdk, finding)), 'array': _dump([finding]), 'GetFindings': _dump({'findings': [finding]}),
        'get-findings': _dump({'Findings': [sdk]}), 'indented, with a mark': b'\xef\xbb\xbf' + _dump(e, indent=2), 'gzip': gzip.compress(_dump(e)),
        'export': gzip.compress(_dump(finding) + b'\n\n'),
        'Lambda from SQS': _dump({'Records': [{'messageId': 'm', 'eventSource': 'aws:sqs', 'body': text}]}),
        'ReceiveMessage': _dump({'Messages': [{'MessageId': 'm', 'Body': text}]}),
        'SNS in SQS': _dump({'Records': [{'eventSource': 'aws:sqs', 'body': json.dumps({'Type': 'Notification', 'Message': text})}]}),
        'Lambda from SNS': _dump({'Records': [{'EventSource': 'aws:sns', 'Sns': {'Type': 'Notification', 'Message': text}}]}),
        'events in a list': _dump([e]),
    }


def hub(finding: dict, seed: int) -> dict[str, bytes]:
    """As Security Hub passes it on, in both of its formats."""
    r = random.Random(seed)
    a, o, first = asff(finding, r), ocsf(finding, r), ocsf_first_version(finding, r)
    imported = event({'findings': [a]}, finding, 'aws.securityhub', 'Security Hub Findings - Imported')
    return {
        'ASFF': _dump(a), 'ASFF event': _dump(imported), 'ASFF GetFindings': _dump({'Findings': [a]}),
        'ASFF custom action': _dump(event({'actionName': 'contain', 'actionDescription': 'x', 'findings': [a]}, finding, 'aws.securityhub',
                                          'Security Hub Findings - Custom Action')),
        'ASFF in SQS': _dump({'Records': [{'eventSource': 'aws:sqs', 'body': json.dumps(imported)}]}),
        'OCSF': _dump(o), 'OCSF event': _dump(event({'findings': [o]}, finding, 'aws.securityhub', 'Findings Imported V2')),
        'OCSF class 2001': _dump(first), 'OCSF lines': _dump(o) + b'\n',
    }


if finding_maker.EXTRA in sdk_spelling({finding_maker.EXTRA: 1}):
    raise AssertionError('an unknown name must be spelt as the SDKs spell')
