"""A proxy between the program and the emulator that a test may put something into: an answer of its own, or a deed of
somebody else's just before a request goes on."""
from __future__ import annotations

import http.server
import threading
import urllib.error
import urllib.request


class Between:
    """`hook(method, path, headers, body)` gives None (the request goes on) or (status, body) as the answer; `look(status, body)`
    sees what came back."""

    def __init__(self, upstream: str, hook, look=lambda status, body: None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                given = hook(self.command, self.path, self.headers, body)
                kind = 'application/json'
                if given is None:
                    request = urllib.request.Request(upstream + self.path, body or None, {k: v for k, v in self.headers.items() if k != 'Host'},
                                                     method=self.command)
                    try:
                        with urllib.request.urlopen(request, timeout=30) as answer:
                            given, kind = (answer.status, answer.read()), answer.headers.get('Content-Type', kind)
                    except urllib.error.HTTPError as e:
                        given, kind = (e.code, e.read()), e.headers.get('Content-Type', kind)
                    look(*given)
                self.send_response(given[0])
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(given[1])))
                self.end_headers()
                self.wfile.write(given[1])

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
