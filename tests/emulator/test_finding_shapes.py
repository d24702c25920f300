"""Findings of types and shapes that nobody wrote down before: what is decided does not depend on how a finding arrived.

CORDON_SHAPES=N makes N findings instead of a few, CORDON_SHAPES_SEED=N begins elsewhere.
"""
from __future__ import annotations

import json
import os
import pathlib
import random
import re
import subprocess

import pytest
import yaml

import finding_envelopes
import finding_maker

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORDON = os.environ.get('CORDON_BIN', str(ROOT / 'build/debug/src/app/cordon'))
COUNT = int(os.environ.get('CORDON_SHAPES', '40'))
FIRST = int(os.environ.get('CORDON_SHAPES_SEED', '20260801'))
AT_ONCE = 40  # findings of one run of the program
PLAYBOOKS = {p['name']: p for p in map(yaml.safe_load, (q.read_text() for q in sorted((ROOT / 'playbooks').glob('*.yaml'))))}


def route(folder: pathlib.Path, files: list[tuple[str, bytes]]) -> list[dict]:
    """What would be done for each; each file holds one finding."""
    names = []
    for i, (_, data) in enumerate(files):
        name = folder / f'{i}.json'
        name.write_bytes(data)
        names.append(name.name)
    r = subprocess.run([CORDON, 'playbook', 'test', *names, '--output', 'json'], cwd=folder, capture_output=True, timeout=600,
                       env={'PATH': os.environ['PATH'], 'HOME': str(folder), 'LC_ALL': 'C.UTF-8'})
    assert r.returncode == 0, r.stderr.decode(errors='replace')[-2000:]
    out = [json.loads(line) for line in r.stdout.splitlines()]
    assert len(out) == len(files), (len(out), len(files), r.stderr[-500:])
    return out


def cases() -> list:
    return [pytest.param(range(start, min(start + AT_ONCE, FIRST + COUNT)), id=f'from {start}')
            for start in range(FIRST, FIRST + COUNT, AT_ONCE)]


def decision(r: dict) -> dict:
    """What is done to what: independent of the order in which a format lists resources."""
    return {'playbook': r['playbook'], 'mode': r['mode'], 'guards': sorted({h['guard'] for h in r['held_back']}),
            'steps': sorted((s['action'], s['resource']['kind'], s['resource']['id'], s['mode'], json.dumps(s['with'], sort_keys=True),
                             len(s['needs'])) for s in r['steps'])}


# the matrix, read a second time and from the file

def mode_of(step: dict, playbook: dict, severity: float, environment: str) -> str:
    word = finding_envelopes.band(severity)
    matrix = playbook['modes'].get(step['mode'], None) if 'modes' in playbook else None
    if matrix is None:
        return step['mode']
    row = matrix.get(environment) or (matrix.get('other') if environment != 'production' else None) or matrix['production']
    return row if isinstance(row, str) else row.get(word, 'notify')


def check_matrix(made: finding_maker.Made, r: dict) -> None:
    rank = ['none', 'notify', 'approve', 'auto']
    playbook = PLAYBOOKS[r['playbook']]
    steps = {s.get('id', s['action']): s for s in playbook['steps']}
    for s in r['steps']:
        step = steps[s['id'].split(':')[0]]
        tagged = s['resource']['kind'] not in ('AccessKey', 'Container', 'EBSVolume', 'EBSSnapshot', 'EC2Image', 'S3Object')
        at = made.environment if tagged and not untagged(made, s['resource']['id']) else 'production'
        wanted = mode_of(step, playbook, made.severity, at)
        if 'needs' in step:  # never more active than a step that it needs
            assert rank.index(s['mode']) <= rank.index(wanted), (s, wanted)
        else:
            assert s['mode'] == wanted, (s, wanted, made.severity, at)


def untagged(made: finding_maker.Made, id: str) -> bool:
    """An instance that only the session of its role names carries no tags."""
    return id.startswith('i-') and f':{id}"' in json.dumps(made.finding) and f'"instanceId": "{id}"' not in json.dumps(made.finding)


@pytest.mark.parametrize('seeds', cases())
def test_every_shape_of_a_finding_is_decided_alike(tmp_path, seeds):
    made = [finding_maker.make(seed) for seed in seeds]
    files = [(name, data, i) for i, m in enumerate(made) for name, data in finding_envelopes.native(m.finding).items()]
    results = route(tmp_path, [(n, d) for n, d, _ in files])
    first: dict[int, dict] = {}
    for (name, _, i), r in zip(files, results):
        m, seed = made[i], seeds[i]
        assert r == first.setdefault(i, r), (seed, name)
        check(m, r, seed)


def check(m: finding_maker.Made, r: dict, seed: int) -> None:
    f, guards = r['finding'], {h['guard'] for h in r['held_back']}
    found = {(x['kind'], x['id']) for x in f['resources']}
    assert m.resources <= found, (seed, m.resources - found)
    assert m.ips == set(f['actor_ips']), seed
    assert (f['type'], f['severity'], f['account'], f['region']) == (m.type, m.severity, m.finding['accountId'], m.finding['region']), seed
    assert f['sample'] == m.sample and ('sample' in guards) == m.sample, seed
    if m.sample or m.archived:
        assert r['mode'] == 'none' and not r['steps'] and guards & {'sample', 'archived'}, seed
    elif m.type in finding_maker.UNKNOWN_TYPES:
        assert (r['playbook'], r['mode'], r['steps']) == ('unknown', 'notify', []), (seed, r['playbook'])
    elif re.search('PortProbe|SSHBruteForce|RDPBruteForce', m.type) and 'EC2' in m.type and (m.role == 'TARGET' or 'PortProbe' in m.type):
        assert not r['steps'] and guards == {'target_only'} and r['mode'] == 'notify', seed
    else:
        assert r['playbook'] and r['playbook'] != 'unknown' or not m.known, (seed, m.type)
        check_matrix(m, r)
        for s in r['steps']:
            assert (s['resource']['kind'], s['resource']['id']) in found or s['resource']['kind'] == 'AccessKey', (seed, s)


# The formats of Security Hub lack some fields of GuardDuty; what they do not carry can't be asked of them.

def carried(m: finding_maker.Made, ocsf: bool) -> bool:
    kind = m.finding['resource'].get('resourceType', '')
    if kind in ('RDSLimitlessDB', 'QuantumComputer', 'Mainframe') or kind.endswith('RecoveryPoint') or '?' in m.type:
        return False  # no type of resource in ASFF
    return not (ocsf and m.sample)  # OCSF has no mark of a sample


@pytest.mark.parametrize('seeds', cases())
def test_security_hub_passes_on_the_same_decision(tmp_path, seeds):
    files, plain = [], []
    for seed in seeds:
        m = finding_maker.make(seed)
        plain.append(('bare', json.dumps(m.finding).encode()))
        files += [(n, d, seed, m) for n, d in finding_envelopes.hub(m.finding, seed).items() if carried(m, 'OCSF' in n)]
    wanted = {seed: decision(r) for seed, r in zip(seeds, route(tmp_path, plain))}
    compared = 0
    for (name, _, seed, m), r in zip(files, route(tmp_path, [(n, d) for n, d, _, _ in files])):
        assert r['finding']['arn'] == m.finding['arn'] and r['finding']['type'] == m.type, (seed, name)
        assert decision(r) == wanted[seed], (seed, name, m.type)
        compared += 1
    assert compared > 5 * len(seeds)


# Whatever else is sent: read or refused with a reason, never a crash.

ODD = [None, True, -1, 1e308, 2 ** 62, '', 'x' * 5000, '\u0000', '\ud83d\udc80', [], {}, [[]], {'': {}}, ['a'] * 3]


def broken(doc, r: random.Random, left: list[int]):
    """Some nodes replaced, lost, or moved one level down."""
    if left[0] > 0 and r.random() < 0.03:
        left[0] -= 1
        return r.choice([r.choice(ODD), [doc], {'findings': doc}, {'detail': doc}, str(doc)])
    if isinstance(doc, dict):
        return {k: broken(v, r, left) for k, v in doc.items() if not (left[0] > 0 and r.random() < 0.01)}
    return [broken(v, r, left) for v in doc] if isinstance(doc, list) else doc


@pytest.mark.parametrize('seeds', cases())
def test_a_broken_finding_is_read_or_refused(tmp_path, seeds):
    names, refused = [], 0
    for seed in seeds:
        r, f = random.Random(seed), finding_maker.make(seed).finding
        shape = r.choice([f, finding_envelopes.event(f, f), finding_envelopes.asff(f, r), finding_envelopes.ocsf(f, r)])
        name = tmp_path / f'{seed}.json'
        name.write_text(json.dumps(broken(shape, r, [8])))
        names.append(name.name)
    for name in names:  # one by one: what is wrong with one must not hide another
        r = subprocess.run([CORDON, 'playbook', 'test', name, '--output', 'json'], cwd=tmp_path, capture_output=True, timeout=60,
                           env={'PATH': os.environ['PATH'], 'HOME': str(tmp_path), 'LC_ALL': 'C.UTF-8'})
        assert r.returncode in (0, 1, 6) and b'Sanitizer' not in r.stderr and b'runtime error' not in r.stderr, (name, r.stderr[-800:])
        assert r.returncode == 0 or r.stderr, name
        refused += r.returncode != 0
    assert refused < len(names)


def test_what_another_product_calls_by_a_guardduty_name_is_only_told(tmp_path):
    """Whoever may import findings into Security Hub must not thereby switch hosts off."""
    files = []
    for seed in range(FIRST, FIRST + 20):
        r, f = random.Random(seed), finding_maker.make(seed).finding
        forged = finding_envelopes.ocsf(f, r)
        forged['metadata']['product']['uid'] = 'arn:aws:securityhub:eu-west-1:111122223333:productv2/somebody/else'
        imported = finding_envelopes.asff(f, r)
        imported['ProductArn'] = 'arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default'
        imported['Types'] = [f['type']]
        files += [('OCSF', json.dumps(forged).encode()), ('ASFF', json.dumps(imported).encode())]
    for made in route(tmp_path, files):
        assert made['steps'] == [] and made['playbook'] in ('unknown', None), made['finding']
