"""Calls over the network as it is: TLS to AWS's own names through an intercepting proxy, proxies, and servers that misbehave."""
import base64
import email.utils
import json
import os
import pathlib
import subprocess
import threading
import time

import moto.moto_proxy
import pytest
from botocore.retries import standard
from botocore.retries.quota import RetryQuota
from aws_peer import Driver, Peer
from conftest import KEYS, free_port, python_tool, stop, wait_for_port

CA = str(pathlib.Path(moto.moto_proxy.__file__).parent / 'ca.crt')


@pytest.fixture(scope='module')
def moto_proxy():
    """moto behind AWS's own host names: its proxy answers for them with certificates of its own authority."""
    port = free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith(('AWS_', 'MOTO_'))}
    process = subprocess.Popen([python_tool('moto_proxy'), '-H', '127.0.0.1', '-p', str(port)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=env)
    try:
        wait_for_port(port, process)
        yield f'http://127.0.0.1:{port}'
    finally:
        stop(process)


REAL_NAMES = [
    ('sts', 'GetCallerIdentity', {}, 'eu-west-1'), ('ec2', 'DescribeVpcs', {}, 'eu-west-1'), ('iam', 'ListUsers', {}, 'eu-west-1'),
    ('sqs', 'ListQueues', {}, 'us-east-2'), ('dynamodb', 'ListTables', {}, 'ap-south-1'), ('elbv2', 'DescribeLoadBalancers', {}, 'eu-west-1'),
    ('guardduty', 'ListDetectors', {}, 'eu-west-1'), ('lambda', 'ListFunctions', {}, 'eu-west-1'), ('ec2', 'DescribeVpcs', {}, 'cn-north-1'),
    ('sts', 'GetCallerIdentity', {}, 'us-gov-west-1'),
]


def test_real_names(moto_proxy):
    """No endpoint is configured: the names are those of the endpoint table, and their certificates are checked."""
    with Driver() as driver:
        for service, operation, params, region in REAL_NAMES:
            opened = driver.open({**KEYS, 'HTTPS_PROXY': moto_proxy, 'AWS_CA_BUNDLE': CA}, region=region)
            assert 'ok' in opened
            said = driver.call(service, operation, params)
            assert 'ok' in said, (service, region, said)
        driver.open({**KEYS, 'https_proxy': moto_proxy, 'AWS_CA_BUNDLE': CA}, region='eu-west-1')
        # Bucket in the host name, and in the path where a dot would break the certificate.
        for bucket in ('plain-bucket', 'dotted.bucket'):
            made = driver.call('s3', 'CreateBucket', {'Bucket': bucket, 'CreateBucketConfiguration': {'LocationConstraint': 'eu-west-1'}})
            assert 'ok' in made, made
            body = base64.b64encode(b'evidence').decode()
            assert 'ok' in driver.call('s3', 'PutObject', {'Bucket': bucket, 'Key': 'a b/c', 'Body': body})
            assert driver.call('s3', 'GetObject', {'Bucket': bucket, 'Key': 'a b/c'})['ok']['Body'] == body


def test_certificates_are_checked(moto_proxy, tmp_path):
    (tmp_path / 'config').write_text(f'[default]\nregion = eu-west-1\nca_bundle = {CA}\n')
    variables = {**KEYS, 'HTTPS_PROXY': moto_proxy, 'AWS_MAX_ATTEMPTS': '1'}
    with Driver() as driver:
        driver.open(variables, region='eu-west-1')
        said = driver.call('sts', 'GetCallerIdentity')
        assert said['status'] == 'unreachable' and 'certificate' in said['message']
        driver.open({**variables, 'AWS_CA_BUNDLE': str(tmp_path / 'missing.pem')}, region='eu-west-1')
        assert driver.call('sts', 'GetCallerIdentity')['status'] == 'unreachable'
        driver.open({**variables, 'AWS_CONFIG_FILE': str(tmp_path / 'config')})
        assert 'ok' in driver.call('sts', 'GetCallerIdentity')


TOPICS = (200, {'x-amzn-RequestId': 'id-1'}, '<R><ListTopicsResult><Topics/></ListTopicsResult></R>')


def test_proxies():
    with Peer(lambda r: TOPICS) as proxy, Peer(lambda r: TOPICS) as server, Driver() as driver:
        there = {**KEYS, 'AWS_REGION': 'eu-west-1', 'AWS_MAX_ATTEMPTS': '1', 'AWS_ENDPOINT_URL': 'http://aws.example.invalid'}
        here = {**there, 'AWS_ENDPOINT_URL': server.url}
        address = proxy.url.removeprefix('http://')
        for variables in ({'HTTP_PROXY': proxy.url}, {'http_proxy': address}, {'ALL_PROXY': proxy.url},
                          {'http_proxy': proxy.url, 'HTTP_PROXY': 'http://127.0.0.1:9'}):
            driver.open({**there, **variables})
            assert 'ok' in driver.call('sns', 'ListTopics')
            assert proxy.requests[-1]['path'] == 'http://aws.example.invalid/'
        driver.open({**there, 'HTTP_PROXY': f'http://me:se%40cret@{address}'})
        driver.call('sns', 'ListTopics')
        assert base64.b64decode(proxy.requests[-1]['headers']['Proxy-Authorization'].split()[1]) == b'me:se@cret'
        seen = len(proxy.requests)
        for none in ('127.0.0.1', '127.0.0.0/8', '*', 'x.example,127.0.0.1'):
            driver.open({**here, 'HTTP_PROXY': proxy.url, 'NO_PROXY': none})
            assert 'ok' in driver.call('sns', 'ListTopics')
        driver.open({**there, 'HTTP_PROXY': proxy.url, 'no_proxy': '.example.invalid'})
        assert driver.call('sns', 'ListTopics')['status'] == 'unreachable'
        driver.open({**here, 'HTTPS_PROXY': proxy.url})  # not for what is not encrypted
        assert 'ok' in driver.call('sns', 'ListTopics')
        assert len(proxy.requests) == seen and len(server.requests) == 5


# ---- servers that misbehave ----

def test_retry_numbers_are_those_of_botocore():
    """Ours stand in src/aws/retry.c and its unit test; when AWS changes them, this is how it is noticed."""
    checker, backoff = standard.RetryQuotaChecker, standard.ExponentialBackoff
    assert (RetryQuota.INITIAL_CAPACITY, checker._RETRY_COST, checker._THROTTLING_RETRY_COST, checker._NO_RETRY_INCREMENT) == (500, 14, 5, 1)
    assert (backoff._BASE, backoff._MAX_BACKOFF, backoff._RETRY_AFTER_MAX_ADDITIONAL) == (2, 20, 5)
    assert backoff._DEFAULT_BACKOFF_CONFIG == {'throttling_base_scale': 1, 'non_throttling_base_scale': 0.05}
    assert backoff._SERVICE_BACKOFF_CONFIG['dynamodb'] == {'non_throttling_base_scale': 0.025}
    assert standard.DEFAULT_MAX_ATTEMPTS == 3


def query_error(code: str, status: int = 400, **headers):
    return status, headers, f'<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error><RequestId>r-1</RequestId></ErrorResponse>'


def at(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


HALF = b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<R><ListTopicsResult><Topics>'
# Name, what the first request gets, what cordon says when every request gets it.
FAULTS = [
    ('throttled', query_error('Throttling'), 5), ('slow down', query_error('SlowDown', 503, **{'Retry-After': '1'}), 5),
    ('limit', query_error('RequestLimitExceeded', 503), 5), ('broken', query_error('InternalFailure', 500), 5),
    ('page', (502, {'Content-Type': 'text/html'}, '<html>Bad gateway</html>'), 5), ('empty', (503, {}, ''), 5),
    ('reset', None, 5), ('half', HALF, 5), ('nothing', b'', 5),
    ('not http', b'SSH-2.0-OpenSSH_9.2\r\n\r\n', 5), ('not xml', (200, {}, 'hello'), 1),
    ('skewed', query_error('RequestExpired', 400, Date=at(7200)), 3),
]


@pytest.mark.parametrize('name, fault, code', FAULTS, ids=[f[0] for f in FAULTS])
def test_faults(cordon_alone, name, fault, code):
    """One misbehaviour is got over; for ever, it ends in the right exit code and says what it was."""
    with Peer(lambda r: fault if r['number'] == 0 else TOPICS) as peer:
        ran = cordon_alone('aws', 'sns', 'ListTopics', env={'AWS_ENDPOINT_URL': peer.url})
        assert len(peer.requests) == (1 if name == 'not xml' else 2), ran.err
        assert ran.code == (1 if name == 'not xml' else 0), ran.err
        if name == 'skewed':
            first, second = (r['headers']['X-Amz-Date'] for r in peer.requests)
            assert second > first and abs(int(second[9:11]) - int(first[9:11])) in (2, 22)
    with Peer(lambda r: fault) as peer:
        ran = cordon_alone('aws', 'sns', 'ListTopics', env={'AWS_ENDPOINT_URL': peer.url, 'AWS_MAX_ATTEMPTS': '2'})
        assert ran.code == code and ran.out == '' and ran.err.startswith('cordon: '), ran.err
        if name == 'throttled':
            assert 'sns:ListTopics Throttling, request r-1' in ran.err


def test_a_change_is_not_sent_twice(cordon_alone):
    """Whether the first took effect is unknown after these; after a refusal it is known."""
    for fault, requests in ((None, 1), (HALF, 1), (query_error('InternalFailure', 500), 1), (query_error('Throttling'), 2)):
        with Peer(lambda r: fault if r['number'] == 0 else (200, {}, '<R><CreateTopicResult/></R>')) as peer:
            cordon_alone('aws', 'sns', 'CreateTopic', '--params', '{"Name":"t"}', env={'AWS_ENDPOINT_URL': peer.url})
            assert len(peer.requests) == requests, fault


def test_stall(cordon_alone):
    """A server that takes the request and says nothing: the next attempt may find another."""
    release = threading.Event()

    def answer(request):
        if request['number'] == 0:
            release.wait(20)
        return TOPICS
    with Peer(answer) as peer, Driver() as driver:
        driver.open({**KEYS, 'AWS_REGION': 'eu-west-1', 'AWS_ENDPOINT_URL': peer.url}, call_timeout_ms=700)
        began = time.monotonic()
        assert 'ok' in driver.call('sns', 'ListTopics')
        assert 0.6 < time.monotonic() - began < 10 and len(peer.requests) == 2
        release.set()


def test_token_expires_in_the_middle():
    """AWS refuses credentials whose time is not over: fetched anew, once, and the call goes on."""
    served = []

    def machine(request):
        served.append(f'ASIA{len(served)}')
        return 200, {}, json.dumps({'AccessKeyId': served[-1], 'SecretAccessKey': 's', 'Token': 't', 'Expiration': '2099-01-01T00:00:00Z'})

    def aws(request):
        key = request['headers']['Authorization'].split('Credential=')[1].split('/')[0]
        return TOPICS if key == f'ASIA{current}' else query_error('ExpiredToken', 403)
    current = 0
    with Peer(machine) as container, Peer(aws) as peer, Driver() as driver:
        driver.open({'AWS_REGION': 'eu-west-1', 'AWS_ENDPOINT_URL': peer.url, 'AWS_CONTAINER_CREDENTIALS_FULL_URI': container.url + '/k'})
        assert 'ok' in driver.call('sns', 'ListTopics') and len(served) == 1
        current = 1
        assert 'ok' in driver.call('sns', 'ListTopics') and len(served) == 2
        assert 'ok' in driver.call('sns', 'ListTopics') and len(served) == 2
        current = 9  # and when the new ones are refused too, that is the answer
        said = driver.call('sns', 'ListTopics')
        assert said['code'] == 'ExpiredToken' and said['status'] == 'config' and len(served) == 3
