"""Parameters that are wrong somewhere are refused before anything is sent, and the place is named: for every operation."""
import os
import random

import botocore.session
import pytest

from aws_samples import Sampler, as_text, services
from test_aws_wire import KEYS, fit
from wire_driver import Driver, Refused

SEED = os.environ.get('CORDON_SEED') or str(random.SystemRandom().randrange(10 ** 9))
# A value of a wrong type for each kind of shape, and what the refusal says.
WRONG = {'structure': ('x', 'must be an object'), 'list': ({}, 'must be a list'), 'map': ([], 'must be an object'),
         'string': (5, 'must be a string'), 'integer': ('5', 'must be an integer'), 'long': (1.5, 'must be an integer'),
         'float': ('1', 'must be a number'), 'double': ('1', 'must be a number'), 'boolean': ('true', 'must be true or false'),
         'blob': ('***', 'must be a base64 string'), 'timestamp': ('soon', 'must be a time')}


def free(shape) -> bool:
    """Any JSON fits."""
    return getattr(shape, 'is_document_type', False)


def places(shape, value, path=''):
    """Every value below, with its shape, its path, and the container and key that hold it."""
    if shape.type_name == 'structure' and not free(shape):
        for name, inner in value.items():
            at = f'{path}.{name}' if path else name
            yield shape.members[name], at, value, name
            yield from places(shape.members[name], inner, at)
    elif shape.type_name == 'list':
        for i, inner in enumerate(value):
            yield shape.member, f'{path}[{i}]', value, i
            yield from places(shape.member, inner, f'{path}[{i}]')
    elif shape.type_name == 'map':
        for key, inner in value.items():
            yield shape.value, f'{path}.{key}', value, key
            yield from places(shape.value, inner, f'{path}.{key}')


def structures(shape, value):
    yield shape, value, ''
    for inner, path, holder, key in places(shape, value):
        if inner.type_name == 'structure' and not free(inner):
            yield inner, holder[key], path


def readable(path: str) -> bool:
    """Shown as it is: short, and no control characters."""
    return len(path) < 150 and path.isprintable()


def refusal(driver, name, operation, document) -> str:
    with pytest.raises(Refused) as refused:
        driver('call', name, operation, document)
    assert refused.value.error['status'] == 2 and refused.value.error['http'] == 0, refused.value
    return str(refused.value)


def test_mistakes_are_refused_with_their_path():
    session, counts = botocore.session.get_session(), {'type': 0, 'unknown': 0, 'missing': 0}
    with Driver({**KEYS, 'AWS_ENDPOINT_URL': 'http://127.0.0.1:9'}) as driver:
        for name, operations in services().items():
            model = session.get_service_model(name)
            for operation in operations:
                shape = model.operation_model(operation).input_shape
                if not shape or not shape.members:
                    assert 'Surplus is no parameter' in refusal(driver, name, operation, {'Surplus': 1})
                    continue
                sampler = Sampler(f'{SEED}/{name}/{operation}/wrong')
                _, document = sampler.make(shape)
                fit(name, operation, document)
                where = f'seed {SEED} {name} {operation} {as_text(document)[:500]}'
                found = [p for p in places(shape, document) if p[0].type_name in WRONG and not free(p[0])
                         and not p[0].serialization.get('jsonvalue')] if document else []
                found = [p for p in found if readable(p[1])]
                if found:
                    inner, path, holder, key = sampler.rng.choice(found)
                    was, (holder[key], words) = holder[key], WRONG[inner.type_name]
                    assert f'{path} {words}' in refusal(driver, name, operation, document), where
                    holder[key] = was
                    counts['type'] += 1
                inner, value, path = sampler.rng.choice([s for s in structures(shape, document) if readable(s[2])])
                value['Surplus'] = None if sampler.rng.random() < 0.1 else 1
                at = f'{path}.Surplus' if path else 'Surplus'
                assert f'{at} is no parameter of this operation' in refusal(driver, name, operation, document), where
                del value['Surplus']
                counts['unknown'] += 1
                needed = [(v, m, f'{p}.{m}' if p else m) for s, v, p in structures(shape, document) for m in s.required_members
                          if m in v and readable(p) and not s.members[m].serialization.get('streaming')
                          and m not in model.operation_model(operation).idempotent_members]
                if needed:
                    value, member, at = sampler.rng.choice(needed)
                    value[member] = None  # as good as absent
                    assert f'{at} is required and missing' in refusal(driver, name, operation, document), where
                    counts['missing'] += 1
    assert min(counts.values()) > 400, counts
