"""What waits for a person: `cordon approve` and `reject`, signed links through `serve` and through the Lambda runtime, and
what happens when nobody answers. moto answers for AWS; the links are opened as a browser would."""
from __future__ import annotations

import base64
import datetime
import hmac
import json
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import free_port, wait_for_port
from test_lambda import api, function  # noqa: F401 (fixtures)

PLAYBOOK = """
name: small
title: An instance that works for an intruder
answers:
  types: ["Backdoor:EC2/*"]
approve: {until: %(until)s, on_expiry: %(on_expiry)s}
steps:
  - {id: isolate-network, action: isolate-network, on: Instance, mode: auto}
  - {id: detach-from-service, action: detach-from-service, on: Instance, mode: auto}
  - {id: block-address, action: block-address, on: Instance, mode: approve, when: {attacker_address: true},
     with: {addresses: $actor_ips}}
  - {id: stop-instance, action: stop-instance, on: Instance, mode: approve}
"""


@pytest.fixture
def books(cordon, tmp_path):
    """A function: cordon allowed to act, with one playbook whose questions run out as told."""
    folder = tmp_path / 'playbooks'
    folder.mkdir()

    def write(until: str = '60m', on_expiry: str = 'hold'):
        (folder / 'small.yaml').write_text(PLAYBOOK % {'until': until, 'on_expiry': on_expiry})
        cordon.env.update(CORDON_MODE='auto', CORDON_PLAYBOOKS=str(folder), USER='ana')
        return cordon
    return write


@pytest.fixture
def event(finding, techsolutions, tmp_path):
    path = tmp_path / 'finding.json'
    path.write_text(json.dumps(finding(techsolutions.instances[0])))
    return str(path)


def respond(cordon, event: str) -> str:
    ran = cordon('respond', event, '--output', 'json')
    assert ran.code == 7, ran.err + ran.out
    return ran.json['case']


def view_of(cordon, case: str) -> dict:
    assert cordon('case', 'verify', case).code == 0
    return cordon('case', 'show', case, '--output', 'json').json


def step(view: dict, name: str) -> dict:
    return next(s for s in view['steps'] if s['id'] == name)


def state_of(aws, instance: str) -> str:
    return aws('ec2').describe_instances(InstanceIds=[instance])['Reservations'][0]['Instances'][0]['State']['Name']


CLOCK = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	const char *late = getenv("SECONDS_LATE");
	long r = syscall(SYS_clock_gettime, id, t);
	if (id == CLOCK_REALTIME && late)
		t->tv_sec += atol(late);
	return (int)r;
}
"""


@pytest.fixture(scope='session')
def later(tmp_path_factory) -> dict:
    """The environment of a run whose clock is two minutes ahead."""
    where = tmp_path_factory.mktemp('clock')
    (where / 'clock.c').write_text(CLOCK)
    subprocess.run(['cc', '-shared', '-fPIC', '-o', str(where / 'clock.so'), str(where / 'clock.c')], check=True)
    return {'LD_PRELOAD': str(where / 'clock.so'), 'SECONDS_LATE': '120',
            'ASAN_OPTIONS': 'detect_leaks=0:verify_asan_link_order=0'}


def test_a_yes_runs_the_step_and_names_who_said_it(books, aws, techsolutions, event):
    cordon = books()
    case = respond(cordon, event)
    several = cordon('approve', case)
    assert several.code == 2 and 'block-address, stop-instance' in several.err
    ran = cordon('approve', case, 'stop-instance', '--reason', 'seen it', '--output', 'json')
    assert ran.code == 7, ran.err  # the other one still waits
    assert state_of(aws, techsolutions.instances[0]) == 'stopped'
    view = view_of(cordon, case)
    answered = next(a for a in view['approvals'] if a['step'] == 'stop-instance')
    assert (answered['decision'], answered['by'], answered['reason']) == ('approved', 'person:ana', 'seen it')
    assert answered['via'] == {'channel': 'command'}
    again = cordon('approve', case, 'stop-instance')
    assert again.code == 1 and 'was already approved by person:ana at' in again.err
    ran = cordon('reject', case, '--reason', 'ours', '--output', 'json')  # only one waits: no need to name it
    assert ran.code == 0 and step(view_of(cordon, case), 'block-address')['state'] == 'rejected'
    late = cordon('approve', case, 'block-address')
    assert late.code == 1 and 'was already rejected by person:ana' in late.err
    assert cordon('approve', case).code == 1
    unknown = cordon('approve', case, 'dance')
    assert unknown.code == 1 and 'has no step dance' in unknown.err
    assert cordon('approve', '2099-0001', 'stop-instance').code == 1


def test_later_only_records(books, aws, techsolutions, event):
    cordon = books()
    case = respond(cordon, event)
    assert cordon('approve', case, 'stop-instance', '--later').code == 0
    assert state_of(aws, techsolutions.instances[0]) == 'running'
    cordon('resume', case)
    assert state_of(aws, techsolutions.instances[0]) == 'stopped'


def test_a_yes_after_the_time_is_refused_and_asked_anew(books, aws, techsolutions, event, later):
    cordon = books(until='1m')
    case = respond(cordon, event)
    ran = cordon('approve', case, 'stop-instance', env=later)
    assert ran.code == 1 and 'ran out at' in ran.err and f'cordon resume {case}' in ran.err
    assert state_of(aws, techsolutions.instances[0]) == 'running'
    assert cordon('resume', case, env=later).code == 7  # hold: the question is put again
    asked = [a for a in view_of(cordon, case)['approvals'] if a['step'] == 'stop-instance']
    assert [a['decision'] for a in asked] == ['superseded', None]
    assert cordon('approve', case, 'stop-instance', env=later).code == 7
    assert state_of(aws, techsolutions.instances[0]) == 'stopped'


def test_skip_gives_the_step_up_when_nobody_answers(books, aws, techsolutions, event, later):
    cordon = books(until='1m', on_expiry='skip')
    case = respond(cordon, event)
    assert cordon('resume', case, env=later).code == 0
    view = view_of(cordon, case)
    assert step(view, 'stop-instance')['state'] == 'rejected'
    assert next(a for a in view['approvals'] if a['step'] == 'stop-instance')['reason'] == 'nobody answered in time'
    assert state_of(aws, techsolutions.instances[0]) == 'running'


def test_a_plan_that_changed_meanwhile_is_asked_about_anew(books, aws, techsolutions, finding, event, tmp_path):
    cordon = books()
    case = respond(cordon, event)
    first = next(a for a in view_of(cordon, case)['approvals'] if a['step'] == 'block-address')
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(finding(techsolutions.instances[0], remote='203.0.113.9', finding_id='1' * 32)))
    assert respond(cordon, str(other)) == case
    asked = [a for a in view_of(cordon, case)['approvals'] if a['step'] == 'block-address']
    assert [a['decision'] for a in asked] == ['superseded', None]
    assert asked[1]['plan'] != first['plan']


def test_two_people_at_once(books, aws, techsolutions, event):
    cordon = books()
    case = respond(cordon, event)
    ran = {}

    def say(name: str, verb: str) -> None:
        ran[name] = cordon(verb, case, 'stop-instance', '--later', env={'USER': name})
    people = [threading.Thread(target=say, args=p) for p in (('ana', 'approve'), ('ben', 'reject'), ('eva', 'approve'))]
    for p in people:
        p.start()
    for p in people:
        p.join()
    won = [name for name, r in ran.items() if r.code == 0]
    assert len(won) == 1, {n: (r.code, r.err) for n, r in ran.items()}
    for name, r in ran.items():
        if name not in won:
            assert r.code == 1 and f'person:{won[0]}' in r.err and 'at' in r.err
    decided = [a for a in view_of(cordon, case)['approvals'] if a['step'] == 'stop-instance']
    assert len(decided) == 1 and decided[0]['by'] == f'person:{won[0]}'


# ---- who may ----

def refusals(cordon, case: str) -> list:
    return [h for h in view_of(cordon, case)['held_back'] if h['guard'] == 'approver']


def test_only_those_who_are_named_may_answer(books, aws, techsolutions, event):
    """By command, by --yes and by an answer that is said twice: each try stands in the case."""
    cordon = books()
    cordon.env['CORDON_RESPONSE_APPROVERS'] = 'eva,arn:aws:iam::123456789012:role/Responders'
    case = respond(cordon, event)
    assert next(a for a in view_of(cordon, case)['approvals'])['who'] == ['eva', 'arn:aws:iam::123456789012:role/Responders']
    for n, command in enumerate((('approve', case, 'stop-instance'), ('approve', case, 'stop-instance', '--yes'), ('reject', case, 'stop-instance')), 1):
        ran = cordon(*command)
        assert ran.code == 1, ran.err
        assert 'stop-instance of case ' + case + ' is for eva, arn:aws:iam::123456789012:role/Responders to answer' in ran.err
        assert 'ana, arn:aws:sts::123456789012:user/moto is not among them: nothing was decided' in ran.err
        assert len(refusals(cordon, case)) == n
    before = len(refusals(cordon, case))
    assert cordon('resume', case, '--yes').code == 7
    assert len(refusals(cordon, case)) > before, 'a --yes that does not count is in the case too'
    assert state_of(aws, techsolutions.instances[0]) == 'running'
    assert cordon('approve', case, 'stop-instance', env={'USER': 'eva'}).code == 7  # the other one still waits
    assert state_of(aws, techsolutions.instances[0]) == 'stopped'
    assert step(view_of(cordon, case), 'block-address')['state'] == 'awaiting_approval'


def test_an_arn_counts_whoever_the_machine_says_one_is(books, aws, techsolutions, event):
    cordon = books()
    cordon.env['CORDON_RESPONSE_APPROVERS'] = 'arn:aws:sts::123456789012:user/mo*'
    case = respond(cordon, event)
    assert cordon('approve', case, 'stop-instance', env={'USER': 'nobody'}).code == 7
    assert state_of(aws, techsolutions.instances[0]) == 'stopped'
    assert cordon('resume', case, '--yes', env={'USER': None}).code == 0
    assert refusals(cordon, case) == []


# ---- links ----

KEY = b'0123456789abcdef0123456789abcdef'


@pytest.fixture
def linked(books, techsolutions, tmp_path):
    key = tmp_path / 'key'
    key.write_bytes(KEY + b'\n')
    key.chmod(0o600)
    cordon = books()
    cordon.env.update(CORDON_NOTIFY_TOPIC_ARN=techsolutions.topic, CORDON_APPROVALS_KEY=f'file:{key}',
                      CORDON_APPROVALS_URL='http://links.example/')
    return cordon


def token(view: dict, name: str, key: bytes = KEY, **changed) -> str:
    """The token of the open question about a step, made as its contract says (response/approval_link.h)."""
    q = {**[a for a in view['approvals'] if a['step'] == name][-1], 'case': view['case'], **changed}
    until = int(datetime.datetime.fromisoformat(q['until']).timestamp() * 1000)
    text = '\n'.join([q['case'], str(q['seq']), str(until), q['plan'], q['step']]).encode()
    mac = hmac.new(key, b'cordon approval link 1\n' + text, 'sha256').digest()
    return '.'.join(base64.urlsafe_b64encode(part).decode().rstrip('=') for part in (text, mac))


def open_link(url: str, data: dict | None = None, method: str | None = None) -> tuple[int, str, dict]:
    body = urllib.parse.urlencode(data).encode() if data is not None else None
    request = urllib.request.Request(url, data=body, method=method, headers={'Accept-Language': 'en'})
    try:
        with urllib.request.urlopen(request, timeout=30) as r:
            return r.status, r.read().decode(), dict(r.headers)
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(), dict(e.headers)


@pytest.fixture
def daemon(linked, aws, techsolutions):
    """A function: starts `cordon serve` with its link listener; gives the listener's address."""
    queue = aws('sqs').create_queue(QueueName='findings')['QueueUrl']
    running = []

    def begin(**env) -> str:
        port = free_port()
        linked.env.update(CORDON_SERVE_LISTEN=f'127.0.0.1:{port}')
        running.append(linked.start('serve', '--queue-url', queue, '--log-level', 'info', env=env or None))
        wait_for_port(port, running[-1])
        return f'http://127.0.0.1:{port}/'
    yield begin
    for p in running:
        p.send_signal(signal.SIGTERM)
        out, err = p.communicate(timeout=60)
        assert p.returncode == 0 and b'Sanitizer' not in err, err.decode()


def wait_until(what, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not what() and time.monotonic() < until:
        time.sleep(0.2)
    assert what()


def test_a_link_shows_on_get_and_acts_on_post_once(linked, daemon, aws, techsolutions, event):
    case = respond(linked, event)
    base = daemon()
    view = view_of(linked, case)
    link = f'{base}?t={token(view, "stop-instance")}'
    records = len(linked('case', 'show', case, '--records', '--output', 'json').json)
    for method in ('GET', 'HEAD', 'GET'):
        status, page, headers = open_link(link, method=method)
        assert status == 200
    assert 'Stop the instance' in page and techsolutions.instances[0] in page and case in page
    assert "default-src 'none'" in headers['Content-Security-Policy'] and headers['Cache-Control'] == 'no-store'
    assert '<script' not in page and 'method="post"' in page
    assert len(linked('case', 'show', case, '--records', '--output', 'json').json) == records  # to look changes nothing
    assert state_of(aws, techsolutions.instances[0]) == 'running'
    t = token(view, 'stop-instance')
    for wrong in ({'word': 'yes', 'name': 'Ana'}, {'word': 'APPROVE', 'name': ' '}, {'word': '', 'name': 'Ana'}):
        status, page, _ = open_link(base + '?', {'t': t, **wrong})
        assert status == 400 and 'Nothing was decided' in page
    status, page, _ = open_link(base + '?', {'t': t, 'word': ' aprobar', 'name': 'Ana <b>', 'reason': 'call with the owner'})
    assert status == 200 and 'Approved' in page
    wait_until(lambda: state_of(aws, techsolutions.instances[0]) == 'stopped')
    answered = next(a for a in view_of(linked, case)['approvals'] if a['step'] == 'stop-instance')
    assert answered['by'] == 'person:Ana <b>' and answered['reason'] == 'call with the owner'
    assert answered['via']['channel'] == 'link' and answered['via']['ip'] == '127.0.0.1'
    status, page, _ = open_link(base + '?', {'t': t, 'word': 'REJECT', 'name': 'Eve'})  # replayed
    assert status == 410 and 'was already approved by person:Ana &lt;b&gt;' in page
    assert open_link(link)[0] == 410


def test_a_link_in_other_hands_decides_nothing(linked, daemon, aws, techsolutions, event):
    linked.env['CORDON_RESPONSE_APPROVERS'] = 'eva@example.com,arn:aws:iam::123456789012:role/Responders'
    case = respond(linked, event)
    base = daemon()
    t = token(view_of(linked, case), 'stop-instance')
    assert 'Who may decide' in open_link(f'{base}?t={t}')[1] and 'eva@example.com' in open_link(f'{base}?t={t}')[1]
    for name in ('Mallory', 'arn:aws:iam::123456789012:role/Responders', 'eva@example.com.evil.example'):
        status, page, _ = open_link(base, {'t': t, 'word': 'APPROVE', 'name': name})
        assert status == 409 and 'is not among them' in page, page
    assert [h['via']['name'] for h in refusals(linked, case)][0] == 'Mallory'
    assert state_of(aws, techsolutions.instances[0]) == 'running'
    status, page, _ = open_link(base, {'t': t, 'word': 'APPROVE', 'name': 'Eva@example.com'})
    assert status == 200, page
    wait_until(lambda: state_of(aws, techsolutions.instances[0]) == 'stopped')


def test_links_that_are_none(linked, daemon, aws, techsolutions, event, later):
    case = respond(linked, event)
    base = daemon()
    view = view_of(linked, case)
    good = token(view, 'stop-instance')
    bad = {
        'damaged': good[:-2] + ('AA' if good[-2:] != 'AA' else 'BB'), 'empty': '', 'half': good.split('.')[0],
        'other key': token(view, 'stop-instance', key=b'x' * 32), 'other case': token(view, 'stop-instance', case='2020-0001'),
        'other step': token(view, 'stop-instance', step='block-address'),
        'other plan': token(view, 'stop-instance', plan='0' * 64),
        'run out': token(view, 'stop-instance', until='2020-01-01T00:00:00+00:00'),
        'long': good + 'A' * 5000, 'binary': '%ff%00',
    }
    for what, t in bad.items():
        for data in (None, {'t': t, 'word': 'APPROVE', 'name': 'Eve'}):
            status, page, _ = open_link(f'{base}?t={t}' if data is None else base, data)
            assert status in (404, 410) and ('Nothing was decided' in page), (what, status, page)
    assert open_link(base, method='DELETE')[0] == 405
    assert state_of(aws, techsolutions.instances[0]) == 'running'
    assert all(a['decision'] is None for a in view_of(linked, case)['approvals'])


def test_a_link_to_a_plan_that_changed_is_refused(linked, daemon, techsolutions, finding, event, tmp_path):
    case = respond(linked, event)
    base = daemon()
    old = token(view_of(linked, case), 'block-address')
    other = tmp_path / 'other.json'
    other.write_text(json.dumps(finding(techsolutions.instances[0], remote='203.0.113.9', finding_id='1' * 32)))
    respond(linked, str(other))
    status, page, _ = open_link(base, {'t': old, 'word': 'APPROVE', 'name': 'Ana'})
    assert status == 410 and 'use the link in the newest message' in page


def test_the_listener_bears_what_comes(linked, daemon):
    base = daemon()
    port = int(base.rsplit(':', 1)[1].strip('/'))
    for data in (b'', b'\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n', b'POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n',
                 b'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', b'G' * 40000,
                 b'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', b'GET http://x/ HTTP/1.1\r\n\r\n'):
        with socket.create_connection(('127.0.0.1', port), 5) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            answer = s.recv(4096)
            assert not answer or re.match(rb'HTTP/1.1 (4\d\d|505) ', answer), (data[:40], answer)
    idle = [socket.create_connection(('127.0.0.1', port), 5) for _ in range(10)]
    assert open_link(base)[0] == 410  # some that say nothing do not keep others out
    for s in idle:
        s.close()


def test_what_nobody_answers_is_carried_out_while_serving(books, daemon, aws, techsolutions, event, later):
    books(until='1m', on_expiry='skip')
    cordon = books(until='1m', on_expiry='skip')
    case = respond(cordon, event)
    daemon(**later)
    wait_until(lambda: step(view_of(cordon, case), 'stop-instance')['state'] == 'rejected')
    assert state_of(aws, techsolutions.instances[0]) == 'running'


def test_the_key_of_links_must_be_a_secret(linked, aws, techsolutions, event, tmp_path):
    key = tmp_path / 'key'
    key.chmod(0o644)
    queue = aws('sqs').create_queue(QueueName='findings')['QueueUrl']
    ran = linked('serve', '--queue-url', queue, env={'CORDON_SERVE_LISTEN': f'127.0.0.1:{free_port()}'})
    assert ran.code == 3 and 'chmod 600' in ran.err, ran.err
    key.chmod(0o600)
    key.write_text('short')
    assert linked('respond', event).code == 7  # messages go out without links, and the log says why


@pytest.mark.parametrize('kept', ['text', 'bytes', 'by ARN'])
def test_the_key_may_lie_in_secrets_manager(linked, daemon, aws, techsolutions, event, kept):
    manager, key = aws('secretsmanager'), KEY if kept != 'bytes' else bytes(range(200, 232))
    made = manager.create_secret(Name='cordon/approvals', **({'SecretBinary': key} if kept == 'bytes' else {'SecretString': KEY.decode() + '\n'}))
    linked.env['CORDON_APPROVALS_KEY'] = f"secret:{made['ARN'] if kept == 'by ARN' else 'cordon/approvals'}"
    case = respond(linked, event)
    base = daemon()
    view = view_of(linked, case)
    assert open_link(f'{base}?t={token(view, "stop-instance", key=b"y" * 32)}')[0] == 410
    t = token(view, 'stop-instance', key=key)
    assert open_link(f'{base}?t={t}')[0] == 200
    assert open_link(base, {'t': t, 'word': 'REJECT', 'name': 'Ana'})[0] == 200
    assert [a['decision'] for a in view_of(linked, case)['approvals'] if a['step'] == 'stop-instance'] == ['rejected']
    policy = linked('policy', '--output', 'json').json
    assert any('secretsmanager:GetSecretValue' in s['Action'] and 'cordon/approvals' in str(s['Resource']) for s in policy['Statement'])


@pytest.mark.parametrize('value, word', [(None, 'ResourceNotFoundException'), ('too short', '32 or more')])
def test_without_a_usable_secret_no_link_is_made_or_served(linked, aws, techsolutions, event, value, word):
    if value:
        aws('secretsmanager').create_secret(Name='cordon/approvals', SecretString=value)
    linked.env['CORDON_APPROVALS_KEY'] = 'secret:cordon/approvals'
    ran = linked('respond', event, '--output', 'json')
    assert ran.code == 7 and 'approval links' in ran.err + ran.out, ran.err
    queue = aws('sqs').create_queue(QueueName='findings')['QueueUrl']
    serving = linked('serve', '--queue-url', queue, env={'CORDON_SERVE_LISTEN': f'127.0.0.1:{free_port()}'})
    assert serving.code in (1, 3) and word in serving.err + ran.err and 'approval' in serving.err, (serving.code, serving.err)


# ---- the same page behind a Lambda function URL ----

def url_event(method: str, query: str = '', body: str | None = None, arn: str | None = None) -> dict:
    event = {'version': '2.0', 'routeKey': '$default', 'rawPath': '/', 'rawQueryString': query,
             'headers': {'accept-language': 'es-ES,es;q=0.9'}, 'isBase64Encoded': body is not None,
             'requestContext': {'http': {'method': method, 'path': '/', 'sourceIp': '192.0.2.7', 'userAgent': 'x'}}}
    if body is not None:
        event['body'] = base64.b64encode(body.encode()).decode()
    if arn:
        event['requestContext']['authorizer'] = {'iam': {'userArn': arn}}
    return event


def test_links_through_a_function_url(linked, function, api, aws, techsolutions, event):
    case = respond(linked, event)
    function(**{k: linked.env[k] for k in ('CORDON_APPROVALS_KEY', 'CORDON_PLAYBOOKS', 'CORDON_STATE')})
    view = view_of(linked, case)
    t = token(view, 'stop-instance')
    _, shown, _ = api.invoke(url_event('GET', f't={t}'))
    assert shown['statusCode'] == 200 and 'html lang="es"' in shown['body'] and 'APROBAR' in shown['body']
    assert state_of(aws, techsolutions.instances[0]) == 'running'
    form = urllib.parse.urlencode({'t': t, 'word': 'APROBAR', 'name': ''})
    _, done, _ = api.invoke(url_event('POST', '', form, arn='arn:aws:iam::123456789012:user/ana'))
    assert done['statusCode'] == 200, done
    assert state_of(aws, techsolutions.instances[0]) == 'stopped'
    answered = next(a for a in view_of(linked, case)['approvals'] if a['step'] == 'stop-instance')
    assert answered['by'] == 'arn:aws:iam::123456789012:user/ana' and answered['via']['ip'] == '192.0.2.7'
    _, again, _ = api.invoke(url_event('POST', '', form))
    assert again['statusCode'] == 410
    _, tick, _ = api.invoke({'version': '0', 'source': 'aws.events', 'detail-type': 'Scheduled Event', 'detail': {}})
    assert tick == {'ran_out': 0}
