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
