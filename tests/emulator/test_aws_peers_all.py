"""Every modelled operation of S3 and DynamoDB against the peers: what they know they accept, and it has its effect."""
from __future__ import annotations

import base64

import pytest

from aws_samples import services
from wire_driver import Driver, Refused

BUCKET = {'Bucket': 'evidence'}
OBJECT = {**BUCKET, 'Key': 'case 1/ñ+&.bin'}
OTHER = {'Bucket': 'open-bucket'}
SOURCE = 'open-bucket/plain%20name'
POLICY = ('{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":["s3:GetObject"],'
          '"Resource":["arn:aws:s3:::open-bucket/*"]}]}')
TAGS = {'TagSet': [{'Key': 'case', 'Value': '2026-0042'}, {'Key': 'a b', 'Value': 'ñ'}]}
LOCK = {'ObjectLockEnabled': 'Enabled', 'Rule': {'DefaultRetention': {'Mode': 'GOVERNANCE', 'Days': 1}}}

# In this order; a function gets what came before by operation.
S3 = [
    ('CreateBucket', {**BUCKET, 'ObjectLockEnabledForBucket': True}), ('CreateBucket', OTHER), ('HeadBucket', BUCKET), ('ListBuckets', {}),
    ('GetBucketLocation', BUCKET), ('PutBucketOwnershipControls', {**OTHER, 'OwnershipControls': {'Rules': [
        {'ObjectOwnership': 'BucketOwnerPreferred'}]}}), ('GetBucketOwnershipControls', OTHER),
    ('PutBucketAcl', {**OTHER, 'ACL': 'private'}), ('GetBucketAcl', OTHER),
    ('PutBucketVersioning', {**BUCKET, 'VersioningConfiguration': {'Status': 'Enabled'}}), ('GetBucketVersioning', BUCKET),
    ('PutBucketTagging', {**BUCKET, 'Tagging': TAGS}), ('GetBucketTagging', BUCKET), ('DeleteBucketTagging', BUCKET),
    ('PutBucketPolicy', {**OTHER, 'Policy': POLICY}), ('GetBucketPolicy', OTHER), ('GetBucketPolicyStatus', OTHER), ('DeleteBucketPolicy', OTHER),
    ('PutObjectLockConfiguration', {**BUCKET, 'ObjectLockConfiguration': LOCK}), ('GetObjectLockConfiguration', BUCKET),
    ('PutPublicAccessBlock', {**BUCKET, 'PublicAccessBlockConfiguration': {'BlockPublicAcls': True}}), ('GetPublicAccessBlock', BUCKET),
    ('DeletePublicAccessBlock', BUCKET),
    ('PutBucketEncryption', {**BUCKET, 'ServerSideEncryptionConfiguration': {'Rules': [
        {'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'AES256'}}]}}), ('GetBucketEncryption', BUCKET), ('DeleteBucketEncryption', BUCKET),
    ('PutBucketLifecycleConfiguration', {**BUCKET, 'LifecycleConfiguration': {'Rules': [
        {'ID': 'r', 'Status': 'Enabled', 'Filter': {'Prefix': 'x'}, 'Expiration': {'Days': 1}}]}}), ('GetBucketLifecycleConfiguration', BUCKET),
    ('PutBucketLogging', {**BUCKET, 'BucketLoggingStatus': {'LoggingEnabled': {'TargetBucket': 'open-bucket', 'TargetPrefix': 'p'}}}),
    ('GetBucketLogging', BUCKET),
    ('PutBucketNotificationConfiguration', {**BUCKET, 'NotificationConfiguration': {}}), ('GetBucketNotificationConfiguration', BUCKET),
    ('PutBucketReplication', {**BUCKET, 'ReplicationConfiguration': {'Role': 'arn:aws:iam::1:role/r', 'Rules': [
        {'Status': 'Enabled', 'Destination': {'Bucket': 'arn:aws:s3:::open-bucket'}}]}}), ('GetBucketReplication', BUCKET),
    ('DeleteBucketReplication', BUCKET),
    ('PutBucketWebsite', {**BUCKET, 'WebsiteConfiguration': {'IndexDocument': {'Suffix': 'index.html'}}}), ('GetBucketWebsite', BUCKET),
    ('DeleteBucketWebsite', BUCKET), ('GetBucketCors', BUCKET),
    ('PutObject', {**OBJECT, 'Body': base64.b64encode(b'bytes\x00\xff').decode(), 'Metadata': {'case': '2026-0042'}, 'ContentType': 'text/plain',
                   'Tagging': 'a=b&c=%C3%B1', 'StorageClass': 'STANDARD'}),
    ('PutObject', {**OTHER, 'Key': 'plain name', 'Body': 'eA==', 'IfNoneMatch': '*'}), ('HeadObject', OBJECT), ('GetObject', OBJECT),
    ('GetObjectAcl', {**OTHER, 'Key': 'plain name'}), ('PutObjectAcl', {**OTHER, 'Key': 'plain name', 'ACL': 'private'}),
    ('GetObjectAttributes', {**OBJECT, 'ObjectAttributes': ['ETag', 'ObjectSize', 'Checksum']}),
    ('PutObjectTagging', {**OBJECT, 'Tagging': TAGS}), ('GetObjectTagging', OBJECT), ('DeleteObjectTagging', OBJECT),
    ('PutObjectLegalHold', {**OBJECT, 'LegalHold': {'Status': 'ON'}}), ('GetObjectLegalHold', OBJECT),
    ('PutObjectLegalHold', {**OBJECT, 'LegalHold': {'Status': 'OFF'}}),
    ('PutObjectRetention', {**OBJECT, 'Retention': {'Mode': 'GOVERNANCE', 'RetainUntilDate': '2031-02-03T04:05:06Z'},
                            'BypassGovernanceRetention': True}), ('GetObjectRetention', OBJECT),
    ('RestoreObject', {**OTHER, 'Key': 'plain name', 'RestoreRequest': {'Days': 1}}),
    ('CopyObject', {**OTHER, 'Key': 'copy', 'CopySource': SOURCE, 'MetadataDirective': 'REPLACE', 'Metadata': {'x': 'y'}}),
    ('ListObjects', {**OTHER, 'MaxKeys': 1}), ('ListObjectsV2', {**OTHER, 'Delimiter': '/'}), ('ListObjectVersions', BUCKET),
    ('CreateMultipartUpload', {**OTHER, 'Key': 'parts', 'ChecksumAlgorithm': 'SHA256'}),
    ('UploadPart', lambda d: {**OTHER, 'Key': 'parts', 'UploadId': d['CreateMultipartUpload']['UploadId'], 'PartNumber': 1, 'Body': 'YWJj',
                              'ChecksumAlgorithm': 'SHA256'}),
    ('ListMultipartUploads', OTHER), ('ListParts', lambda d: {**OTHER, 'Key': 'parts', 'UploadId': d['CreateMultipartUpload']['UploadId']}),
    ('CompleteMultipartUpload', lambda d: {
        **OTHER, 'Key': 'parts', 'UploadId': d['CreateMultipartUpload']['UploadId'], 'MultipartUpload': {'Parts': [
            {'PartNumber': 1, 'ETag': d['UploadPart']['ETag'], 'ChecksumSHA256': d['UploadPart']['ChecksumSHA256']}]}}),
    ('CreateMultipartUpload', {**OTHER, 'Key': 'copied'}),
    ('UploadPartCopy', lambda d: {**OTHER, 'Key': 'copied', 'UploadId': d['CreateMultipartUpload']['UploadId'], 'PartNumber': 1,
                                  'CopySource': SOURCE}),
    ('AbortMultipartUpload', lambda d: {**OTHER, 'Key': 'copied', 'UploadId': d['CreateMultipartUpload']['UploadId']}),
    ('DeleteObject', {**OTHER, 'Key': 'copy'}),
    ('DeleteObjects', {**OTHER, 'Delete': {'Objects': [{'Key': 'parts'}, {'Key': 'plain name'}], 'Quiet': False}}),
    ('DeleteBucketOwnershipControls', OTHER), ('DeleteBucket', OTHER),
]
ABSENT_S3 = ('NotImplemented', 'MethodNotAllowed', 'ReplicationConfigurationNotFoundError', 'NoSuchWebsiteConfiguration', 'NoSuchCORSConfiguration',
             'NoSuchLifecycleConfiguration', 'ServerSideEncryptionConfigurationNotFoundError', 'NoSuchPublicAccessBlockConfiguration',
             'InvalidObjectState')


def play(driver, service: str, script, absent) -> tuple[dict, list[str]]:
    """Results by operation, and what the server does not have."""
    done, missing, refused = {}, [], []
    for operation, params in script:
        try:
            done[operation] = driver('call', service, operation, params(done) if callable(params) else params)['result']
        except Refused as answer:
            if answer.error['code'] in absent:
                missing.append(operation)
            else:
                refused.append(f'{operation}: {answer}')
    assert not refused, '\n'.join(refused)
    return done, missing


@pytest.mark.parametrize('server', ['s3_server', 's3_server_tls'])
def test_every_operation_of_s3(request, server):
    peer = request.getfixturevalue(server)
    with Driver(peer.env) as driver:
        done, missing = play(driver, 's3', S3, ABSENT_S3)
    assert {o for o, _ in S3} == set(services()['s3'])
    assert len(set(done)) >= 40, missing
    assert base64.b64decode(done['GetObject']['Body']) == b'bytes\x00\xff' and done['GetObject']['Metadata'] == {'case': '2026-0042'}
    for operation in ('GetObjectTagging', 'GetBucketTagging'):
        assert sorted(done[operation]['TagSet'], key=lambda t: t['Key'], reverse=True) == TAGS['TagSet']
    assert done['GetObjectRetention']['Retention'] == {'Mode': 'GOVERNANCE', 'RetainUntilDate': '2031-02-03T04:05:06Z'}
    assert done['GetObjectLegalHold'] == {'LegalHold': {'Status': 'ON'}}
    assert done['GetObjectLockConfiguration']['ObjectLockConfiguration'] == LOCK
    assert done['GetBucketPolicy']['Policy'] == POLICY and done['GetBucketVersioning']['Status'] == 'Enabled'
    assert [p['PartNumber'] for p in done['ListParts']['Parts']] == [1]
    assert sorted(d['Key'] for d in done['DeleteObjects']['Deleted']) == ['parts', 'plain name']


TABLE = {'TableName': 'journal'}
KEY = {'case': {'S': 'ñ 1'}, 'seq': {'N': '1'}}
ITEM = {**KEY, 'text': {'S': '<é&"'}, 'raw': {'B': 'AAH/'}, 'list': {'L': [{'NULL': True}, {'BOOL': True}, {'M': {'k': {'NS': ['1', '2.5']}}}]},
        'set': {'BS': ['AA==', '/w==']}}
NEXT = {'case': {'S': 'ñ 1'}, 'seq': {'N': '2'}}
WHERE = {'KeyConditionExpression': '#c = :c', 'ExpressionAttributeNames': {'#c': 'case'}, 'ExpressionAttributeValues': {':c': {'S': 'ñ 1'}}}
DYNAMODB = [
    ('CreateTable', {**TABLE, 'BillingMode': 'PAY_PER_REQUEST', 'KeySchema': [
        {'AttributeName': 'case', 'KeyType': 'HASH'}, {'AttributeName': 'seq', 'KeyType': 'RANGE'}], 'AttributeDefinitions': [
        {'AttributeName': 'case', 'AttributeType': 'S'}, {'AttributeName': 'seq', 'AttributeType': 'N'}]}),
    ('DescribeTable', TABLE), ('ListTables', {}), ('PutItem', {**TABLE, 'Item': ITEM, 'ConditionExpression': 'attribute_not_exists(seq)'}),
    ('GetItem', {**TABLE, 'Key': KEY, 'ConsistentRead': True}),
    ('UpdateItem', {**TABLE, 'Key': KEY, 'UpdateExpression': 'SET n = :n', 'ExpressionAttributeValues': {':n': {'N': '7'}}, 'ReturnValues': 'ALL_NEW'}),
    ('BatchWriteItem', {'RequestItems': {'journal': [{'PutRequest': {'Item': NEXT}}]}}),
    ('BatchGetItem', {'RequestItems': {'journal': {'Keys': [KEY, NEXT]}}}), ('Query', {**TABLE, **WHERE}), ('Scan', TABLE),
    ('TransactWriteItems', {'TransactItems': [{'Put': {**TABLE, 'Item': {**KEY, 'seq': {'N': '3'}}}}, {'ConditionCheck': {
        **TABLE, 'Key': KEY, 'ConditionExpression': 'attribute_exists(seq)'}}]}),
    ('TransactGetItems', {'TransactItems': [{'Get': {**TABLE, 'Key': KEY}}]}),
    ('UpdateTimeToLive', {**TABLE, 'TimeToLiveSpecification': {'Enabled': True, 'AttributeName': 'expires'}}), ('DescribeTimeToLive', TABLE),
    ('DescribeContinuousBackups', TABLE),
    ('UpdateContinuousBackups', {**TABLE, 'PointInTimeRecoverySpecification': {'PointInTimeRecoveryEnabled': True}}),
    ('CreateBackup', {**TABLE, 'BackupName': 'backup'}), ('DescribeBackup', {'BackupArn': 'arn:aws:dynamodb:eu-west-1:1:table/journal/backup/1'}),
    ('ListTagsOfResource', lambda d: {'ResourceArn': d['CreateTable']['TableDescription']['TableArn']}),
    ('PutResourcePolicy', lambda d: {'ResourceArn': d['CreateTable']['TableDescription']['TableArn'], 'Policy': '{}'}),
    ('UpdateTable', {**TABLE, 'DeletionProtectionEnabled': False}), ('DeleteItem', {**TABLE, 'Key': NEXT, 'ReturnValues': 'ALL_OLD'}),
    ('DeleteTable', TABLE),
]


def test_every_operation_of_dynamodb(dynamodb_local):
    with Driver(dynamodb_local.env) as driver:
        done, missing = play(driver, 'dynamodb', DYNAMODB, ('UnknownOperationException', 'ResourceNotFoundException'))
    assert {o for o, _ in DYNAMODB} == set(services()['dynamodb'])
    done['GetItem']['Item']['set']['BS'].sort(key=ITEM['set']['BS'].index)  # a set has no order
    assert done['GetItem']['Item'] == ITEM and len(done['Query']['Items']) == 2 and done['DeleteItem']['Attributes'] == NEXT
    assert done['UpdateItem']['Attributes']['n'] == {'N': '7'} and len(done) >= 17, missing
