"""Random values that fit a shape of botocore's models: for requests what a caller may give, for answers what a
service may send. Python's value and the same as cordon has it (blobs in base64, times as RFC 3339 text)."""
from __future__ import annotations

import base64
import datetime
import json
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORDS = ['a', 'web-1', 'i-0abc', 'arn:aws:iam::123456789012:role/x', 'Zürich', 'ñandú', '日本', '😀', 'a b', 'a+b', 'a%41b', 'a&b=c;d',
         '<b>&amp;"\'', 'tab\there', 'line\nbreak', '{"k":[1]}', '0', 'true', 'null', '~._-', '/x/y', "it's", '[0]', '\\']
PLAIN = ['a', 'web-1', 'i-0abc', 'x/y', 'a b', 'v1.2', 'text/plain', '0', 'a;b=c', "it's", 'q=0.5']

SIMPLE = ['a', 'web-1', 'i-0abc', 'v1.2', '0', 'x_y', 'Z~']


def operations() -> list[tuple[str, str]]:
    lines = (ROOT / 'src/aws/operations.list').read_text(encoding='utf-8').splitlines()
    return [tuple(line.split()[:2]) for line in lines if line and not line.startswith('#')]


def services() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for service, operation in operations():
        found.setdefault(service, []).append(operation)
    return found


class Sampler:
    """One seed, one sequence of samples. `answers`: what services send, which may leave out what is required.
    `simple`: texts that no escaping touches."""

    def __init__(self, seed: str, answers: bool = False, simple: bool = False):
        self.rng, self.answers, self.simple = random.Random(seed), answers, simple

    def text(self, shape, location: str | None) -> str:
        if shape.enum and self.rng.random() < 0.9:
            return self.rng.choice(shape.enum)
        words = SIMPLE if self.simple else PLAIN if location in ('header', 'headers', 'host') else WORDS
        value = ''.join(self.rng.choice(words) for _ in range(self.rng.randint(1, 3)))
        least = shape.metadata.get('min', 0)
        return value + 'm' * (least - len(value))

    def number(self, shape) -> int:
        least, most = shape.metadata.get('min'), shape.metadata.get('max')
        bound = 2 ** 31 - 1 if shape.type_name == 'integer' else 2 ** 40
        low = -1000 if least is None else int(least)
        high = bound if most is None else int(most)
        return self.rng.randint(low, max(low, min(high, low + 10 ** self.rng.randint(0, 12))))

    def scalar(self, shape, location: str | None):
        kind = shape.type_name
        if kind == 'boolean':
            value = self.rng.random() < 0.5
            return value, value
        if kind in ('integer', 'long', 'short', 'byte'):
            value = self.number(shape)
            return value, value
        if kind in ('float', 'double', 'bigdecimal'):
            least, most = shape.metadata.get('min'), shape.metadata.get('max')
            value = self.rng.choice([0.5, 1.25, -3.75, 1e-3, 123456.789, 1e21])
            if least is not None and value < least or most is not None and value > most:
                value = (least if least is not None else most) + 0.5 * (least is not None)
            return value, value
        if kind == 'blob':
            data = self.rng.randbytes(self.rng.choice([1, 2, 3, 50]))
            return data, base64.b64encode(data).decode()
        if kind == 'timestamp':
            # Whole seconds: the forms of time that have no fractions lose them on both sides.
            when = datetime.datetime.fromtimestamp(self.rng.randint(0, 4_000_000_000), datetime.timezone.utc)
            return when, when.strftime('%Y-%m-%dT%H:%M:%SZ')
        value = self.text(shape, location)
        return value, value

    def make(self, shape, depth: int = 5, seen: tuple = (), location: str | None = None):
        kind = shape.type_name
        if kind == 'structure':
            return self.structure(shape, depth, seen)
        if shape.serialization.get('jsonvalue'):
            value = {'k': [1, 'x', None]}
            return value, value
        if kind == 'list':
            least = min(shape.metadata.get('min', 0), 3)
            pairs = [self.make(shape.member, depth - 1, seen, location) for _ in range(self.rng.randint(max(least, 1), max(least, 3)))]
            return [p[0] for p in pairs], [p[1] for p in pairs]
        if kind == 'map':
            keys = {self.text(shape.key, location) for _ in range(self.rng.randint(1, 3))}
            if location == 'headers':  # names of headers know no case and few signs
                keys = {f'key-{i}' for i in range(len(keys))}
            pairs = {k: self.make(shape.value, depth - 1, seen, location) for k in sorted(keys)}
            return {k: p[0] for k, p in pairs.items()}, {k: p[1] for k, p in pairs.items()}
        return self.scalar(shape, location)

    def structure(self, shape, depth: int, seen: tuple):
        if shape.is_document_type:
            value = {'free': [1, 'x', None, {'y': True}]}
            return value, value
        need = set() if self.answers else set(shape.required_members)
        names = [n for n, m in shape.members.items()
                 if n in need or (depth > 0 and m.name not in seen and self.rng.random() < (0.7 if depth > 3 else 0.5))]
        if shape.is_tagged_union:
            names = [self.rng.choice(names or list(shape.members))]
        python, document = {}, {}
        for name in names:
            member = shape.members[name]
            if getattr(member, 'event_stream', None) or member.serialization.get('eventstream'):
                continue
            location = 'host' if member.serialization.get('hostLabel') else member.serialization.get('location')
            inside = seen + (member.name,) if member.type_name == 'structure' else seen
            python[name], document[name] = self.make(member, depth - 1, inside, location)
        return python, document


def plain(value):
    """boto3's values as cordon writes them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).isoformat(timespec='milliseconds')
        return text.replace('.000', '').replace('+00:00', 'Z')
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def as_text(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
