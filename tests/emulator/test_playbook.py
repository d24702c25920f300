"""The command `cordon playbook`, as a person or a script runs it. Nothing here talks to AWS."""
from __future__ import annotations

import gzip
import json
import os
import pathlib
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORDON = os.environ.get('CORDON_BIN', str(ROOT / 'build/debug/src/app/cordon'))
SHARED = ROOT.parent / 'shared' / 'data' / 'findings'

FINDING = {
    'accountId': '111122223333', 'region': 'eu-west-1', 'type': 'Backdoor:EC2/C&CActivity.B', 'severity': 8,
    'arn': 'arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/f', 'updatedAt': '2026-08-01T10:00:00Z',
    'resource': {'resourceType': 'Instance', 'instanceDetails': {
        'instanceId': 'i-0a1b2c3d4e5f67890', 'tags': [{'key': 'Environment', 'value': 'test'}]}},
    'service': {'resourceRole': 'TARGET', 'action': {'actionType': 'NETWORK_CONNECTION', 'networkConnectionAction': {
        'remoteIpDetails': {'ipAddressV4': '198.51.100.77'}}}},
}


def cordon(*args: str, cwd: pathlib.Path, stdin: bytes = b'', **env: str) -> subprocess.CompletedProcess:
    """Runs without any AWS setting, so that a call to AWS could only fail."""
    return subprocess.run([CORDON, *args], cwd=cwd, input=stdin, capture_output=True, timeout=120,
                          env={'PATH': os.environ['PATH'], 'HOME': str(cwd), 'LC_ALL': 'C.UTF-8', **env})


def routes(result: subprocess.CompletedProcess) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def steps(route: dict) -> dict[str, dict]:
    return {s['id']: s for s in route['steps']}


def test_one_route_a_line_in_the_order_of_the_findings(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps([FINDING, {**FINDING, 'type': 'Made:Up/Type'}]))
    (tmp_path / 'b.json.gz').write_bytes(gzip.compress(json.dumps({'Findings': [FINDING]}).encode()))
    r = cordon('playbook', 'test', 'a.json', 'b.json.gz', '-', '--output', 'json', cwd=tmp_path,
               stdin=json.dumps(FINDING).encode())
    assert r.returncode == 0, r.stderr
    assert [x['playbook'] for x in routes(r)] == ['ec2-compromised', 'unknown', 'ec2-compromised', 'ec2-compromised']
    first = routes(r)[0]
    assert first['schema'] == 'cordon.route/1'
    assert first['finding']['resources'] == [{'kind': 'Instance', 'id': 'i-0a1b2c3d4e5f67890'}]
    assert steps(first)['isolate-network']['mode'] == 'auto'
    assert routes(r)[1]['steps'] == [] and routes(r)[1]['mode'] == 'notify'


def test_configured_mode_and_option_narrow(tmp_path):
    (tmp_path / 'f.json').write_text(json.dumps(FINDING))
    for env, option, expected in (({'CORDON_MODE': 'observe'}, [], 'notify'), ({'CORDON_MODE': 'approve'}, [], 'approve'),
                                  ({}, ['--mode', 'approve'], 'approve'), ({}, [], 'auto')):
        r = cordon('playbook', 'test', 'f.json', *option, '--output', 'json', cwd=tmp_path, **env)
        assert routes(r)[0]['mode'] == expected
        assert steps(routes(r)[0])['isolate-network']['mode'] == expected


def test_a_sample_is_held_back(tmp_path):
    sample = {**FINDING, 'service': {**FINDING['service'], 'additionalInfo': {'sample': True}}}
    r = cordon('playbook', 'test', '-', '--output', 'json', cwd=tmp_path, stdin=json.dumps(sample).encode())
    route = routes(r)[0]
    assert route['mode'] == 'none' and route['steps'] == []
    assert route['held_back'][0]['guard'] == 'sample' and route['held_back'][0]['reason']


@pytest.mark.parametrize('data, reason', [
    (b'', b'JSON'), (b'{"type": "A:EC2/B", "sev', b'line 1'), (b'{"a": 1}', b'not a finding'),
    (b' ' * 50_000_000, b'16777216 bytes'), (gzip.compress(b' ' * 50_000_000), b'16777216 bytes'), (b'[' * 5000, b'deep')])
def test_bad_input_is_refused_with_a_reason(tmp_path, data, reason):
    (tmp_path / 'bad').write_bytes(data)
    r = cordon('playbook', 'test', 'bad', cwd=tmp_path)
    assert r.returncode == 1
    assert reason in r.stderr, r.stderr
    assert r.stdout == b''


def test_part_of_a_list_may_be_bad(tmp_path):
    lines = json.dumps(FINDING) + '\nbroken\n' + json.dumps({'source': 'aws.guardduty', 'detail': {},
                                                            'detail-type': 'GuardDuty Runtime Protection Healthy'})
    r = cordon('playbook', 'test', '-', '--output', 'json', cwd=tmp_path, stdin=lines.encode())
    assert len(routes(r)) == 1
    assert r.returncode == 6 and b'1 event is no finding' in r.stderr and b'part 1' in r.stderr


def test_a_mistake_in_a_playbook_is_named_with_its_line(tmp_path):
    folder = tmp_path / 'playbooks'
    folder.mkdir()
    (folder / 'mine.yaml').write_text('name: m\ntitle: M\nanswers: {types: ["*"]}\nsteps:\n'
                                      '  - {action: isolate-network, on: Instance, moode: auto}\n')
    (tmp_path / 'cordon.yaml').write_text('playbooks: playbooks\n')
    r = cordon('playbook', 'list', cwd=tmp_path)
    assert r.returncode == 3
    assert b"playbooks/mine.yaml:5: unknown key 'moode' (did you mean 'mode'?)" in r.stderr


def test_show_prints_a_file_that_can_be_used(tmp_path):
    folder = tmp_path / 'playbooks'
    folder.mkdir()
    names = [p['name'] for p in json.loads(cordon('playbook', 'list', '--output', 'json', cwd=tmp_path).stdout)]
    assert len(names) > 20
    for name in names:
        text = cordon('playbook', 'show', name, '--output', 'table', cwd=tmp_path).stdout
        assert text == (ROOT / 'playbooks' / f'{name}.yaml').read_bytes()
        (folder / f'{name}.yaml').write_bytes(text)
    (tmp_path / 'cordon.yaml').write_text('playbooks: playbooks\nmode: auto\n')
    r = cordon('playbook', 'list', '--output', 'json', cwd=tmp_path)
    assert [p['name'] for p in json.loads(r.stdout)] == names
    assert cordon('playbook', 'show', 'nothing', cwd=tmp_path).returncode == 1


def test_table_is_for_people_in_their_language(tmp_path):
    evil = {**FINDING, 'region': '\x1b[31mred\u202e'}
    r = cordon('playbook', 'test', '-', '--output', 'table', '--lang', 'es', cwd=tmp_path, stdin=json.dumps(evil).encode())
    text = r.stdout.decode()
    assert 'severidad 8.0 (alta)' in text and 'después de replace-instance-profile' in text
    assert 'Instancia EC2 que trabaja para un intruso' in text
    assert '\x1b' not in text and '\u202e' not in text


@pytest.mark.skipif(not SHARED.is_dir(), reason='the shared findings are not beside this checkout')
def test_every_shared_finding_has_a_route(tmp_path):
    files = sorted(str(p) for p in SHARED.rglob('*') if p.suffix in ('.json', '.gz') and p.name != 'types.json')
    assert len(files) == 296
    r = cordon('playbook', 'test', *files, '--output', 'json', cwd=tmp_path)
    assert r.returncode == 0, r.stderr
    found = routes(r)
    assert len(found) == 296 - 2 - 3 + 2 + 3 + 19  # 2 hold no finding; 3 lists of 2, 3 and 19
    for route in found:
        sample = route['finding']['sample']
        assert not (sample and route['steps']), route['finding']
        assert sample == any(h['guard'] == 'sample' for h in route['held_back'])


def test_every_type_in_every_mode(tmp_path):
    r = cordon('playbook', 'test', '--all-types', '--output', 'json', cwd=tmp_path)
    assert r.returncode == 0, r.stderr
    rows = routes(r)
    assert len({row['type'] for row in rows}) > 190 and not [row for row in rows if row['playbook'] in (None, 'unknown')]
    for row in rows:
        modes = row['modes']
        for cells in modes['observe'].values():  # a first installation changes nothing
            assert cells['mode'] in ('notify', 'none') and all(s['mode'] == 'notify' for s in cells['steps']), row
        for cells in modes['approve'].values():
            assert all(s['mode'] in ('notify', 'approve') for s in cells['steps']), row
        if row['role'] == 'TARGET':
            assert not modes['auto']['other']['steps'], row
    probe = next(row for row in rows if row['type'] == 'UnauthorizedAccess:EC2/SSHBruteForce' and row['role'] == 'TARGET')
    assert probe['modes']['auto']['production']['held_back'][0]['guard'] == 'target_only'
    text = cordon('playbook', 'test', '--all-types', '--output', 'table', '--lang', 'es', cwd=tmp_path).stdout.decode()
    assert 'producción' in text and 'ejecuta' in text


def test_what_is_done_by_itself_grows_with_the_severity(tmp_path):
    """Type x severity x environment: nothing runs at a lower severity, or in production, that would be asked for at a higher one,
    or elsewhere; what destroys state or touches a whole subnet of nodes is never run by itself in production."""
    rank = ['none', 'notify', 'approve', 'auto']
    seen: dict[tuple, list[dict]] = {}
    for severity in ('low', 'medium', 'high', 'critical'):
        r = cordon('playbook', 'test', '--all-types', '--severity', severity, '--output', 'json', cwd=tmp_path)
        assert r.returncode == 0, r.stderr
        for row in routes(r):
            assert row['severity'] == severity
            seen.setdefault((row['type'], row['kind'], row['role']), []).append(row['modes']['auto'])
    assert len(seen) > 190
    for what, cells in seen.items():
        for place in ('production', 'other'):
            modes = [{s['id']: rank.index(s['mode']) for s in c[place]['steps']} for c in cells]
            for lower, higher in zip(modes, modes[1:]):
                assert all(higher.get(step, 0) >= mode for step, mode in lower.items()), (what, place)
        for c in cells:
            inside, elsewhere = ({s['id']: rank.index(s['mode']) for s in c[p]['steps']} for p in ('production', 'other'))
            assert all(elsewhere.get(step, 0) >= mode for step, mode in inside.items()), what
            for step in ('stop-instance', 'rotate-database-secret', 'disable-login-profile', 'lock-bucket', 'isolate-node'):
                assert inside.get(step, 0) <= rank.index('approve'), (what, step)
        # what evidence there is is kept at once when it is bad
        worst = {s['id']: s['mode'] for s in cells[-1]['production']['steps']}
        assert worst.get('snapshot-volumes', 'auto') == 'auto', what


@pytest.mark.skipif(not SHARED.is_dir(), reason='the shared findings are not beside this checkout')
def test_the_list_of_types_is_complete(tmp_path):
    known = {t['type'] for family in json.loads((SHARED / 'types.json').read_text())['families'] for t in family['types']}
    listed = {line.split()[0] for line in (ROOT / 'playbooks/types.list').read_text().splitlines() if not line.startswith('#')}
    assert known <= listed


def test_a_host_is_asked_before_it_is_stopped():
    """A stopped host answers nobody: whoever stops one that is asked for survivors waits for the answer."""
    held = 0
    for path in sorted((ROOT / 'playbooks').glob('*.yaml')):
        steps = {s.get('id', s['action']): s for s in yaml.safe_load(path.read_text())['steps']}
        if {'find-survivors', 'stop-instance'} <= steps.keys():
            held += 1
            assert 'find-survivors' in steps['stop-instance'].get('after', []), path.name
    assert held >= 5
