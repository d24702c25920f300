"""`investigate --partial` and `merge`: shares of a log, read by processes of their own, give the answer of one run byte for byte.
No emulator is asked."""
from __future__ import annotations

import gzip
import hashlib
import json
import os
import pathlib
import subprocess

import pytest
import test_investigate as story

BIN = story.BIN
SHARES = 5


def run(*args, expect: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([BIN, *map(str, args)], capture_output=True, timeout=120)
    assert done.returncode == expect, done.stderr.decode(errors='replace')
    assert b'Sanitizer' not in done.stderr
    return done


@pytest.fixture
def logs(tmp_path: pathlib.Path) -> list[pathlib.Path]:
    """Folders with mixed logs; records lie in several of them, some files are copies under other names."""
    events = story.story()
    folders = [tmp_path / f'share-{i}' for i in range(SHARES)]
    web = [f'{story.INTRUDER} - - [01/Aug/2026:11:{m:02d}:00 +0000] "GET /cgi?x=;cat+/etc/passwd HTTP/1.1" 200 {m} "-" "curl/8"\n'
           for m in range(20)]
    ssh = [f'Aug  1 11:{m:02d}:00 web sshd[1]: Failed password for root from {story.INTRUDER} port 5 ssh2\n' for m in range(20)]
    flow = [f'2 111122223333 eni-1 10.0.0.5 {story.INTRUDER} 443 4{m:04d} 6 10 {m * 1000} 1785578{m:03d} 1785578{m + 60:03d} ACCEPT OK\n'
            for m in range(40)]
    for i, folder in enumerate(folders):
        folder.mkdir()
        (folder / 'a.json').write_text(json.dumps({'Records': events[i::SHARES]}))
        (folder / 'again.json.gz').write_bytes(gzip.compress(json.dumps({'Records': events[(i + 1) % SHARES::SHARES][:9]}).encode()))
        (folder / f'{i}-access.log').write_text(''.join(web))
        (folder / f'{i}-auth.log').write_text(''.join(ssh[:15 + i]))
        (folder / 'flow.log').write_text(''.join(flow[i * 6:i * 6 + 12]))
        os.utime(folder / f'{i}-auth.log', (1785585600, 1785585600))
    (folders[0] / 'rubbish.txt').write_text('no log at all\n')
    return folders


def partial(folder: pathlib.Path, *more) -> pathlib.Path:
    out = folder.with_suffix('.part')
    run('investigate', '--partial', out, *more, folder)
    return out


@pytest.mark.parametrize('threads', [1, 2])
def test_the_answer_is_that_of_one_run(logs, threads: int):
    whole = run('investigate', '--output', 'json', *logs)
    parts = [partial(folder, '--threads', threads) for folder in logs]
    assert run('merge', '--output', 'json', *parts).stdout == whole.stdout
    assert run('merge', '--output', 'json', *reversed(parts)).stdout == whole.stdout
    doc = json.loads(whole.stdout)
    assert story.INTRUDER in doc['verdict']['source_ips'] and doc['inputs']['unique_events'] < doc['inputs']['events']


def test_what_does_not_fit_is_refused(logs, tmp_path: pathlib.Path):
    part = partial(logs[0])
    data = part.read_bytes()
    damaged = tmp_path / 'damaged.part'
    for at in (40, len(data) // 2, len(data) - 1):
        damaged.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        assert b'damaged.part' in run('merge', damaged, expect=1).stderr
    damaged.write_bytes(data[:-100])
    assert b'damaged' in run('merge', damaged, expect=1).stderr
    damaged.write_bytes(b'{"Records":[]}')
    assert b'no partial result' in run('merge', damaged, expect=1).stderr
    assert b'--job' in run('merge', '--job', 'other', part, expect=1).stderr
    assert b'other time' in run('merge', '--since', '2026-08-01T11:00:00Z', part, expect=1).stderr
    rules = tmp_path / 'rules'
    rules.mkdir()
    (rules / 'a.yml').write_text('title: A\nlogsource: {product: aws, service: cloudtrail}\n'
                                 'detection:\n  sel: {eventName: ListUsers}\n  condition: sel\n')
    assert b'other rules' in run('merge', '--rules', rules, part, expect=1).stderr
    with_rules = partial(logs[1], '--rules', rules, '--job', 'x')
    doc = json.loads(run('merge', '--rules', rules, '--job', 'x', '--output', 'json', with_rules).stdout)
    assert [d['title'] for d in doc['detections']] in ([], ['A'])


def sealed(data: bytes) -> bytes:
    """With the hash that belongs at the end: nothing is wrong with it but what is written in it."""
    return data + hashlib.sha256(data).digest()


def test_parts_of_other_builds_are_refused(logs, tmp_path: pathlib.Path):
    data = partial(logs[0]).read_bytes()[:-32]
    heading = data.index(b'\n') + 1
    assert data[:heading] == b'cordon partial result 1\n'
    other = tmp_path / 'other.part'
    other.write_bytes(sealed(data))
    run('merge', other)
    for changed in (data.replace(b'result 1', b'result 0', 1), data.replace(b'result 1', b'result 12', 1),
                    data[:heading] + bytes([data[heading] ^ 1]) + data[heading + 1:]):
        other.write_bytes(sealed(changed))
        assert run('merge', other, expect=1).stderr.endswith(
            b"other.part can't be merged: it was written by another build of cordon; write and merge all parts with the same one\n")


def test_what_is_cut_off_is_refused_wherever(logs, tmp_path: pathlib.Path):
    data = partial(logs[0]).read_bytes()
    cut = tmp_path / 'cut.part'
    for n in sorted({0, 1, 20, 24, 30, 60, 1000, *range(2000, len(data), len(data) // 12), len(data) - 33, len(data) - 32, len(data) - 1}):
        cut.write_bytes(data[:n])
        said = run('merge', cut, expect=1).stderr
        assert b'damaged' in said or (n < 55 and b'no partial result' in said), (n, said)
        if n > 60:
            cut.write_bytes(sealed(data[:n]) if n < len(data) - 32 else sealed(data[:-33]))
            assert b"cut.part can't be merged: " in run('merge', cut, expect=1).stderr
    cut.write_bytes(sealed(data[:-32] + b'x'))
    assert b'more in it than belongs there' in run('merge', cut, expect=1).stderr


def test_correlations_see_all_shares(logs, tmp_path: pathlib.Path):
    rules = tmp_path / 'rules'
    rules.mkdir()
    (rules / 'a.yml').write_text('''title: Any list call
name: list_call
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName|startswith: List}
  condition: sel
---
title: Many lists
correlation:
  type: event_count
  rules: [list_call]
  group-by: [sourceIPAddress]
  timespan: 10m
  condition: {gte: 5}
''')
    whole = run('investigate', '--rules', rules, '--output', 'json', *logs)
    parts = [partial(folder, '--rules', rules) for folder in logs]
    assert run('merge', '--rules', rules, '--output', 'json', *parts).stdout == whole.stdout
    assert 'Many lists' in [d['title'] for d in json.loads(whole.stdout)['detections']]
