"""A store that can't be written under a running case: full disk, read-only folder, a table that throttles. The message says
what to do, nothing is changed that the journal does not have, and afterwards `resume` goes on."""
from __future__ import annotations

import json
import shutil
import subprocess

import pytest

import test_journal_stores
from conftest import KEYS, REGION
from fault_proxy import Faults, Proxy
from peers import Peer


def namespace() -> list[str]:
    """How to get a mount namespace of one's own here."""
    for how in (['unshare', '-m'], ['unshare', '-r', '-m']):
        if shutil.which('unshare') and subprocess.run([*how, 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True).returncode == 0:
            return how
    pytest.skip('no mount namespace is allowed here: no disk can be made full')


@pytest.fixture
def case(cordon, moto, techsolutions, finding, tmp_path):
    """cordon behind a proxy, with a finding to answer; (cordon, finding's file, what came by)."""
    faults = Faults()
    proxy = Proxy(moto, faults)
    event = tmp_path / 'finding.json'
    event.write_text(json.dumps(finding(techsolutions.instances[0], kind='Behavior:EC2/NetworkPortUnusual')))
    cordon.env.update(AWS_ENDPOINT_URL=proxy.url, CORDON_MODE='auto', CORDON_EVIDENCE_BUCKET=techsolutions.evidence_bucket,
                      CORDON_NOTIFY_TOPIC_ARN=techsolutions.topic)
    yield cordon, event, faults
    proxy.close()


def in_small_disk(cordon, disk, script: str) -> list[tuple[int, str, str]]:
    """Runs a shell script that has DISK, 1 MiB, mounted; each `step NAME ARGS` runs cordon. Exit, stdout, stderr of each step."""
    out = cordon.home / 'steps'
    out.mkdir()
    text = f'''set -u
mount -t tmpfs -o size=1M none "{disk}"
n=0
step() {{ n=$((n + 1)); "{cordon.binary}" "$@" >"{out}/$n.out" 2>"{out}/$n.err"; echo $? >"{out}/$n.code"; }}
fill() {{ dd if=/dev/zero of="{disk}/filler" bs=1k count=$(($(df -k --output=avail "{disk}" | tail -1) - $1)) 2>/dev/null; }}
{script}
'''
    subprocess.run([*namespace(), 'sh', '-c', text], env=cordon.env, cwd=cordon.home, check=True, timeout=200)
    count = len(list(out.glob('*.code')))
    return [(int((out / f'{n}.code').read_text()), (out / f'{n}.out').read_text(), (out / f'{n}.err').read_text())
            for n in range(1, count + 1)]


@pytest.mark.parametrize('free_kb', [24, 60, 110])
def test_full_disk(case, tmp_path, free_kb):
    cordon, event, faults = case
    disk = tmp_path / 'disk'
    disk.mkdir()
    cordon.env['CORDON_STATE'] = f'sqlite:{disk}/cordon.db'
    steps = in_small_disk(cordon, disk, f'''
step case list --output json
fill {free_kb}
step respond "{event}" --yes --output json
rm -f "{disk}/filler"
step respond "{event}" --yes --output json
step resume --yes --output json
step case list --output json
step case verify 2026-0001 --output json
step case show "$(sed 's/.*"case":"\\([^"]*\\)".*/\\1/;q' "{cordon.home}/steps/5.out")" --records --output json
''')
    code, _, err = steps[1]
    assert code == 1 and 'the disk is full' in err and 'free some space' in err, err
    assert 'Sanitizer' not in ''.join(s[2] for s in steps)
    assert steps[2][0] == 0, steps[2]
    cases = json.loads(steps[4][1])
    assert len(cases) == 1 and cases[0]['state'] == 'contained'
    records = json.loads(steps[6][1])
    done = [r['payload']['step'] for r in records if r['kind'] == 'step.verified']
    assert len(done) == len(set(done)) and done, 'every step once, whatever happened between'
    created = [r.params for r in faults.log if r.operation in ('CreateSnapshots', 'CreateSecurityGroup') and r.done]
    assert len(created) == len(set(created)), created


def test_read_only_folder(case, tmp_path):
    cordon, event, faults = case
    disk = tmp_path / 'disk'
    disk.mkdir()
    cordon.env['CORDON_STATE'] = f'sqlite:{disk}/sub/cordon.db'
    there = {**cordon.env, 'CORDON_STATE': f'sqlite:{disk}/cordon.db'}
    steps = in_small_disk(cordon, disk, f'''
CORDON_STATE=sqlite:{disk}/cordon.db step case list --output json
mount -o remount,ro "{disk}"
step respond "{event}" --yes --output json
CORDON_STATE=sqlite:{disk}/cordon.db step respond "{event}" --yes --output json
CORDON_STATE=sqlite:{disk}/new.db step respond "{event}" --yes --output json
CORDON_STATE=sqlite:{disk}/cordon.db step doctor --output json
''')
    assert there
    for code, _, err in steps[1:4]:
        assert code == 1 and ('read-only' in err.lower()) and 'state' in err, err
    assert not [r for r in faults.log if r.mutating and r.done], 'nothing was changed that could not be recorded'
    checks = {c['check']: c for c in json.loads(steps[4][1])['checks']}
    assert checks['state']['state'] == 'fail'


def test_a_table_that_throttles(case, dynamodb_local):
    cordon, event, faults = case
    peer = Peer('dynamodb', dynamodb_local.url, REGION, *KEYS.values())
    test_journal_stores.make_table(peer.client, 'throttled')
    tables = Faults()
    proxy = Proxy(dynamodb_local.url, tables)
    cordon.env.update(AWS_ENDPOINT_URL_DYNAMODB=proxy.url, CORDON_STATE='dynamodb:throttled', AWS_MAX_ATTEMPTS='2')
    try:
        tables.begin('throttled', 14)
        ran = cordon('respond', str(event), '--yes', '--output', 'json')
        assert ran.code == 5 and 'the journal (DynamoDB table throttled)' in ran.err, ran.err
        tables.begin()
        ran = cordon('resume', '--yes', '--output', 'json')
        assert ran.code == 0, ran.err
        assert cordon('case', 'list', '--output', 'json').json[0]['state'] == 'contained'
    finally:
        proxy.close()
    created = [r.params for r in faults.log if r.operation in ('CreateSnapshots', 'CreateSecurityGroup') and r.done]
    assert len(created) == len(set(created)), created
