#!/usr/bin/env python3
"""The tests' own AWS stub: GuardDuty, Systems Manager, CloudTrail look-ups, EKS access and firewalls: what moto lacks.

    python stub.py [--port 0] [--print-port] [--instances i-0123456789abcdef0,..]
                   [--account 123456789012] [--region us-east-1] [--latency-ms 100]
                   [--upstream http://127.0.0.1:5000] [--key AKID=SECRET ..] [--stay]

Point clients at it with AWS_ENDPOINT_URL_SSM, AWS_ENDPOINT_URL_GUARDDUTY and
AWS_ENDPOINT_URL_CLOUDTRAIL. It listens on 127.0.0.1 only. With --print-port the first line on
stdout is the port, printed once connections are taken. It ends when its stdin closes (so give it a
pipe; --stay: do not look at stdin) or on SIGTERM, and leaves nothing behind: namespaces and
folders go with it. Needs botocore and PyYAML; both come with moto.

What it does, and how far it can be believed:
  GuardDuty   ListDetectors GetDetector ListFindings (criteria, sort, pages) GetFindings ArchiveFindings
              UnarchiveFindings CreateSampleFindings UpdateFindingsFeedback. Findings are those queued.
  SSM         DescribeInstanceInformation; CreateDocument UpdateDocument GetDocument DescribeDocument
              DeleteDocument ListDocuments; SendCommand GetCommandInvocation ListCommandInvocations
              CancelCommand: Pending -> InProgress -> Success | Failed | TimedOut | Cancelled, with
              the script really run by sh in a network namespace that each instance keeps for itself
              (isolate, status and restore see each other's rules), its real stdout cut at 24,000
              characters. Only scripts of documents under deploy/ssm of this tree are run; others
              need an answer from POST /_stub/outputs. Parameters go in by text, after the
              document's own allowedPattern and allowedValues were checked, as the agent does.
              Without namespaces: see stub_host.py.
              StartAutomationExecution GetAutomationExecution StopAutomationExecution for
              AWSSupport-ContainEC2Instance; with --upstream it really swaps the groups there.
  CloudTrail  LookupEvents (attributes, times, pages) over planted events; ListPublicKeys.
  EKS         access entries and their policies (stub_eks.py).
  Network Firewall, Resolver DNS Firewall: rule groups with tokens; lists, rules, associations (stub_firewall.py).
Requests are read and answers written by botocore's models (stub_wire.py). With --key the SigV4
signature is recomputed and must fit; the credential scope chooses the service.

Control (plain HTTP, JSON bodies, no signature):
  POST /_stub/instances  {"i-..": {"PingStatus": "Online"}, "i-..": null}   known to SSM; null forgets
  POST /_stub/findings   [detail, ..] or EventBridge events                 queue GuardDuty findings
  POST /_stub/events     [CloudTrail record, ..]                            for LookupEvents
  POST /_stub/keys       [{"Value": base64, "Fingerprint", ..}, ..]         for ListPublicKeys
  POST /_stub/eks        {"CLUSTER": {"PRINCIPAL": {entry, "policies": {}}}}  access entries
  POST /_stub/rule_groups {"NAME": RuleGroup}                               of Network Firewall
  POST /_stub/dns        {"vpcs": {"vpc-..": ["rslvr-frg-.."]}}             DNS Firewall associations
  POST /_stub/outputs    {"DOCUMENT": {"stdout":"..","stderr":"..","code":0}}  answer without running
  POST /_stub/fault      {"operation":"SendCommand" or "*","times":1,"code":"ThrottlingException",
                          "status":400,"message":"..","retry_after":1,"delay_ms":0,
                          "body":"<html>..","close":"before"|"after"}       next calls fail so
  POST /_stub/reset      {}            forgets findings, events, documents, commands, faults, hosts
  GET  /_stub/requests   [{"service","operation","params","status"}]        everything asked so far
  GET  /_stub/state      {"instances","documents","findings","namespaces","eks","rule_groups","dns"}
"""
from __future__ import annotations

import argparse
import datetime
import http.server
import json
import os
import signal
import socket
import sys
import threading
import time

import stub_cloudtrail
import stub_eks
import stub_firewall
import stub_guardduty
import stub_ssm
import stub_wire
from stub_wire import AwsError, StubBug

SERVICES = ('guardduty', 'ssm', 'cloudtrail', 'eks', 'network-firewall', 'route53resolver')
_BODY_MAX = 16 * 1024 * 1024


def _jsonable(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, set) else str(value)


class Stub:
    """All state of one run, shared by the server's threads."""

    def __init__(self, args):
        self.args = args
        self.keys = dict(k.split('=', 1) for k in args.key)
        self.wires = {s: stub_wire.Wire(s) for s in SERVICES}
        self.lock = threading.Lock()
        self.services: dict[str, object] = {}
        self.reset()
        for i in filter(None, args.instances.split(',')):
            self.services['ssm'].set_instance(i, {})

    def reset(self):
        old = self.services.get('ssm')
        ssm = stub_ssm.Ssm(self.args.account, self.args.region, self.args.latency_ms / 1000,
                           self.args.upstream)
        if old:
            for ident, facts in old.instances.items():
                ssm.set_instance(ident, facts)
            old.close()
        self.services = {
            'ssm': ssm, 'cloudtrail': stub_cloudtrail.CloudTrail(),
            'eks': stub_eks.Eks(self.args.account, self.args.region),
            'network-firewall': stub_firewall.NetworkFirewall(self.args.account, self.args.region),
            'route53resolver': stub_firewall.Resolver(self.args.account, self.args.region),
            'guardduty': stub_guardduty.GuardDuty(self.args.account, self.args.region,
                                                  self.wires['guardduty'])}
        self.requests: list[dict] = []
        self.faults: list[dict] = []

    def fault_for(self, operation: str) -> dict | None:
        with self.lock:
            for f in self.faults:
                if f.get('operation', '*') in ('*', operation):
                    f['times'] = f.get('times', 1) - 1
                    if f['times'] <= 0:
                        self.faults.remove(f)
                    return f
        return None

    def control(self, name: str, body):
        ssm, gd = self.services['ssm'], self.services['guardduty']
        if name == 'instances':
            for ident, facts in body.items():
                ssm.set_instance(ident, facts)
        elif name == 'findings':
            for f in body if isinstance(body, list) else [body]:
                gd.add(f.get('detail', f))
        elif name == 'events':
            self.services['cloudtrail'].events.extend(body)
        elif name == 'keys':
            self.services['cloudtrail'].add_keys(body)
        elif name == 'outputs':
            ssm.canned.update(body)
        elif name == 'eks':
            self.services['eks'].clusters.update(body)
        elif name == 'rule_groups':
            for group, rules in body.items():
                self.services['network-firewall'].plant(group, rules)
        elif name == 'dns':
            self.services['route53resolver'].plant(body['vpcs'])
        elif name == 'fault':
            self.faults.append(dict(body))
        elif name == 'reset':
            self.reset()
        elif name == 'requests':
            return self.requests
        elif name == 'state':
            return {'instances': ssm.instances, 'findings': list(gd.findings),
                    'documents': {d.name: list(d.versions) for d in ssm.documents.values()},
                    'namespaces': ssm.how is not None, 'detector': gd.detector, 'eks': self.services['eks'].clusters,
                    'rule_groups': {a: g['group'] for a, g in self.services['network-firewall'].groups.items()},
                    'dns': vars(self.services['route53resolver'])}
        else:
            raise AwsError('NotFound', f'no control /_stub/{name}', 404)
        return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True  # headers and body are two writes
    stub: Stub

    def log_message(self, format, *args):  # the tests' output stays readable
        pass

    def _send(self, status: int, headers: dict, body: bytes):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _handle(self):
        size = int(self.headers.get('Content-Length') or 0)
        if size > _BODY_MAX:
            self.close_connection = True
            return self._send(413, {}, b'')
        body = self.rfile.read(size)
        if self.path.startswith('/_stub/'):
            return self._control(body)
        return self._aws(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle

    def _control(self, body: bytes):
        try:
            answer = self.stub.control(self.path[7:], json.loads(body or b'{}'))
            status = 200
        except AwsError as e:
            status, answer = e.status, {'error': e.message}
        except (ValueError, AttributeError, KeyError) as e:
            status, answer = 400, {'error': repr(e)}
        self._send(status, {'Content-Type': 'application/json'},
                   json.dumps(answer, default=_jsonable).encode())

    def _aws(self, body: bytes):
        stub, wire, record = self.stub, None, {'service': None, 'operation': None, 'params': None}
        try:
            service = stub_wire.service_of(self.headers)
            wire = stub.wires.get(service)
            if wire is None:
                raise AwsError('UnknownOperationException', f'the stub is no {service}', 404)
            if stub.keys:
                stub_wire.check_signature(self.command, self.path, self.headers, body, stub.keys)
            operation, params = wire.decode(self.command, self.path, self.headers, body)
            record.update(service=service, operation=operation, params=params)
            fault = stub.fault_for(operation)
            if fault and self._fail(fault, wire, record):
                return
            answer = wire.encode(operation, stub.services[service].call(operation, params))
            if fault and fault.get('close') == 'after':
                self._cut(record)
                return
        except AwsError as e:
            answer = (wire or stub.wires['ssm']).encode_error(e)
        except StubBug as e:
            print(f'stub: {e}', file=sys.stderr, flush=True)
            answer = 500, {'Content-Type': 'text/plain'}, f'stub: {e}'.encode()
        record['status'] = answer[0]
        with stub.lock:
            stub.requests.append(record)
        self._send(*answer)

    def _cut(self, record):
        record['status'] = 0
        with self.stub.lock:
            self.stub.requests.append(record)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _fail(self, fault, wire, record) -> bool:
        time.sleep(fault.get('delay_ms', 0) / 1000)
        if fault.get('close') == 'before':
            self._cut(record)
            return True
        if 'code' not in fault and 'body' not in fault:
            return False
        status = fault.get('status', 400)
        if 'body' in fault:
            headers, body = {'Content-Type': 'text/html'}, fault['body'].encode()
        else:
            status, headers, body = wire.encode_error(
                AwsError(fault['code'], fault.get('message', ''), status))
        if 'retry_after' in fault:
            headers['Retry-After'] = str(fault['retry_after'])
        record['status'] = status
        with self.stub.lock:
            self.stub.requests.append(record)
        self._send(status, headers, body)
        return True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, BrokenPipeError, OSError)):
            super().handle_error(request, client_address)


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--print-port', action='store_true')
    p.add_argument('--instances', default='')
    p.add_argument('--account', default='123456789012')
    p.add_argument('--region', default='us-east-1')
    p.add_argument('--latency-ms', type=int, default=100)
    p.add_argument('--upstream')
    p.add_argument('--key', action='append', default=[])
    p.add_argument('--stay', action='store_true')
    args = p.parse_args()
    stub = Stub(args)
    Handler.stub = stub
    server = Server(('127.0.0.1', args.port), Handler)
    done = threading.Event()
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: done.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if args.print_port:
        print(server.server_address[1], flush=True)

    def watch():
        while os.read(0, 4096):
            pass
        done.set()

    if not args.stay:
        threading.Thread(target=watch, daemon=True).start()
    done.wait()
    server.shutdown()
    stub.services['ssm'].close()
    return 0


if __name__ == '__main__':
    sys.exit(main())
