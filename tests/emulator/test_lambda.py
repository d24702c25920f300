"""The Lambda runtime: against a Runtime API of our own (what AWS's emulator can't do: trace header, odd deadlines,
several invocations in a row, init errors seen from the API's side), and against AWS's emulator where it could be built.
The account behind is moto's."""
from __future__ import annotations

import http.server
import json
import queue
import subprocess
import threading
import time
import urllib.request

import pytest

from conftest import ACCOUNT, REGION
from peers import free_port, peer, stop, wait_for_port


class RuntimeApi:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, one runtime at a time."""

    def __init__(self):
        self.events: queue.Queue = queue.Queue()
        self.answers: queue.Queue = queue.Queue()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def reply(self, status: int, body: bytes = b'{}', headers: dict | None = None):
                self.send_response(status)
                for k, v in (headers or {}).items():
                    self.send_header(k, v)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                assert self.path == '/2018-06-01/runtime/invocation/next', self.path
                item = api.events.get()
                if item is None:
                    self.reply(500)
                    return
                request_id, event, deadline = item
                self.reply(200, json.dumps(event).encode() if not isinstance(event, bytes) else event, {
                    'Lambda-Runtime-Aws-Request-Id': request_id, 'Lambda-Runtime-Deadline-Ms': str(deadline),
                    'Lambda-Runtime-Trace-Id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1',
                    'Lambda-Runtime-Invoked-Function-Arn': f'arn:aws:lambda:{REGION}:{ACCOUNT}:function:cordon'})

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                api.answers.put((self.path.removeprefix('/2018-06-01/runtime/'), json.loads(body), dict(self.headers)))
                self.reply(202, b'{"status":"OK"}')

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f'127.0.0.1:{self.server.server_address[1]}'

    def invoke(self, event, seconds: float = 60, request_id: str = '8476a536-e9f4-11e8-9739-2dfe598c3fcd'):
        """The runtime's answer: (path, body, headers)."""
        self.events.put((request_id, event, int((time.time() + seconds) * 1000)))
        return self.answers.get(timeout=seconds + 30)


@pytest.fixture
def api():
    a = RuntimeApi()
    yield a
    a.server.shutdown()
    a.server.server_close()


@pytest.fixture
def function(cordon, api, techsolutions, systems_manager):
    """A function that starts the runtime; gives its process."""
    running = []

    def begin(**env):
        variables = {'AWS_LAMBDA_RUNTIME_API': api.address, 'AWS_LAMBDA_FUNCTION_NAME': 'cordon', 'AWS_LAMBDA_LOG_FORMAT': 'JSON',
                     'AWS_LAMBDA_LOG_LEVEL': 'INFO', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE': '256', 'CORDON_MODE': 'auto',
                     'CORDON_EVIDENCE_BUCKET': techsolutions.evidence_bucket, 'CORDON_NOTIFY_TOPIC_ARN': techsolutions.topic,
                     'CORDON_RESPONSE_QUARANTINE_PROFILE': techsolutions.quarantine_profile, 'HTTP_PROXY': 'http://127.0.0.1:9',
                     'http_proxy': 'http://127.0.0.1:9', 'no_proxy': '127.0.0.1', **env}
        process = cordon.start(argv0='/var/task/bootstrap', env=variables)
        running.append(process)
        return process

    yield begin
    for process in running:
        stop(process)


def finish(process) -> tuple[list[dict], list[dict]]:
    """Ends the runtime; its log lines and its metric lines."""
    process.terminate()
    out, err = process.communicate(timeout=20)
    assert b'Sanitizer' not in err, err.decode()
    logs = [json.loads(line) for line in err.decode().splitlines() if line.startswith('{')]
    metrics = [json.loads(line) for line in out.decode().splitlines() if line.startswith('{')]
    return logs, metrics


def state_of(response: dict, action: str) -> str:
    return [a['state'] for a in response['actions'] if a['action'] == action][0]


def groups_of(aws, interface: str) -> list[str]:
    nic = aws('ec2').describe_network_interfaces(NetworkInterfaceIds=[interface])['NetworkInterfaces'][0]
    return [g['GroupId'] for g in nic['Groups']]


def test_a_finding_is_answered_and_measured(function, api, aws, techsolutions, finding):
    aws('ec2').delete_tags(Resources=[techsolutions.instances[0]], Tags=[{'Key': 'Environment'}])
    process = function()
    path, body, _ = api.invoke(finding(techsolutions.instances[0], profile=techsolutions.profiles[0]))
    assert path == 'invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response'
    response = body['responses'][0]
    assert response['schema'] == 'cordon.response/1'
    # An instance without an environment tag counts as production: it is isolated at once, stopped only by a person.
    assert response['state'] == 'awaiting_approval', response
    assert state_of(response, 'isolate-network') == 'done' and state_of(response, 'stop-instance') == 'awaiting_approval'
    assert groups_of(aws, techsolutions.interfaces[0]) != [techsolutions.web_group]
    assert groups_of(aws, techsolutions.interfaces[1]) == [techsolutions.web_group]
    logs, metrics = finish(process)
    mine = [line for line in logs if line.get('function_request_id')]
    assert mine and all(line['level'] in ('INFO', 'WARN', 'ERROR') and line['timestamp'].endswith('Z') for line in mine)
    assert mine[0]['cold_start'] is True and mine[0]['xray_trace_id'].startswith('Root=')
    emf = [m for m in metrics if '_aws' in m][0]
    named = {m['Name'] for m in emf['_aws']['CloudWatchMetrics'][0]['Metrics']}
    assert named <= set(emf) and emf['FindingsReceived'] == 1 and emf['ActionsSucceeded'] >= 1 and emf['ActionsFailed'] == 0


def test_the_same_finding_again_changes_nothing(function, api, aws, techsolutions, finding):
    function()
    event = finding(techsolutions.instances[0], profile=techsolutions.profiles[0])
    first = api.invoke(event)[1]['responses'][0]
    before = groups_of(aws, techsolutions.interfaces[0])
    groups = len(aws('ec2').describe_security_groups()['SecurityGroups'])
    second = api.invoke(event, request_id='8476a536-e9f4-11e8-9739-2dfe598c3fce')[1]['responses'][0]
    assert second['case'] == first['case']
    assert groups_of(aws, techsolutions.interfaces[0]) == before
    assert len(aws('ec2').describe_security_groups()['SecurityGroups']) == groups


def test_only_the_message_that_failed_comes_again(function, api, techsolutions, finding):
    function()
    good = json.dumps(finding(techsolutions.instances[1], profile=techsolutions.profiles[1]))
    _, body, _ = api.invoke({'Records': [
        {'messageId': 'm-good', 'eventSource': 'aws:sqs', 'body': good},
        {'messageId': 'm-bad', 'eventSource': 'aws:sqs', 'body': '{"half":'},
    ]})
    assert body == {'batchItemFailures': [{'itemIdentifier': 'm-bad'}]}


def test_an_event_that_is_no_finding_is_fine(function, api):
    function()
    path, body, _ = api.invoke({'version': '0', 'id': 'x', 'detail-type': 'GuardDuty Malware Protection Object Scan Result',
                                'source': 'aws.guardduty', 'account': ACCOUNT, 'time': '2026-08-01T10:00:00Z', 'region': REGION,
                                'resources': [], 'detail': {'schemaVersion': '1.0', 'scanStatus': 'COMPLETED'}})
    assert path.endswith('/response') and body == {'responses': []}


def test_an_event_that_is_no_json_is_an_error_and_the_next_is_served(function, api, techsolutions, finding):
    function()
    path, body, headers = api.invoke(b'{"not": json')
    assert path.endswith('/error') and body['errorType'] == 'input' and body['errorMessage']
    assert headers['Lambda-Runtime-Function-Error-Type'] == 'Function.input'
    path, _, _ = api.invoke(finding(techsolutions.instances[0]), request_id='8476a536-e9f4-11e8-9739-2dfe598c3fcf')
    assert path.endswith('/response')


def test_aws_out_of_reach_is_an_error_within_the_deadline(function, api, finding):
    function(AWS_ENDPOINT_URL=f'http://127.0.0.1:{free_port()}')
    began = time.monotonic()
    path, body, _ = api.invoke(finding('i-0123456789abcdef0'), seconds=8)
    assert path.endswith('/error') and body['errorType'] == 'unreachable'
    assert time.monotonic() - began < 9


def test_a_wrong_setting_is_an_init_error(function, api):
    process = function(CORDON_MODE='sometimes')
    path, body, headers = api.answers.get(timeout=30)
    assert path == 'init/error' and body['errorType'] == 'config' and 'sometimes' in body['errorMessage']
    assert headers['Lambda-Runtime-Function-Error-Type'] == 'Runtime.config'
    assert process.wait(10) == 1


def test_text_logs_when_asked(function, api, techsolutions, finding):
    process = function(AWS_LAMBDA_LOG_FORMAT='Text')
    api.invoke(finding(techsolutions.instances[0]))
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert any(line.startswith('INFO finding received') for line in err.decode().splitlines())


@pytest.mark.parametrize('given', [None, 'sqlite:/tmp/elsewhere.db'])
def test_cases_that_end_with_the_instance_are_warned_of(function, cordon, given, tmp_path):
    """Without `state`, or with a file: another instance of the function would know nothing of this one's cases."""
    cordon.env.pop('CORDON_STATE', None)
    where = given and given.replace('/tmp', str(tmp_path))
    process = function(**({'CORDON_STATE': where} if where else {}))
    time.sleep(1.5)
    logs, _ = finish(process)
    told = [line for line in logs if line['level'] == 'WARN' and 'dynamodb:TABLE' in line['message']]
    assert [line['state'] for line in told] == [where or 'sqlite:/tmp/cordon.db'], logs
    cordon.env.update({'AWS_LAMBDA_FUNCTION_NAME': 'cordon'}, **({'CORDON_STATE': where} if where else {}))
    checks = cordon('doctor', '--output', 'json').json['checks']
    assert any((c['check'], c['state']) == ('state', 'warn') and 'dynamodb:TABLE' in c['fix'] for c in checks), checks


def test_bootstrap_outside_lambda_says_so(cordon_alone):
    process = cordon_alone.start(argv0='bootstrap')
    _, err = process.communicate(timeout=20)
    assert process.returncode == 3 and b'AWS_LAMBDA_RUNTIME_API' in err



def test_under_the_emulator_of_aws(cordon, aws, techsolutions, systems_manager, finding, tmp_path):
    bootstrap = tmp_path / 'bootstrap'
    bootstrap.symlink_to(cordon.binary)
    port, runtime = free_port(), free_port()
    env = {**cordon.env, 'CORDON_MODE': 'auto', 'CORDON_EVIDENCE_BUCKET': techsolutions.evidence_bucket,
           'CORDON_NOTIFY_TOPIC_ARN': techsolutions.topic, 'AWS_LAMBDA_FUNCTION_TIMEOUT': '60'}
    process = subprocess.Popen([str(peer('aws-lambda-rie')), '--runtime-interface-emulator-address', f'127.0.0.1:{port}', '--runtime-api-address',
                                f'127.0.0.1:{runtime}', '--log-level', 'error', str(bootstrap)], env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        wait_for_port(port, process)
        request = urllib.request.Request(f'http://127.0.0.1:{port}/2015-03-31/functions/function/invocations',
                                         data=json.dumps(finding(techsolutions.instances[0])).encode())
        answer = json.loads(urllib.request.urlopen(request, timeout=90).read())
        assert state_of(answer['responses'][0], 'isolate-network') == 'done'
    finally:
        stop(process)
