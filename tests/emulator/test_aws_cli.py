"""`cordon aws` as a person meets it."""
import json
import subprocess

import pytest
from aws_peer import Peer
from test_aws_secrets import Terminal

TOPICS = (200, {'x-amzn-RequestId': 'id-1'}, '<R><ListTopicsResult><Topics><member><TopicArn>arn:t</TopicArn></member></Topics></ListTopicsResult></R>')


@pytest.mark.parametrize('words, said', [
    (['ec3', 'DescribeVpcs'], 'did you mean ec2?'), (['monitoring', 'X'], 'did you mean cloudwatch?'),
    (['EC2', 'DescribeVpcs'], 'did you mean ec2?'), (['ec2', 'describe-instances'], 'did you mean DescribeInstances?'),
    (['ec2', 'DescribeInstance'], 'did you mean DescribeInstances?'), (['ec2', 'MakeCoffee'], 'all: cordon aws ec2'),
    (['nothing'], 'all: cordon aws'), (['sns', 'ListTopics', '--params', '{'], '--params'), (['sns', 'ListTopics', '--params', '@/no/file'], '/no/file'),
    (['sns', 'ListTopics', '--params', '[]'], 'must be an object'), (['sns', 'ListTopics', '--params', '{"Nme":1}'], 'Nme is no parameter'),
    (['sns', '--params', '{}'], 'which operation?'), (['sns', 'ListTopics', '--paginate', '--show-request'], 'exclude each other'),
    (['ec2', 'DescribeInstances', '--wait', 'InstanceStoped'], 'it knows: ImageAvailable'),
    (['ec2', 'DescribeVpcs', '--wait', 'InstanceStopped'], 'asks DescribeInstances'),
    (['sns', 'ListTopics', 'more'], 'cordon'),
])
def test_mistakes(cordon_alone, words, said):
    """A usage error, with the way out, before a region or credentials are even looked for."""
    ran = cordon_alone('aws', *words, env={'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None})
    assert said in ran.err and ran.out == '' and ran.code in (2, 1 if '@/no/file' in words else 2), ran.err


def test_lists_and_help(cordon_alone):
    everything = cordon_alone('aws').json
    assert {'service': 'ec2', 'operation': 'StopInstances', 'iam': 'ec2:StopInstances', 'mutating': True} in everything
    one = cordon_alone('aws', 'sts').json
    assert {o['service'] for o in one} == {'sts'} and len(one) < len(everything)
    table = cordon_alone('aws', 'sts', '--output', 'table').out.splitlines()
    assert len(table) == len(one) and table[0].split() == ['sts', one[0]['operation'], one[0]['iam']]
    for words in (['help', 'aws'], ['aws', '--help']):
        text = cordon_alone(*words).out
        for option in ('--params', '--show-request', '--paginate', '--wait'):
            assert option in text
    assert 'Hacer una llamada a AWS' in cordon_alone('aws', '--help', '--lang', 'es').out


ERRORS = [('AccessDenied', 403, 4), ('UnauthorizedOperation', 403, 4), ('InvalidClientTokenId', 403, 3), ('ExpiredToken', 403, 3),
          ('NotFound', 404, 1), ('Throttling', 400, 5), ('InternalFailure', 500, 5), ('InvalidParameter', 400, 1)]


@pytest.mark.parametrize('code, status, exit_code', ERRORS)
def test_errors(cordon_alone, code, status, exit_code):
    body = f'<ErrorResponse><Error><Code>{code}</Code><Message>because &#x9b;31mred</Message></Error><RequestId>r-77</RequestId></ErrorResponse>'
    with Peer(lambda r: (status, {}, body)) as peer:
        ran = cordon_alone('aws', 'sns', 'ListTopics', env={'AWS_ENDPOINT_URL': peer.url, 'AWS_MAX_ATTEMPTS': '1'})
    assert ran.code == exit_code and ran.out == ''
    assert f'sns:ListTopics {code}, request r-77' in ran.err
    assert '\x9b' not in ran.err


def test_no_credentials_and_nobody_there(cordon_alone, tmp_path):
    ran = cordon_alone('aws', 'sts', 'GetCallerIdentity', env={'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None})
    assert ran.code == 3 and 'no AWS credentials found' in ran.err
    ran = cordon_alone('aws', 'sts', 'GetCallerIdentity', env={'AWS_REGION': None})
    assert ran.code == 3 and 'no AWS region' in ran.err
    ran = cordon_alone('aws', 'sts', 'GetCallerIdentity', env={'AWS_ENDPOINT_URL': 'http://127.0.0.1:9', 'AWS_MAX_ATTEMPTS': '1'})
    assert ran.code == 5 and '127.0.0.1:9' in ran.err


def test_parameters_from_everywhere(cordon_alone, tmp_path):
    (tmp_path / 'p.json').write_text('{"Name":"from-file"}')
    with Peer(lambda r: (200, {}, '<R><CreateTopicResult><TopicArn>a</TopicArn></CreateTopicResult></R>')) as peer:
        env = {'AWS_ENDPOINT_URL': peer.url}
        for given, stdin, name in (('{"Name":"here"}', None, 'here'), (f'@{tmp_path}/p.json', None, 'from-file'),
                                   ('@-', '{"Name":"from-stdin"}', 'from-stdin')):
            ran = cordon_alone('aws', 'sns', 'CreateTopic', '-p', given, stdin=stdin, env=env)
            assert ran.json == {'TopicArn': 'a'} and f'&Name={name}' in peer.requests[-1]['body'].decode()


def test_show_request(cordon_alone):
    """The signed request, as it would go out; nothing goes out."""
    with Peer(lambda r: TOPICS) as peer:
        ran = cordon_alone('--dry-run', 'aws', 'sns', 'CreateTopic', '-p', '{"Name":"t"}', '--show-request', env={'AWS_ENDPOINT_URL': peer.url})
        shown = ran.json
        assert set(shown) == {'method', 'url', 'headers', 'body', 'body_base64'} and shown['body_base64'] is None
        assert shown['method'] == 'POST' and 'Name=t' in shown['body'] and 'AWS4-HMAC-SHA256' in shown['headers']['Authorization']
        assert not peer.requests


def test_output_that_goes_nowhere(cordon_alone):
    """A full disk or a reader that left is a failure, said on stderr; never a crash, never success."""
    for words in (['aws'], ['aws', 'sts', 'GetCallerIdentity', '--show-request']):
        with open('/dev/full', 'w') as full:
            ran = subprocess.run([cordon_alone.binary, *words], env=cordon_alone.env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert ran.returncode == 1 and "can't write the output" in ran.stderr
    shell = subprocess.run(['bash', '-c', f'set -o pipefail; {cordon_alone.binary} aws | head -c 10 >/dev/null'], env=cordon_alone.env,
                           stderr=subprocess.PIPE, text=True, timeout=60)
    assert shell.returncode == 1 and 'Sanitizer' not in shell.stderr
    closed = subprocess.run(['bash', '-c', f'{cordon_alone.binary} aws sts >&-'], env=cordon_alone.env, stderr=subprocess.PIPE, text=True, timeout=60)
    assert closed.returncode == 1


def snapshots(request):
    state = ['pending', 'pending', 'completed'][min(request['number'], 2)]
    return 200, {}, (f'<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-1</snapshotId><status>{state}</status></item></snapshotSet>'
                     '</DescribeSnapshotsResponse>')


def test_wait_tells_how_far_it_is(cordon_alone):
    """AWS's waiter with its own pace is slow (15 s); what it says on the way is seen at the first look."""
    with Peer(snapshots) as peer:
        terminal = Terminal(cordon_alone, {'AWS_ENDPOINT_URL': peer.url}, 'aws', 'ec2', 'DescribeSnapshots', '--wait', 'SnapshotCompleted')
        terminal.until('0 s: pending')
        terminal.type('\x03')
        assert terminal.end() == 130
    with Peer(lambda r: snapshots({'number': 2})) as peer:
        ran = cordon_alone('aws', 'ec2', 'DescribeSnapshots', '--wait', 'SnapshotCompleted', env={'AWS_ENDPOINT_URL': peer.url})
        assert ran.code == 0 and ran.err == '' and ran.json['Snapshots'][0]['State'] == 'completed'


def test_pages(cordon_alone):
    pages = [{'Marker': 'm1', 'n': 'a'}, {'Marker': 'm2', 'n': 'b'}, {'Marker': '', 'n': 'c'}]

    def answer(request):
        page = pages[request['number']]
        more = f'<IsTruncated>true</IsTruncated><Marker>{page["Marker"]}</Marker>' if page['Marker'] else '<IsTruncated>false</IsTruncated>'
        return 200, {}, f'<R><ListUsersResult><Users><member><UserName>{page["n"]}</UserName></member></Users>{more}</ListUsersResult></R>'
    with Peer(answer) as peer:
        env = {'AWS_ENDPOINT_URL': peer.url}
        result = cordon_alone('aws', 'iam', 'ListUsers', '--paginate', env=env).json
        assert [u['UserName'] for u in result['Users']] == ['a', 'b', 'c']
        assert ['Marker=m1' in r['body'].decode() for r in peer.requests] == [False, True, False]
    assert json.dumps(result) == json.dumps({'Users': result['Users'], 'IsTruncated': False})
