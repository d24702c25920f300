"""The AWS layer through `cordon aws`: against botocore's own serialiser, against moto, against a stub."""
import base64
import datetime
import json
import os
import pathlib
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zlib

import botocore.loaders
import botocore.model
import botocore.serialize
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHEN = datetime.datetime(2026, 8, 1, 10, 0, 5, tzinfo=datetime.timezone.utc)
PROTOCOLS = ('ec2', 'query', 'json', 'rest-json', 'rest-xml')


def operations() -> list[tuple[str, str]]:
    lines = (ROOT / 'src/aws/operations.list').read_text(encoding='utf-8').splitlines()
    return [tuple(line.split()[:2]) for line in lines if line and not line.startswith('#')]


# ---- parameters made up from a shape: Python's values and the same as JSON ----

def invent(shape, name: str, depth: int, seen: tuple = ()):
    kind = shape.type_name
    if kind == 'structure':
        if shape.is_document_type:
            return {'free': [1, 'x']}, {'free': [1, 'x']}
        members = {n: m for n, m in shape.members.items()
                   if (depth > 0 and m.name not in seen or n in shape.required_members)
                   and not m.serialization.get('jsonvalue')}
        if shape.is_tagged_union:
            members = dict(list(members.items())[:1])
        pairs = {n: invent(m, n, depth - 1, seen + (m.name,) if m.type_name == 'structure' else seen)
                 for n, m in members.items()}
        return {n: p[0] for n, p in pairs.items()}, {n: p[1] for n, p in pairs.items()}
    if kind == 'list':
        pairs = [invent(shape.member, name + str(i), depth, seen) for i in range(2)]
        return [p[0] for p in pairs], [p[1] for p in pairs]
    if kind == 'map':
        pairs = {f'key{i}': invent(shape.value, name + str(i), depth, seen) for i in range(2)}
        return {k: p[0] for k, p in pairs.items()}, {k: p[1] for k, p in pairs.items()}
    if kind == 'blob':
        data = b'\x00\xffblob ' + name.encode()
        return data, base64.b64encode(data).decode()
    if kind == 'timestamp':
        return WHEN, '2026-08-01T10:00:05Z'
    number = zlib.crc32(name.encode()) % 1000
    plain = {'boolean': number % 2 == 0, 'integer': number, 'long': 2 ** 40 + number, 'float': 2.5, 'double': 0.1}
    value = plain.get(kind, f'{name} +&<ñ/é>"%41')
    return value, value


def tree(element: ElementTree.Element):
    return (element.tag, sorted(element.attrib.items()), (element.text or '').strip() if not len(element) else '',
            [tree(child) for child in element])


def comparable(body: bytes, kind: str):
    if kind in ('ec2', 'query'):
        return sorted(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        pass
    try:
        return tree(ElementTree.fromstring(body))
    except ElementTree.ParseError:
        return body


def botocore_request(service: str, operation: str, params: dict, loader) -> tuple[str, dict]:
    description = loader.load_service_model(service, 'service-2')
    model = botocore.model.ServiceModel(description, service)
    kind = next(p for p in model.metadata.get('protocols', [model.metadata['protocol']]) if p in PROTOCOLS)
    made = botocore.serialize.create_serializer(kind, include_validation=False).serialize_to_request(
        params, model.operation_model(operation))
    body = made['body']
    if isinstance(body, dict):  # a form
        body = urllib.parse.urlencode(body)
    query = made['query_string'] or {}
    pairs = [(k, str(x)) for k, v in query.items() for x in (v if isinstance(v, list) else [v])]
    path, _, rest = made['url_path'].partition('?')
    pairs += urllib.parse.parse_qsl(rest, keep_blank_values=True)
    return kind, {'method': made['method'], 'path': path, 'query': sorted(pairs), 'headers': made['headers'],
                  'body': body.encode() if isinstance(body, str) else body}


def check_serialised(cordon, service: str, operation: str, loader) -> None:
    model = botocore.model.ServiceModel(loader.load_service_model(service, 'service-2'), service)
    shape = model.operation_model(operation).input_shape
    python, document = invent(shape, operation, 4) if shape else ({}, {})
    if service == 's3':
        for values in (python, document):
            values.update({k: 'bucket-a' for k in values if k == 'Bucket'})
    for values in (python, document):  # a kind that is computed
        values.update({k: 'SHA256' for k in values if k == 'ChecksumAlgorithm'})
    if 'AccountId' in python and service == 's3control':  # part of the host's name
        python['AccountId'] = document['AccountId'] = '123456789012'
    kind, want = botocore_request(service, operation, python, loader)
    ran = cordon('aws', service, operation, '--params', '@-', '--show-request', stdin=json.dumps(document),
                 env={'AWS_ENDPOINT_URL': 'http://127.0.0.1:9'})
    assert ran.code == 0, ran.err
    got = ran.json
    url = urllib.parse.urlsplit(got['url'])
    body = base64.b64decode(got['body_base64']) if got['body_base64'] else got['body'].encode()
    assert got['method'] == want['method']
    assert url.path == want['path']
    assert sorted(urllib.parse.parse_qsl(url.query, keep_blank_values=True)) == want['query']
    assert comparable(body, kind) == comparable(want['body'], kind)
    headers = {k.lower(): v for k, v in got['headers'].items()}
    for name, value in want['headers'].items():
        value = value.decode() if isinstance(value, bytes) else str(value)
        if name.lower() == 'content-type':
            assert headers[name.lower()].split(';')[0] == value.split(';')[0]
        else:
            assert headers[name.lower()].replace(', ', ',') == value.replace(', ', ','), name


# All of them take half a minute: a run takes every seventh, CORDON_ALL_OPERATIONS=1 takes all.
def chosen() -> list[tuple[str, str]]:
    every = operations()
    if os.environ.get('CORDON_ALL_OPERATIONS'):
        return every
    return every[::7]


def test_requests_are_those_of_botocore(cordon_alone):
    loader, failures = botocore.loaders.create_loader(), []
    for service, operation in chosen():
        try:
            check_serialised(cordon_alone, service, operation, loader)
        except (AssertionError, KeyError) as problem:
            failures.append(f'{service} {operation}: {problem}')
    assert not failures, f'{len(failures)} differ\n' + '\n'.join(failures[:10])


# ---- answers, against what boto3 makes of the same account ----

def plain(value):
    """boto3's values as cordon writes them."""
    if isinstance(value, dict):
        if 'Statement' in value:  # boto3 parses policy documents; in the API they are text
            return json.dumps(value)
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).isoformat(timespec='milliseconds')
        return text.replace('.000', '').replace('+00:00', 'Z')
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def policies(value):
    """Policy texts with the spacing of json.dumps."""
    if isinstance(value, dict):
        # moto's clock stands in this one field, so two calls differ
        return {k: policies(v) for k, v in value.items() if k != 'LatestRestorableTime'}
    if isinstance(value, list):
        return [policies(v) for v in value]
    return json.dumps(json.loads(value), sort_keys=True) if isinstance(value, str) and value.startswith('{') else value


READS = [
    ('ec2', 'DescribeInstances', 'describe_instances', {}),
    ('ec2', 'DescribeSecurityGroups', 'describe_security_groups', {}),
    ('ec2', 'DescribeNetworkInterfaces', 'describe_network_interfaces', {}),
    ('ec2', 'DescribeVolumes', 'describe_volumes', {}),
    ('ec2', 'DescribeNetworkAcls', 'describe_network_acls', {}),
    ('ec2', 'DescribeRouteTables', 'describe_route_tables', {}),
    ('ec2', 'DescribeIamInstanceProfileAssociations', 'describe_iam_instance_profile_associations', {}),
    ('iam', 'ListInstanceProfiles', 'list_instance_profiles', {}),
    ('iam', 'GetAccountAuthorizationDetails', 'get_account_authorization_details', {}),
    ('iam', 'ListRoles', 'list_roles', {}),
    ('elbv2', 'DescribeLoadBalancers', 'describe_load_balancers', {}),
    ('autoscaling', 'DescribeAutoScalingGroups', 'describe_auto_scaling_groups', {}),
    ('rds', 'DescribeDBInstances', 'describe_db_instances', {}),
    ('sns', 'ListTopics', 'list_topics', {}),
    ('sqs', 'ListQueues', 'list_queues', {}),
    ('events', 'ListRules', 'list_rules', {}),
    ('logs', 'DescribeLogGroups', 'describe_log_groups', {}),
    ('kms', 'ListKeys', 'list_keys', {}),
    ('guardduty', 'ListDetectors', 'list_detectors', {}),
]


def test_answers_are_those_of_boto3(cordon, aws, techsolutions):
    aws('kms').create_key(Description='a key')
    aws('guardduty').create_detector(Enable=True)
    aws('logs').create_log_group(logGroupName='/a')
    aws('events').put_rule(Name='r', EventPattern='{"source":["aws.guardduty"]}')
    for service, operation, method, params in READS:
        want = getattr(aws(service), method)(**params)
        del want['ResponseMetadata']
        ran = cordon('aws', service, operation, '--params', json.dumps(params))
        assert ran.code == 0, ran.err
        assert policies(ran.json) == policies(plain(want)), operation
        assert any(want.values()), f'{operation} compared nothing'


def test_objects(cordon, aws):
    body = bytes(range(256)) * 40
    s3 = aws('s3')
    s3.create_bucket(Bucket='evidence', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'},
                     ObjectLockEnabledForBucket=True)
    key = 'case 1/ñandú + (x)&=?#.bin'
    made = cordon('aws', 's3', 'PutObject', '--params', json.dumps({
        'Bucket': 'evidence', 'Key': key, 'Body': base64.b64encode(body).decode(), 'Metadata': {'case': '2026-0042'},
        'ObjectLockMode': 'COMPLIANCE', 'ObjectLockRetainUntilDate': '2030-01-01T00:00:00Z'})).json
    got = s3.get_object(Bucket='evidence', Key=key)
    assert got['Body'].read() == body and got['Metadata'] == {'case': '2026-0042'}
    head = cordon('aws', 's3', 'HeadObject', '--params', json.dumps({'Bucket': 'evidence', 'Key': key})).json
    assert head['ContentLength'] == len(body) and head['VersionId'] == made['VersionId']
    assert head['ObjectLockMode'] == 'COMPLIANCE' and head['ObjectLockRetainUntilDate'] == '2030-01-01T00:00:00Z'
    part = cordon('aws', 's3', 'GetObject', '--params', json.dumps(
        {'Bucket': 'evidence', 'Key': key, 'Range': 'bytes=3-9'})).json
    assert base64.b64decode(part['Body']) == body[3:10]
    listed = cordon('aws', 's3', 'ListObjectVersions', '--params', '{"Bucket":"evidence"}').json
    assert [v['Key'] for v in listed['Versions']] == [key]
    assert cordon('aws', 's3', 'GetBucketLocation', '--params', '{"Bucket":"evidence"}').json == {
        'LocationConstraint': 'eu-west-1'}
    gone = cordon('aws', 's3', 'HeadObject', '--params', '{"Bucket":"evidence","Key":"no"}')
    assert gone.code == 1 and 'NotFound' in gone.err
    locked = cordon('aws', 's3', 'DeleteObject', '--params', json.dumps(
        {'Bucket': 'evidence', 'Key': key, 'VersionId': made['VersionId']}))
    assert locked.code == 4 and 'AccessDenied' in locked.err


def test_pages_are_joined(cordon, aws):
    s3 = aws('s3')
    s3.create_bucket(Bucket='many', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
    keys = [f'k{i:02}' for i in range(7)]
    for key in keys:
        s3.put_object(Bucket='many', Key=key)
    for operation in ('ListObjectsV2', 'ListObjects'):
        result = cordon('aws', 's3', operation, '--paginate', '--params', '{"Bucket":"many","MaxKeys":3}').json
        assert [o['Key'] for o in result['Contents']] == keys
        assert not result.get('IsTruncated') and 'NextContinuationToken' not in result
    dynamo = aws('dynamodb')
    dynamo.create_table(TableName='t', BillingMode='PAY_PER_REQUEST',
                        KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
                        AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}])
    for key in keys:
        dynamo.put_item(TableName='t', Item={'id': {'S': key}, 'b': {'B': b'\x00\x01'}})
    result = cordon('aws', 'dynamodb', 'Scan', '--paginate', '--params', '{"TableName":"t","Limit":2}').json
    assert sorted(i['id']['S'] for i in result['Items']) == keys and result['Count'] == 7
    assert result['Items'][0]['b'] == {'B': 'AAE='} and 'LastEvaluatedKey' not in result


def test_mistakes_are_named_before_anything_is_sent(cordon_alone):
    for params, words in (('{"Filters":[{"Nme":"x"}]}', 'Filters[0].Nme'),
                          ('{"Filters":[{"name":"x"}]}', 'did you mean Name?'),
                          ('{"InstanceIds":"i-1"}', 'InstanceIds must be a list'),
                          ('{"MaxResults":"5"}', 'MaxResults must be an integer')):
        ran = cordon_alone('aws', 'ec2', 'DescribeInstances', '--params', params)
        assert ran.code == 2 and words in ran.err
    ran = cordon_alone('aws', 'ec2', 'TerminateInstances')
    assert ran.code == 2 and 'InstanceIds is required' in ran.err
    assert cordon_alone('aws', 'ec2', 'MakeCoffee').code == 2


def test_dry_run_refuses_what_changes_something(cordon, aws):
    ran = cordon('--dry-run', 'aws', 'sqs', 'CreateQueue', '--params', '{"QueueName":"q"}')
    assert ran.code == 1 and 'sqs:CreateQueue was not sent' in ran.err
    assert 'QueueUrls' not in aws('sqs').list_queues()
    assert cordon('--dry-run', 'aws', 'sqs', 'ListQueues').code == 0


# ---- signatures and permissions, checked by moto ----

ONE_EACH = [('sts', 'GetCallerIdentity', '{}'), ('ec2', 'DescribeVpcs', '{}'), ('iam', 'ListUsers', '{}'),
            ('dynamodb', 'ListTables', '{}'), ('sqs', 'ListQueues', '{}'), ('lambda', 'ListFunctions', '{}'),
            ('guardduty', 'ListDetectors', '{}'), ('s3', 'ListObjectsV2', '{"Bucket":"b-1","Prefix":"a b/+&="}'),
            ('s3', 'GetBucketPolicyStatus', '{"Bucket":"b-1"}')]


def make_user(aws, name: str, action: str) -> dict:
    iam = aws('iam')
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName='p', PolicyDocument=json.dumps(
        {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': action, 'Resource': '*'}]}))
    key = iam.create_access_key(UserName=name)['AccessKey']
    return {'AWS_ACCESS_KEY_ID': key['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': key['SecretAccessKey']}


def test_signatures_hold(cordon, aws, auth_mode):
    aws('s3').create_bucket(Bucket='b-1', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
    aws('s3').put_bucket_policy(Bucket='b-1', Policy='{"Version":"2012-10-17","Statement":[]}')
    good, poor = make_user(aws, 'good', '*'), make_user(aws, 'poor', 'sns:*')
    auth_mode()
    for service, operation, params in ONE_EACH:
        ran = cordon('aws', service, operation, '--params', params, env=good)
        assert ran.code == 0, ran.err
        bad = cordon('aws', service, operation, '--params', params, env={**good, 'AWS_SECRET_ACCESS_KEY': 'no'})
        assert bad.code == 3 and 'check the credentials' in bad.err, bad.err
    denied = cordon('aws', 'ec2', 'DescribeVpcs', env=poor)
    assert denied.code == 4 and 'ec2:DescribeVpcs' in denied.err
