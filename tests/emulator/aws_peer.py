"""What the tests of the AWS layer share: the driver (aws_driver.c) and a small HTTP peer with a script."""
from __future__ import annotations

import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time

from conftest import ROOT, Cordon


def driver_binary() -> str:
    cordon = os.environ.get('CORDON_BIN') or str(ROOT / 'build/debug/src/app/cordon')
    return str(pathlib.Path(cordon).resolve().parents[2] / 'tests/emulator/aws_driver')


class Driver:
    """aws_driver as a context: open, show, call, close."""

    def __enter__(self):
        env = {'PATH': '/usr/bin:/bin', 'ASAN_OPTIONS': 'detect_leaks=1', 'UBSAN_OPTIONS': 'print_stacktrace=1'}
        self.process = subprocess.Popen([driver_binary()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=env)
        self.said: list[str] = []
        self.reader = threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True)
        self.reader.start()
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        code = self.process.wait(30)
        self.reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        if kind is None:
            assert code == 0 and not any('Sanitizer' in line for line in self.said), ''.join(self.said)

    def ask(self, **order):
        self.process.stdin.write(json.dumps(order) + '\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, ''.join(self.said)
        return json.loads(line)

    def open(self, vars: dict | None = None, **options):
        return self.ask(open={'vars': {'HOME': '/nonexistent', 'AWS_EC2_METADATA_DISABLED': 'true', **(vars or {})}, **options})

    def show(self, service: str, operation: str, params: dict | None = None):
        return self.ask(show={'service': service, 'operation': operation, 'params': params or {}})

    def call(self, service: str, operation: str, params: dict | None = None):
        return self.ask(call={'service': service, 'operation': operation, 'params': params or {}})


class Peer:
    """An HTTP server that answers by a function of the request: (status, headers, body), bytes for the raw wire, or None to cut."""

    def __init__(self, answer, address: str = '127.0.0.1', port: int = 0):
        self.answer, self.requests, self.lock = answer, [], threading.Lock()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                request = {'method': self.command, 'path': self.path, 'headers': self.headers, 'body': body}
                with peer.lock:
                    request['number'] = len(peer.requests)
                    peer.requests.append(request)
                said = peer.answer(request)
                if said is None or isinstance(said, bytes):
                    self.close_connection = True
                    self.wfile.write(said or b'')
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, headers, text = said
                self.send_response_only(status)
                for name, value in {'Content-Length': str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text if isinstance(text, bytes) else text.encode())

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128
            address_family = socket.AF_INET6 if ':' in address else socket.AF_INET

            def handle_error(self, *_):
                pass

        self.server = Server((address, port), Handler)
        self.url = f'http://{address}:{self.server.server_address[1]}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def wait_until(condition, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, 'it did not come'
        time.sleep(0.02)


__all__ = ['Cordon', 'Driver', 'Peer', 'driver_binary', 'wait_until']
