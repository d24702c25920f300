"""The AWS layer against servers that other people wrote (peers.py): what they accept, keep and refuse."""
import base64
import json

import pytest

from conftest import Cordon


def run(cordon, peer, operation: str, **params):
    return cordon('aws', peer.service, operation, '--params', json.dumps(params), env=peer.env)


def ok(cordon, peer, operation: str, **params) -> dict:
    ran = run(cordon, peer, operation, **params)
    assert ran.code == 0, f'{operation}: {ran.err}'
    return ran.json


# ---- S3 ----

@pytest.fixture(params=['plain', 'tls'])
def store(request):
    return request.getfixturevalue('s3_server' if request.param == 'plain' else 's3_server_tls')


KEY = 'case 1/ñandú + (x)&=?#~.bin'


def test_objects(cordon_alone: Cordon, store):
    body = bytes(range(256)) * 40
    ok(cordon_alone, store, 'CreateBucket', Bucket='evidence', ObjectLockEnabledForBucket=True)
    made = ok(cordon_alone, store, 'PutObject', Bucket='evidence', Key=KEY, Body=base64.b64encode(body).decode(),
              Metadata={'case': '2026-0042'}, ObjectLockMode='COMPLIANCE', ObjectLockRetainUntilDate='2030-01-01T00:00:00Z')
    got = store.client.get_object(Bucket='evidence', Key=KEY)
    assert got['Body'].read() == body and got['Metadata'] == {'case': '2026-0042'}
    assert got['VersionId'] == made['VersionId']
    kept = ok(cordon_alone, store, 'GetObjectRetention', Bucket='evidence', Key=KEY, VersionId=made['VersionId'])['Retention']
    assert kept == {'Mode': 'COMPLIANCE', 'RetainUntilDate': '2030-01-01T00:00:00Z'}
    part = ok(cordon_alone, store, 'GetObject', Bucket='evidence', Key=KEY, Range='bytes=3-9')
    assert base64.b64decode(part['Body']) == body[3:10]
    listed = ok(cordon_alone, store, 'ListObjectVersions', Bucket='evidence', Prefix='case 1/ñ')
    assert [v['Key'] for v in listed['Versions']] == [KEY]
    locked = run(cordon_alone, store, 'DeleteObject', Bucket='evidence', Key=KEY, VersionId=made['VersionId'])
    assert locked.code == 4 and 'object lock' in locked.err, locked.err
    missing = run(cordon_alone, store, 'GetObject', Bucket='evidence', Key='none')
    assert missing.code == 1 and 'NoSuchKey' in missing.err


def test_a_wrong_key_is_refused(cordon_alone: Cordon, s3_server):
    ok(cordon_alone, s3_server, 'CreateBucket', Bucket='evidence')
    ran = cordon_alone('aws', 's3', 'ListObjectsV2', '--params', '{"Bucket":"evidence"}',
                       env={**s3_server.env, 'AWS_SECRET_ACCESS_KEY': 'wrong'})
    assert ran.code == 3 and 'SignatureDoesNotMatch' in ran.err


# ---- DynamoDB ----

def test_conditional_writes(cordon_alone: Cordon, dynamodb_local):
    ok(cordon_alone, dynamodb_local, 'CreateTable', TableName='journal', BillingMode='PAY_PER_REQUEST',
       KeySchema=[{'AttributeName': 'case', 'KeyType': 'HASH'}, {'AttributeName': 'seq', 'KeyType': 'RANGE'}],
       AttributeDefinitions=[{'AttributeName': 'case', 'AttributeType': 'S'}, {'AttributeName': 'seq', 'AttributeType': 'N'}])
    record = {'TableName': 'journal', 'Item': {'case': {'S': '2026-0042 ñ'}, 'seq': {'N': '1'}, 'b': {'B': 'AAE='},
                                               'l': {'L': [{'NULL': True}, {'BOOL': False}, {'M': {'k': {'SS': ['x', 'y']}}}]}},
              'ConditionExpression': 'attribute_not_exists(seq)'}
    ok(cordon_alone, dynamodb_local, 'PutItem', **record)
    again = run(cordon_alone, dynamodb_local, 'PutItem', **record)
    assert again.code == 1 and 'ConditionalCheckFailedException' in again.err
    key = {'case': {'S': '2026-0042 ñ'}, 'seq': {'N': '1'}}
    got = ok(cordon_alone, dynamodb_local, 'GetItem', TableName='journal', Key=key)['Item']
    assert got == record['Item']
    assert dynamodb_local.client.get_item(TableName='journal', Key=key)['Item']['b'] == {'B': b'\x00\x01'}
    missing = run(cordon_alone, dynamodb_local, 'DescribeTable', TableName='other')
    assert missing.code == 1 and 'ResourceNotFoundException' in missing.err
