"""`cordon timeline`, `search`, `summary`, and the forms that `investigate` writes its result in."""
from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, Cordon
from test_formats import FLOW, OWNER, SSH, dns_line
from test_investigate import INTRUDER, KEY, event, story

S3LINE = (f'{OWNER} media [01/Aug/2026:10:00:38 +0000] {INTRUDER} - 3E57427F3 REST.GET.OBJECT a.pdf "GET /media/a.pdf HTTP/1.1" '
          '200 - 1000 1000 28 27 "-" "curl/8" - host= - - - media.s3.amazonaws.com TLSv1.2 - -\n')
WEBLINE = f'{INTRUDER} - - [01/Aug/2026:10:00:05 +0000] "GET /a?b=../c HTTP/1.1" 404 12 "-" "curl/8"\n'


@pytest.fixture
def logs(tmp_path: pathlib.Path) -> pathlib.Path:
    """One record or more of every kind, in files named alike."""
    folder = tmp_path / 'logs'
    folder.mkdir()
    (folder / 'a').write_bytes(gzip.compress(json.dumps({'Records': story()}).encode()))
    (folder / 'b').write_text(FLOW)
    (folder / 'c').write_text(dns_line())
    (folder / 'd').write_text(S3LINE)
    (folder / 'e').write_text(WEBLINE)
    (folder / 'f').write_text('2026-08-01T10:00:00Z web-1 sshd[9]: ' + SSH[0] + '\n2026-08-01T10:00:01Z web-1 cron[1]: hello\n')
    return folder


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


# ---- timeline ----

def test_timeline_is_in_order_and_whole(cordon_alone: Cordon, logs: pathlib.Path):
    ran = cordon_alone('timeline', str(logs), '--output', 'json')
    assert ran.code == 0, ran.err
    rows = lines(ran.out)
    assert [r['time'] for r in rows] == sorted(r['time'] for r in rows)
    kinds = {k: sum(r['source'] == k for r in rows) for k in {r['source'] for r in rows}}
    assert kinds == {'cloudtrail': len(story()), 'flow': 1, 'dns': 1, 's3': 1, 'web': 1, 'ssh': 2}
    assert {r['event'] for r in rows if r['source'] == 'cloudtrail'} == {e['eventID'] for e in story()}


def test_timeline_does_not_depend_on_packing(cordon_alone: Cordon, logs: pathlib.Path, tmp_path: pathlib.Path):
    other = tmp_path / 'other'
    other.mkdir()
    events = story() + story()[:10]
    random.Random(3).shuffle(events)
    for i in range(5):
        (other / f'{i}.json').write_text(json.dumps(events[i::5]))
    one = cordon_alone('timeline', str(logs / 'a'), '--output', 'csv')
    two = cordon_alone('timeline', str(other), '--output', 'csv')
    assert one.out == two.out and one.out.count('\n') == len(story()) + 1
    assert cordon_alone('timeline', str(other), '--output', 'csv', '--copies').out.count('\n') == len(events) + 1


def test_timeline_for_timesketch(cordon_alone: Cordon, logs: pathlib.Path):
    rows = lines(cordon_alone('timeline', str(logs), '--format', 'timesketch', '--case', '2026-0042').out)
    table = list(csv.DictReader(io.StringIO(cordon_alone('timeline', str(logs), '--format', 'timesketch-csv').out)))
    assert len(rows) == len(table)
    for row, cells in zip(rows, table):
        for r in (row, cells):
            assert r['message'] and r['timestamp_desc']
            when = datetime.datetime.fromisoformat(r['datetime'])
            assert when.tzinfo and round(when.timestamp() * 1e6) == int(r['timestamp'])
        assert row['case_id'] == '2026-0042'
        assert isinstance(row['tag'], list)
        assert row['message'].split(' ')[0] in cells['message']
    assert {r['data_type'] for r in rows} >= {'aws:cloudtrail:entry', 'cordon:web:entry'}
    made = next(r for r in rows if r.get('event_name') == 'CreateUser')
    assert made['event_source'] == 'iam.amazonaws.com' and made['source_ip'] == INTRUDER and made['access_key'] == KEY


def check_body(text: str, n: int) -> None:
    rows = [line.split('|') for line in text.splitlines()]
    assert len(rows) == n and all(len(r) == 11 for r in rows)
    assert all(r[0] == '0' and re.fullmatch(r'\d+', r[8]) for r in rows)


def test_timeline_as_body_file(cordon_alone: Cordon, logs: pathlib.Path):
    (logs / 'pipes').write_text(json.dumps([event(9, 3, 'Get|Thing', 's3', 'a|b', 'AKIAX', '192.0.2.1', 'x')]))
    ran = cordon_alone('timeline', str(logs), '--format', 'bodyfile')
    check_body(ran.out, len(story()) + 7)
    assert 'Get\\x7cThing' in ran.out


@pytest.mark.skipif(not shutil.which('mactime'), reason='mactime (Sleuth Kit) is not installed')
def test_mactime_reads_the_body_file(cordon_alone: Cordon, logs: pathlib.Path, tmp_path: pathlib.Path):
    (tmp_path / 'body').write_text(cordon_alone('timeline', str(logs), '--format', 'bodyfile').out)
    out = subprocess.run(['mactime', '-b', str(tmp_path / 'body'), '-d', '-z', 'UTC', '-y'], capture_output=True, text=True, check=True)
    assert out.stdout.count('iam:CreateUser') == 1


# ---- search ----

@pytest.mark.parametrize('conditions,n', [
    (['eventName=CreateUser'], 1), (['eventname=x'], 0), (['action=iam:create*'], 2), (['action=iam:CreateUser,iam:CreateAccessKey'], 2),
    ([f'ip={INTRUDER}', 'source=cloudtrail'], 31), (['ip=198.51.100.0/24', 'source=cloudtrail'], 31), (['ip=10.0.0.0/8'], 1),
    (['requestParameters.bucketName=projects', f'ip={INTRUDER}'], 20), (['requestParameters.key~client-1'], 11),
    (['source=web', 'target~../'], 1), (['source=s3', 'bytes>999'], 1), (['source=s3', 'bytes<999'], 0),
    (['outcome=AccessDenied'], 6), (['outcome=AccessDenied', 'eventName!=ListUsers'], 5),
    (['source=cloudtrail', 'errorCode=', f'ip={INTRUDER}'], 25), (['time>2026-08-01T12:10:00Z', 'source=cloudtrail'], 20),
    (['answers.Rdata=198.51.100.77'], 1), (['source=ssh'], 2), (['text~hello'], 1), (['userIdentity.userName=DEPLOY', 'eventName=CreateUser'], 1),
])
def test_search(cordon_alone: Cordon, logs: pathlib.Path, conditions: list[str], n: int):
    ran = cordon_alone('search', *conditions, str(logs), '--count', '--output', 'json')
    assert ran.code == 0 and ran.json == {'count': n}, ran.err


def test_search_prints_what_it_found(cordon_alone: Cordon, logs: pathlib.Path):
    rows = lines(cordon_alone('search', 'eventName=CreateUser', str(logs), '--output', 'json').out)
    assert rows[0]['action'] == 'iam:CreateUser' and rows[0]['target'] == 'backup-svc'
    raw = cordon_alone('search', 'eventName=CreateUser', str(logs), '--raw').out
    assert json.loads(raw)['requestParameters'] == {'userName': 'backup-svc'}
    assert cordon_alone('search', 'source=web', str(logs), '--raw').out == WEBLINE
    assert len(lines(cordon_alone('search', 'source=cloudtrail', str(logs), '--limit', '3', '--output', 'jsonl').out)) == 3


def test_search_reads_standard_input(cordon_alone: Cordon):
    assert cordon_alone('search', 'ip=' + INTRUDER, '-', '--count', '--output', 'json', stdin=WEBLINE * 2).json == {'count': 2}


def test_search_says_what_is_wrong(cordon_alone: Cordon, logs: pathlib.Path, tmp_path: pathlib.Path):
    for args, word in ((['eventName=x'], 'name files'), ([str(logs)], 'what to look for'), (['bytes>many', str(logs)], 'many'),
                       (['a~', str(logs)], 'needs a text'), (['a=b', str(logs), '--limit', '0'], '--limit'),
                       (['a=b', str(logs), '--since', 'soon'], 'soon'),
                       (['a=b', str(logs), '--since', '2026-08-02', '--until', '2026-08-01'], 'before')):
        ran = cordon_alone('search', *args)
        assert ran.code == 2 and word in ran.err, (args, ran.err)
    assert cordon_alone('search', 'a=b', str(tmp_path / 'nowhere')).code == 1
    (logs / 'rubbish').write_text('what is this\n')
    ran = cordon_alone('search', 'eventName=CreateUser', str(logs), '--count')
    assert ran.code == 6 and 'rubbish' in ran.err
    assert 'No se leyó' in cordon_alone('search', 'eventName=CreateUser', str(logs), '--count', '--lang', 'es').err


def test_a_folder_named_like_a_condition(cordon_alone: Cordon, logs: pathlib.Path):
    shutil.move(logs, cordon_alone.home / 'year=2026')
    assert cordon_alone('search', 'eventName=CreateUser', 'year=2026', '--count', '--output', 'json').json == {'count': 1}


# ---- summary ----

def test_summary_has_one_row_a_principal(cordon_alone: Cordon, logs: pathlib.Path):
    rows = {r['principal']: r for r in lines(cordon_alone('summary', str(logs), '--output', 'json').out)}
    deploy = rows['arn:aws:iam::111122223333:user/deploy']
    assert deploy['records'] == 71 and deploy['failed'] == 6 and deploy['ips']['distinct'] == 2
    assert deploy['first'] == '2026-08-01T10:00:01Z' and deploy['ips']['top'][0] == {'name': '192.0.2.10', 'count': 60}
    assert rows['anonymous']['bytes'] == 1000 and rows['root']['sources']['top'][0]['name'] == 'ssh'
    counts = [r['records'] for r in rows.values()]
    assert counts == sorted(counts, reverse=True)
    table = list(csv.DictReader(io.StringIO(cordon_alone('summary', str(logs), '--output', 'csv').out)))
    assert {t['principal']: int(t['records']) for t in table} == {k: v['records'] for k, v in rows.items()}
    text = cordon_alone('summary', str(logs), '--output', 'text', '--lang', 'es').out
    assert 'user/deploy' in text and '71 registros' in text


def test_summary_with_conditions(cordon_alone: Cordon, logs: pathlib.Path):
    rows = lines(cordon_alone('summary', 'outcome=AccessDenied*', str(logs), '--output', 'json').out)
    assert [(r['principal'].rpartition('/')[2], r['records'], r['failed']) for r in rows] == [('deploy', 6, 6)]


# ---- the forms of an investigation ----

LAYER_KEYS = {'name', 'versions', 'domain', 'description', 'filters', 'sorting', 'hideDisabled', 'techniques', 'gradient', 'legendItems'}


def check_layer(layer: dict) -> None:
    """What the layer format 4.5 asks for."""
    assert layer['domain'] == 'enterprise-attack' and layer['versions']['layer'] == '4.5' and layer['versions']['attack']
    assert isinstance(layer['name'], str) and set(layer) <= LAYER_KEYS
    assert layer['sorting'] in (0, 1, 2, 3) and isinstance(layer['hideDisabled'], bool)
    assert len(layer['gradient']['colors']) >= 2 and layer['gradient']['minValue'] < layer['gradient']['maxValue']
    for t in layer['techniques']:
        assert re.fullmatch(r'T\d{4}(\.\d{3})?', t['techniqueID'])
        assert set(t) <= {'techniqueID', 'score', 'comment', 'enabled', 'metadata', 'links', 'showSubtechniques', 'color', 'tactic'}
        assert all(set(m) == {'name', 'value'} and all(isinstance(x, str) for x in m.values()) for m in t.get('metadata', []))
        assert all(set(k) == {'label', 'url'} for k in t.get('links', []))
    ids = [t['techniqueID'] for t in layer['techniques']]
    assert len(ids) == len(set(ids))
    assert all(i.partition('.')[0] in ids for i in ids), 'a sub-technique whose technique is folded does not show'


def test_every_form_of_an_investigation(cordon_alone: Cordon, logs: pathlib.Path, tmp_path: pathlib.Path):
    out = tmp_path / 'result'
    ran = cordon_alone('investigate', str(logs), '--export', str(out), '--output', 'json')
    assert ran.code == 0, ran.err
    doc = ran.json
    assert json.loads((out / 'investigation.json').read_text()) == doc
    n = len(doc['timeline'])
    assert n > 20
    rows = list(csv.DictReader(io.StringIO((out / 'timeline.csv').read_text())))
    assert [(r['time'], r['event']) for r in rows] == [(e['time'], e['event']) for e in doc['timeline']]
    assert [r['time'] for r in lines((out / 'timeline.jsonl').read_text())] == [e['time'] for e in doc['timeline']]
    assert all(r['message'] and r['datetime'] and r['timestamp_desc'] for r in lines((out / 'timesketch.jsonl').read_text()))
    assert len(list(csv.DictReader(io.StringIO((out / 'timesketch.csv').read_text())))) == n
    check_body((out / 'timeline.body').read_text(), n)
    layer = json.loads((out / 'navigator.json').read_text())
    check_layer(layer)
    scored = {t['techniqueID']: t['score'] for t in layer['techniques'] if t.get('score')}
    assert scored and {c['technique'] for c in doc['verdict']['chain']} <= set(scored) | {None}
    assert not [t for t in scored if t.startswith('T1562')]
    notes = (out / 'investigation.md').read_text()
    assert notes.startswith('# Root cause') and INTRUDER in notes and 'iam:CreateUser' in notes
    assert cordon_alone('investigate', str(logs), '--export', str(out)).code == 2
    assert cordon_alone('investigate', str(logs), '--export', str(out), '--force').code == 0
    assert cordon_alone('investigate', str(logs), '--format', 'navigator').json == layer
    assert cordon_alone('investigate', str(logs), '--output', 'csv').out == (out / 'timeline.csv').read_text()
    spanish = cordon_alone('investigate', str(logs), '--format', 'markdown', '--lang', 'es').out
    assert spanish.startswith('# Causa raíz') and '## Línea de tiempo' in spanish


def test_every_technique_is_of_today_and_has_a_name():
    """Calls, links of the chain and cordon's own rules: ids of ATT&CK 19, each known to the report."""
    def ids(text: str) -> set[str]:
        return {t.upper() for t in re.findall(r'(?:"|attack\.)([Tt]1\d{3}(?:\.\d{3})?)\b', text)}
    known = ids((ROOT / 'src/report/technique.c').read_text())
    used = set().union(*(ids(p.read_text()) for p in [ROOT / 'src/analysis/api.c', ROOT / 'src/analysis/chain.c', *ROOT.glob('rules/*.yml')]))
    assert len(used) > 25 and used <= known
    assert not [t for t in used if t.startswith('T1562')]


def test_older_ids_in_rules_are_shown_as_the_current_ones(cordon_alone: Cordon, logs: pathlib.Path, tmp_path: pathlib.Path):
    (tmp_path / 'old').mkdir()
    (tmp_path / 'old' / 'a.yml').write_text('title: A\nid: 5f9c1c5e-0000-4000-8000-000000000001\nlogsource: {product: aws, service: cloudtrail}\n'
                                            'tags: [attack.defense-evasion, attack.t1562.008]\ndetection:\n  sel: {eventName: "*"}\n  condition: sel\n')
    layer = cordon_alone('investigate', str(logs), '--rules', str(tmp_path / 'old'), '--format', 'navigator').json
    scored = {t['techniqueID'] for t in layer['techniques'] if t.get('score')}
    assert 'T1685.002' in scored and 'T1562.008' not in scored


def test_navigator_library_takes_the_layer(cordon_alone: Cordon, logs: pathlib.Path):
    core = pytest.importorskip('mitreattack.navlayers', reason='mitreattack-python is not installed')
    layer = core.Layer()
    layer.from_str(cordon_alone('investigate', str(logs), '--format', 'navigator').out)
    assert layer.layer.techniques


# ---- what attackers write ----

FORMULAS = ['=cmd|\' /C calc\'!A0', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1']


def hostile_events() -> list[dict]:
    out = []
    for i, f in enumerate(FORMULAS + ['\x1b[2J\x1b]0;owned\x07', '\u202egnp.exe', 'a\nb,c\r\n"d', 'nul\x00byte', '| pipe |', '<script>', '`x`']):
        out.append(event(100 + i, 125, 'GetObject', 's3', f, 'AKIA' + f, INTRUDER, f, errorCode=f,
                         requestParameters={'bucketName': f, 'key': f}))
    return out


@pytest.mark.parametrize('args', [['timeline', '--output', 'csv'], ['timeline', '--format', 'timesketch-csv'], ['summary', '--output', 'csv'],
                                  ['search', 'eventName=GetObject', '--output', 'csv'], ['investigate', '--format', 'csv'],
                                  ['investigate', '--format', 'timesketch-csv']])
def test_csv_holds_no_formula(cordon_alone: Cordon, tmp_path: pathlib.Path, args: list[str]):
    (tmp_path / 'x.json').write_text(json.dumps(story() + hostile_events()))
    ran = cordon_alone(*args[:1], *args[1:2] if '=' in args[1] else [], str(tmp_path / 'x.json'), *args[-2:])
    assert ran.code == 0, ran.err
    rows = list(csv.reader(io.StringIO(ran.out)))
    assert len(rows) > 1 and len({len(r) for r in rows}) == 1
    for row in rows:
        for cell in row:
            assert cell[:1] not in ('=', '+', '-', '@', '\t', '\r'), cell
            assert '\x1b' not in cell and '\u202e' not in cell and '\x00' not in cell


@pytest.mark.parametrize('args', [['timeline', '--output', 'text'], ['summary', '--output', 'text'],
                                  ['search', 'eventName=GetObject', '--output', 'text'], ['investigate', '--output', 'table'],
                                  ['investigate', '--format', 'markdown'], ['timeline', '--format', 'bodyfile']])
def test_terminals_get_no_escapes(cordon_alone: Cordon, tmp_path: pathlib.Path, args: list[str]):
    (tmp_path / 'x.json').write_text(json.dumps(story() + hostile_events()))
    name = tmp_path / 'bad\x1b[31m\u202e.log'
    name.write_text('no known line\n')
    ran = cordon_alone(*args[:1], *args[1:2] if '=' in args[1] else [], str(tmp_path), *args[-2:])
    assert ran.code in (0, 6)
    for text in (ran.out, ran.err):
        assert not re.search('[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]', text)
    if 'bodyfile' in args:
        check_body(ran.out, len(story() + hostile_events()))
