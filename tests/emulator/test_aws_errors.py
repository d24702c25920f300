"""Refusals in every form become one error: the modelled ones of every operation beside botocore's reading, and the
common ones of every protocol, which are no AWS answers at all among them."""
from __future__ import annotations

import base64
import warnings

import pytest
from moto.core.exceptions import ServiceException

from test_aws_answers import KEYS, answer, botocore_reads, models
from wire_driver import Driver, Refused

ID = '7a62c49f-347e-4fc4-9331-6e8eEXAMPLE'


def error_of(driver, service: str, operation: str, made: dict) -> dict:
    with pytest.raises(Refused) as refused:
        driver('parse', service, operation, status=made['status_code'], headers=made['headers'],
               body=base64.b64encode(made['body']).decode())
    return {**refused.value.error, 'message': str(refused.value)}


class Modelled(ServiceException):
    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@pytest.mark.parametrize('part', range(2))
def test_modelled_errors_are_read_as_botocore_reads_them(part):
    compared = 0
    with Driver(KEYS) as driver, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for name, model, protocol, operations in models(part, 2):
            codes = {}
            for operation in operations:
                for shape in model.operation_model(operation).error_shapes:
                    codes.setdefault(shape.error_code, operation)
                codes.setdefault(f'Invalid{operation}Id.NotFound', operation)
            for code, operation in codes.items():
                made = answer(model, protocol, operation, Modelled(code, 'No such thing: ñ <x>'))
                want = botocore_reads(model, protocol, operation, made, whole=True)
                got = error_of(driver, name, operation, made)
                assert got['code'] == want['Error']['Code'], (name, operation, made)
                assert want['Error']['Message'] in got['message'] and 'No such thing' in got['message'], (name, made)
                assert got['http'] == made['status_code']
                assert got['request_id'] == want['ResponseMetadata'].get('RequestId', got['request_id'])
                compared += 1
    assert compared > 300


# One operation of every protocol (two of JSON, S3 for its own form of XML).
WHERE = {'ec2': ('ec2', 'DescribeVpcs'), 'query': ('iam', 'ListUsers'), 'json 1.0': ('dynamodb', 'ListTables'),
         'json 1.1': ('ssm', 'ListCommands'), 'rest-json': ('lambda', 'ListFunctions'), 's3': ('s3', 'ListBuckets'),
         'rest-xml': ('s3control', 'GetPublicAccessBlock')}


def body_of(protocol: str, code: str, message: str) -> tuple[str, dict]:
    """An error as the services of this protocol write it."""
    inside = f'<Code>{code}</Code><Message>{message}</Message>'
    if protocol == 'ec2':
        return f'<?xml version="1.0"?><Response><Errors><Error>{inside}</Error></Errors><RequestID>{ID}</RequestID></Response>', {}
    if protocol == 's3':
        return (f'<?xml version="1.0"?><Error>{inside}<RequestId>{ID}</RequestId><HostId>h</HostId></Error>',
                {'x-amz-request-id': ID, 'x-amz-id-2': 'other'})
    if protocol in ('query', 'rest-xml'):
        return f'<ErrorResponse xmlns="u"><Error><Type>Sender</Type>{inside}</Error><RequestId>{ID}</RequestId></ErrorResponse>', {}
    if protocol == 'rest-json':
        return f'{{"message":"{message}"}}', {'x-amzn-ErrorType': f'{code}:http://internal/', 'x-amzn-RequestId': ID}
    return f'{{"__type":"com.amazonaws.x#{code}","Message":"{message}"}}', {'x-amzn-RequestId': ID}


# code, HTTP status: status of the error (its exit code), retryable, throttled, skewed, expired
KINDS = [
    ('ThrottlingException', 400, 5, True, True, False, False),
    ('RequestLimitExceeded', 503, 5, True, True, False, False),
    ('SlowDown', 503, 5, True, True, False, False),
    ('TooManyRequestsException', 429, 5, True, True, False, False),
    ('ProvisionedThroughputExceededException', 400, 5, True, True, False, False),
    ('InternalError', 500, 5, True, False, False, False),
    ('ServiceUnavailable', 503, 5, True, False, False, False),
    ('RequestTimeout', 400, 5, True, False, False, False),
    ('RequestTimeTooSkewed', 403, None, False, False, True, False),
    ('RequestInTheFuture', 403, None, False, False, True, False),
    ('SignatureDoesNotMatch', 403, 3, False, False, True, False),
    ('ExpiredToken', 400, 3, False, False, False, True),
    ('ExpiredTokenException', 400, 3, False, False, False, True),
    ('RequestExpired', 400, 3, False, False, True, True),
    ('InvalidClientTokenId', 403, 3, False, False, False, False),
    ('AccessDenied', 403, 4, False, False, False, False),
    ('UnauthorizedOperation', 403, 4, False, False, False, False),
    ('ResourceNotFoundException', 400, None, False, False, False, False),
    ('ValidationException', 400, 1, False, False, False, False),
]


@pytest.mark.parametrize('protocol', WHERE)
def test_kinds_of_errors(protocol):
    with Driver(KEYS) as driver:
        for code, status, kind, retryable, throttled, skewed, expired in KINDS:
            body, headers = body_of(protocol, code, 'because ñ')
            got = error_of(driver, *WHERE[protocol], {'status_code': status, 'headers': headers, 'body': body.encode()})
            assert got['code'] == code and got['http'] == status and got['request_id'] == ID, got
            assert 'because ñ' in got['message'] and WHERE[protocol][1] in got['message']
            want = {'retryable': retryable, 'throttled': throttled, 'skewed': skewed, 'expired': expired}
            assert {k: got[k] for k in want} == want, got
            if kind is not None:
                assert got['status'] == kind, got


HTML = b'<!DOCTYPE html>\n<html><head><title>502</title></head><body>Bad gateway\x1b[31m</body></html>'


@pytest.mark.parametrize('protocol', WHERE)
def test_what_is_no_answer_of_aws(protocol):
    with Driver(KEYS) as driver:
        for status, body, code, retryable, words in (
                (502, HTML, 'BadGateway', True, 'an HTML page came instead'),
                (503, HTML, 'ServiceUnavailable', True, 'an HTML page came instead'),
                (404, HTML, 'NotFound', False, 'does it know this operation'),
                (403, b'', 'AccessDenied', False, 'no body'), (500, b'', 'InternalError', True, 'no body'),
                (429, b'', 'TooManyRequestsException', True, 'no body'), (400, b'  \r\n', 'BadRequest', False, 'no body'),
                (301, b'', 'PermanentRedirect', False, 'no body'), (418, b'short and stout', 'Unknown', False, 'short and stout'),
                (503, b'<ErrorResponse><Error><Code>Slow', 'ServiceUnavailable', True, 'not an AWS answer'),
                (503, b'{"__type":"Throttl', 'ServiceUnavailable', True, 'not an AWS answer'),
                (500, b'{}', 'InternalError', True, ''), (500, b'<a/>', 'InternalError', True, ''),
                (500, b'\x00\xff\xfe', 'InternalError', True, ''), (400, b'[1]', 'BadRequest', False, '')):
            for headers in ({}, {'x-amzn-RequestId': ID}):
                got = error_of(driver, *WHERE[protocol], {'status_code': status, 'headers': headers, 'body': body})
                assert (got['code'], got['http'], got['retryable']) == (code, status, retryable), (body, got)
                assert words in got['message'] and '\x1b' not in got['message'], got
                assert got['request_id'] == headers.get('x-amzn-RequestId', '')
                assert got['throttled'] == (status == 429)
