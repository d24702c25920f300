"""The drill from end to end, as a newcomer runs it: moto, the stub for Systems Manager, and everything between."""
from __future__ import annotations

import json
import os
import pathlib
import signal
import time

import pytest

SEEDS = [int(s) for s in os.environ.get('CORDON_DRILL_SEEDS', '3').split(',')]
CLASSES = {'web-exploit': 'web_exploitation', 'stolen-key': 'leaked_access_key', 'ssh-brute-force': 'ssh_bruteforce',
           'false-alarm': 'no_incident'}


def drill(cordon_alone, *args: str):
    return cordon_alone('drill', '--output', 'json', *args, timeout=240)


def stat_of(pid: int) -> list[str]:
    """State and parent of a process; [] when it is gone."""
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[:2]
    except OSError:
        return []


def children_of(pid: int) -> list[int]:
    everybody = [int(p.name) for p in pathlib.Path('/proc').iterdir() if p.name.isdigit()]
    return [p for p in everybody if stat_of(p)[1:] == [str(pid)]]


def running(pids: list[int]) -> list[int]:
    return [p for p in pids if stat_of(p)[:1] not in ([], ['Z'])]


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('scenario', CLASSES)
def test_the_whole_of_it(cordon_alone, tmp_path, scenario, seed):
    ran = drill(cordon_alone, '--scenario', scenario, '--seed', str(seed), '--keep', str(tmp_path / 'd'))
    assert ran.code == 0, ran.err
    doc = json.loads(ran.out.splitlines()[-1])
    truth = json.loads((tmp_path / 'd/truth.json').read_text())
    assert doc['schema'] == 'cordon.drill/1' and doc['scenario'] == scenario and doc['seed'] == seed
    assert doc['verdict']['class'] == CLASSES[scenario] == truth['class']
    assert set(doc['verdict']['source_ips']) == set(truth['source_ips'])
    assert set(doc['verdict']['access_keys']) == set(truth['access_keys'])
    assert doc['differences_after_undo'] == []
    assert all(a['verified'] for a in doc['actions']), doc['actions']
    report = pathlib.Path(doc['report']).read_text()
    assert doc['case'] in report and '<script src' not in report
    if scenario == 'false-alarm':
        assert doc['actions'] == [] and doc['mutating_calls'] == 0
    else:
        assert doc['actions'] and doc['undone'] is True
    protocols = {m['protocol'] for m in doc['messages']}
    assert {'email', 'sms', 'sqs'} <= protocols
    assert all(len(m['body']) <= 160 for m in doc['messages'] if m['protocol'] == 'sms')
    if scenario in ('web-exploit', 'ssh-brute-force'):
        assert doc['timings_ms']['finding_to_isolated'] is not None and doc['round_trips'] > 0


def test_spanish(cordon_alone):
    ran = drill(cordon_alone, '--scenario', 'web-exploit', '--seed', '5', '--lang', 'es')
    assert ran.code == 0, ran.err
    doc = json.loads(ran.out.splitlines()[-1])
    assert all(m['lang'] == 'es' for m in doc['messages'])
    assert 'Se ' in ran.err and 'The response' not in ran.err


def test_another_seed_is_another_story(cordon_alone, tmp_path):
    docs = [json.loads(drill(cordon_alone, '--seed', str(n), '--keep', str(tmp_path / str(n))).out.splitlines()[-1]) for n in (7, 8)]
    assert docs[0]['verdict']['source_ips'] != docs[1]['verdict']['source_ips']


def test_no_undo_stays_up_and_ctrl_c_leaves_nothing(cordon_alone):
    process = cordon_alone.start('drill', '--seed', '9', '--no-undo', '--output', 'json')
    line = b''
    deadline = time.monotonic() + 120
    while b'AWS_ENDPOINT_URL=' not in line and time.monotonic() < deadline:
        line = process.stderr.readline()
    assert b'AWS_ENDPOINT_URL=http://127.0.0.1:' in line
    children = children_of(process.pid)
    assert len(children) == 2
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    time.sleep(0.5)
    assert running(children) == []


def test_killed_outright_its_children_die_too(cordon_alone):
    process = cordon_alone.start('drill', '--seed', '9')
    time.sleep(3)
    children = children_of(process.pid)
    assert children
    process.kill()
    process.communicate()
    time.sleep(1)
    assert running(children) == []


def test_without_the_emulator_it_says_how_to_get_it(cordon_alone, tmp_path):
    ran = cordon_alone('drill', env={'CORDON_VENV': str(tmp_path)})
    assert ran.code == 3 and 'make drill' in ran.err


def test_wrong_words(cordon_alone):
    assert cordon_alone('drill', '--scenario', 'flood').code == 2
    assert cordon_alone('drill', '--seed', 'x').code == 2
