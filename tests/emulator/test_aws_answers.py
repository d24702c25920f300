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

from aws_driver import Driver, Refused
from aws_samples import Sampler, as_text, plain, services

SEED = os.environ.get('CORDON_SEED') or str(random.SystemRandom().randrange(10 ** 9))
SAMPLES = int(os.environ.get('CORDON_SAMPLES', '2'))
KEYS = {'AWS_ACCESS_KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'AWS_SECRET_ACCESS_KEY': 'secret'}
SERIALISERS = {'ec2': serialize.EC2Serializer, 'query': serialize.QuerySerializer, 'json': serialize.JSONSerializer,
               'rest-json': serialize.RestJSONSerializer, 'rest-xml': serialize.RestXMLSerializer}


def models(part: int, parts: int):
    session = botocore.session.get_session()
    listed = services()
    for name in sorted(listed)[part::parts]:
        model = session.get_service_model(name)
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


def botocore_reads(model, protocol: str, operation: str, made: dict) -> dict:
    shape = model.operation_model(operation).output_shape
    headers = botocore.compat.HTTPHeaders()
    for k, v in made['headers'].items():
        headers[k] = v
    parsed = botocore.parsers.create_parser(protocol).parse({**made, 'headers': headers}, shape)
    parsed.pop('ResponseMetadata', None)
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
                    made = answer(model, protocol, operation, python)
                    want = plain(botocore_reads(model, protocol, operation, made))
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
