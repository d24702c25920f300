"""A reverse proxy between cordon and an emulator that goes wrong at a chosen request, and that remembers every request.

A fault is armed for the N-th request of a run: cordon is killed before the request is passed on, or after it was but
before it is answered; the connection is dropped at either place; the answer comes too late; the answer says throttled,
500 or expired credentials, for that request and the next ones. (And `slow`: the answer comes late, but it comes; `held`: the request is passed on late.) Several proxies may count together (one `Faults`).
"""
from __future__ import annotations

import dataclasses
import http.client
import http.server
import json
import os
import re
import signal
import socket
import sys
import threading
import time
import urllib.parse

KINDS = ('kill-before', 'kill-after', 'drop-before', 'drop-after', 'late', 'throttled', 'error-500', 'expired')
# How many requests in a row get the answer: more than one call's attempts, so that the call fails for good.
SPAN = {'throttled': 12, 'error-500': 12, 'expired': 10_000}
ERRORS = {'throttled': (400, 'ThrottlingException', 'Rate exceeded'), 'error-500': (500, 'InternalFailure', 'We could not do that'),
          'expired': (403, 'ExpiredTokenException', 'The security token included in the request is expired'),
          'denied': (403, 'AccessDeniedException', 'You are not authorized to perform this operation')}
EC2_CODES = {'ThrottlingException': 'RequestLimitExceeded', 'InternalFailure': 'InternalError', 'ExpiredTokenException': 'RequestExpired',
             'AccessDeniedException': 'UnauthorizedOperation'}
READS = re.compile(r'^(Describe|Get|List|Head|Lookup|BatchGet|Query|Scan|Receive|Search|Simulate|Select|Test|AssumeRole)')


@dataclasses.dataclass
class Request:
    """One request that came by."""
    number: int
    service: str
    operation: str
    params: str  # canonical text, without tokens
    token: str  # the idempotency token, or ''
    status: int = 0  # of the emulator's answer, 0 when it was never asked

    @property
    def mutating(self) -> bool:
        return not READS.match(self.operation) and self.service != 'sts'

    @property
    def done(self) -> bool:
        return 200 <= self.status < 300


def service_of(headers) -> str:
    found = re.search(r'Credential=[^/]+/\d+/[^/]+/([^/]+)/', headers.get('Authorization', ''))
    return found[1] if found else 's3'


def strip_tokens(params: dict) -> tuple[dict, str]:
    token = ''
    for key in list(params):
        if re.fullmatch(r'(?i)client(request)?token|idempotencytoken|creatorrequestid', key):
            token = str(params.pop(key))
    return params, token


def read_request(number: int, method: str, path: str, headers, body: bytes) -> Request:
    service = service_of(headers)
    target = headers.get('X-Amz-Target')
    kind = headers.get('Content-Type', '')
    url = urllib.parse.urlsplit(path)
    if target:
        params, token = strip_tokens(json.loads(body or b'{}'))
        return Request(number, service, target.split('.')[-1], json.dumps(params, sort_keys=True), token)
    if 'x-www-form-urlencoded' in kind:
        params, token = strip_tokens(dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)))
        operation = params.pop('Action', '?')
        params.pop('Version', None)
        return Request(number, service, operation, json.dumps(params, sort_keys=True), token)
    verb = {'GET': 'Get', 'HEAD': 'Head', 'PUT': 'Put', 'POST': 'Post', 'DELETE': 'Delete'}.get(method, method)
    text = body.decode('utf-8', 'replace')
    return Request(number, service, f'{verb} {url.path}?{url.query}', text[:4000], '')


def error_answer(kind: str, request: Request, headers) -> tuple[int, str, bytes]:
    """Status, content type, body: in the shape of the request's protocol."""
    status, code, message = ERRORS[kind]
    if headers.get('X-Amz-Target') or (headers.get('Content-Type') or '').startswith('application/json'):
        return status, 'application/x-amz-json-1.1', json.dumps({'__type': code, 'message': message}).encode()
    if request.service == 'ec2':
        code = EC2_CODES[code]
        text = f'<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r</RequestID></Response>'
    elif request.service == 's3':
        status, code = (503, 'SlowDown') if kind == 'throttled' else (status, code.removesuffix('Exception'))
        text = f'<Error><Code>{code}</Code><Message>{message}</Message><RequestId>r</RequestId></Error>'
    else:
        code = code.removesuffix('Exception') if kind != 'throttled' else 'Throttling'
        text = f'<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>'
    return status, 'text/xml', text.encode()


class Faults:
    """What is to go wrong, and what came by."""

    def __init__(self):
        self.lock = threading.Lock()
        self.log: list[Request] = []
        self.victim = None  # the Popen that a kill ends
        self.late_s = 4.0
        self.held_s = 1.5
        self.active = 0
        self.gate = None  # (service, method, path, headers, body) -> why it is refused, or None
        self.refused: list[str] = []
        self.begin()

    def begin(self, kind: str | None = None, at: int = 0, operation: str = '') -> None:
        """A new run: requests are counted from 1; nothing goes wrong unless `kind` is given. `at` counts those whose
        operation has `operation` in it."""
        with self.lock:
            self.kind, self.at, self.operation, self.number, self.struck, self.alike = kind, at, operation, 0, None, 0
            self.log = []

    def take(self, method: str, path: str, headers, body: bytes) -> tuple[Request, str | None]:
        with self.lock:
            self.number += 1
            request = read_request(self.number, method, path, headers, body)
            self.log.append(request)
            self.alike += self.operation in request.operation
            hit = self.kind is not None and self.operation in request.operation and self.at <= self.alike < self.at + SPAN.get(self.kind, 1)
            if hit and self.struck is None:
                self.struck = request
            return request, self.kind if hit else None

    def settle(self) -> None:
        """Waits until no request is under way: what was sent before a kill may still arrive after it."""
        until = time.monotonic() + 10
        quiet = 0
        while quiet < 3 and time.monotonic() < until:
            quiet = quiet + 1 if self.active == 0 else 0
            time.sleep(0.02)

    def kill(self) -> None:
        if self.victim is not None and self.victim.poll() is None:
            os.kill(self.victim.pid, signal.SIGKILL)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True  # headers and body are two writes

    def log_message(self, *_):
        pass

    def body(self) -> bytes:
        if self.headers.get('Transfer-Encoding', '').lower() == 'chunked':
            whole = b''
            while size := int(self.rfile.readline().split(b';')[0], 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def forward(self, body: bytes):
        where = urllib.parse.urlsplit(self.server.upstream)
        there = http.client.HTTPConnection(where.hostname, where.port, timeout=120)
        skip = ('connection', 'transfer-encoding', 'content-length', 'expect')
        headers = {k: v for k, v in self.headers.items() if k.lower() not in skip}
        try:
            there.request(self.command, self.path, body, {**headers, 'Content-Length': str(len(body))})
            answer = there.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            there.close()

    def hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def answer(self, status: int, headers, body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ('connection', 'transfer-encoding', 'content-length'):
                self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def handle_request(self) -> None:
        faults: Faults = self.server.faults
        with faults.lock:
            faults.active += 1
        try:
            self.pass_on(faults)
        finally:
            with faults.lock:
                faults.active -= 1

    def pass_on(self, faults: Faults) -> None:
        if self.headers.get('Expect', '').lower() == '100-continue':
            self.send_response_only(100)
            self.end_headers()
        body = self.body()
        request, fault = faults.take(self.command, self.path, self.headers, body)
        why = faults.gate(request.service, self.command, self.path, self.headers, body) if faults.gate else None
        if why:
            faults.refused.append(why)
            status, kind, text = error_answer('denied', request, self.headers)
            return self.answer(status, [('Content-Type', kind)], text)
        if fault == 'kill-before':
            faults.kill()
            return self.hang_up()
        if fault == 'drop-before':
            return self.hang_up()
        if fault in ERRORS:
            status, kind, text = error_answer(fault, request, self.headers)
            return self.answer(status, [('Content-Type', kind)], text)
        if fault == 'held':
            threading.Event().wait(faults.held_s)
        status, headers, text = self.forward(body)
        request.status = status
        if fault == 'kill-after':
            faults.kill()
            return self.hang_up()
        if fault == 'drop-after':
            return self.hang_up()
        if fault == 'slow':
            threading.Event().wait(faults.late_s)
        if fault == 'late':
            threading.Event().wait(faults.late_s)
            return self.hang_up()
        return self.answer(status, headers, text)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = handle_request


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away is what the tests are about; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Proxy:
    """Serves on a free port until `close`."""

    def __init__(self, upstream: str, faults: Faults):
        self.server = Server(('127.0.0.1', 0), Handler)
        self.server.upstream, self.server.faults = upstream, faults
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

