"""CloudTrail for the stub: LookupEvents over the events that tests plant, ListPublicKeys."""
from __future__ import annotations

import base64
import datetime
import json

from stub_wire import AwsError

UTC = datetime.timezone.utc
_FIELDS = {'EventId': 'eventID', 'EventName': 'eventName', 'EventSource': 'eventSource'}


class CloudTrail:
    """Events are CloudTrail records as they stand in log files."""

    def __init__(self):
        self.events: list[dict] = []
        self.keys: list[dict] = []  # {'Value': bytes, 'ValidityStartTime', 'ValidityEndTime', 'Fingerprint'}

    def add_keys(self, keys: list[dict]) -> None:
        """Keys as the AWS CLI prints them: base64, times as text."""
        for k in keys:
            times = {t: datetime.datetime.fromisoformat(k[t].replace('Z', '+00:00'))
                     for t in ('ValidityStartTime', 'ValidityEndTime')}
            self.keys.append({**k, **times, 'Value': base64.b64decode(k['Value'])})

    def call(self, operation: str, p: dict) -> dict:
        if operation == 'LookupEvents':
            return self._lookup(p)
        if operation == 'ListPublicKeys':
            return {'PublicKeyList': self.keys}
        raise AwsError('UnsupportedOperationException', f'the stub does not do {operation}')

    def _lookup(self, p):
        start = p.get('StartTime', datetime.datetime.now(UTC) - datetime.timedelta(days=90))
        end = p.get('EndTime', datetime.datetime.max.replace(tzinfo=UTC))
        if start > end:
            raise AwsError('InvalidTimeRangeException', 'StartTime is after EndTime')
        found = [e for e in map(_event, self.events) if start <= e['EventTime'] <= end and
                 all(_has(e, a['AttributeKey'], a['AttributeValue']) for a in p.get('LookupAttributes', []))]
        found.sort(key=lambda e: e['EventTime'], reverse=True)
        at, size = int(p.get('NextToken') or 0), p.get('MaxResults', 50)
        out = {'Events': found[at:at + size]}
        if at + size < len(found):
            out['NextToken'] = str(at + size)
        return out


def _event(record: dict) -> dict:
    who = record.get('userIdentity', {})
    out = {'EventId': record.get('eventID', ''), 'EventName': record.get('eventName', ''),
           'EventSource': record.get('eventSource', ''),
           'ReadOnly': str(record.get('readOnly', False)).lower(),
           'EventTime': datetime.datetime.fromisoformat(record['eventTime'].replace('Z', '+00:00')),
           'Username': who.get('userName') or who.get('arn', '').rpartition('/')[2],
           'AccessKeyId': who.get('accessKeyId', ''),
           'Resources': [{'ResourceType': r.get('type', ''), 'ResourceName': r['ARN'].rpartition(':')[2]}
                         for r in record.get('resources') or [] if 'ARN' in r],
           'CloudTrailEvent': json.dumps(record)}
    return {k: v for k, v in out.items() if v not in ('', None)}


def _has(event: dict, key: str, value: str) -> bool:
    if key in ('ResourceName', 'ResourceType'):
        return any(r.get(key) == value for r in event['Resources'])
    return event.get(key) == value
