"""A case announced through moto's SNS: what each subscriber gets, in which language, and that nothing is told twice.

moto sends no e-mail and no SMS; what was published is read from its own state. It accepts line breaks in a
subject, which AWS does not: the unit tests hold the subject to AWS's rule.
"""
from __future__ import annotations

import json
import urllib.request

import pytest

from rooms import driver, open_case, record

INSTANCE = 'i-0a1b2c3d4e5f67890'


@pytest.fixture
def topic(cordon, aws):
    arn = aws('sns').create_topic(Name='security-team')['TopicArn']
    cordon.env.update(CORDON_NOTIFY_TOPIC_ARN=arn, CORDON_NOTIFY_LANGUAGES='en,es')
    return arn


def inbox(aws, topic, name, policy=None, raw=True):
    sqs = aws('sqs')
    url = sqs.create_queue(QueueName=name)['QueueUrl']
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    attributes = {'RawMessageDelivery': 'true'} if raw else {}
    if policy:
        attributes['FilterPolicy'] = json.dumps(policy)
    aws('sns').subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn, Attributes=attributes)

    def read():
        got = []
        while True:
            batch = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get('Messages', [])
            if not batch:
                return got
            for m in batch:
                got.append(m['Body'])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'])
    return read


def published(moto, what='Topic'):
    with urllib.request.urlopen(f'{moto}/moto-api/data.json', timeout=60) as r:
        return json.load(r)['sns'][what]


def test_both_languages_arrive_as_ocsf(cordon, aws, topic):
    read = inbox(aws, topic, 'all')
    case = open_case(cordon, INSTANCE)
    ran = driver(cordon)('notify', case, 'case.opened')
    assert ran.code == 0, ran.err
    bodies = [json.loads(b) for b in read()]
    assert len(bodies) == 2
    for body in bodies:
        assert body['class_uid'] == 2005 and body['activity_id'] == 1 and body['type_uid'] == 200501
        assert body['metadata']['correlation_uid'] == case
        assert body['finding_info_list'][0]['uid'].startswith('arn:aws:guardduty:')
    sent = ran.json
    assert {(m['protocol'], m['lang']) for m in sent} == {(p, l) for p in ('email', 'sms', 'sqs', 'https') for l in ('en', 'es')}
    for m in sent:
        assert len(m['subject']) <= 99 and m['subject'].isascii() and '\n' not in m['subject']
        if m['protocol'] == 'sms':
            assert len(m['body']) <= 160
        if m['protocol'] == 'email':
            assert len(m['body'].splitlines()) <= 40
    spanish = next(m for m in sent if m['protocol'] == 'email' and m['lang'] == 'es')
    assert 'Hallazgo:' in spanish['body'] and 'mina cripto' in spanish['body']


def test_the_subject_and_the_structure_are_what_sns_wants(cordon, aws, topic):
    read = inbox(aws, topic, 'wrapped', raw=False)
    case = open_case(cordon, INSTANCE)
    assert driver(cordon)('notify', case, 'case.opened').code == 0
    wrapped = [json.loads(b) for b in read()]
    assert {w['Subject'].split(']')[0] for w in wrapped} == {'[HIGH', '[ALTA'}
    for w in wrapped:
        attributes = w['MessageAttributes']
        assert set(attributes) == {'severity', 'severity_num', 'event', 'account', 'lang'}
        assert attributes['severity_num'] == {'Type': 'Number', 'Value': '8'}


@pytest.mark.parametrize('policy, count', [
    ({'lang': ['es']}, 1),
    ({'lang': ['fr']}, 0),
    ({'severity': ['high', 'critical']}, 2),
    ({'severity_num': [{'numeric': ['>=', 9]}]}, 0),
    ({'event': ['case.opened'], 'lang': ['en'], 'account': ['123456789012']}, 1),
])
def test_subscribers_filter_by_the_five_attributes(cordon, aws, topic, policy, count):
    read = inbox(aws, topic, 'some', policy)
    case = open_case(cordon, INSTANCE)
    assert driver(cordon)('notify', case, 'case.opened').code == 0
    assert len(read()) == count


def test_the_same_state_is_told_once(cordon, aws, topic):
    read = inbox(aws, topic, 'all')
    case = open_case(cordon, INSTANCE)
    run = driver(cordon)
    assert run('notify', case, 'case.opened').code == 0
    assert len(read()) == 2
    again = run('notify', case, 'case.opened')
    assert again.code == 0 and again.json == []
    assert read() == []
    # another event, or the same one after the case has changed, is news
    assert run('notify', case, 'case.updated').code == 0
    assert len(read()) == 2
    record(cordon, case, 'analysis.done', {'investigation': {'verdict': {'class': 'web_exploitation', 'confidence': 0.9}}})
    assert run('notify', case, 'case.updated').code == 0
    assert len(read()) == 2


def test_a_phone_gets_one_sms(cordon, aws, moto):
    cordon.env.update(CORDON_NOTIFY_PHONE_NUMBERS='+34600111234', CORDON_NOTIFY_LANGUAGES='es')
    case = open_case(cordon, INSTANCE)
    ran = driver(cordon)('notify', case, 'case.opened')
    assert ran.code == 0, ran.err
    assert [m['protocol'] for m in ran.json] == ['sms']
    text = ran.json[0]['body']
    assert text.isascii() and len(text) <= 160 and text.startswith('cordon ALTA EC2')
    journal = cordon('report', case, '--format', 'json').json
    assert journal['messages'][0]['target'] == '+34*****1234', 'the number is personal data'


def test_a_topic_that_is_gone_is_recorded_and_told(cordon, aws, topic):
    aws('sns').delete_topic(TopicArn=topic)
    case = open_case(cordon, INSTANCE)
    ran = driver(cordon)('notify', case, 'case.opened')
    assert ran.code != 0
    messages = cordon('report', case, '--format', 'json').json['messages']
    assert len(messages) == 2 and all(m['kind'] == 'notify.failed' and m['error']['message'] for m in messages)


def test_one_failure_of_several_is_partial(cordon, aws, topic):
    cordon.env['CORDON_NOTIFY_PHONE_NUMBERS'] = 'not-a-number'
    case = open_case(cordon, INSTANCE)
    ran = driver(cordon)('notify', case, 'case.opened')
    kinds = [m['kind'] for m in cordon('report', case, '--format', 'json').json['messages']]
    if kinds.count('notify.failed') == 0:
        pytest.skip('this emulator accepts any phone number')
    assert ran.code == 6 and kinds.count('notify.sent') == 2


def test_nobody_configured_says_what_to_set(cordon, aws):
    case = open_case(cordon, INSTANCE)
    ran = driver(cordon)('notify', case, 'case.opened')
    assert ran.code == 3 and 'topic_arn' in ran.err


def test_samples_show_lengths(cordon_alone):
    ran = cordon_alone('notify', 'test', '--output', 'json')
    assert ran.code == 0, ran.err
    for m in ran.json['messages']:
        assert m['sms_characters'] == len(m['sms']) <= 160
        assert m['email_lines'] <= 40
        json.loads(m['machine'])
        json.loads(m['chat'])
