"""Logs read out of buckets: the answer is the one that the same tree on the disk gives."""
from __future__ import annotations

import collections
import datetime
import gzip
import http.server
import json
import pathlib
import random
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import ACCOUNT, KEYS, REGION, Cordon, moto_post
from peers import Peer

BUCKET = 'acme-trail'
ATTACKER = '198.51.100.7'


def event(t: datetime.datetime, n: int, region: str, name: str, ip: str, **more) -> dict:
    key = more.pop('key', 'AKIAEXAMPLE000000001')
    return {'eventVersion': '1.09', 'eventID': f'{n:08d}-0000-4000-8000-000000000000', 'eventName': name,
            'eventSource': 'iam.amazonaws.com' if 'User' in name or 'Key' in name else 'cloudtrail.amazonaws.com' if 'Trail' in name or 'Log' in name else 's3.amazonaws.com',
            'eventTime': f'{t:%Y-%m-%dT%H:%M:%SZ}', 'awsRegion': region, 'sourceIPAddress': ip, 'userAgent': 'aws-cli/2.15',
            'recipientAccountId': ACCOUNT, 'eventType': 'AwsApiCall', 'readOnly': name.startswith(('List', 'Get')),
            'userIdentity': {'type': 'IAMUser', 'arn': f'arn:aws:iam::{ACCOUNT}:user/deploy', 'userName': 'deploy',
                             'accountId': ACCOUNT, 'accessKeyId': key}, **more}


def tree(days: int = 4, per_day: int = 3) -> dict[str, bytes]:
    """A trail in two regions; on the last day somebody else has the key. Beside it, a log of sshd without years."""
    out, n = {}, 0
    for region in ('eu-west-1', 'us-east-1'):
        for day in range(days):
            for file in range(per_day):
                start = datetime.datetime(2026, 8, 1 + day, 3 + 4 * file)
                records = []
                for i in range(20):
                    n += 1
                    records.append(event(start + datetime.timedelta(minutes=2 * i), n, region, 'ListBuckets', '192.0.2.9'))
                if day == days - 1 and file == per_day - 1:
                    for name in ('GetCallerIdentity', 'ListUsers', 'CreateUser', 'CreateAccessKey', 'AttachUserPolicy', 'StopLogging', 'DeleteTrail'):
                        n += 1
                        asked = {'userName': 'backdoor', 'policyArn': 'arn:aws:iam::aws:policy/AdministratorAccess'}
                        records.append(event(start + datetime.timedelta(hours=1, minutes=n % 50), n, region, name, ATTACKER,
                                             requestParameters=asked, userAgent='Boto3/1.34.1 md/Botocore#1.34.1 os/linux#kali'))
                key = f'AWSLogs/{ACCOUNT}/CloudTrail/{region}/{start:%Y/%m/%d}/{ACCOUNT}_CloudTrail_{region}_{start:%Y%m%dT%H%MZ}_x.json.gz'
                out[key] = gzip.compress(json.dumps({'Records': records}).encode(), mtime=0)
    out['hosts/auth.log'] = b''.join(b'Aug  4 10:%02d:00 web sshd[9]: Failed password for root from 198.51.100.7 port 4242 ssh2\n' % i
                                     for i in range(30))
    out['hosts/empty.log'] = b''
    return out


def put(client, objects: dict[str, bytes], region: str = REGION) -> None:
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={'LocationConstraint': region})
    for key, content in objects.items():
        client.put_object(Bucket=BUCKET, Key=key, Body=content)


def write(folder: pathlib.Path, objects: dict[str, bytes]) -> pathlib.Path:
    for key, content in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
    return folder


class Watcher(http.server.ThreadingHTTPServer):
    """Stands before an S3 server; tells what was asked for, and answers some of it itself."""
    daemon_threads = True

    def __init__(self, upstream: str):
        super().__init__(('127.0.0.1', 0), Watch)
        self.upstream = upstream
        self.asked: list[tuple[str, str, str]] = []  # method, path with query, range
        self.answers: dict[str, tuple[int, str]] = {}  # part of path and range: (status, code)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server_port}'

    def listed(self) -> list[str]:
        found = [urllib.parse.parse_qs(urllib.parse.urlsplit(p).query) for _, p, _ in self.asked]
        return [q.get('prefix', [''])[0] for q in found if 'list-type' in q]

    def got(self) -> list[tuple[str, str]]:
        return [(urllib.parse.unquote(p).partition(BUCKET + '/')[2], r) for _, p, r in self.asked if 'list-type' not in p]


class Watch(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def give(self, status: int, headers, body: bytes) -> None:
        self.send_response(status)
        for k, v in headers:
            if k.lower() not in ('transfer-encoding', 'connection', 'content-length', 'date', 'server'):
                self.send_header(k, v)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        s: Watcher = self.server
        wanted = self.headers.get('Range', '')
        s.asked.append((self.command, self.path, wanted))
        for part, (status, code) in s.answers.items():
            if part in f'{urllib.parse.unquote(self.path)} {wanted}' and 'list-type' not in self.path:
                return self.give(status, [('Content-Type', 'application/xml')],
                                 f'<Error><Code>{code}</Code><Message>no</Message></Error>'.encode())
        try:
            with urllib.request.urlopen(urllib.request.Request(s.upstream + self.path, headers=dict(self.headers))) as r:
                return self.give(r.status, r.headers.items(), r.read())
        except urllib.error.HTTPError as e:
            return self.give(e.code, e.headers.items(), e.read())


@pytest.fixture
def watched(cordon: Cordon, moto: str):
    """A function between cordon and moto's S3: what is asked for."""
    server = Watcher(moto)
    cordon.env['AWS_ENDPOINT_URL_S3'] = server.url
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize('threads', ['1', '2'])
def test_the_same_answer(cordon: Cordon, s3_server: Peer, tmp_path: pathlib.Path, threads: str):
    """From a server that verifies signatures, byte for byte."""
    objects = tree()
    put(s3_server.client, objects, s3_server.region)
    local = write(tmp_path / 'tree', objects)
    here = cordon('investigate', str(local), '--threads', threads, '--output', 'json')
    there = cordon('investigate', f's3://{BUCKET}', '--threads', threads, '--output', 'json', env=s3_server.env)
    assert here.code == there.code == 0, there.err
    assert there.out == here.out
    assert there.json['inputs']['files'] == len(objects) and there.json['inputs']['unique_events'] > 400
    assert there.json['verdict']['class'] == 'leaked_access_key' and there.json['verdict']['source_ips'] == [ATTACKER]


def test_every_command(cordon: Cordon, s3_server: Peer, tmp_path: pathlib.Path):
    objects = tree(days=2)
    put(s3_server.client, objects, s3_server.region)
    local, remote = str(write(tmp_path / 'tree', objects)), f's3://{BUCKET}/'
    for command in (['timeline'], ['summary'], ['search', 'eventName=CreateUser'], ['rules', 'test']):
        here = cordon(*command, local, '--output', 'json')
        there = cordon(*command, remote, '--output', 'json', env=s3_server.env)
        assert (there.code, there.out) == (here.code, here.out), (command, there.err)
        assert here.out
    for i, share in enumerate(('AWSLogs', 'hosts/')):
        ran = cordon('investigate', '--partial', str(tmp_path / f'{i}.part'), remote + share, env=s3_server.env)
        assert ran.code == 0, ran.err
    whole = cordon('investigate', local, '--output', 'json').out
    merged = cordon('merge', str(tmp_path / '0.part'), str(tmp_path / '1.part'), '--output', 'json')
    assert merged.out == whole


def test_parts_out_of_a_bucket(cordon: Cordon, s3_server: Peer, tmp_path: pathlib.Path):
    """What workers left in a bucket is merged from there; a part that is cut, or no part, is refused by its name."""
    objects = tree(days=2)
    local = write(tmp_path / 'tree', objects)
    whole = cordon('investigate', str(local), '--output', 'json').out
    folder = tmp_path / 'parts'
    folder.mkdir()
    for i, share in enumerate(('AWSLogs', 'hosts')):
        assert cordon('investigate', '--partial', str(folder / f'{i}.part'), str(local / share)).code == 0
    parts = {f'job/{p.name}': p.read_bytes() for p in folder.iterdir()}
    put(s3_server.client, parts | {'bad/cut.part': parts['job/0.part'][:-40], 'bad/none.part': b'no partial result'}, s3_server.region)
    assert cordon('merge', str(folder), '--output', 'json').out == whole
    for paths in ([f's3://{BUCKET}/job/'], [f's3://{BUCKET}/job/1.part', str(folder / '0.part')]):
        ran = cordon('merge', *paths, '--output', 'json', env=s3_server.env)
        assert (ran.code, ran.out) == (0, whole), ran.err
    for name, why in (('cut', 'damaged'), ('none', 'no partial result'), ('absent', 'absent')):
        ran = cordon('merge', f's3://{BUCKET}/bad/{name}.part', env=s3_server.env)
        assert ran.code == 1 and f'{name}.part' in ran.err and why in ran.err, ran.err


def test_what_a_path_names(cordon: Cordon, s3_server: Peer, tmp_path: pathlib.Path):
    """An object, a folder with and without a slash, one beside that begins alike, twice the same, with a local file."""
    objects = tree(days=1, per_day=1)
    one = next(iter(objects))
    beside = {'AWSLogs-old/x.json': b'{}', 'AWSLogs/': b''}
    put(s3_server.client, {**objects, **beside}, s3_server.region)
    logs = [k for k in objects if k.startswith('AWSLogs/')]

    def inputs(*paths: str) -> dict:
        ran = cordon('investigate', *paths, '--output', 'json', env=s3_server.env)
        assert ran.code == 0, ran.err
        return ran.json['inputs']
    assert inputs(f's3://{BUCKET}/{one}')['files'] == 1
    assert inputs(f's3://{BUCKET}/AWSLogs')['files'] == inputs(f's3://{BUCKET}/AWSLogs/')['files'] == len(logs)
    twice = inputs(f's3://{BUCKET}/{one}', f's3://{BUCKET}/{one}')
    assert twice['files'] == 2 and twice['duplicates'] == twice['unique_events'] == 27
    local = write(tmp_path / 'tree', {'a.json.gz': objects[one]})
    mixed = inputs(str(local), f's3://{BUCKET}/{one}')
    assert mixed['files'] == 2 and mixed['duplicates'] == 27


def test_days_and_regions_are_not_listed(cordon: Cordon, watched: Watcher, aws, tmp_path: pathlib.Path):
    objects = tree(days=5)
    put(aws('s3'), objects)
    local = write(tmp_path / 'tree', objects)
    window = ['--since', '2026-08-04T00:00:00Z', '--region', 'eu-west-1', '--output', 'json']
    here = cordon('investigate', str(local), *window)
    there = cordon('investigate', f's3://{BUCKET}', *window)
    assert there.code == 0, there.err
    assert there.out == here.out
    skipped = {r['file']: r['reason'] for r in there.json['inputs']['skipped']}
    assert any(f.endswith('eu-west-1/2026/08/01') for f in skipped) and any(f.endswith('us-east-1') for f in skipped)
    assert len(skipped) == 4
    wanted = {k for k in objects if 'us-east-1' not in k and '/08/0' not in k or 'eu-west-1/2026/08/04' in k or 'eu-west-1/2026/08/05' in k}
    counts = collections.Counter(k for k, _ in watched.got())
    assert counts == collections.Counter({k for k in wanted if objects[k]})
    assert not any('us-east-1' in p or '/08/01' in p or '/08/03' in p for p in watched.listed())


def test_objects_that_fail_are_named(cordon: Cordon, watched: Watcher, aws, tmp_path: pathlib.Path):
    objects = tree()
    keys = [k for k in objects if k.endswith('.gz')]
    put(aws('s3'), objects)
    failing = {keys[1]: (404, 'NoSuchKey', 'gone since the bucket was listed'),
               keys[5]: (403, 'AccessDenied', 'no permission to read it'),
               keys[9]: (403, 'InvalidObjectState', 'archived in S3 Glacier: restore it first'),
               keys[13]: (412, 'PreconditionFailed', 'written anew while it was read: read it again')}
    watched.answers = {k: (status, code) for k, (status, code, _) in failing.items()}
    ran = cordon('investigate', f's3://{BUCKET}', '--output', 'json')
    assert ran.code == 0, ran.err
    rejected = {r['file']: r['reason'] for r in ran.json['inputs']['rejected']}
    assert {k.rpartition('/')[2]: why for k, (_, _, why) in failing.items()} == rejected
    assert ran.json['inputs']['files'] == len(objects)
    local = write(tmp_path / 'tree', {k: v for k, v in objects.items() if k not in failing})
    here = cordon('investigate', str(local), '--output', 'json').json
    verdict = ran.json['verdict']
    assert verdict['missing'].pop().startswith('The rest of the files that could not be read')
    assert here['verdict'] == verdict and here['timeline'] == ran.json['timeline']
    ran = cordon('search', f'ip={ATTACKER}', f's3://{BUCKET}', '--output', 'json')
    assert ran.code == 6 and 'archived in S3 Glacier' in ran.err


def big(records: int) -> bytes:
    """Events that do not compress well: more than two ranges of 4 MiB."""
    rng = random.Random(7)
    start = datetime.datetime(2026, 8, 1)
    return json.dumps({'Records': [event(start + datetime.timedelta(seconds=i), i, 'eu-west-1', 'ListBuckets', '192.0.2.9',
                                         requestParameters={'x': rng.randbytes(900).hex()}) for i in range(records)]}).encode()


@pytest.mark.parametrize('form', ['plain', 'gzip', 'members'])
def test_a_large_object_comes_in_ranges(cordon: Cordon, s3_server: Peer, tmp_path: pathlib.Path, form: str):
    raw = big(9000)
    half = len(raw) // 2
    content = {'plain': lambda: raw, 'gzip': lambda: gzip.compress(raw, 1, mtime=0),
               'members': lambda: gzip.compress(raw[:half], 1, mtime=0) + gzip.compress(raw[half:], 1, mtime=0)}[form]()
    assert len(content) > 8 * 1024 * 1024
    objects = {'a/big.json.gz': content, **tree(days=1, per_day=1)}
    put(s3_server.client, objects, s3_server.region)
    here = cordon('investigate', str(write(tmp_path / 'tree', objects)), '--output', 'json')
    watcher = Watcher(s3_server.url)
    try:
        there = cordon('investigate', f's3://{BUCKET}', '--output', 'json', env={**s3_server.env, 'AWS_ENDPOINT_URL_S3': watcher.url})
    finally:
        watcher.shutdown()
        watcher.server_close()
    assert there.code == 0, there.err
    assert there.out == here.out and there.json['inputs']['rejected'] == []
    assert there.json['inputs']['unique_events'] >= 9000
    step, n = 4 * 1024 * 1024, len(content)
    assert sorted(r for k, r in watcher.got() if 'big' in k) == sorted(
        f'bytes={i}-{min(i + step, n) - 1}' for i in range(0, n, step))


def test_ranges_fail_half_way(cordon: Cordon, watched: Watcher, aws, tmp_path: pathlib.Path):
    """What came before is used, as of a file that is cut off; the object is named."""
    raw = big(9000)
    put(aws('s3'), {'a/big.json': raw, 'a/small.json': b'{"Records":[]}'})

    watched.answers = {'big.json bytes=8388608-': (404, 'NoSuchKey')}
    ran = cordon('investigate', f's3://{BUCKET}/a', '--output', 'json')
    assert ran.code == 0, ran.err
    assert [(r['file'], r['reason']) for r in ran.json['inputs']['rejected'] if 'gone' in r['reason']] == [
        ('big.json', 'gone since the bucket was listed')]
    assert 0 < ran.json['inputs']['unique_events'] < 9000


def test_nothing_there_or_no_way_in(cordon: Cordon, s3_server: Peer, cordon_alone: Cordon):
    put(s3_server.client, tree(days=1, per_day=1), s3_server.region)

    def fails(path: str, **env) -> tuple[int, str]:
        ran = cordon_alone('investigate', path, '--output', 'json', env={**s3_server.env, **env})
        assert ran.out == ''
        return ran.code, ran.err
    code, said = fails('s3://no-such-bucket-here/x/')
    assert code == 1 and 'NoSuchBucket' in said and 's3://no-such-bucket-here/x/' in said
    code, said = fails(f's3://{BUCKET}/AWSlogs')
    assert code == 1 and 'no object and no folder' in said
    code, said = fails('s3://')
    assert code == 2 and 'names no bucket' in said
    code, said = fails(f's3://{BUCKET}', AWS_SECRET_ACCESS_KEY='not-the-secret-key')
    assert code == 3 and 'SignatureDoesNotMatch' in said
    code, said = fails(f's3://{BUCKET}', AWS_SECRET_ACCESS_KEY=None, AWS_ACCESS_KEY_ID=None)
    assert code == 3 and 'credentials' in said
    ran = cordon_alone('search', 'ip=1.2.3.4', f's3://{BUCKET}/year=2026/', env=s3_server.env)
    assert ran.code == 1 and 'no object and no folder' in ran.err


def test_more_than_a_page(cordon: Cordon, s3_server: Peer):
    """ListObjectsV2 gives a thousand at a time."""
    one = json.dumps({'Records': [event(datetime.datetime(2026, 8, 1), 1, 'eu-west-1', 'ListBuckets', '192.0.2.9')]}).encode()
    put(s3_server.client, {f'many/{i:05d}.json': one for i in range(1050)}, s3_server.region)
    ran = cordon('investigate', f's3://{BUCKET}/many/', '--output', 'json', env=s3_server.env)
    assert ran.code == 0, ran.err
    inputs = ran.json['inputs']
    assert (inputs['files'], inputs['unique_events'], inputs['duplicates']) == (1050, 1, 1049)
