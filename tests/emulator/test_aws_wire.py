"""What cordon puts on the wire for every modelled operation, beside what boto3 does with the same parameters.

The parameters are random, valid by botocore's own check, and differ from run to run: a failure prints the seed,
CORDON_SEED repeats it. boto3 is asked for the whole request as it would send it (host, method, path, query,
headers, body). Left out is only what boto3 makes of parameters for convenience, which in cordon are the API's own.
"""
from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
import random
import re
import unittest.mock
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.handlers
import botocore.session
import pytest
from botocore.config import Config

from wire_driver import Driver, Refused
from aws_samples import Sampler, as_text, services

SEED = os.environ.get('CORDON_SEED') or str(random.SystemRandom().randrange(10 ** 9))
SAMPLES = int(os.environ.get('CORDON_SAMPLES', '3'))
UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')
KEYS = {'AWS_ACCESS_KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'AWS_SECRET_ACCESS_KEY': 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'}

# boto3 encodes, quotes or fills in these for its callers; cordon's parameters are as the API has them.
CONVENIENCES = [
    ('before-parameter-build.ec2.RunInstances', botocore.handlers.base64_encode_user_data),
    ('before-parameter-build.autoscaling.CreateLaunchConfiguration', botocore.handlers.base64_encode_user_data),
    ('before-parameter-build.s3.CopyObject', botocore.handlers.handle_copy_source_param),
    ('before-parameter-build.s3.UploadPartCopy', botocore.handlers.handle_copy_source_param),
    ('before-parameter-build.s3.CopyObject', botocore.handlers.copy_source_sse_md5),
    ('before-parameter-build.s3.UploadPartCopy', botocore.handlers.copy_source_sse_md5),
    ('before-parameter-build.s3.ListObjects', botocore.handlers.set_list_objects_encoding_type_url),
    ('before-parameter-build.s3.ListObjectsV2', botocore.handlers.set_list_objects_encoding_type_url),
    ('before-parameter-build.s3.ListObjectVersions', botocore.handlers.set_list_objects_encoding_type_url),
] + [(f'before-parameter-build.s3.{o}', botocore.handlers.sse_md5) for o in (
    'HeadObject', 'GetObject', 'PutObject', 'CopyObject', 'CreateMultipartUpload', 'UploadPart', 'UploadPartCopy',
    'CompleteMultipartUpload')]
# Of either side alone: who asks, when, the signature over it, and how the connection is used.
OWN_HEADERS = {'user-agent', 'amz-sdk-invocation-id', 'amz-sdk-request', 'x-amz-date', 'authorization', 'content-length',
               'expect', 'host', 'x-amz-content-sha256', 'x-amz-user-agent', 'x-amz-sdk-checksum-algorithm', 'transfer-encoding'}


def clients(names):
    session = botocore.session.Session()
    session.set_config_variable('config_file', '/nonexistent')
    for name in names:
        client = session.create_client(
            name, region_name='eu-west-1', aws_access_key_id=KEYS['AWS_ACCESS_KEY_ID'],
            aws_secret_access_key=KEYS['AWS_SECRET_ACCESS_KEY'],
            config=Config(retries={'max_attempts': 1}, request_checksum_calculation='when_required'))
        for event, handler in CONVENIENCES:
            client.meta.events.unregister(event, handler)
        yield name, client


class Caught(Exception):
    pass


def boto_request(client, operation: str, params: dict):
    """The request as boto3 would send it."""
    def catch(request, **_):
        raise Caught(request)
    event = f'before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}'
    client.meta.events.register_first(event, catch)
    try:
        client._make_api_call(operation, params)
    except Caught as caught:
        return caught.args[0]
    finally:
        client.meta.events.unregister(event, catch)
    raise AssertionError('boto3 sent nothing')


def tree(element: ElementTree.Element):
    return (element.tag, sorted(element.attrib.items()), (element.text or '') if not len(element) else '',
            [tree(child) for child in element])


def unsigned(url: str) -> str:
    """A presigned URL without what changes with the second."""
    parts = urllib.parse.urlsplit(url)
    query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    return f'{parts.netloc}{parts.path} {sorted(p for p in query if p[0] not in ("X-Amz-Date", "X-Amz-Signature"))}'


def body_meaning(body: bytes, headers: dict):
    if headers.get('content-encoding') == 'gzip':
        body = zlib.decompress(body, 31)
    kind = headers.get('content-type', '')
    if kind.startswith('application/x-www-form-urlencoded'):
        pairs = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body))
        return sorted((k, unsigned(v) if k.lower() == 'presignedurl' else v) for k, v in pairs)
    if 'json' in kind and body:
        return json.loads(body)
    try:
        return tree(ElementTree.fromstring(body))
    except ElementTree.ParseError:
        return body


def digests(headers: dict) -> dict:
    return {k: v for k, v in headers.items() if k == 'content-md5' or (
        k.startswith('x-amz-checksum-') and k not in ('x-amz-checksum-mode', 'x-amz-checksum-algorithm', 'x-amz-checksum-type'))}


def value(v) -> str:
    return (v.decode() if isinstance(v, bytes) else str(v)).strip()


def boto_parts(request) -> dict:
    url = urllib.parse.urlsplit(request.url)
    body = request.body
    body = body.read() if hasattr(body, 'read') else body or b''
    headers = {k.lower(): value(v) for k, v in request.headers.items()}
    return {'method': request.method, 'host': url.netloc, 'path': url.path, 'headers': headers,
            'query': sorted(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
            'body': body.encode() if isinstance(body, str) else body}


def cordon_parts(shown: dict) -> dict:
    url = urllib.parse.urlsplit(shown['url'])
    body = base64.b64decode(shown['body_base64']) if shown['body_base64'] else shown['body'].encode()
    return {'method': shown['method'], 'host': url.netloc, 'path': url.path, 'body': body,
            'headers': {k.lower(): value(v) for k, v in shown['headers'].items()},
            'query': sorted(urllib.parse.parse_qsl(url.query, keep_blank_values=True))}


def check_digests(got: dict, want: dict) -> None:
    """A checksum is there where boto3 sends one, and it is that of the body."""
    mine, theirs = digests(got['headers']), digests(want['headers'])
    assert bool(mine) or not theirs, f'no checksum, boto3 has {theirs}'
    for name, known in (('x-amz-checksum-sha256', hashlib.sha256), ('content-md5', hashlib.md5)):
        if name in mine and name not in theirs:
            assert mine[name] == base64.b64encode(known(got['body']).digest()).decode(), name


def check_same(got: dict, want: dict) -> None:
    for field in ('method', 'host', 'path', 'query'):
        assert got[field] == want[field], field
    mine, theirs = ({k: v for k, v in side['headers'].items() if k not in OWN_HEADERS | set(digests(side['headers']))}
                    for side in (got, want))
    for side in (mine, theirs):  # a list's comma may have a blank behind it
        side.update({k: v.replace(', ', ',') for k, v in side.items()})
        if 'content-type' in side:
            side['content-type'] = side['content-type'].split(';')[0]
    if not want['body'] and not got['body']:
        mine.pop('content-type', None)
        theirs.pop('content-type', None)
    if 'content-type' not in theirs and mine.get('content-type') in ('application/octet-stream', 'application/xml', 'text/plain'):
        del mine['content-type']  # boto3 sends some bodies without saying what they are
    assert mine == theirs
    kinds = ({'content-type': theirs.get('content-type', ''), 'content-encoding': side['headers'].get('content-encoding', '')}
             for side in (got, want))
    assert body_meaning(got['body'], next(kinds)) == body_meaning(want['body'], next(kinds))
    check_digests(got, want)


def fit(service: str, operation: str, values: dict) -> None:
    """What the sampler can't know: names that become part of a host, checksums that nobody computes."""
    if 'Bucket' in values and service == 's3':
        values['Bucket'] = 'bucket-a'
    if 'AccountId' in values and service == 's3control':
        values['AccountId'] = '123456789012'
    for name in ('Name', 'Bucket'):
        if name in values and service == 's3control':
            values[name] = 'access-1'
    if 'ChecksumAlgorithm' in values:
        values['ChecksumAlgorithm'] = 'SHA256'
    if 'Body' in values or operation in ('PutObject', 'UploadPart'):
        values.pop('ContentLength', None)  # that of the body, or refused
    if service == 's3' and values.get('Key', '').startswith('/'):
        values['Key'] = 'k' + values['Key']
    if service == 'events':  # a global endpoint, which needs SigV4A
        values.pop('EndpointId', None)
    for name in ('PresignedUrl', 'PreSignedUrl', 'DestinationRegion'):
        values.pop(name, None)
    if 'SourceRegion' in values:
        values['SourceRegion'] = 'us-east-1'


@pytest.mark.parametrize('part', range(4))
def test_requests_are_those_of_boto3(part):
    failures, compared, listed = [], 0, services()
    with Driver(KEYS) as driver:
        for name, client in clients(sorted(listed)[part::4]):
            model = client.meta.service_model
            for operation in listed[name]:
                shape = model.operation_model(operation).input_shape
                for n in range(SAMPLES if shape and shape.members else 1):
                    sampler = Sampler(f'{SEED}/{name}/{operation}/{n}')
                    python, document = sampler.make(shape) if shape else ({}, {})
                    for values in (python, document):
                        fit(name, operation, values)
                    try:
                        want = boto_parts(boto_request(client, operation, python))
                        document.update({k: v for k, v in python.items() if k not in document})  # boto3's random tokens
                        check_same(cordon_parts(driver('show', name, operation, document)), want)
                        compared += 1
                    except (AssertionError, Refused, KeyError) as problem:
                        failures.append(f'{name} {operation} sample {n}: {problem}\n  {as_text(document)[:600]}')
    assert not failures, f'seed {SEED}: {len(failures)} differ\n' + '\n'.join(failures[:10])
    assert compared >= sum(len(listed[s]) for s in sorted(listed)[part::4])


# ---- presigned URLs ----

def resigned(shown: dict, service: str, token: str | None) -> dict:
    """The query of the same request as botocore's own signer writes it for the same second."""
    url = urllib.parse.urlsplit(shown['url'])
    query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
    body = base64.b64decode(shown['body_base64']) if shown['body_base64'] else shown['body'].encode()
    kind = botocore.auth.S3SigV4QueryAuth if service == 's3' else botocore.auth.SigV4QueryAuth

    class Signer(kind):  # it would move a body into the query
        def payload(self, request):
            return super().payload(request) if service == 's3' else hashlib.sha256(body).hexdigest()

    region = query['X-Amz-Credential'].split('/')[2]  # us-east-1 for the global services
    signer = Signer(botocore.credentials.Credentials(KEYS['AWS_ACCESS_KEY_ID'], KEYS['AWS_SECRET_ACCESS_KEY'], token),
                    service, region, expires=int(query['X-Amz-Expires']))
    plain = [(k, v) for k, v in urllib.parse.parse_qsl(url.query, keep_blank_values=True) if not k.startswith('X-Amz-')]
    bare = urllib.parse.urlunsplit(url._replace(query=urllib.parse.urlencode(plain, quote_via=urllib.parse.quote)))
    request = botocore.awsrequest.AWSRequest(shown['method'], bare, dict(shown['headers']))
    when = datetime.datetime.strptime(query['X-Amz-Date'], '%Y%m%dT%H%M%SZ')
    with unittest.mock.patch('botocore.auth.get_current_datetime', lambda: when):
        signer.add_auth(request)
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query, keep_blank_values=True))


@pytest.mark.parametrize('token', [None, 'IQoJb3JpZ2luX2VjEXAMPLE//+=='])
def test_presigned_urls_are_those_of_botocore(token):
    session, compared = botocore.session.get_session(), 0
    keys = {**KEYS, 'AWS_SESSION_TOKEN': token} if token else KEYS
    with Driver(keys) as driver:
        for name, operations in services().items():
            model = session.get_service_model(name)
            for operation in operations[::4]:
                if operation == 'AssumeRoleWithWebIdentity':
                    continue  # is not signed
                shape = model.operation_model(operation).input_shape
                _, document = Sampler(f'{SEED}/{name}/{operation}/url').make(shape) if shape else ({}, {})
                fit(name, operation, document)
                # Keys of a query must differ here: botocore's signer keeps one value of each.
                document = {k: v for k, v in document.items() if not isinstance(v, list) or model.protocol in ('ec2', 'query', 'json')}
                expires = 1 + compared * 7919 % 604800
                try:
                    shown = driver('presign', name, operation, document, expires=expires)
                except Refused as refused:
                    assert 'is required' in str(refused) or 'empty' in str(refused), refused
                    continue
                got = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(shown['url']).query, keep_blank_values=True))
                assert got == resigned(shown, model.signing_name, token), (SEED, name, operation, shown)
                assert got['X-Amz-Expires'] == str(expires) and ('X-Amz-Security-Token' in got) == bool(token)
                assert 'Authorization' not in shown['headers'] and 'x-amz-content-sha256' not in shown['headers']
                compared += 1
    assert compared > 150


def test_a_copy_from_another_region_carries_its_url():
    """What comes at random above, once for sure; a caller's own URL is kept, and RDS never sees the region."""
    snapshot = 'arn:aws:rds:us-east-1:123456789012:snapshot:s'
    cases = [('ec2', 'CopySnapshot', {'SourceSnapshotId': 'snap-1', 'Encrypted': True}), ('rds', 'CopyDBClusterSnapshot', {
        'SourceDBClusterSnapshotIdentifier': snapshot, 'TargetDBClusterSnapshotIdentifier': 't'}),
        ('rds', 'CopyDBSnapshot', {'SourceDBSnapshotIdentifier': snapshot, 'TargetDBSnapshotIdentifier': 't'}),
        ('rds', 'CreateDBCluster', {'DBClusterIdentifier': 'c', 'Engine': 'aurora-mysql'})]
    with Driver(KEYS) as driver:
        for name, operation, params in cases:
            (_, client), = clients([name])
            member = 'PresignedUrl' if name == 'ec2' else 'PreSignedUrl'
            for more in ({'SourceRegion': 'us-east-1'}, {'SourceRegion': 'us-east-1', member: 'https://mine/'}):
                want = boto_parts(boto_request(client, operation, {**params, **more}))
                got = cordon_parts(driver('show', name, operation, {**params, **more}))
                check_same(got, want)
                form = dict(urllib.parse.parse_qsl(got['body'].decode()))
                assert form[member] == more.get(member, form[member]) and ('SourceRegion' in form) == (name == 'ec2')
                assert member in more or form[member].startswith(f'https://{name}.us-east-1.amazonaws.com/?Action={operation}')


def test_a_large_body_is_compressed_where_the_model_allows_it():
    params = {'Namespace': 'cordon', 'MetricData': [{'MetricName': f'm{i}', 'Value': i + 0.5} for i in range(400)]}
    (_, client), = clients(['cloudwatch'])
    want = boto_parts(boto_request(client, 'PutMetricData', params))
    with Driver(KEYS) as driver:
        got = cordon_parts(driver('show', 'cloudwatch', 'PutMetricData', params))
    assert got['headers']['content-encoding'] == want['headers']['content-encoding'] == 'gzip'
    assert len(got['body']) < 5000
    check_same(got, want)
    for name, value in (('AWS_DISABLE_REQUEST_COMPRESSION', 'true'), ('AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES', '1000000')):
        with Driver({**KEYS, name: value}) as driver:
            assert 'content-encoding' not in cordon_parts(driver('show', 'cloudwatch', 'PutMetricData', params))['headers']


def test_idempotency_tokens_are_made_and_given_ones_are_kept():
    session, seen = botocore.session.get_session(), 0
    with Driver(KEYS) as driver:
        for name, operations in services().items():
            model = session.get_service_model(name)
            for operation in operations:
                shape = model.operation_model(operation).input_shape
                tokens = [n for n, m in (shape.members.items() if shape else ()) if n in model.operation_model(operation).idempotent_members]
                if not tokens:
                    continue
                _, document = Sampler(f'{SEED}/{name}/{operation}/token').make(shape, depth=1)
                fit(name, operation, document)
                for token in tokens:
                    document.pop(token, None)
                made = [set(UUID.findall(as_text(driver('show', name, operation, document)))) for _ in range(2)]
                own = [m - {u for u in UUID.findall(as_text(document))} for m in made]
                assert all(len(o) == 2 for o in own) and not own[0] & own[1], (name, operation)  # the token, the invocation
                given = driver('show', name, operation, {**document, **{t: 'mine-0123456789abcdef0123456789abcdef' for t in tokens}})
                assert 'mine-0123456789abcdef0123456789abcdef' in as_text(given)
                seen += 1
    assert seen > 20
