"""The AWS layer through `cordon aws`, against moto. Every operation's wire is compared in test_aws_wire.py."""
import base64
import datetime
import json

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


def known(got, want):
    """`got` without what boto3 drops because its model does not know it; cordon keeps it."""
    if isinstance(got, dict) and isinstance(want, dict):
        return {k: known(v, want[k]) for k, v in got.items() if k in want}
    if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        return [known(g, w) for g, w in zip(got, want)]
    return got


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
        want = policies(plain(want))
        assert known(policies(ran.json), want) == want, operation
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
