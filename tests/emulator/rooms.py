"""Calls the evidence and notify rooms one at a time (tests/unit/evidence/drive_rooms.c)."""
from __future__ import annotations

import json
import pathlib

import conftest

ARN = 'arn:aws:guardduty:eu-west-1:123456789012:detector/d/finding/f1'


def driver(cordon: conftest.Cordon) -> conftest.Cordon:
    """The same environment, another program."""
    other = conftest.Cordon(cordon.home, None)
    other.env = cordon.env
    other.binary = str(pathlib.Path(cordon.binary).parents[2] / 'tests/unit/evidence/drive_rooms')
    return other


def open_case(cordon: conftest.Cordon, instance: str, severity: float = 8) -> str:
    finding = {'schemaVersion': '2.0', 'accountId': conftest.ACCOUNT, 'region': conftest.REGION, 'partition': 'aws', 'id': 'f1',
               'arn': ARN, 'type': 'CryptoCurrency:EC2/BitcoinTool.B!DNS', 'severity': severity,
               'title': f'{instance} queries a mining pool', 'description': 'x', 'createdAt': '2026-08-01T10:17:00Z',
               'updatedAt': '2026-08-01T10:20:00Z',
               'resource': {'resourceType': 'Instance', 'instanceDetails': {
                   'instanceId': instance, 'tags': [{'key': 'Environment', 'value': 'prod'}]}},
               'service': {'count': 3, 'eventFirstSeen': '2026-08-01T10:02:00Z', 'eventLastSeen': '2026-08-01T10:19:00Z',
                           'action': {'actionType': 'DNS_REQUEST'}}}
    opened = {'finding_arn': ARN, 'type': finding['type'], 'severity': severity, 'account': conftest.ACCOUNT,
              'region': conftest.REGION, 'title': finding['title'], 'resources': [{'kind': 'Instance', 'id': instance}],
              'key': instance}
    paths = []
    for name, doc in (('opened.json', opened), ('finding.json', finding)):
        path = cordon.home / name
        path.write_text(json.dumps(doc))
        paths.append(str(path))
    ran = driver(cordon)('open', *paths)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def record(cordon: conftest.Cordon, case: str, kind: str, payload: dict) -> None:
    path = cordon.home / 'payload.json'
    path.write_text(json.dumps(payload))
    ran = driver(cordon)('note', case, kind, str(path))
    assert ran.code == 0, ran.err
