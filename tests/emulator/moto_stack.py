#!/usr/bin/env python3
"""moto's server as a stack of accounts: `push` keeps what there is now, `pop` brings back what was kept.

    python moto_stack.py      the first line on stdout is the port; each word read on stdin is answered by a line

A push forks: the child goes on serving on the same socket, the parent waits with its copy of everything until the child
ends. That takes milliseconds, where filling an account takes seconds. It ends when its stdin does.

moto judges a bucket's policy without its principals and conditions; here iam_eval.py judges it.
"""
from __future__ import annotations

import gc
import json
import logging
import os
import re
import select

from flask import request
from iam_eval import judge
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import FakeBucket, s3_backends
from werkzeug.serving import make_server


def who_asks() -> str:
    """The ARN behind the request's key; moto's own, as sts tells it, for keys that it does not know."""
    found = re.search(r'Credential=([^/]+)/', request.headers.get('Authorization', ''))
    for user in iam_backends[DEFAULT_ACCOUNT_ID]['aws'].users.values():
        if found and any(k.access_key_id == found[1] for k in user.access_keys):
            return user.arn
    return f'arn:aws:sts::{DEFAULT_ACCOUNT_ID}:user/moto'


def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    context = {'aws:principalarn': who_asks()}
    key = bucket.keys.get(resource.partition(f'{bucket.name}/')[2])
    for name, value in (s3_backends[DEFAULT_ACCOUNT_ID]['aws'].tagger.get_tag_dict_for_resource(key.arn) if key is not None else {}).items():
        context[f's3:existingobjecttag/{name.lower()}'] = value
    effect = judge(json.loads(bucket.policy), action, resource, context) if bucket.policy else None
    return {'Deny': PermissionResult.DENIED, 'Allow': PermissionResult.PERMITTED}.get(effect, PermissionResult.NEUTRAL)


class Commands:
    """Words from stdin, shared by all processes of the stack: only the one on top reads."""

    def next(self) -> str:
        """'' at the end."""
        word = b''
        while not word.endswith(b'\n'):
            piece = os.read(0, 1)
            if not piece:
                return ''
            word += piece
        return word.decode().strip()

    def answer(self, text: str) -> None:
        os.write(1, f'{text}\n'.encode())


def idle(server) -> None:
    """Waits until no request is being answered: a fork takes none of the other threads along."""
    for thread in list(vars(server).get('_threads', ())):  # socketserver keeps them for its own close
        thread.join(10)


def serve(server, commands: Commands) -> None:
    while True:
        ready, _, _ = select.select([server.socket, 0], [], [])
        if server.socket in ready:
            server._handle_request_noblock()  # as serve_forever does
        if 0 not in ready:
            continue
        word = commands.next()
        if word == '':
            return
        idle(server)
        if word == 'pop':
            return
        child = os.fork()
        if child == 0:
            commands.answer('pushed')
            continue
        os.waitpid(child, 0)
        commands.answer('popped')


def main() -> None:
    logging.getLogger('werkzeug').disabled = True
    FakeBucket.get_permission = get_permission
    app = DomainDispatcherApplication(create_backend_app)
    app.debug = True  # as moto_server has it
    server = make_server('127.0.0.1', 0, app, threaded=True, request_handler=MotoRequestHandler)
    server.daemon_threads, server.block_on_close = False, True  # so that the threads are known
    commands = Commands()
    commands.answer(str(server.socket.getsockname()[1]))
    gc.freeze()
    serve(server, commands)
    os._exit(0)  # no clean-up of what belongs to the parent


if __name__ == '__main__':
    main()
