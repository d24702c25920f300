"""The daemon against moto's SQS: answered messages go, unreadable ones are not kept for ever, SIGTERM is polite."""
from __future__ import annotations

import json
import signal
import time

import pytest

from conftest import free_port


@pytest.fixture
def queue(aws):
    sqs = aws('sqs')
    return sqs, sqs.create_queue(QueueName='cordon-findings')['QueueUrl']


@pytest.fixture
def settings(techsolutions, queue, systems_manager):
    return {'CORDON_MODE': 'auto', 'CORDON_EVIDENCE_BUCKET': techsolutions.evidence_bucket,
            'CORDON_NOTIFY_TOPIC_ARN': techsolutions.topic, 'CORDON_SERVE_QUEUE_URL': queue[1],
            'CORDON_RESPONSE_QUARANTINE_PROFILE': techsolutions.quarantine_profile}


def waiting(queue) -> tuple[int, int]:
    sqs, url = queue
    a = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
    return int(a['ApproximateNumberOfMessages']), int(a['ApproximateNumberOfMessagesNotVisible'])


def test_a_finding_is_answered_and_its_message_deleted(cordon, queue, settings, techsolutions, finding):
    sqs, url = queue
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(finding(techsolutions.instances[0], profile=techsolutions.profiles[0])))
    ran = cordon('serve', '--once', env=settings)
    assert ran.code == 0, ran.err
    answer = json.loads(ran.out.splitlines()[0])
    assert answer['schema'] == 'cordon.response/1'
    assert [a['state'] for a in answer['actions'] if a['action'] == 'isolate-network'] == ['done']
    assert waiting(queue) == (0, 0)


def test_workers_at_the_breakers_limit_do_not_pass_it_together(cordon, queue, settings, techsolutions, finding, aws):
    """Four workers, each with a finding about another instance at the same time: no more than the breaker lets through are
    contained, and every other case says which guard held it back."""
    ec2, (sqs, url) = aws('ec2'), queue
    made = [ec2.run_instances(ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, NetworkInterfaces=[
        {'DeviceIndex': 0, 'SubnetId': techsolutions.subnets[0], 'Groups': [techsolutions.web_group]}])['Instances'][0]
        for _ in range(4)]
    for n, m in enumerate(made, 1):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(finding(m['InstanceId'], finding_id=f'{n:032x}', severity=9.0)))
    ran = cordon('serve', '--once', timeout=300, env={**settings, 'CORDON_SERVE_WORKERS': '4', 'CORDON_GUARDS_BREAKER_ACTIONS': '2',
                                                      'CORDON_GUARDS_BREAKER_MINUTES': '60', 'CORDON_EVIDENCE_BUCKET': None})
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert len({a['case'] for a in answers}) == 4, ran.err
    isolated = [m['InstanceId'] for m in made if [g['GroupId'] for g in ec2.describe_network_interfaces(
        NetworkInterfaceIds=[m['NetworkInterfaces'][0]['NetworkInterfaceId']])['NetworkInterfaces'][0]['Groups']] != [techsolutions.web_group]]
    held = [a for a in answers if a['state'] == 'awaiting_approval' and {h['guard'] for h in a['held_back']} == {'circuit_breaker'}]
    assert len(isolated) <= 2 and len(held) == 4 - len(isolated), (isolated, answers)
    for a in held:
        records = cordon('case', 'show', a['case'], '--records', '--output', 'json').json
        said = [r['payload'] for r in records if r['kind'] == 'guard.held']
        assert said and said[0]['guard'] == 'circuit_breaker' and 'are more than 2: a person decides' in said[0]['reason'], said


def test_an_unreadable_message_comes_again_and_is_given_up_in_the_end(cordon, queue, settings):
    sqs, url = queue
    sqs.send_message(QueueUrl=url, MessageBody='{"detail":')
    for _ in range(4):
        assert cordon('serve', '--once', env=settings).code in (0, 6)
        time.sleep(1.1)
    for _ in range(6):
        ran = cordon('serve', '--once', env=settings)
        if waiting(queue) == (0, 0):
            break
        time.sleep(1.1)
    assert waiting(queue) == (0, 0)
    assert '"given_up":true' in ran.err


def test_the_queue_s_own_dead_letter_rule_is_respected(cordon, queue, settings, aws):
    sqs, url = queue
    dead = sqs.create_queue(QueueName='dead')['QueueUrl']
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'RedrivePolicy': json.dumps({'deadLetterTargetArn': arn, 'maxReceiveCount': 2})})
    sqs.send_message(QueueUrl=url, MessageBody='not json')
    for _ in range(4):
        cordon('serve', '--once', env=settings)
        time.sleep(1.1)
    assert len(sqs.receive_message(QueueUrl=dead).get('Messages', [])) == 1


def test_sigterm_ends_it_with_0(cordon, settings):
    process = cordon.start('serve', '--log-level', 'info', env=settings)
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 0, err.decode()
    assert b'asked to end' in err


def test_no_queue_is_a_configuration_error(cordon):
    ran = cordon('serve', '--once')
    assert ran.code == 3 and 'serve.queue_url' in ran.err


def test_a_queue_that_is_not_there(cordon, settings):
    ran = cordon('serve', '--once', '--queue-url', settings['CORDON_SERVE_QUEUE_URL'] + '-not', env=settings)
    assert ran.code == 3 and 'there is no queue' in ran.err


def test_aws_out_of_reach(cordon, settings):
    ran = cordon('serve', '--once', env={**settings, 'AWS_ENDPOINT_URL': f'http://127.0.0.1:{free_port()}'})
    assert ran.code == 5
