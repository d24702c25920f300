"""What cordon reads out of answers to every modelled operation, beside what botocore reads out of the same bytes.

The answers are random, valid by the model, and written by moto's serialisers; botocore's parser is the judge. A
failure prints the seed; CORDON_SEED repeats it.
"""
from __future__ import annotations

import base64
import json
import os
import random
import urllib.parse

import botocore.parsers
import botocore.session
import pytest
from moto.core import serialize
from moto.core.model import ServiceModel

from wire_driver import Driver, Refused
from aws_samples import Sampler, as_text, plain, services

SEED = os.environ.get('CORDON_SEED') or str(random.SystemRandom().randrange(10 ** 9))
SAMPLES = int(os.environ.get('CORDON_SAMPLES', '2'))
KEYS = {'AWS_ACCESS_KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'AWS_SECRET_ACCESS_KEY': 'secret'}
SERIALISERS = {'ec2': serialize.EC2Serializer, 'query': serialize.QuerySerializer, 'json': serialize.JSONSerializer,
               'rest-json': serialize.RestJSONSerializer, 'rest-xml': serialize.RestXMLSerializer}


def models(part: int, parts: int):
    loader = botocore.session.get_session().get_component('data_loader')
    listed = services()
    for name in sorted(listed)[part::parts]:
        model = ServiceModel(loader.load_service_model(name, 'service-2'), name)
        # The first of the service's protocols that is spoken here, as the generator chooses.
        protocols = model.metadata.get('protocols') or [model.metadata['protocol']]
        yield name, model, next(p for p in protocols if p in SERIALISERS), listed[name]


def answer(model, protocol: str, operation: str, result) -> dict:
    """status_code, headers, body as bytes."""
    context = serialize.SerializationContext(request_id='7a62c49f-347e-4fc4-9331-6e8eEXAMPLE')
    made = SERIALISERS[protocol](model.operation_model(operation), context=context).serialize(result)
    body = made['body']
    return {'status_code': made['status_code'], 'body': body.encode() if isinstance(body, str) else body or b'',
            'headers': {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in made['headers'].items()}}


def payload_of(shape) -> str | None:
    """The member that is the whole body."""
    return shape.serialization.get('payload') if shape else None


def fit(shape, values: dict) -> None:
    """moto's serialisers write bodies as text, so a body of bytes is text here."""
    payload = payload_of(shape)
    if payload in values and isinstance(values[payload], bytes):
        values[payload] = b'some \xc3\xb1 text\n'


def botocore_reads(model, protocol: str, operation: str, made: dict, whole: bool = False) -> dict:
    shape = model.operation_model(operation).output_shape
    headers = botocore.compat.HTTPHeaders()
    for k, v in made['headers'].items():
        headers[k] = v
    parsed = botocore.parsers.create_parser(protocol).parse({**made, 'headers': headers}, shape)
    if whole:
        return parsed
    parsed.pop('ResponseMetadata', None)
    payload = payload_of(shape)
    if shape and payload in parsed and shape.members[payload].type_name == 'blob' and isinstance(parsed[payload], str):
        parsed[payload] = parsed[payload].encode()  # the parser leaves this to the client
    return parsed


def cordon_reads(driver, service: str, operation: str, made: dict) -> dict:
    return driver('parse', service, operation, status=made['status_code'], headers=made['headers'],
                  body=base64.b64encode(made['body']).decode())['result']


def policies_decoded(shape, value):
    """IAM's policy documents travel percent-encoded and are read as plain text."""
    if shape is None or value is None:
        return value
    if shape.type_name == 'structure':
        return {k: policies_decoded(shape.members.get(k), v) for k, v in value.items()}
    if shape.type_name == 'list':
        return [policies_decoded(shape.member, v) for v in value]
    return urllib.parse.unquote(value) if shape.name == 'policyDocumentType' else value


@pytest.mark.parametrize('part', range(4))
def test_answers_are_read_as_botocore_reads_them(part):
    failures, compared = [], 0
    with Driver(KEYS) as driver:
        for name, model, protocol, operations in models(part, 4):
            for operation in operations:
                shape = model.operation_model(operation).output_shape
                for n in range(SAMPLES if shape and shape.members else 1):
                    python, document = Sampler(f'{SEED}/{name}/{operation}/{n}', answers=True).make(shape) if shape else ({}, {})
                    fit(shape, python)
                    made = answer(model, protocol, operation, python)
                    want = plain(botocore_reads(model, protocol, operation, made))
                    # botocore tells no body from an empty one; the protocols' own cases do.
                    payload = payload_of(shape)
                    if not made['body'] and want.get(payload) == '' and not shape.members[payload].serialization.get('streaming'):
                        del want[payload]
                    if name == 'iam':
                        want = policies_decoded(shape, want)
                    try:
                        got = cordon_reads(driver, name, operation, made)
                    except Refused as problem:
                        got = str(problem)
                    compared += 1
                    if as_text(got) != as_text(want):
                        failures.append(f'{name} {operation} sample {n} ({protocol}):\n  wanted {as_text(want)[:700]}\n'
                                        f'  got    {as_text(got)[:700]}\n  of     {made["body"][:700]} {made["headers"]}')
    assert not failures, f'seed {SEED}: {len(failures)} of {compared} differ\n' + '\n'.join(failures[:10])
    assert compared


# An answer of a service that is newer than the model: `novel` things in every place where there can be some.
NEWER = [
    ('ec2', 'DescribeVpcs', b'<?xml version="1.0"?><r xmlns="u"><requestId>x</requestId><vpcSet><item><vpcId>vpc-1</vpcId>'
     b'<novel><part>1</part><part>2</part><other a="b"/></novel></item></vpcSet><novelToo>5</novelToo></r>',
     {'Vpcs': [{'VpcId': 'vpc-1', 'novel': {'part': ['1', '2'], 'other': ''}}], 'novelToo': '5'}),
    ('iam', 'ListUsers', b'<ListUsersResponse><ListUsersResult><Users><member><UserName>u</UserName><Novel>n</Novel></member></Users>'
     b'<IsTruncated>false</IsTruncated><Novel><x>1</x></Novel></ListUsersResult><ResponseMetadata><RequestId>i</RequestId>'
     b'</ResponseMetadata></ListUsersResponse>',
     {'Users': [{'UserName': 'u', 'Novel': 'n'}], 'IsTruncated': False, 'Novel': {'x': '1'}}),
    ('dynamodb', 'DescribeTable', b'{"__type":"x#y","Table":{"TableName":"t","Novel":{"a":[1,null,{"b":true}]}},"Novel":0.5,"None":null}',
     {'Table': {'TableName': 't', 'Novel': {'a': [1, None, {'b': True}]}}, 'Novel': 0.5}),
    ('guardduty', 'GetDetector', b'{"status":"ENABLED","novel":["x"],"features":[{"name":"S3","novel":1}]}',
     {'Status': 'ENABLED', 'novel': ['x'], 'Features': [{'Name': 'S3', 'novel': 1}]}),
    ('s3', 'ListBuckets', b'<ListAllMyBucketsResult xmlns="u"><Buckets><Bucket><Name>b</Name><Novel>1</Novel></Bucket></Buckets>'
     b'<Novel>x</Novel><Novel>y</Novel></ListAllMyBucketsResult>',
     {'Buckets': [{'Name': 'b', 'Novel': '1'}], 'Novel': ['x', 'y']}),
]


@pytest.mark.parametrize('service,operation,body,want', NEWER, ids=[n[0] for n in NEWER])
def test_what_the_model_does_not_know_is_kept(service, operation, body, want):
    with Driver(KEYS) as driver:
        assert cordon_reads(driver, service, operation, {'status_code': 200, 'headers': {}, 'body': body}) == want
