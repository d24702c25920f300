"""`cordon investigate` over files written here: the same answer whatever the order, copies and packing; nothing
hostile takes it down; what was not read is named. No emulator is asked."""
from __future__ import annotations

import gzip
import hashlib
import json
import os
import pathlib
import random
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get('CORDON_BIN', str(ROOT / 'build/debug/src/app/cordon'))
ACCOUNT = '111122223333'
INTRUDER = '198.51.100.77'
KEY = 'AKIAEXAMPLELEAKED001'
NEW_KEY = 'AKIAEXAMPLEMADE00002'


def event(n: int, minute: int, name: str, source: str, user: str, key: str, ip: str, agent: str, **more) -> dict:
    out = {'eventVersion': '1.09', 'eventID': f'00000000-0000-4000-8000-{n:012d}', 'eventName': name,
           'eventTime': f'2026-08-01T{10 + minute // 60:02d}:{minute % 60:02d}:{n % 60:02d}Z',
           'eventSource': f'{source}.amazonaws.com', 'awsRegion': 'eu-west-1', 'sourceIPAddress': ip,
           'userAgent': agent, 'eventType': 'AwsApiCall', 'recipientAccountId': ACCOUNT, 'requestID': f'r{n}',
           'userIdentity': {'type': 'IAMUser', 'accountId': ACCOUNT, 'accessKeyId': key, 'userName': user,
                            'principalId': f'AIDA{user.upper()}', 'arn': f'arn:aws:iam::{ACCOUNT}:user/{user}'}}
    out.update(more)
    return out


def story() -> list[dict]:
    """A deployment user's ordinary morning, then its key in other hands: looking, denied, rights, a new key, data."""
    events, n = [], 0
    for minute in range(0, 120, 2):
        n += 1
        events.append(event(n, minute, 'DescribeInstances', 'ec2', 'deploy', KEY, '192.0.2.10', 'Terraform/1.9 aws-sdk-go-v2'))
        n += 1
        events.append(event(n, minute, 'GetObject', 's3', 'maria', 'AKIAEXAMPLEMARIA0003', '192.0.2.11', 'aws-cli/2.17',
                            requestParameters={'bucketName': 'projects', 'key': f'plan-{minute}.pdf'}))

    def bad(minute: int, name: str, source: str, key: str = KEY, user: str = 'deploy', **more) -> None:
        nonlocal n
        n += 1
        events.append(event(n, minute, name, source, user, key, INTRUDER, 'Boto3/1.34 md/Kali', **more))

    bad(121, 'GetCallerIdentity', 'sts')
    for name, source in (('ListBuckets', 's3'), ('ListUsers', 'iam'), ('ListRoles', 'iam'), ('DescribeInstances', 'ec2'),
                         ('ListSecrets', 'secretsmanager'), ('DescribeDBInstances', 'rds')):
        bad(122, name, source, errorCode='AccessDenied', errorMessage='not authorized')
    bad(124, 'AttachUserPolicy', 'iam', requestParameters={'userName': 'deploy',
                                                          'policyArn': 'arn:aws:iam::aws:policy/AdministratorAccess'})
    bad(125, 'ListBuckets', 's3')
    bad(126, 'CreateUser', 'iam', requestParameters={'userName': 'backup-svc'})
    bad(127, 'CreateAccessKey', 'iam', requestParameters={'userName': 'backup-svc'},
        responseElements={'accessKey': {'accessKeyId': NEW_KEY, 'userName': 'backup-svc', 'status': 'Active'}})
    for i in range(20):
        bad(130 + i // 4, 'GetObject', 's3', key=NEW_KEY, user='backup-svc',
            requestParameters={'bucketName': 'projects', 'key': f'client-{i}.zip'})
    return events


def investigate(*paths, expect: int = 0, stdin: bytes | None = None, **env) -> dict:
    run = subprocess.run([BIN, 'investigate', '--output', 'json', *map(str, paths)], input=stdin, capture_output=True,
                         timeout=120, env={**os.environ, **env})
    assert run.returncode == expect, run.stderr.decode(errors='replace')
    assert b'Sanitizer' not in run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def answer(doc: dict) -> str:
    """What may not depend on how the events were packed."""
    inputs = {k: v for k, v in doc['inputs'].items() if k in ('unique_events', 'rejected')}
    return json.dumps({**{k: v for k, v in doc.items() if k != 'inputs'}, 'inputs': inputs}, sort_keys=True)


@pytest.fixture
def plain(tmp_path: pathlib.Path) -> tuple[list[dict], dict]:
    events = story()
    path = tmp_path / 'plain' / 'all.json'
    path.parent.mkdir()
    path.write_text(json.dumps({'Records': events}))
    return events, investigate(path)


def test_the_story_is_understood(plain):
    _, doc = plain
    v = doc['verdict']
    assert doc['schema'] == 'cordon.investigation/1'
    assert v['class'] == 'leaked_access_key'
    assert v['source_ips'] == [INTRUDER]
    assert sorted(v['access_keys']) == sorted([KEY, NEW_KEY])
    assert not any('maria' in p for p in v['principals'])
    assert v['entry_time'].startswith('2026-08-01T12:01')
    ids = {e['eventID'] for e in plain[0]}
    assert v['claims'] and all(set(c['events']) <= ids and c['events'] for c in v['claims'] if c['weight'] > 0)


@pytest.mark.parametrize('how', ['gzip cut off', 'gzip damaged', 'JSON cut off', 'can not be read'])
def test_what_was_not_read_is_no_proof_of_silence(tmp_path: pathlib.Path, how: str):
    """The quiet morning before the key was stolen; the rest of the file can't be read, or another file."""
    path = tmp_path / 'trail.json.gz'
    quiet = json.dumps({'Records': [e for e in story() if e['sourceIPAddress'] != INTRUDER]}).encode()
    path.write_bytes(data := gzip.compress(quiet))
    assert investigate(tmp_path)['verdict']['class'] == 'no_incident'
    if how == 'can not be read':
        (tmp_path / 'a.json').symlink_to('/proc/self/mem')
    elif how == 'JSON cut off':
        path.write_bytes(gzip.compress(quiet[:-500]))
    else:
        path.write_bytes(data[:-30] if how == 'gzip cut off' else data[:-30] + b'\xff' * 22 + data[-8:])
    v = investigate(tmp_path)['verdict']
    assert v['class'] == 'undetermined'
    assert any(m.startswith('The rest of the files that could not be read') for m in v['missing'])


def test_equal_times_and_ids_are_told_in_the_order_of_what_is_shown(tmp_path: pathlib.Path):
    """Ids that are not unique, and lines of files with one name in several folders: no hash and no seed orders the timeline."""
    same = [event(0, 150, 'GetSecretValue', 'secretsmanager', 'backup-svc', NEW_KEY, INTRUDER, 'Boto3/1.34 md/Kali',
                  requestParameters={'secretId': f'prod/{c}'}) for c in 'hcfaegbd']
    events = story() + [{**e, 'eventID': 'same', 'eventTime': '2026-08-01T12:30:00Z'} for e in same]
    answers = set()
    for turn in range(3):
        folder = tmp_path / str(turn)
        random.Random(turn).shuffle(events)
        for n, half in enumerate((events[::2], events[1::2])):
            path = folder / f'{n}' / 'events.json'
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({'Records': half}))
        for c in 'hcfaegbd':
            (folder / c).mkdir()
            (folder / c / 'access.log').write_text(
                f'{INTRUDER} - - [01/Aug/2026:12:31:00 +0000] "GET /{c}?x=;cat+/etc/passwd HTTP/1.1" 200 9 "-" "curl/8"\n')
            (folder / c / 'auth.log').write_text(
                f'Aug  1 12:32:00 {c} sshd[1]: Failed password for root from {INTRUDER} port 5 ssh2\n')
            os.utime(folder / c / 'auth.log', (1785585600, 1785585600))
        doc = investigate(folder)
        rows = [r for r in doc['timeline'] if r['event'] == 'same']
        assert [r['target'] for r in rows] == [f'prod/{c}' for c in 'abcdefgh']
        assert [r['target'][:2] for r in doc['timeline'] if r['source'] == 'web'] == [f'/{c}' for c in 'abcdefgh']
        assert [r['target'] for r in doc['timeline'] if r['source'] == 'ssh'] == list('abcdefgh')
        answers.add(answer(doc))
    assert len(answers) == 1


@pytest.mark.parametrize('how', ['shuffled', 'doubled', 'split and zipped', 'lines', 'array', 'members', 'stdin'])
def test_packing_changes_nothing(plain, tmp_path: pathlib.Path, how: str):
    events, expected = plain
    events = list(events)
    random.Random(7).shuffle(events)
    folder = tmp_path / 'other'
    folder.mkdir()
    stdin = None
    if how == 'shuffled':
        (folder / 'a.json').write_text(json.dumps({'Records': events}))
    elif how == 'doubled':
        (folder / 'a.json').write_text(json.dumps({'Records': events}))
        (folder / 'b.json.gz').write_bytes(gzip.compress(json.dumps({'Records': events[::2]}).encode()))
    elif how == 'split and zipped':
        for i in range(7):
            (folder / f'{9 - i}.json.gz').write_bytes(gzip.compress(json.dumps({'Records': events[i::7]}).encode(), i + 1))
    elif how == 'lines':
        (folder / 'a.jsonl').write_text('\n'.join(map(json.dumps, events)))
    elif how == 'array':
        (folder / 'a.json').write_text('\ufeff' + json.dumps(events, indent=1))
    elif how == 'members':
        half = len(events) // 2
        lines = [('\n'.join(map(json.dumps, part)) + '\n').encode() for part in (events[:half], events[half:])]
        (folder / 'a.jsonl.gz').write_bytes(b''.join(map(gzip.compress, lines)))
    else:
        stdin = json.dumps({'Records': events}).encode()
    doc = investigate('-' if stdin else folder, stdin=stdin)
    assert answer(doc) == answer(expected)


@pytest.mark.parametrize('threads', [1, 2, 4])
def test_threads_change_nothing(plain, tmp_path: pathlib.Path, threads: int):
    """Mixed logs in many files, some of them twice: whoever reads which, the document is the same byte for byte."""
    events, _ = plain
    for i in range(23):
        (tmp_path / f'{i:02d}.json').write_text(json.dumps({'Records': events[i::23]}))
    for i in range(0, 23, 3):
        (tmp_path / f'copy-{i}.json.gz').write_bytes(gzip.compress((tmp_path / f'{i:02d}.json').read_bytes()))
    web = ''.join(f'{INTRUDER} - - [01/Aug/2026:11:{m:02d}:00 +0000] "GET /cgi?x=;cat+/etc/passwd HTTP/1.1" 200 {m} "-" "curl/8"\n'
                  for m in range(20))
    ssh = ''.join(f'Aug  1 11:{m:02d}:00 web sshd[1]: Failed password for root from {INTRUDER} port 5 ssh2\n' for m in range(20))
    for name in ('b', 'a', 'c'):
        (tmp_path / f'{name}-access.log').write_text(web)
        (tmp_path / f'{name}-auth.log').write_text(ssh)
        os.utime(tmp_path / f'{name}-auth.log', (1785585600, 1785585600))
    (tmp_path / 'rubbish.txt').write_text('no log at all\n')
    run = [subprocess.run([BIN, 'investigate', '--output', 'json', '--threads', str(n), str(tmp_path)], capture_output=True, timeout=120)
           for n in (1, threads)]
    assert run[0].returncode == run[1].returncode == 0 and run[0].stdout == run[1].stdout
    assert all(e['event'].startswith('a-') for e in json.loads(run[0].stdout)['timeline'] if e['source'] in ('web', 'ssh'))


def test_without_the_decisive_part_nothing_is_claimed(tmp_path: pathlib.Path):
    calm = [e for e in story() if e['sourceIPAddress'] != INTRUDER]
    (tmp_path / 'calm.json').write_text(json.dumps({'Records': calm}))
    v = investigate(tmp_path)['verdict']
    assert v['class'] in ('no_incident', 'undetermined')
    assert v['principals'] == [] and v['source_ips'] == [] and v['access_keys'] == []


def test_hostile_files_are_named_and_the_rest_is_read(plain, tmp_path: pathlib.Path):
    events, expected = plain
    folder = tmp_path / 'hostile'
    folder.mkdir()
    (folder / 'good.json').write_text(json.dumps({'Records': events}))
    packed = gzip.compress(json.dumps({'Records': events}).encode())
    (folder / 'cut.json.gz').write_bytes(packed[:len(packed) // 2])
    (folder / 'deep.json').write_text('{"Records":[' + '[' * 100000)
    (folder / 'half.json').write_text(json.dumps({'Records': events})[:777])
    (folder / 'not-json.json').write_bytes(b'\xff\xfe\x00\x01 garbage \x1b[2J')
    strange = event(9001, 5, '=cmd|calc', 'ec2', '\u202eadmin\x1b[31m', 'AKIAEXAMPLESTRANGE04', '999.1.1.1', 'x' * 40000,
                    eventTime='not a time')
    (folder / 'strange.json').write_text(json.dumps({'Records': [strange]}))
    doc = investigate(folder)
    named = ' '.join(r['file'] for r in doc['inputs']['rejected'])
    for name in ('cut.json.gz', 'deep.json', 'half.json', 'not-json.json'):
        assert name in named, name
    assert doc['verdict']['class'] == expected['verdict']['class']
    assert doc['verdict']['source_ips'] == [INTRUDER]
    table = subprocess.run([BIN, 'investigate', '--output', 'table', str(folder)], capture_output=True, timeout=120)
    assert b'\x1b[31m' not in table.stdout and '\u202e'.encode() not in table.stdout


def test_mistakes_of_the_caller(tmp_path: pathlib.Path):
    run = subprocess.run([BIN, 'investigate', str(tmp_path / 'nowhere')], capture_output=True, timeout=60)
    assert run.returncode == 1 and b'nowhere' in run.stderr
    (tmp_path / 'a.json').write_text('{"Records":[]}')
    run = subprocess.run([BIN, 'investigate', '--threads', '0', str(tmp_path)], capture_output=True, timeout=60)
    assert run.returncode == 2 and b'--threads' in run.stderr
    run = subprocess.run([BIN, 'investigate', '--since', 'yesterdayish', str(tmp_path)], capture_output=True, timeout=60)
    assert run.returncode == 2 and b'yesterdayish' in run.stderr


SHARED = os.environ.get('CORDON_SHARED') or str(ROOT.parent / 'shared')


@pytest.mark.skipif(not os.path.isdir(SHARED), reason='the conformance data is not beside the checkout')
def test_a_real_trail_against_its_truth():
    folder = pathlib.Path(SHARED) / 'data/cloudtrail/invictus'
    truth = json.loads((folder / 'truth.json').read_text())
    v = investigate(folder / 'AWSLogs')['verdict']
    text = json.dumps(truth)
    assert v['class'] == 'leaked_access_key'
    assert v['access_keys'] and all(k in text for k in v['access_keys'])
    assert v['source_ips'] and all(ip in json.dumps(truth['attacker_ips']) for ip in v['source_ips'])


def test_a_copied_program_name_does_not_make_an_administrator_harmless(tmp_path):
    """The owner's tool from a new address gives full rights: nobody is accused of it, and nobody is told that all is well."""
    events = [event(n, n, 'DescribeInstances', 'ec2', 'deploy', KEY, '192.0.2.10', 'Terraform/1.9 aws-sdk-go-v2')
              for n in range(1, 60)]
    gifts = (('CreateUser', {}, {}), ('AttachUserPolicy', {'policyArn': 'arn:aws:iam::aws:policy/AdministratorAccess'}, {}),
             ('CreateAccessKey', {}, {'accessKey': {'accessKeyId': NEW_KEY, 'userName': 'backup-svc'}}))
    for n, (name, more, made) in enumerate(gifts, 60):
        events.append(event(n, n, name, 'iam', 'deploy', KEY, INTRUDER, 'Terraform/1.9 aws-sdk-go-v2',
                            requestParameters={'userName': 'backup-svc', **more}, responseElements=made))
    path = tmp_path / 'trail.json'
    path.write_text(json.dumps({'Records': events}))
    verdict = investigate(path)['verdict']
    assert verdict['class'] == 'undetermined' and verdict['source_ips'] == []
    assert any('address is theirs' in m for m in verdict['missing'])


def test_mistakes_are_told_in_the_language_asked_for(tmp_path: pathlib.Path):
    """Whatever comes first on the line; what a program reads stays as it is."""
    def said(*args: str) -> str:
        return subprocess.run([BIN, *args], capture_output=True, text=True, timeout=60).stderr
    assert said('investigate', str(tmp_path / 'none'), '--lang', 'es').startswith('cordon: no se puede leer ')
    assert said('investigat', '--lang=es') == "cordon: orden desconocida: 'investigat'; ¿quiso decir 'investigate'?\n"
    assert said('--lang', 'es', 'merge', __file__).endswith('no es un resultado parcial de cordon\n')
    assert said('merge', __file__).endswith('is no partial result of cordon\n')


def test_spanish_to_the_end_of_the_sentence(tmp_path: pathlib.Path):
    """What went wrong and why, also where the reason is a sentence with names and numbers of its own; documents stay English."""
    rules = tmp_path / 'rules'
    rules.mkdir()
    (rules / 'a.yml').write_text('title: A\nlogsource: {product: aws}\ndetection: {s: {eventName|foo: a}, condition: s}\n')

    def said(*args) -> tuple[str, str]:
        run = subprocess.run([BIN, *map(str, args), '--lang', 'es'], capture_output=True, text=True, timeout=60)
        return run.stdout, run.stderr.splitlines()[-1]
    out, err = said('rules', 'list', '--rules', rules, '--output', 'json')
    assert err.endswith('a.yml:3: regla rechazada: el modificador foo no se conoce')
    assert json.loads(out)['refused'][0]['reason'] == 'the modifier foo is not known'
    assert said('merge', tmp_path / 'none')[1] == f'cordon: no se puede leer {tmp_path}/none: no existe el archivo o la carpeta'
    (tmp_path / 'p').write_bytes(b'cordon partial result 0\n' + hashlib.sha256(b'cordon partial result 0\n').digest())
    assert 'no se puede unir: lo escribió otra compilación de cordon' in said('merge', tmp_path / 'p')[1]
