"""The AWS layer against servers that other people wrote (peers.py): what they accept, keep and refuse."""
import base64
import contextlib
import json
import select
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request

import pytest

from wire_driver import Driver, Refused
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


def test_a_person_can_presign(cordon_alone: Cordon, s3_server):
    s3_server.client.create_bucket(Bucket='evidence')
    s3_server.client.put_object(Bucket='evidence', Key=KEY, Body=b'for the lawyer')
    params = json.dumps({'Bucket': 'evidence', 'Key': KEY})
    shown = cordon_alone('aws', 's3', 'GetObject', '--params', params, '--presign', '600', env=s3_server.env).json
    assert fetch(s3_server, shown) == (200, b'for the lawyer') and shown['expires'].endswith('Z')
    for seconds, words in (('0', 'takes seconds'), ('soon', 'takes seconds'), ('604801', 'from 1 to 604800')):
        ran = cordon_alone('aws', 's3', 'GetObject', '--params', params, '--presign', seconds, env=s3_server.env)
        assert ran.code == 2 and words in ran.err, ran.err
    dry = cordon_alone('--dry-run', 'aws', 's3', 'PutObject', '--params', params, '--presign', '60', env=s3_server.env)
    assert dry.code == 1 and 's3:PutObject was not sent' in dry.err


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


# ---- streams: sent in one pass, signed or over TLS, the checksum behind the bytes ----

def pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize('size', [0, 1, 65536, 65537, 3_000_000])
def test_streams_arrive_with_their_checksum(store, size):
    with Driver(store.env) as driver:
        driver('call', 's3', 'CreateBucket', {'Bucket': 'evidence'})
        for kind in (None, 'CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'):
            named = {'ChecksumAlgorithm': kind} if kind else {}
            made = driver('put', 's3', 'PutObject', {'Bucket': 'evidence', 'Key': 'k', **named}, size=size)['result']
            got = store.client.get_object(Bucket='evidence', Key='k', ChecksumMode='ENABLED')
            assert got['Body'].read() == pattern(size)
            name = f'Checksum{kind or "SHA256"}'
            assert made[name] == got[name], kind


def test_parts_are_streamed_with_the_checksum_of_their_upload(store):
    with Driver(store.env) as driver:
        driver('call', 's3', 'CreateBucket', {'Bucket': 'evidence'})
        for kind in ({}, {'ChecksumAlgorithm': 'CRC64NVME'}, {'ChecksumAlgorithm': 'SHA256'}):
            where = {'Bucket': 'evidence', 'Key': 'k'}
            upload = driver('call', 's3', 'CreateMultipartUpload', {**where, **kind})['result']['UploadId']
            parts = []
            for number, size in ((1, 5 << 20), (2, 70_000)):
                done = driver('put', 's3', 'UploadPart', {**where, **kind, 'UploadId': upload, 'PartNumber': number},
                              size=size)['result']
                sums = {k: v for k, v in done.items() if k.startswith('Checksum') and k != 'ChecksumType'}
                assert bool(sums) or not kind
                parts.append({'PartNumber': number, 'ETag': done['ETag'], **(sums if kind else {})})
            driver('call', 's3', 'CompleteMultipartUpload', {**where, 'UploadId': upload, 'MultipartUpload': {'Parts': parts}})
            assert store.client.get_object(**where)['Body'].read() == pattern(5 << 20) + pattern(70_000)


class Damaging:
    """Passes requests on to a server and changes one byte of a body, as a bad line would."""

    def __init__(self, peer):
        self.peer, self.listener = peer, socket.create_server(('127.0.0.1', 0))
        self.url = f'{peer.url.split(":")[0]}://127.0.0.1:{self.listener.getsockname()[1]}'
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(('127.0.0.1', int(self.peer.url.rsplit(':', 1)[1])))
                if self.peer.ca:
                    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    inside.load_cert_chain(self.peer.ca, self.peer.ca.with_suffix('.key'))
                    outside = ssl.create_default_context(cafile=str(self.peer.ca))
                    # TLS 1.3 sends tickets after the handshake, on which recv() would wait for data.
                    inside.maximum_version = outside.maximum_version = ssl.TLSVersion.TLSv1_2
                    near = inside.wrap_socket(near, server_side=True)
                    far = outside.wrap_socket(far, server_hostname='127.0.0.1')
                with near, far, contextlib.suppress(OSError):
                    self.copy(near, far)

    @staticmethod
    def copy(near, far):
        """Until either side is done; one thread, since a TLS socket bears only one."""
        other, wanted = {near: far, far: near}, b'\xc7\xc8\xc9\xca'
        while True:
            ready = [s for s in other if isinstance(s, ssl.SSLSocket) and s.pending()] or select.select([near, far], [], [], 30)[0]
            for source in ready:
                data = source.recv(65536)
                if source is near and wanted and wanted in data:
                    data, wanted = data.replace(wanted, wanted[::-1], 1), None
                if not data:
                    return
                other[source].sendall(data)


def test_a_damaged_stream_is_refused(store):
    store.client.create_bucket(Bucket='evidence')
    line = Damaging(store)
    try:
        with Driver({**store.env, 'AWS_ENDPOINT_URL_S3': line.url}) as driver:
            for params in ({}, {'ChecksumAlgorithm': 'CRC64NVME'}):
                with pytest.raises(Refused) as refused:
                    driver('put', 's3', 'PutObject', {'Bucket': 'evidence', 'Key': 'k', **params}, size=200_000)
                assert refused.value.error['code'] in ('BadDigest', 'SignatureDoesNotMatch', 'XAmzContentSHA256Mismatch'), refused.value
    finally:
        line.listener.close()
    assert 'Contents' not in store.client.list_objects_v2(Bucket='evidence')


def test_a_wrong_checksum_is_refused(store):
    with Driver(store.env) as driver:
        driver('call', 's3', 'CreateBucket', {'Bucket': 'evidence'})
        key = {'Bucket': 'evidence', 'Key': 'k'}
        for more, size_and_sum in (({'ChecksumCRC32': 'AAAAAA=='}, {}), ({'ChecksumSHA256': 'A' * 43 + '='}, {}),
                                   ({}, {'sha256': '0' * 64})):
            with pytest.raises(Refused) as refused:
                driver('put', 's3', 'PutObject', {**key, **more}, size=1000, **size_and_sum)
            assert refused.value.error['code'] in ('BadDigest', 'XAmzContentSHA256Mismatch'), refused.value.error
        with pytest.raises(Refused, match='is not computed here'):
            driver('put', 's3', 'PutObject', {**key, 'ChecksumAlgorithm': 'XXHASH64'}, size=10)
    assert 'Contents' not in store.client.list_objects_v2(Bucket='evidence')


def test_streams_take_no_memory(store):
    """300 MB there and back; what 1 MB took is all that they take."""
    small, large = 1 << 20, 300 << 20
    # The sanitizer would keep what libssl frees.
    with Driver({**store.env, 'ASAN_OPTIONS': 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64'}) as driver:
        driver('call', 's3', 'CreateBucket', {'Bucket': 'evidence'})
        key = {'Bucket': 'evidence', 'Key': 'disk.img'}
        driver('put', 's3', 'PutObject', key, size=small)
        before = driver('get', 's3', 'GetObject', key)['rss_kb']
        put = driver('put', 's3', 'PutObject', key, size=large)
        got = driver('get', 's3', 'GetObject', key)
    assert got['bytes'] == large and bytes.fromhex(got['sha256']) == base64.b64decode(put['result']['ChecksumSHA256'])
    assert got['rss_kb'] - before < 16 << 10, (before, put['rss_kb'], got['rss_kb'])


def test_a_length_of_ones_own_is_that_of_the_body_or_refused(store):
    with Driver(store.env) as driver:
        driver('call', 's3', 'CreateBucket', {'Bucket': 'evidence'})
        key = {'Bucket': 'evidence', 'Key': 'k'}
        driver('put', 's3', 'PutObject', {**key, 'ContentLength': 1000}, size=1000)
        driver('call', 's3', 'PutObject', {**key, 'ContentLength': 3, 'Body': 'YWJj'})
        for length in (0, 2, 4, -1, 1 << 40):
            with pytest.raises(Refused, match='but the body has 3 bytes'):
                driver('call', 's3', 'PutObject', {**key, 'ContentLength': length, 'Body': 'YWJj'})
        with pytest.raises(Refused, match='but the body has 10 bytes'):
            driver('put', 's3', 'PutObject', {**key, 'ContentLength': 9}, size=10)
        # In a URL it binds whoever sends the body.
        put = driver('presign', 's3', 'PutObject', {**key, 'ContentLength': 5})
        assert fetch(store, put, b'12345')[0] == 200 and put['headers']['Content-Length'] == '5'
        longer = {**put, 'headers': {k: v for k, v in put['headers'].items() if k != 'Content-Length'}}
        assert fetch(store, longer, b'123456')[0] == 403
    assert store.client.get_object(**key)['Body'].read() == b'12345'


# ---- presigned URLs ----

def fetch(store, shown: dict, body: bytes | None = None, url: str | None = None, **headers) -> tuple[int, bytes]:
    """What somebody without any credentials gets for the URL."""
    request = urllib.request.Request(url or shown['url'], data=body, method=shown['method'],
                                     headers={**shown['headers'], **headers})
    context = ssl.create_default_context(cafile=str(store.ca)) if store.ca else None
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def test_presigned_urls_are_accepted_until_something_is_changed(store):
    store.client.create_bucket(Bucket='evidence')
    with Driver(store.env) as driver:
        put = driver('presign', 's3', 'PutObject', {'Bucket': 'evidence', 'Key': KEY, 'Metadata': {'case': '2026-0042'}},
                     expires=600)
        assert put['method'] == 'PUT' and put['headers']['x-amz-meta-case'] == '2026-0042'
        assert fetch(store, put, b'an attachment')[0] == 200
        assert fetch(store, put, b'x', **{'x-amz-meta-case': 'other'})[0] == 403
        get = driver('presign', 's3', 'GetObject', {'Bucket': 'evidence', 'Key': KEY,
                                                    'ResponseContentDisposition': 'attachment; filename="a b+ñ.bin"'})
        assert fetch(store, get) == (200, b'an attachment')
        listing = driver('presign', 's3', 'ListObjectsV2', {'Bucket': 'evidence', 'Prefix': 'case 1/'}, expires=60)
        assert b'<KeyCount>1</KeyCount>' in fetch(store, listing)[1]
        for a, b in (('X-Amz-Expires=900', 'X-Amz-Expires=901'), ('evidence', 'evidencf'), ('filename', 'fileName'),
                     ('X-Amz-Signature=', 'X-Amz-Signature=0')):
            assert a in get['url'] and fetch(store, get, url=get['url'].replace(a, b))[0] == 403, a
        assert fetch(store, {**get, 'method': 'DELETE'})[0] == 403
        soon = driver('presign', 's3', 'GetObject', {'Bucket': 'evidence', 'Key': KEY}, expires=1)
        time.sleep(2.1)
        status, body = fetch(store, soon)
        assert status == 403 and b'expired' in body, body
        for wrong in (-1, 604801):
            with pytest.raises(Refused, match='from 1 to 604800 seconds'):
                driver('presign', 's3', 'GetObject', {'Bucket': 'evidence', 'Key': KEY}, expires=wrong)
