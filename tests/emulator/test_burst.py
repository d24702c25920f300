"""A burst of findings through the queue: one case a resource, no finding lost, the worst first, the breaker holds."""
from __future__ import annotations

import collections
import json
import signal
import time

import pytest

from burst import Burst
from fault_proxy import Faults, Proxy

SIZE, REPEATS, SAME = 60, 18, 10


@pytest.fixture
def burst(aws, cordon, tmp_path):
    b = Burst(aws, SIZE, REPEATS, SAME, tmp_path)
    cordon.env.update(b.env)
    return b


def all_records(cordon) -> dict:
    """Case -> its records; every case verifies."""
    out = {}
    for case in cordon('case', 'list', '--output', 'json').json:
        assert cordon('case', 'verify', case['case']).code == 0
        out[case['case']] = cordon('case', 'show', case['case'], '--records', '--output', 'json').json
    return out


def of_kind(records: list, kind: str) -> list:
    return [r for r in records if r['kind'] == kind]


def check_nothing_lost(burst, cases: dict) -> None:
    assert len(cases) == len(burst.buckets) + 1, 'one case a resource'
    received = collections.Counter(r['payload']['arn'] for records in cases.values() for r in of_kind(records, 'finding.received'))
    assert received == {f['detail']['arn']: 1 for f in burst.unique}, 'every finding once, repeats change nothing'


@pytest.mark.parametrize('workers', [1, 4])
def test_every_finding_is_answered_once(burst, cordon, aws, workers):
    ran = cordon('serve', '--once', env={'CORDON_SERVE_WORKERS': str(workers)}, timeout=250)
    assert ran.code == 0, ran.err[-3000:]
    assert burst.left() == 0
    cases = all_records(cordon)
    check_nothing_lost(burst, cases)
    assert len(ran.out.splitlines()) == SIZE, 'an answer a message'
    begun = []
    for records in cases.values():
        intents = of_kind(records, 'step.intent')
        assert len(intents) == 1 == len(of_kind(records, 'step.verified')), records[0]
        begun.append((intents[0]['time'], max(r['payload']['severity'] for r in of_kind(records, 'finding.received'))))
    for bucket in burst.buckets:
        assert aws('s3').get_public_access_block(Bucket=bucket)['PublicAccessBlockConfiguration']['BlockPublicPolicy']
    order = [severity for _, severity in sorted(begun)]
    # Those that several workers took at once may end in another order; nobody waits behind a lesser one.
    for n, severity in enumerate(order):
        assert sum(s > severity for s in order[n:]) < workers, order


def test_the_breaker_asks_when_it_is_too_much(burst, cordon, aws):
    ran = cordon('serve', '--once', env={'CORDON_GUARDS_BREAKER_ACTIONS': '5', 'CORDON_SERVE_WORKERS': '1'}, timeout=250)
    assert ran.code == 0, ran.err[-3000:]
    cases = all_records(cordon)
    check_nothing_lost(burst, cases)
    acted = [records for records in cases.values() if of_kind(records, 'step.intent')]
    assert len(acted) == 5
    held = [records for records in cases.values() if [r for r in of_kind(records, 'guard.held') if r['payload']['guard'] == 'circuit_breaker']]
    assert len(held) >= len(cases) - 5
    for records in cases.values():
        assert of_kind(records, 'step.intent') or of_kind(records, 'approval.asked')
    # The worst were contained; what is left waits for a person, and nothing was thrown away.
    assert {r['payload']['severity'] for records in acted for r in of_kind(records, 'finding.received')[:1]} == {9.5}
    assert burst.left() == 0


def test_killed_in_the_middle_no_message_is_lost(burst, cordon):
    process = cordon.start('serve', '--once', env={'CORDON_SERVE_WORKERS': '2'})
    until = time.monotonic() + 120
    while burst.left() > SIZE - 12 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = burst.left()
    assert left < SIZE, 'some were deleted'
    cases = all_records(cordon)
    known = {r['payload']['arn'] for records in cases.values() for r in of_kind(records, 'finding.received')}
    gone = SIZE - left
    answered = sum(m['detail']['arn'] in known for m in burst.messages)
    assert gone <= answered, 'deleted only what the journal has'
    # What is still there comes again in time; here at once, as if its time were over.
    resend = [f for f in burst.messages]
    burst.sqs.purge_queue(QueueUrl=burst.queue)
    for message in resend:
        burst.sqs.send_message(QueueUrl=burst.queue, MessageBody=json.dumps(message))
    ran = cordon('serve', '--once', timeout=250)
    assert ran.code == 0, ran.err[-3000:]
    cases = all_records(cordon)
    check_nothing_lost(burst, cases)
    for records in cases.values():
        verified = of_kind(records, 'step.verified')
        assert len(verified) == 1 and verified[0]['payload']['verified']


def test_a_message_stays_hidden_while_its_answer_takes_long(aws, moto, cordon, tmp_path):
    b = Burst(aws, 1, 0, 0, tmp_path)
    faults = Faults()
    proxy = Proxy(moto, faults)
    try:
        faults.late_s = 8
        cordon.env.update(b.env, AWS_ENDPOINT_URL_S3=proxy.url, CORDON_SERVE_VISIBILITY_SECONDS='4')
        faults.begin('slow', 1)
        process = cordon.start('serve', '--once')
        until = time.monotonic() + 30
        while not faults.log and time.monotonic() < until:
            time.sleep(0.05)
        for _ in range(7):
            time.sleep(1)
            assert 'Messages' not in b.sqs.receive_message(QueueUrl=b.queue, VisibilityTimeout=0), 'somebody else would have got it'
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
        assert b.left() == 0
    finally:
        proxy.close()
