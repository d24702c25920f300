"""GuardDuty for the stub: one detector, findings that tests queue, samples. camelCase on the wire."""
from __future__ import annotations

import copy
import datetime
import hashlib
import json
import re

from stub_wire import AwsError, Wire

UTC = datetime.timezone.utc
_IDS = re.compile(r'^[0-9a-f]{32}$')


def _now() -> str:
    return datetime.datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%S.000Z')


class GuardDuty:
    """Findings are kept in wire form (the `detail` of an EventBridge event)."""

    def __init__(self, account: str, region: str, wire: Wire):
        self.account, self.region, self.wire = account, region, wire
        self.detector = hashlib.md5(f'{account}{region}'.encode(), usedforsecurity=False).hexdigest()
        self.findings: dict[str, dict] = {}

    def add(self, detail: dict):
        """Queues one finding; it must be readable by GuardDuty's own model."""
        finding = self._model_form(detail)
        missing = [m for m in self.wire.model.shape_for('Finding').required_members if m not in finding]
        if missing:
            raise AwsError('BadRequestException', f'the finding lacks {", ".join(missing)}')
        self.findings[finding['Id']] = copy.deepcopy(detail)

    def _model_form(self, detail: dict) -> dict:
        """What an SDK reads of it: members unknown to the model (EventBridge has some) fall away."""
        body = json.dumps({'findings': [detail]}).encode()
        return self.wire.parse('GetFindings', body)['Findings'][0]

    def call(self, operation: str, p: dict) -> dict:
        if 'DetectorId' in p and p['DetectorId'] != self.detector:
            raise AwsError('BadRequestException', 'The request is rejected because the input '
                           'detectorId is not owned by the current account.')
        handler = getattr(self, '_' + operation, None)
        if handler is None:
            raise AwsError('InternalServerErrorException', f'the stub does not do {operation}', 500)
        return handler(p)

    def _ListDetectors(self, p):
        return {'DetectorIds': [self.detector]}

    def _GetDetector(self, p):
        return {'Status': 'ENABLED', 'ServiceRole': f'arn:aws:iam::{self.account}:role/aws-service-role/'
                'guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty',
                'FindingPublishingFrequency': 'FIFTEEN_MINUTES'}

    def _ListFindings(self, p):
        found = [f for f in self.findings.values()
                 if _fits(f, p.get('FindingCriteria', {}).get('Criterion', {}))]
        sort = p.get('SortCriteria', {})
        name = sort.get('AttributeName', 'updatedAt')
        found.sort(key=lambda f: _at(f, name) if _at(f, name) is not None else '',
                   reverse=sort.get('OrderBy', 'DESC') == 'DESC')
        start = int(p.get('NextToken') or 0)
        size = p.get('MaxResults', 50)
        out = {'FindingIds': [f['id'] for f in found[start:start + size]]}
        out['NextToken'] = str(start + size) if start + size < len(found) else ''
        return out

    def _GetFindings(self, p):
        bad = [i for i in p['FindingIds'] if not _IDS.match(i)]
        if bad:
            raise AwsError('BadRequestException', f'invalid finding id {bad[0]}')
        return {'Findings': [self._model_form(self.findings[i]) for i in p['FindingIds']
                             if i in self.findings]}

    def _set_archived(self, p, archived):
        for i in p['FindingIds']:
            if i in self.findings:
                self.findings[i].setdefault('service', {})['archived'] = archived
        return {}

    def _ArchiveFindings(self, p):
        return self._set_archived(p, True)

    def _UnarchiveFindings(self, p):
        return self._set_archived(p, False)

    def _UpdateFindingsFeedback(self, p):
        for i in p['FindingIds']:
            if i in self.findings:
                self.findings[i].setdefault('service', {})['userFeedback'] = p['Feedback']
        return {}

    def _CreateSampleFindings(self, p):
        for kind in p.get('FindingTypes') or ['Backdoor:EC2/DenialOfService.Tcp']:
            self.add(self._sample(kind))
        return {}

    def _sample(self, kind: str) -> dict:
        ident = hashlib.md5(f'sample {kind}'.encode(), usedforsecurity=False).hexdigest()
        if ':EC2/' in kind or ':Runtime/' in kind:
            resource = {'resourceType': 'Instance', 'instanceDetails': {
                'instanceId': 'i-99999999', 'instanceType': 'm3.xlarge', 'instanceState': 'running',
                'tags': [{'key': 'GeneratedFindingInstanceTag1', 'value': 'GeneratedFindingInstanceValue1'}]}}
        elif ':S3/' in kind:
            resource = {'resourceType': 'S3Bucket', 's3BucketDetails': [
                {'name': 'bucketName', 'arn': 'arn:aws:s3:::bucketName', 'type': 'Destination'}]}
        else:
            resource = {'resourceType': 'AccessKey', 'accessKeyDetails': {
                'accessKeyId': 'GeneratedFindingAccessKeyId', 'principalId': 'GeneratedFindingPrincipalId',
                'userName': 'GeneratedFindingUserName', 'userType': 'IAMUser'}}
        arn = f'arn:aws:guardduty:{self.region}:{self.account}:detector/{self.detector}/finding/{ident}'
        return {'schemaVersion': '2.0', 'accountId': self.account, 'region': self.region,
                'partition': 'aws', 'id': ident, 'arn': arn, 'type': kind, 'resource': resource,
                'severity': 8, 'createdAt': _now(), 'updatedAt': _now(),
                'title': f'[SAMPLE] {kind}', 'description': f'[SAMPLE] {kind}',
                'service': {'serviceName': 'guardduty', 'detectorId': self.detector, 'count': 1,
                            'resourceRole': 'TARGET', 'archived': False,
                            'eventFirstSeen': _now(), 'eventLastSeen': _now(),
                            'additionalInfo': {'value': '{"sample":true}', 'type': 'default'}}}


def _at(finding: dict, path: str):
    value = finding
    for part in path.split('.'):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _fits(finding: dict, criterion: dict) -> bool:
    for path, want in criterion.items():
        value = _at(finding, path)
        if path == 'updatedAt' and isinstance(value, str):
            value = int(datetime.datetime.fromisoformat(value.replace('Z', '+00:00')).timestamp() * 1000)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        equal = want.get('Equals', want.get('Eq'))
        unlike = want.get('NotEquals', want.get('Neq'))
        if equal is not None and text not in equal:
            return False
        if unlike is not None and text in unlike:
            return False
        for name, test in (('GreaterThanOrEqual', lambda a, b: a >= b), ('Gte', lambda a, b: a >= b),
                           ('GreaterThan', lambda a, b: a > b), ('Gt', lambda a, b: a > b),
                           ('LessThanOrEqual', lambda a, b: a <= b), ('Lte', lambda a, b: a <= b),
                           ('LessThan', lambda a, b: a < b), ('Lt', lambda a, b: a < b)):
            if name in want and (value is None or not test(value, want[name])):
                return False
    return True
