"""The wire of the tests' own AWS stub: requests read and answers written by botocore's models.

Nothing here knows an operation by heart. A request is decoded strictly (unknown member, wrong type,
pattern, enum and length are refused as the service would); an answer is encoded by the model and
then read back with botocore's own parser: when that does not give what was meant, the stub is
wrong and says so with a 500 instead of answering something no AWS service would send.
"""
from __future__ import annotations

import base64
import calendar
import datetime
import json
import re
import urllib.parse
import uuid

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.parsers
import botocore.session
import botocore.validate

UTC = datetime.timezone.utc


class AwsError(Exception):
    """An answer that is an error of the service: code as AWS spells it."""

    def __init__(self, code: str, message: str = '', status: int = 400):
        super().__init__(message or code)
        self.code, self.message, self.status = code, message or code, status


class StubBug(Exception):
    """The stub was about to answer something its model does not allow."""


_session = botocore.session.get_session()


class Wire:
    """One service: decode(request) -> (operation, params); encode(operation, result) -> bytes."""

    def __init__(self, service: str):
        self.service = service
        self.model = _session.get_service_model(service)
        # A service may speak several; botocore's own choice is not always one that cordon speaks.
        spoken = [p for p in self.model.metadata.get('protocols', [self.model.protocol]) if p in ('json', 'rest-json')]
        if not spoken:
            raise StubBug(f'{service}: protocol {self.model.protocol} is not spoken here')
        self.protocol, self.json = spoken[0], spoken[0] == 'json'
        self.routes = [] if self.json else [self._route(n) for n in self.model.operation_names]

    def _route(self, name: str):
        http = self.model.operation_model(name).http
        path, _, query = http['requestUri'].partition('?')
        pattern = re.sub(r'\\\{(\w+)(\\\+)?\\\}', lambda m: f'(?P<{m[1]}>{".+" if m[2] else "[^/]+"})',
                         re.escape(path))
        return http['method'], re.compile(pattern + '/?$'), query, name

    # --- requests

    def decode(self, method: str, target: str, headers, body: bytes):
        path, _, query = target.partition('?')
        groups: dict[str, str] = {}
        if self.json:
            name = headers.get('X-Amz-Target', '').rpartition('.')[2]
            want = f"application/x-amz-json-{self.model.metadata['jsonVersion']}"
            if headers.get('Content-Type', '').split(';')[0].strip() != want:
                raise AwsError('SerializationException', f'Content-Type must be {want}')
        else:
            name, groups = '', {}
            for verb, pattern, _, candidate in self.routes:
                m = pattern.match(path)
                if verb == method and m and len(m.groups()) <= len(groups or m.groups()):
                    name, groups = candidate, m.groupdict()
        if name not in self.model.operation_names:
            raise AwsError('UnknownOperationException', f'{self.service}: no operation for {method} {path}', 404)
        op = self.model.operation_model(name)
        shape = op.input_shape
        if shape is None:
            return name, {}
        document = self._document(body)
        if not self.json:
            document = self._gather(shape, document, groups, query, headers)
        params = self._read(shape, document, 'input') if self.json else self._read_rest(shape, document)
        report = botocore.validate.ParamValidator().validate(params, shape)
        if report.has_errors():
            raise AwsError('ValidationException', report.generate_report())
        return name, params

    @staticmethod
    def _document(body: bytes):
        try:
            document = json.loads(body.decode('utf-8')) if body else {}
        except ValueError as e:
            raise AwsError('SerializationException', f'the body is no JSON: {e}') from e
        if not isinstance(document, dict):
            raise AwsError('SerializationException', 'the body is no JSON object')
        return document

    def _gather(self, shape, document, groups, query, headers):
        """rest-json: {member: wire value}, from path, query string, headers and body."""
        asked = urllib.parse.parse_qs(query, keep_blank_values=True)
        out, body_names = {}, {}
        for member, sub in shape.members.items():
            where = sub.serialization.get('location')
            name = sub.serialization.get('name', member)
            if where == 'uri':
                out[member] = urllib.parse.unquote(groups.get(name, ''))
            elif where == 'querystring' and name in asked:
                out[member] = self._from_text(sub, asked[name])
            elif where == 'header' and headers.get(name) is not None:
                out[member] = self._from_text(sub, [headers[name]])
            elif where is None:
                body_names[name] = member
        for name, value in document.items():
            if name not in body_names:
                raise AwsError('BadRequestException', f'unknown member {name}')
            out[body_names[name]] = value
        return out

    @staticmethod
    def _from_text(shape, values):
        if shape.type_name == 'list':
            return values
        if shape.type_name in ('integer', 'long'):
            return int(values[0])
        if shape.type_name == 'boolean':
            return values[0] == 'true'
        return values[0]

    def _read_rest(self, shape, gathered):
        return {m: self._read(shape.members[m], v, m) for m, v in gathered.items() if v is not None}

    def _read(self, shape, value, where: str):
        kind = shape.type_name
        if kind == 'structure':
            return self._read_structure(shape, value, where)
        if kind == 'list':
            self._want(isinstance(value, list), where, kind)
            self._bound(shape, len(value), where)
            return [self._read(shape.member, v, f'{where}[{i}]') for i, v in enumerate(value)]
        if kind == 'map':
            self._want(isinstance(value, dict), where, kind)
            return {k: self._read(shape.value, v, f'{where}.{k}') for k, v in value.items()}
        if kind in ('integer', 'long'):
            self._want(isinstance(value, int) and not isinstance(value, bool), where, kind)
            self._bound(shape, value, where)
        elif kind in ('float', 'double'):
            self._want(isinstance(value, (int, float)) and not isinstance(value, bool), where, kind)
        elif kind == 'boolean':
            self._want(isinstance(value, bool), where, kind)
        elif kind == 'timestamp':
            self._want(isinstance(value, (int, float)) and not isinstance(value, bool), where, kind)
            return datetime.datetime.fromtimestamp(value, UTC)
        elif kind == 'blob':
            return base64.b64decode(value)
        elif kind == 'string':
            self._want(isinstance(value, str), where, kind)
            self._bound(shape, len(value), where)
            pattern = shape.metadata.get('pattern')
            if pattern and not re.search(_python(pattern), value):
                raise AwsError('ValidationException', f'{where} must match {pattern}')
            if shape.enum and value not in shape.enum:
                raise AwsError('ValidationException', f'{where} must be one of {shape.enum}')
        return value

    def _read_structure(self, shape, value, where):
        self._want(isinstance(value, dict), where, 'structure')
        names = {s.serialization.get('name', m): m for m, s in shape.members.items()}
        out = {}
        for name, v in value.items():
            if name not in names:
                raise AwsError('ValidationException', f'{where}: unknown member {name}')
            if v is not None:
                member = names[name]
                out[member] = self._read(shape.members[member], v, f'{where}.{member}')
        return out

    @staticmethod
    def _want(fits: bool, where: str, kind: str):
        if not fits:
            raise AwsError('SerializationException', f'{where} must be a {kind}')

    @staticmethod
    def _bound(shape, n, where):
        low, high = shape.metadata.get('min'), shape.metadata.get('max')
        if (low is not None and n < low) or (high is not None and n > high):
            raise AwsError('ValidationException', f'{where} must lie between {low} and {high}')

    # --- answers

    def encode(self, name: str, result: dict):
        """(status, headers, body) of a success; StubBug when the model would not have it."""
        op = self.model.operation_model(name)
        headers = {'x-amzn-RequestId': str(uuid.uuid4()), 'Content-Type': 'application/json'}
        if self.json:
            headers['Content-Type'] = f"application/x-amz-json-{self.model.metadata['jsonVersion']}"
        shape = op.output_shape
        if shape is None:
            return 200, headers, b'' if self.json else b'{}'
        report = botocore.validate.ParamValidator().validate(result, shape)
        if report.has_errors():
            raise StubBug(f'{name}: {report.generate_report()}')
        body = json.dumps(self._write(shape, result), ensure_ascii=False).encode()
        parsed = self.parse(name, body, headers)
        if _plain(parsed) != _plain(result):
            raise StubBug(f'{name}: botocore reads the answer differently: {parsed} != {result}')
        return 200, headers, body

    def parse(self, name: str, body: bytes, headers=None):
        """What botocore makes of an answer."""
        parser = botocore.parsers.create_parser(self.protocol)
        answer = {'status_code': 200, 'headers': headers or {}, 'body': body}
        parsed = parser.parse(answer, self.model.operation_model(name).output_shape)
        parsed.pop('ResponseMetadata', None)
        return parsed

    def _write(self, shape, value):
        kind = shape.type_name
        if kind == 'structure':
            return {shape.members[m].serialization.get('name', m): self._write(shape.members[m], v)
                    for m, v in value.items()}
        if kind == 'list':
            return [self._write(shape.member, v) for v in value]
        if kind == 'map':
            return {k: self._write(shape.value, v) for k, v in value.items()}
        if kind == 'timestamp':
            return calendar.timegm(value.utctimetuple())
        if kind == 'blob':
            return base64.b64encode(value).decode()
        return value

    def encode_error(self, e: AwsError):
        headers = {'x-amzn-RequestId': str(uuid.uuid4()), 'Content-Type': 'application/json'}
        body = {'message': e.message}
        if self.json:
            headers['Content-Type'] = f"application/x-amz-json-{self.model.metadata['jsonVersion']}"
            body['__type'] = e.code
        else:
            headers['x-amzn-ErrorType'] = e.code
            body['__type'] = e.code
        return e.status, headers, json.dumps(body).encode()


def _python(pattern: str) -> str:
    """A pattern of the models in Python's dialect: their Unicode classes are named by letters."""
    for theirs, ours in ((r'\p{L}', r'\w'), (r'\p{N}', r'\d'), (r'\p{Z}', r'\s'), (r'\p{IsLetter}', r'\w'),
                         (r'\p{IsDigit}', r'\d')):
        pattern = pattern.replace(theirs, ours)
    return pattern


def _plain(value):
    """Comparable: empty members dropped, times in whole seconds."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return calendar.timegm(value.utctimetuple())
    return value


def service_of(headers) -> str:
    """The service a signed request is for: the credential scope says it."""
    m = re.search(r'Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request', headers.get('Authorization', ''))
    if m:
        return m[1]
    raise AwsError('MissingAuthenticationTokenException', 'the request is not signed', 403)


def check_signature(method: str, target: str, headers, body: bytes, keys: dict[str, str]):
    """Recomputes the signature with botocore's signer; AwsError when it differs."""
    m = re.match(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?'
                 r'SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$', headers.get('Authorization', ''))
    if not m:
        raise AwsError('IncompleteSignatureException', 'the Authorization header is malformed', 403)
    key, _, region, service, names, signature = m.groups()
    if key not in keys:
        raise AwsError('UnrecognizedClientException', 'the security token is invalid', 403)
    signed = {n: headers[n] for n in names.split(';') if headers.get(n) is not None}
    if 'host' not in {n.lower() for n in signed} or 'x-amz-date' not in {n.lower() for n in signed}:
        raise AwsError('IncompleteSignatureException', 'host and x-amz-date must be signed', 403)
    date = headers['X-Amz-Date']
    when = datetime.datetime.strptime(date, '%Y%m%dT%H%M%SZ').replace(tzinfo=UTC)
    if abs((datetime.datetime.now(UTC) - when).total_seconds()) > 300:
        raise AwsError('InvalidSignatureException', f'Signature expired: {date} is not within 5 minutes', 403)
    request = botocore.awsrequest.AWSRequest(method, f"http://{headers['Host']}{target}", signed, body)
    request.context['timestamp'] = date
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(key, keys[key]), service, region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    if signer.signature(text, request) != signature:
        raise AwsError('InvalidSignatureException', 'the signature does not match', 403)
