"""An emulated account behind a proxy that goes wrong, put back in no time: what test_faults.py and test_policy_all.py share."""
from __future__ import annotations

import collections
import contextlib
import json
import os
import subprocess
import sys
import urllib.request

import boto3
import pytest

import fault_accounts
import fault_state
from conftest import ACCOUNT, KEYS, REGION, ROOT, Cordon, moto_post, stop
from fault_proxy import Faults, Proxy


class Stack:
    """moto as moto_stack.py has it: an account that is put back in no time."""

    def __init__(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(('AWS_', 'MOTO_'))}
        env.update(MOTO_EC2_LOAD_DEFAULT_AMIS='false', MOTO_ALLOW_NONEXISTENT_REGION='false')
        self.process = subprocess.Popen([sys.executable, str(ROOT / 'tests/emulator/moto_stack.py')], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=env)
        self.url = f'http://127.0.0.1:{int(self.process.stdout.readline())}'

    def ask(self, word: str, answer: bytes) -> None:
        self.process.stdin.write(f'{word}\n'.encode())
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == answer

    def push(self) -> None:
        self.ask('push', b'pushed')

    def pop(self) -> None:
        self.ask('pop', b'popped')

    def close(self) -> None:
        self.process.stdin.close()
        stop(self.process)


class World:
    """One emulated account behind the proxy; every try begins with the same one, filled anew."""

    def __init__(self, moto: Stack, stub: str, aws, folder):
        self.moto, self.stub, self.aws, self.folder = moto, stub, aws, folder
        self.faults = Faults()
        self.proxies = [Proxy(moto.url, self.faults), Proxy(stub, self.faults)]
        self.tries = 0
        moto_post(moto.url, 'seed?a=42')  # the same ids in every run
        self.account = fault_accounts.seed(aws)
        state = fault_state.describe(aws, fault_accounts.EVIDENCE)
        self.names = fault_state.label(state)
        self.before = fault_state.normal(state, self.names)
        self.open = fault_state.openness(aws)
        moto.push()

    def close(self):
        for proxy in self.proxies:
            proxy.close()

    def set(self, playbook: str) -> None:
        """The account as it was filled, and a fresh store."""
        self.tries += 1
        self.moto.pop()
        self.moto.push()
        self.reset_stub()
        home = self.folder / f'{playbook}-{self.tries}'
        home.mkdir()
        self.cordon = Cordon(home, self.proxies[0].url)
        self.cordon.env.update(
            AWS_ENDPOINT_URL_SSM=self.proxies[1].url, AWS_ENDPOINT_URL_GUARDDUTY=self.proxies[1].url, CORDON_MODE='auto',
            CORDON_RESPONSE_QUARANTINE_PROFILE='cordon-quarantine', CORDON_EVIDENCE_BUCKET=fault_accounts.EVIDENCE, CORDON_AWS_TIMEOUT_SECONDS='2',
            CORDON_RESPONSE_ISOLATION_ENDPOINTS='10.20.0.0/16', CORDON_RESPONSE_SETTLE_SECONDS='0', CORDON_GUARDS_BREAKER_ACTIONS='1000')
        self.event = home / 'finding.json'
        self.event.write_text(json.dumps(fault_accounts.event(self.account, playbook)))

    def tell_stub(self, path: str, body) -> None:
        urllib.request.urlopen(urllib.request.Request(f'{self.stub}/_stub/{path}', json.dumps(body).encode(),
                                                      {'Content-Type': 'application/json'}), timeout=30).read()

    def reset_stub(self) -> None:
        for path, body in (('reset', {}), ('instances', {self.account['instance']: {'PingStatus': 'Online'}})):
            self.tell_stub(path, body)
        self.aws('ssm').create_document(
            Name='cordon-isolate', DocumentType='Command', DocumentFormat='YAML',
            Content=(ROOT / 'deploy/ssm/cordon-isolate.yaml').read_text())

    def run(self, *args: str, fault: str | None = None, at: int = 0, operation: str = ''):
        """One run of cordon, its requests (those of the operation) counted from 1, with at most one fault."""
        self.faults.begin(fault, at, operation)
        process = self.faults.victim = self.cordon.start(*args)
        try:
            out, err = process.communicate(timeout=200)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        finally:
            self.faults.victim = None
        self.faults.settle()
        log, struck = list(self.faults.log), self.faults.struck
        self.faults.begin()
        err = err.decode('utf-8', 'replace')
        assert 'Sanitizer' not in err, err
        return Run(process.returncode, out.decode('utf-8', 'replace'), err, log, struck)

    def respond(self, **fault):
        return self.run('respond', str(self.event), '--yes', '--output', 'json', **fault)

    def undo(self, case: str, **fault):
        # With --force a key that was in foreign hands becomes active again too; nothing foreign happened here.
        return self.run('undo', case, '--force', '--output', 'json', **fault)

    def state(self) -> dict:
        """What the describe calls show now, comparable with other runs."""
        return fault_state.normal(fault_state.describe(self.aws, fault_accounts.EVIDENCE), self.names)

    def cases(self) -> list:
        return self.cordon('case', 'list', '--output', 'json').json

    def view(self) -> dict:
        case = self.cases()[0]['case']
        verified = self.cordon('case', 'verify', case)
        assert verified.code == 0, verified.err
        return self.cordon('case', 'show', case, '--output', 'json').json


class Run(collections.namedtuple('Run', 'code out err log struck')):
    @property
    def said(self) -> str:
        return f'exit {self.code}\n{self.err[-1500:]}\n{self.out[-1500:]}'


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    def aws(service: str):
        if service not in clients:
            clients[service] = boto3.client(
                service, region_name=REGION, endpoint_url=url if service == 'ssm' else moto.url,
                aws_access_key_id=KEYS['AWS_ACCESS_KEY_ID'], aws_secret_access_key=KEYS['AWS_SECRET_ACCESS_KEY'])
        return clients[service]
    clients = {}
    moto = Stack()
    with contextlib.ExitStack() as stack:
        stack.callback(moto.close)
        stub = subprocess.Popen([sys.executable, str(ROOT / 'tests/emulator/stub.py'), '--print-port', '--account', ACCOUNT,
                                 '--region', REGION, '--latency-ms', '1', '--upstream', moto.url],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stack.callback(stop, stub)
        stack.callback(stub.stdin.close)
        url = f'http://127.0.0.1:{int(stub.stdout.readline())}'
        w = World(moto, url, aws, tmp_path_factory.mktemp('faults'))
        stack.callback(w.close)
        yield w
