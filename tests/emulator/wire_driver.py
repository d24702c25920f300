"""The AWS layer as a library, driven line by line: `wire_driver` (wire_driver.c) in a process of its own."""
from __future__ import annotations

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get('CORDON_WIRE_DRIVER') or str(ROOT / 'build/debug/tests/emulator/wire_driver')


class Refused(Exception):
    """What the layer said instead of an answer; `error` has code, http, retryable ..."""

    def __init__(self, error: dict):
        super().__init__(error['message'])
        self.error = error


class Driver:
    """Used with `with`; each call gives the answer's document or raises Refused."""

    def __init__(self, env: dict):
        self.env = {'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8', 'AWS_EC2_METADATA_DISABLED': 'true',
                    'HOME': '/nonexistent', 'UBSAN_OPTIONS': 'halt_on_error=1', 'AWS_REGION': 'eu-west-1', **env}

    def __enter__(self) -> Driver:
        self.process = subprocess.Popen([BINARY], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, encoding='utf-8')
        return self

    def __exit__(self, *_) -> None:
        _, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err

    def __call__(self, do: str, service: str, operation: str, params: dict | None = None, **more) -> dict:
        line = {'do': do, 'service': service, 'operation': operation, 'params': params or {}, **more}
        self.process.stdin.write(json.dumps(line) + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(self.process.communicate(timeout=60)[1])
        document = json.loads(answer)
        if 'error' in document:
            raise Refused(document['error'])
        return document
