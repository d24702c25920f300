"""Logs that somebody wrote to break their reader. Nothing falls over, nothing grows without bound, nothing is skipped in
silence, and what is good beside them is read all the same."""
from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pathlib
import re
import resource
import subprocess
import time
import zlib

import pytest

from test_investigate import BIN, INTRUDER, event, story

LIMIT_S = 60
MEMORY_MIB = 1100  # the sanitizers' own take included; the plain build needs a fraction


def run(tool: str, *args: str) -> tuple[dict | list, str, int]:
    """What the tool says; memory and time are bounded."""
    start = time.monotonic()
    more = ['--output', 'json']
    process = subprocess.run([BIN, tool, *args, *more], capture_output=True, timeout=LIMIT_S * 3, env=os.environ)
    err = process.stderr.decode(errors='replace')
    assert process.returncode in (0, 6), err
    assert 'Sanitizer' not in err and time.monotonic() - start < LIMIT_S
    out = process.stdout.decode('utf-8')  # must be UTF-8 whatever was read
    docs = [json.loads(line) for line in out.splitlines()]
    return (docs[0] if tool == 'investigate' else docs), err, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


@pytest.fixture
def beside(tmp_path: pathlib.Path):
    """A function: reads a hostile file beside the good story; gives reject reasons of that file, the document, and memory."""
    def read(content: bytes, events: int | None = None) -> tuple[list[str], dict, int]:
        folder = tmp_path / 'case'
        folder.mkdir(exist_ok=True)
        (folder / 'good.json').write_text(json.dumps({'Records': story()}))
        (folder / 'hostile').write_bytes(content)
        doc, _, memory = run('investigate', str(folder))
        assert doc['verdict']['class'] == 'leaked_access_key' and doc['verdict']['source_ips'] == [INTRUDER]
        if events is not None:
            assert doc['inputs']['unique_events'] - len(story()) == events
        rows, err, _ = run('timeline', str(folder))
        assert len(rows) == doc['inputs']['unique_events']
        reasons = [r['reason'] for r in doc['inputs']['rejected']]
        assert bool(reasons) == ('hostile' in err)
        return reasons, doc, memory
    return read


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b' ' * (1 << 20)
    return b''.join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


def test_gzip_bomb(beside):
    reasons, doc, memory = beside(bomb(600 << 20), 0)
    assert any('gzip bomb' in r for r in reasons) and doc['inputs']['bytes'] < 1 << 29 and memory < MEMORY_MIB


def test_bomb_of_members(beside):
    reasons, _, memory = beside(gzip.compress(b'{"Records":[' + b' ' * 12_000_000) * 40, 0)
    assert reasons and memory < MEMORY_MIB


@pytest.mark.parametrize('wrap', ['{"Records":[{"eventName":"%s"}]}', '%s', '[["%s"]]'])
def test_a_string_of_100_megabytes(beside, wrap: str):
    reasons, _, memory = beside((wrap % ('A' * 100_000_000)).encode(), 0)
    assert reasons and memory < MEMORY_MIB


def test_a_row_of_100_megabytes(beside):
    reasons, _, memory = beside(b'eventname,eventtime,eventsource\n"' + b'x' * 100_000_000, 0)
    assert reasons and memory < MEMORY_MIB


def test_a_journal_field_of_100_megabytes(beside):
    reasons, _, memory = beside(b'__CURSOR=1\nMESSAGE\n' + (100_000_000).to_bytes(8, 'little') + b'x' * 100_000_000, 0)
    assert reasons and memory < MEMORY_MIB


@pytest.mark.parametrize('open_with', ['[', '{"a":', '{"Records":[{"requestParameters":' + '{"a":', '{"eventJson":"{'])
def test_depth(beside, open_with: str):
    reasons, _, _ = beside((open_with * 200_000).encode(), 0)
    assert reasons


def test_deep_parameters_of_a_good_event(beside):
    deep: object = 'x'
    for _ in range(100):
        deep = {'a': [deep]}
    text = json.dumps([event(700, 1, 'GetObject', 's3', 'u', 'AKIAX', '192.0.2.1', 'x', requestParameters=deep)])
    reasons, doc, _ = beside(text.encode())
    assert reasons or doc['inputs']['unique_events'] == len(story()) + 1


def test_json_in_json_without_end(beside):
    text = json.dumps({'eventName': 'x'})
    for _ in range(12):
        text = json.dumps({'message': text})
    reasons, _, _ = beside(text.encode(), 0)
    assert reasons


def test_very_many_values(beside):
    reasons, _, memory = beside(b'{"Records":[{"a":[' + b'0,' * 6_000_000 + b'0]}]}', 0)
    assert reasons and memory < MEMORY_MIB


def test_nul_bytes(beside):
    e = event(701, 1, 'Get\x00Object', 's3', 'a\x00b', 'AKIAX', '192.0.2.1', 'x\x00y')
    reasons, _, _ = beside(json.dumps([e]).encode(), 1)
    assert reasons == []
    reasons, _, _ = beside(b'\x00' * 100_000 + b'\n' + b'192.0.2.1 - - [01/Aug/2026:10:00:05 +0000] "GET /\x00 HTTP/1.1" 200 1\n', 1)
    assert reasons
    reasons, _, _ = beside(json.dumps([e]).encode().replace(b'\\u0000', b'\x00'), 0)
    assert reasons


def test_invalid_utf8(beside):
    e = json.dumps([event(702, 1, 'GetObject', 's3', 'USER', 'AKIAX', '192.0.2.1', 'AGENT',
                          requestParameters={'bucketName': 'BUCKET'})]).encode()
    for bad in (b'\xff\xfe', b'\xc0\x80', b'\xed\xa0\x80', b'\xf5\x80\x80\x80', b'\xe2\x28\xa1'):
        beside(e.replace(b'USER', bad).replace(b'AGENT', bad).replace(b'BUCKET', bad), 1)
    beside(b'192.0.2.1 - - [01/Aug/2026:10:00:05 +0000] "GET /\xff\xc0 HTTP/1.1" 200 1 "-" "\xfe"\n', 1)
    beside(b'Aug  1 10:00:00 w sshd[1]: Failed password for \xff\xc0 from 192.0.2.1 port 1 ssh2\n', 1)


ADDRESSES = ['999.999.999.999', '1.2.3', '::::::', 'ec2.amazonaws.com', 'AWS Internal', '', '0x7f.1', '1.2.3.4; rm', 'fe80::1%eth0',
             '2001:db8::1', '035.249.253.232', '=1+1', '\u202e4.3.2.1', '1' * 5000, None, 17, {'a': 1}, ['1.2.3.4']]


def test_addresses_that_are_none(beside):
    events = [dict(event(800 + i, 1, 'GetObject', 's3', 'u', 'AKIAX', '', 'x'), sourceIPAddress=a) for i, a in enumerate(ADDRESSES)]
    reasons, _, _ = beside(json.dumps(events).encode(), len(ADDRESSES))
    assert reasons == []
    lines = b''.join(f'{a} - - [01/Aug/2026:10:00:05 +0000] "GET / HTTP/1.1" 200 1\n'.encode() for a in ADDRESSES if isinstance(a, str))
    reasons, _, _ = beside(lines)
    assert reasons
    flows = b''.join(f'2 1 eni-1 {a} 10.0.0.1 1 2 6 1 1 1785578400 1785578460 ACCEPT OK\n'.encode() for a in ADDRESSES if isinstance(a, str))
    reasons, _, _ = beside(flows)
    assert reasons


DATES = ['', 'soon', '0000-00-00T00:00:00Z', '1969-12-31T23:59:59Z', '9999-12-31T23:59:59Z', '10000-01-01T00:00:00Z', '2026-13-01T00:00:00Z',
         '2026-02-30T00:00:00Z', '2026-08-01T25:00:00Z', '2026-08-01T10:00:00+99:99', '9223372036854775807', -1, 1e300, None,
         '2026-08-01T10:00:00.99999999999999999999Z']


def test_dates_out_of_range(beside):
    """An event without a usable time is no event: it is named, not dated."""
    good = 0
    for i, d in enumerate(DATES):
        reasons, doc, _ = beside(json.dumps([dict(event(900 + i, 1, 'GetObject', 's3', 'u', 'AKIAX', '192.0.2.1', 'x'), eventTime=d)]).encode())
        extra = doc['inputs']['unique_events'] - len(story())
        assert extra + len(reasons) == 1, (d, reasons)
        good += extra
    assert 1 <= good <= 4
    reasons, _, _ = beside('\n'.join(f'192.0.2.1 - - [{t}] "GET / HTTP/1.1" 200 1' for t in (
        '99/Aug/2026:10:00:05 +0000', '01/Foo/2026:10:00:05 +0000', '01/Aug/99999:10:00:05 +0000', '01/Aug/2026:99:00:05 +0000')).encode(), 0)
    assert reasons
    reasons, _, _ = beside('\n'.join(f'2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 {t} {t} ACCEPT OK' for t in (
        '99999999999999999999', '-5', '1e9', '253402300800')).encode(), 0)
    assert reasons
    reasons, _, _ = beside(b'\n'.join(b'__CURSOR=%d\n__REALTIME_TIMESTAMP=%s\nMESSAGE=x\n' % (i, t) for i, t in enumerate(
        (b'99999999999999999999', b'-5', b'x'))), 0)
    assert reasons
    for stamp in ('99999999999999999999', '"x"', '-1', '1e400'):
        beside(f'{{"events":[{{"timestamp":{stamp},"message":"Aug  1 10:00:00 w sshd[1]: x"}}]}}'.encode())


def test_duplicate_and_odd_members(beside):
    e = json.dumps(event(903, 1, 'GetObject', 's3', 'u', 'AKIAX', '192.0.2.1', 'x'))
    reasons, doc, _ = beside(('[' + e[:-1] + ',"eventName":"DeleteTrail","eventName":null,"":{},"userIdentity":[]}]').encode())
    assert doc['inputs']['unique_events'] - len(story()) + len(reasons) == 1


def test_types_that_are_not_what_they_should_be(beside):
    base = event(904, 1, 'GetObject', 's3', 'u', 'AKIAX', '192.0.2.1', 'x')
    odd = [None, True, 17, -1e308, [], {}, 'x', [[['x']]], {'a': None}]
    events = [dict(base, eventID=f'{k}-{i}', **{k: v}) for k in ('userIdentity', 'requestParameters', 'responseElements', 'userAgent',
              'errorCode', 'awsRegion', 'resources', 'additionalEventData', 'tlsDetails', 'recipientAccountId') for i, v in enumerate(odd)]
    reasons, _, _ = beside(json.dumps({'Records': events}).encode(), len(events))
    assert reasons == []


def test_a_log_that_goes_on_as_something_else(beside):
    """An array, then text; a CSV, then JSON; records, then the start of a digest."""
    assert beside(json.dumps([event(905, 1, 'GetObject', 's3', 'u', 'AKIAX', '192.0.2.1', 'x')]).encode() + b'\ntrailing words\n', 1)[0]
    assert beside(b'"eventname","eventtime","eventsource"\n"A","2026-08-01T10:00:00Z","s3.amazonaws.com"\n{"Records":[]}\n"a"b\n', 1)[0]


def test_names_of_files(tmp_path: pathlib.Path):
    folder = os.fsencode(tmp_path) + b'/case'
    os.mkdir(folder)
    for name in (b'\xff\xfe.log', b'a\nb.log', b'\x1b[31m.log', '\u202egol'.encode(), b' ', b'-'):
        with open(folder + b'/' + name, 'wb') as f:
            f.write(b'no known line\n')
    os.mkfifo(folder + b'/fifo')
    os.symlink('/dev/zero', folder + b'/zero')
    os.symlink('loop', folder + b'/loop')
    doc, err, _ = run('investigate', str(tmp_path / 'case'))
    assert sum(r['count'] for r in doc['inputs']['rejected']) >= 8
    assert '\x1b' not in err and '\u202e' not in err


# ---- every output over all of it ----

STEERING = '[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]'
OUTPUTS = [(tool, *form) for tool in ('investigate', 'timeline', 'search', 'summary') for form in (('--output', 'json'), ('--output', 'jsonl'),
           ('--output', 'csv'), ('--output', 'table'))] + [(tool, '--format', f) for tool in ('investigate', 'timeline') for f in ('timesketch', 'timesketch-csv', 'bodyfile')] + \
    [('investigate', '--format', f) for f in ('navigator', 'markdown', 'csv', 'jsonl')]
EVIL = ['=cmd|\' /C calc\'!A0', '+1', '-1', '@SUM(A1)', '\t=1', '\x1b[2J\x1b]0;owned\x07', '\x9b31m', '\u202egnp.exe', 'a\nb|c,"d"\r\n', '<script>', '](javascript:x)', '`x`', '', 'x' * 40000]


@pytest.fixture(scope='module')
def everything(tmp_path_factory) -> pathlib.Path:
    """An incident whose every name is hostile, beside files that are broken in every way there is."""
    folder = tmp_path_factory.mktemp('everything')
    rows = story()
    for i, text in enumerate(EVIL):
        rows.append(event(3000 + i, 130, 'GetObject', 's3', text or 'u', 'AKIA' + text[:20], INTRUDER, text, errorCode=text, awsRegion=text,
                          requestParameters={'bucketName': text, 'key': text, 'userName': text, 'roleName': text}))
        rows.append(dict(event(3100 + i, 131, 'CreateUser', 'iam', 'deploy', 'AKIADEPLOY', INTRUDER, 'x', requestParameters={'userName': text}), eventName=text or 'x'))
    rows += [dict(event(3200 + i, 1, 'GetObject', 's3', 'u', 'AKIAX', '', 'x'), sourceIPAddress=a) for i, a in enumerate(ADDRESSES)]
    rows += [dict(event(3300 + i, 1, 'GetObject', 's3', 'u', 'AKIAX', '192.0.2.1', 'x'), eventTime=d) for i, d in enumerate(DATES)]
    (folder / 'trail.json').write_text(json.dumps({'Records': rows}))
    raw = json.dumps([event(3400, 1, 'GetObject', 's3', 'USER', 'AKIAX', '192.0.2.1', 'x')]).encode()
    (folder / 'invalid.json').write_bytes(raw.replace(b'USER', b'\xff\xfe\xc0\x80'))
    (folder / 'nul.json').write_bytes(raw.replace(b'USER', b'a\x00b') + b'\x00' * 1000)
    (folder / 'deep.json').write_bytes(b'{"a":' * 100_000)
    (folder / 'bomb.gz').write_bytes(bomb(70 << 20))
    with open(folder / 'access.log', 'wb') as f:
        for text in EVIL:
            line = text.replace('\n', ' ').replace('"', '\\"').encode('utf-8', 'surrogateescape')
            f.write(b'198.51.100.7 - - [01/Aug/2026:11:00:05 +0000] "GET /?q=../../etc/passwd' + line[:3000] + b' HTTP/1.1" 200 9 "-" "' + line[:3000] + b'"\n')
    with open(folder / 'auth.log', 'wb') as f:
        for text in EVIL:
            f.write(b'Aug  1 10:00:00 w sshd[1]: Failed password for ' + text.replace('\n', ' ').encode()[:2000] + b' from 192.0.2.1 port 1 ssh2\n')
    (folder / 'flow.log').write_text(''.join(f'2 1 eni-1 {a} 10.0.0.1 1 2 6 1 1 1785578400 1785578460 ACCEPT OK\n' for a in ADDRESSES if isinstance(a, str)))
    return folder


@pytest.mark.parametrize('form', OUTPUTS, ids=' '.join)
def test_every_output_of_hostile_logs(everything: pathlib.Path, form: tuple[str, ...]):
    tool, kind = form[0], form[-1]
    ran = subprocess.run([BIN, tool, *(['eventName=*'] if tool == 'search' else []), str(everything), *form[1:]], capture_output=True, timeout=LIMIT_S)
    err = ran.stderr.decode()
    assert ran.returncode in (0, 6) and 'Sanitizer' not in err, err
    out = ran.stdout.decode('utf-8')
    assert out and not re.search(STEERING, err)
    if kind in ('json', 'jsonl', 'navigator', 'timesketch'):
        docs = [json.loads(out)] if kind == 'navigator' else [json.loads(line) for line in out.splitlines()]
        assert docs and not re.search(STEERING, out.replace('\t', ''))
    elif kind in ('csv', 'timesketch-csv'):
        rows = list(csv.reader(io.StringIO(out)))
        assert len(rows) > 1 and len({len(r) for r in rows}) == 1
        assert not [c for r in rows for c in r if c[:1] in ('=', '+', '-', '@', '\t', '\r') or re.search(STEERING, c)]
    elif kind == 'bodyfile':
        assert all(len(line.split('|')) == 11 for line in out.splitlines()) and not re.search(STEERING, out)
    else:
        assert not re.search(STEERING, out)
        if kind == 'markdown':
            assert not re.search(r'(?<!\\)<script', out)
