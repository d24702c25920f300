"""Every shipped playbook driven through a proxy that kills cordon, drops, delays, throttles, fails or lets credentials
expire at any of its requests: after `resume` the account is as after an undisturbed run, each effect happened once, no host
is more open than before, and `undo` from any point brings back what was there.

By default a fair sample is tried, another one for each CORDON_FAULTS_SEED: some playbooks, some places, some kinds.
CORDON_FAULTS=N tries N places of every playbook (with 64, eight of each kind), in each of the three tests; CORDON_FAULTS=full every kind of fault at every
mutating request and a kill at every other one (hours). CORDON_FAULTS_ONLY=PLAYBOOK[,..] limits all of them.
"""
from __future__ import annotations

import collections
import json
import os
import random
import re
import subprocess
import time

import pytest

import fault_accounts
import fault_state
from fault_proxy import KINDS
from fault_world import World, world  # noqa: F401 (a fixture)

HOW_MANY = os.environ.get('CORDON_FAULTS', '')
SEED = int(os.environ.get('CORDON_FAULTS_SEED', '1'))
ONLY = [n for n in os.environ.get('CORDON_FAULTS_ONLY', '').split(',') if n]
SHIPPED = sorted(p.stem for p in fault_accounts.PLAYBOOKS.glob('*.yaml'))
ACTING = [n for n in SHIPPED if 'action:' in (fault_accounts.PLAYBOOKS / f'{n}.yaml').read_text()]
# The playbook with the most to go wrong, and another one.
SAMPLE = ['ec2-compromised', *random.Random(SEED).sample([n for n in ACTING if not n.startswith(('ec2', 'attack'))], 1)]
CHOSEN = ONLY or (SHIPPED if HOW_MANY else SAMPLE)
# Not brought back by undo, and said so: evidence is kept, a password can't be had back.
KEPT = ('ec2 describe_snapshots', 'rds describe_db_snapshots', 'rds describe_db_cluster_snapshots', f'iam login {fault_accounts.USER}')

# An address that AWS assigned by itself does not come back the same.
NEW_ADDRESS = re.compile(r'\.Public\w*: "[^"]*address#\d+[^"]*" -> "[^"]*address-new[^"]*"$')


def changes(request) -> bool:
    """Does it change the account? Evidence put into its bucket is not counted: a run that was killed puts it again, as
    another version, which is what a versioned and locked bucket is for."""
    return request.mutating and f'/{fault_accounts.EVIDENCE}' not in request.operation


def effects(logs: list, names: dict) -> collections.Counter:
    """What the emulator was made to change: one try with the same token counts once."""
    seen, out = set(), collections.Counter()
    for request in logs:
        if not changes(request) or not request.done:
            continue
        what = (request.service, fault_state.text(request.operation, names), fault_state.text(request.params, names))
        if request.token and (what, request.token) in seen:
            continue
        seen.add((what, request.token))
        out[what] += 1
    return out


class Baseline:
    """An undisturbed run of a playbook, and what it was undone to."""

    def __init__(self, world: World, playbook: str):
        world.set(playbook)
        ran = world.respond()
        assert ran.code == 0, ran.said
        self.log = ran.log
        self.view = world.view()
        assert self.view['playbook'] == (playbook if self.view['steps'] else None)
        self.steps = sorted((s['id'], s['state'], s['verified']) for s in self.view['steps'])
        self.after = world.state()
        self.effects = effects(ran.log, world.names)
        self.undo_log = []
        if self.view['steps']:
            assert all(s['state'] in ('done', 'skipped') or s['mode'] == 'notify' for s in self.view['steps']), self.steps
            ran = world.undo(self.view['case'])
            assert ran.code == 0, ran.said
            self.undo_log = ran.log
            self.check_undone(world, 'undisturbed')
            self.undone = world.view()['state']

    def check_undone(self, world: World, where: str) -> None:
        now = world.state()
        found = [d for key in sorted({**world.before, **now}) if key not in KEPT
                 for d in fault_state.differences(world.before.get(key), now.get(key), key) if not NEW_ADDRESS.search(d)]
        assert not found, f'{where}: not as before:\n' + '\n'.join(found[:20])


@pytest.fixture(scope='module')
def baselines(world):
    made = {}

    def get(playbook: str) -> Baseline:
        if playbook not in made:
            made[playbook] = Baseline(world, playbook)
        return made[playbook]
    return get


def test_every_shipped_playbook_has_a_finding_here():
    assert sorted(fault_accounts.findings({'instance': 'i', 'key': 'k', 'user_id': 'u', 'role_id': 'r'})) == SHIPPED


def points(log: list, playbook: str, phase: str, few: int) -> list[tuple[str, int]]:
    """(kind of fault, at which request): all of them, or a sample, another one for each playbook, phase and seed. A kind comes
    again only after all others had their turn."""
    at = {kind: [r.number for r in log if changes(r)] for kind in KINDS}
    at['kill-before'] = [r.number for r in log]
    if HOW_MANY == 'full':
        return [(kind, n) for kind in KINDS for n in at[kind]]
    rng = random.Random(f'{SEED} {playbook} {phase}')
    turns = []
    for kind, numbers in at.items():
        rng.shuffle(numbers)
        turns += [(turn, rng.random(), kind, n) for turn, n in enumerate(numbers)]
    return [(kind, n) for _, _, kind, n in sorted(turns)[:int(HOW_MANY or few)]]


def check_not_more_open(world: World, where: str) -> None:
    """Between the two swaps that cut tracked connections a host is open: then the journal says so, durably, and a resume
    closes it before it does anything else."""
    wide = fault_state.more_open(world.open, fault_state.openness(world.aws))
    if not wide:
        return
    steps = [s for s in world.view()['steps'] if (s['partial'] or {}).get('half_open')]
    assert steps, f'{where}: more open than before, and the journal does not know:\n' + '\n'.join(wide)
    COUNTS['open until resumed'] += 1


COUNTS: collections.Counter = collections.Counter()


def closes_soon(log: list) -> bool:
    """Is closing among the first changes? Other steps start beside it, so it need not be the very first to arrive."""
    changed = [r.operation for r in log if changes(r) and r.done]
    return any(o in ('ModifyNetworkInterfaceAttribute', 'RevokeSecurityGroupIngress', 'RevokeSecurityGroupEgress') for o in changed[:8])


def finish(world: World, where: str, logs: list, odd: bool) -> None:
    """The next delivery of the finding, or a person's resume, until it ends well."""
    wide = fault_state.more_open(world.open, fault_state.openness(world.aws))
    for attempt in range(3):
        known = bool(world.cases())
        ran = world.run('resume', '--yes', '--output', 'json') if odd and known else world.respond()
        logs.extend(ran.log)
        if wide and attempt == 0:
            assert closes_soon(ran.log), f'{where}: it was open and was not closed before all else: {ran.said}'
        if ran.code == 0:
            return
        odd = True
    raise AssertionError(f'{where}: resume does not end: {ran.said}')


def try_all(tries: list, check) -> None:
    """One that fails does not hide the others."""
    failed = []
    for number, (kind, at) in enumerate(tries):
        try:
            check(number, kind, at)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            failed.append(f'{kind} at {at}: {e}')
    assert not failed, f'{len(failed)} of {len(tries)} failed (CORDON_FAULTS_SEED={SEED}):\n' + '\n\n'.join(failed)


@pytest.mark.parametrize('playbook', CHOSEN)
def test_fault_then_resume(world, baselines, playbook):
    base = baselines(playbook)

    def check(number: int, kind: str, at: int) -> None:
        world.set(playbook)
        ran = world.respond(fault=kind, at=at)
        where = f'{playbook}: {kind} at {at} ({ran.struck.operation if ran.struck else "never reached"})'
        logs = list(ran.log)
        check_not_more_open(world, where)
        finish(world, where, logs, number % 2 == 0)
        view = world.view()
        assert sorted((s['id'], s['state'], s['verified']) for s in view['steps']) == base.steps, where
        found = fault_state.differences(base.after, world.state())
        assert not found, f'{where}: not as undisturbed:\n' + '\n'.join(found[:20])
        did = effects(logs, world.names)
        twice = [e for e in did if did[e] > base.effects[e] and not idempotent(e)]
        missing = {without_policy(e) for e in base.effects} - {without_policy(e) for e in did}
        if any('were not cut' in ((s['proof'] or {}).get('text') or '') for s in view['steps']):  # AWS would not, and it is said
            missing = {e for e in missing if 'SecurityGroup' not in e[1] and e[1] != 'ModifyNetworkInterfaceAttribute'}
        assert not twice and not missing, f'{where}: did more than once or besides {twice}, not {missing}'
        COUNTS[f'{kind}, resumed'] += 1
    try_all(points(base.log, playbook, 'respond', 2 if base.view['steps'] else 0), check)


def without_policy(effect: tuple) -> tuple:
    """Service, call, resource and parameters; but what a bucket's policy is put as depends on which of two steps was first
    (that the state comes out the same is compared for itself)."""
    return effect[:2] if '?policy' in effect[1] else effect


def idempotent(effect: tuple) -> bool:
    """Doing it again with the same parameters changes nothing: a repeat is no second effect. So is the command document:
    isolating an isolated host changes nothing there."""
    return 'Tags' in effect[1] or effect[1] == 'SendCommand' or not effect[1].startswith(('Create', 'Run', 'Start', 'Send', 'Allocate', 'Post'))


@pytest.mark.parametrize('playbook', CHOSEN)
def test_undo_from_any_point(world, baselines, playbook):
    """Killed or cut off anywhere in the response, then undone at once."""
    base = baselines(playbook)

    def check(_: int, kind: str, at: int) -> None:
        world.set(playbook)
        ran = world.respond(fault=kind, at=at)
        where = f'{playbook}: {kind} at {at} ({ran.struck.operation if ran.struck else "never reached"}), then undone'
        cases = world.cases()
        if cases:
            undone = world.undo(cases[0]['case'])
            assert undone.code == 0, f'{where}: {undone.said}'
        base.check_undone(world, where)
        COUNTS[f'{kind}, undone'] += 1
    try_all(points(base.log, playbook, 'undo from', 1) if base.view['steps'] else [], check)


@pytest.mark.parametrize('playbook', CHOSEN)
def test_fault_while_undoing(world, baselines, playbook):
    base = baselines(playbook)

    def check(number: int, kind: str, at: int) -> None:
        world.set(playbook)
        assert world.respond().code == 0
        case = world.cases()[0]['case']
        ran = world.undo(case, fault=kind, at=at)
        where = f'{playbook}: {kind} at {at} of the undo ({ran.struck.operation if ran.struck else "never reached"})'
        for _ in range(3):
            if ran.code == 0:
                break
            begun = world.view()['suppressed']
            ran = world.run('resume', case, '--output', 'json') if number % 2 and begun else world.undo(case)
        assert ran.code == 0, f'{where}: {ran.said}'
        base.check_undone(world, where)
        assert world.view()['state'] == base.undone, where
        COUNTS[f'{kind}, undo finished'] += 1
    try_all(points(base.undo_log, playbook, 'undo', 1) if base.undo_log else [], check)


def test_one_lost_request_does_not_leave_connections_alive(world):  # noqa: F811
    """A rule that was not added is no reason to isolate without cutting what is connected."""
    world.set('ec2-suspicious')
    ran = world.respond(fault='drop-before', at=1, operation='AuthorizeSecurityGroupIngress')
    assert ran.code == 0 and ran.struck, ran.said
    step = next(s for s in world.view()['steps'] if s['action'] == 'isolate-network')
    assert step['verified'] and step['after']['cut'] == 'done', step['after']


@pytest.mark.parametrize(('held', 'order'), [(1, ('deny-principal-on-bucket', 'lock-bucket')), (2, ('lock-bucket', 'deny-principal-on-bucket'))])
def test_two_steps_on_one_policy_keep_each_others_statement(world, held, order):
    """Both may begin at once, and one's writing is held up on its way: neither reads before the other has written."""
    world.set('s3-data-access')
    books = world.event.parent / 'books'
    books.mkdir()
    (books / 'two.yaml').write_text('name: two\ntitle: Two\nanswers: {types: ["Exfiltration:S3/*"]}\nsteps:\n' + ''.join(
        f'  - {{id: {name}, action: {name}, on: S3Bucket, mode: auto}}\n' for name in order))
    world.cordon.env['CORDON_PLAYBOOKS'] = str(books)
    ran = world.respond(fault='held', at=held, operation=f'Put /{fault_accounts.BUCKET}?policy')
    assert ran.code == 0 and ran.struck, ran.said
    steps = world.view()['steps']
    assert sorted((s['id'], s['state'], s['verified']) for s in steps) == sorted((name, 'done', True) for name in order)
    sids = {s['Sid'] for s in json.loads(world.aws('s3').get_bucket_policy(Bucket=fault_accounts.BUCKET)['Policy'])['Statement']}
    assert len(sids) == 3 and 'theirs' in sids, sids
    assert world.run('undo', world.cases()[0]['case']).code == 0
    found = fault_state.differences(world.before, world.state())
    assert not found, '\n'.join(found)


def test_two_cases_on_one_policy_keep_each_others_statement(world):  # noqa: F811
    """Two processes, two cases, one bucket: while one's writing is held up on its way the other reads, writes and proves."""
    world.set('s3-malware')
    one = world.event
    other = one.parent / 'other.json'
    other.write_text(json.dumps(fault_accounts.event(world.account, 's3-public')))
    books = one.parent / 'books'
    books.mkdir()
    (books / 'two.yaml').write_text('name: two\ntitle: Two\nanswers: {types: ["Policy:S3/*"]}\nsteps:\n'
                                    '  - {id: lock-bucket, action: lock-bucket, on: S3Bucket, mode: auto}\n')
    (books / 'one.yaml').write_text((fault_accounts.PLAYBOOKS / 's3-malware.yaml').read_text())
    world.cordon.env['CORDON_PLAYBOOKS'] = str(books)
    world.faults.begin('held', 1, f'Put /{fault_accounts.BUCKET}?policy')
    first = world.cordon.start('respond', str(one), '--yes', '--output', 'json')
    until = time.monotonic() + 60
    while world.faults.struck is None and time.monotonic() < until:
        time.sleep(0.01)
    second = world.cordon('respond', str(other), '--yes', '--output', 'json')
    out, err = first.communicate(timeout=120)
    assert (first.returncode, second.code) == (0, 0), err.decode() + second.err
    sids = {s['Sid'] for s in json.loads(world.aws('s3').get_bucket_policy(Bucket=fault_accounts.BUCKET)['Policy'])['Statement']}
    assert len(sids) == 3 and 'theirs' in sids, sids
    cases = [json.loads(out)['case'], second.json['case']]
    assert cases[0] != cases[1]
    # And back: the one that was held up takes only its own away.
    world.faults.begin('held', 1, f'Put /{fault_accounts.BUCKET}?policy')
    first = world.cordon.start('undo', cases[0], '--force')
    until = time.monotonic() + 60
    while world.faults.struck is None and time.monotonic() < until:
        time.sleep(0.01)
    second = world.cordon('undo', cases[1], '--force')
    _, err = first.communicate(timeout=120)
    assert (first.returncode, second.code) == (0, 0), err.decode() + second.err
    found = fault_state.differences(world.before, world.state())
    assert not found, '\n'.join(found)


def test_counts(capsys):
    """Says what was tried."""
    with capsys.disabled():
        print(f'\n  {sum(COUNTS.values())} faults tried, seed {SEED}: ' + ', '.join(f'{n} {k}' for k, n in sorted(COUNTS.items())))
