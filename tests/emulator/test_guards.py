"""Every guard of the design (4.4), tried to be got round: by how things are written, by --yes and --force, by all the ways in,
by many at once, by another configuration, by answers said twice. Nothing is changed, and the journal says which guard it was."""
from __future__ import annotations

import copy
import json

import pytest

from conftest import ACCOUNT
from test_operators import auto, groups_of, held, saved, small, view_of  # noqa: F401 (fixtures)

BRUTE = 'UnauthorizedAccess:EC2/SSHBruteForce'


def changed(event: dict, **paths) -> dict:
    """The finding with fields set: `service__additionalInfo__sample=True`."""
    event = copy.deepcopy(event)
    for path, value in paths.items():
        *way, last = path.split('__')
        node = event['detail']
        for key in way:
            node = node.setdefault(key, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    return event


def tagged(*tags: tuple[str, str]) -> dict:
    return {'resource__instanceDetails__tags': [{'key': k, 'value': v} for k, v in tags]}


# guard -> (environment, ways in which the same finding is written: what it is about stays what it is)
HELD = {
    'sample': ({}, [{'service__additionalInfo': {'sample': True}}, {'service__additionalInfo': {'sample': 'true'}},
                    {'service__additionalInfo': {'value': '{"sample":true}', 'type': 'default', 'sample': True}}]),
    'archived': ({}, [{'service__archived': True}, {'service__archived': True, 'severity': 9.9, 'updatedAt': '2031-01-01T00:00:00.000Z'}]),
    'target_only': ({}, [{'type': BRUTE, 'service__resourceRole': role} for role in ('TARGET', 'target', 'Target ', '', 'NEITHER', None)]
                    + [{'type': 'Recon:EC2/PortProbeUnprotectedPort', 'service__resourceRole': 'ACTOR'},
                       {'type': 'Recon:EC2/PortProbeEMRUnprotectedPort', 'service__resourceRole': None}]),
    'exempt_account': ({'CORDON_GUARDS_EXEMPT_ACCOUNTS': f'999999999999, {ACCOUNT[:6]}*'}, [{}, {'accountId': None, 'arn': None}]),
    'exempt_type': ({'CORDON_GUARDS_EXEMPT_TYPES': 'backdoor:ec2/*'}, [{}, {'type': 'BACKDOOR:EC2/C&CActivity.B'},
                                                                       {'type': 'Backdoor:EC2/C&CActivity.B!DNS'}]),
    'exempt_tag': ({'CORDON_GUARDS_EXEMPT_TAGS': 'Exempt=yes'}, [tagged(('Exempt', 'yes')), tagged(('EXEMPT', 'YES')), tagged((' exempt ', ' Yes ')),
                                                                 tagged(('other', 'x'), ('exempt', 'yes'))]),
}
CASES = [pytest.param(guard, env, ways, id=f'{guard}-{n}') for guard, (env, all_ways) in HELD.items() for n, ways in enumerate(all_ways)]


@pytest.mark.parametrize('guard, env, ways', CASES)
def test_a_finding_that_is_held_back_stays_held_back(small, aws, techsolutions, finding, saved, guard, env, ways):  # noqa: F811
    cordon = small()
    cordon.env.update(env)
    event = changed(finding(techsolutions.instances[0], profile=techsolutions.profiles[0], severity=9.0), **ways)
    path = saved(event)
    ran = cordon('respond', path, '--yes', '--output', 'json')
    assert ran.code == 0 and ran.json['state'] in ('held_back', 'notified'), ran.out + ran.err
    case = ran.json['case']
    # Again, as an update, by what goes on with a case, by an answer nobody asked for; there is no --force to respond with.
    later = saved(changed(event, updatedAt='2032-01-01T00:00:00.000Z'))
    for command in (('respond', path, '--yes'), ('respond', later, '--yes'), ('resume', case, '--yes'), ('approve', case, 'isolate-network'),
                    ('undo', case, '--force')):
        cordon(*command)
    assert cordon('respond', path, '--force').code == 2
    assert groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    view = view_of(cordon, case)
    assert not [s for s in view['steps'] if s['intents']], view['steps']
    assert guard in held(view), view['held_back']
    records = [r['payload'] for r in cordon('case', 'show', case, '--records', '--output', 'json').json if r['kind'] == 'guard.held']
    assert [r for r in records if r['guard'] == guard and len(r['reason']) > 10], records


@pytest.mark.parametrize('env, ways', [
    ({'CORDON_GUARDS_EXEMPT_ACCOUNTS': ACCOUNT[:-1]}, {}), ({'CORDON_GUARDS_EXEMPT_ACCOUNTS': f'{ACCOUNT}0'}, {}),
    ({'CORDON_GUARDS_EXEMPT_TYPES': 'Backdoor:EC2'}, {}), ({'CORDON_GUARDS_EXEMPT_TYPES': 'Backdoor:S3/*'}, {}),
    ({'CORDON_GUARDS_EXEMPT_TAGS': 'Exempt=yes'}, tagged(('Exempt', 'yes-but-no'))), ({'CORDON_GUARDS_EXEMPT_TAGS': 'Exempt=yes'}, tagged(('NotExempt', 'yes'))),
    ({'CORDON_GUARDS_EXEMPT_TAGS': 'Exempt=yes'}, tagged(('Exempt\u200b', 'yes'))), ({'CORDON_GUARDS_EXEMPT_TAGS': 'Exempt'}, tagged(('Exempt-not', ''))),
    ({}, {'service__additionalInfo': {'sample': False}, 'title': 'a sample finding'}), ({}, {'service__additionalInfo': {'samples': True}}),
    ({}, {'type': BRUTE, 'service__resourceRole': 'ACTOR'}), ({}, {'service__userAgent': 'cordon/1.0 md/case#2026-0001'})])
def test_what_only_looks_like_it_is_no_excuse(small, aws, techsolutions, finding, saved, env, ways):  # noqa: F811
    """An intruder who writes something like a guard's word is contained all the same."""
    cordon = small()
    (cordon.home / 'playbooks/small.yaml').write_text((cordon.home / 'playbooks/small.yaml').read_text().replace('["Backdoor:EC2/*"]', '["*:EC2/*"]'))
    cordon.env.update(env)
    event = changed(finding(techsolutions.instances[0], severity=9.0), **ways)
    ran = cordon('respond', saved(event), '--yes', '--output', 'json')
    assert ran.code == 0 and ran.json['state'] == 'contained', ran.out + ran.err
    assert groups_of(aws, techsolutions.interfaces[0]) != [techsolutions.web_group]


def hosts(aws, techsolutions, n: int) -> list[tuple[str, str]]:
    made = [aws('ec2').run_instances(ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, NetworkInterfaces=[
        {'DeviceIndex': 0, 'SubnetId': techsolutions.subnets[0], 'Groups': [techsolutions.web_group]}])['Instances'][0] for _ in range(n)]
    return [(m['InstanceId'], m['NetworkInterfaces'][0]['NetworkInterfaceId']) for m in made]


def test_the_breaker_is_not_answered_by_a_yes_said_before(small, aws, techsolutions, finding, saved):  # noqa: F811
    """A script that runs `respond --yes` over everything, one finding a run or all in one file, with other minutes, and again."""
    cordon = small()
    cordon.env.update(CORDON_GUARDS_BREAKER_ACTIONS='2', CORDON_GUARDS_BREAKER_MINUTES='60')
    made = hosts(aws, techsolutions, 6)
    events = [finding(i, finding_id=f'{n:032x}', severity=9.0) for n, (i, _) in enumerate(made, 1)]
    for event in events[:4]:
        ran = cordon('respond', saved(event), '--yes', '--output', 'json')
    assert ran.code == 7 and held(view_of(cordon, ran.json['case'])) == {'circuit_breaker'}, ran.err
    cordon('respond', saved({'Findings': [e['detail'] for e in events[4:]]}), '--yes')
    cordon('resume', ran.json['case'], '--yes')
    cordon('respond', saved(changed(events[3], updatedAt='2032-01-01T00:00:00.000Z')), '--yes')

    def isolated() -> list[str]:
        return [i for i, e in made if groups_of(aws, e) != [techsolutions.web_group]]
    assert isolated() == [i for i, _ in made[:2]]
    waiting = [c for c in cordon('case', 'list', '--output', 'json').json if c['state'] == 'awaiting_approval']
    assert len(waiting) == 4
    # The question itself, answered, is answered; once.
    case = ran.json['case']
    assert cordon('approve', case, 'isolate-network').code == 0 and isolated() == [i for i, _ in made[:2]] + [made[3][0]]
    again = cordon('approve', case, 'isolate-network')
    assert again.code == 1 and 'was already approved by person:ana' in again.err
    assert cordon('approve', case, 'isolate-network', env={'USER': 'eva'}).code == 1


def test_a_yes_to_what_was_undone_does_not_come_again(small, aws, techsolutions, finding, saved):  # noqa: F811
    """The answer of before the undo is spent, whoever repeats it."""
    cordon = small('approve')
    event = finding(techsolutions.instances[0], severity=9.0)
    case = cordon('respond', saved(event), '--output', 'json').json['case']
    assert cordon('approve', case, 'isolate-network').code == 0
    assert cordon('undo', case).code == 0
    for command in (('approve', case, 'isolate-network'), ('resume', case, '--yes'), ('respond', saved(event), '--yes'),
                    ('respond', saved(changed(event, updatedAt='2032-01-01T00:00:00.000Z')), '--yes')):
        cordon(*command)
        assert groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group], command
    assert 'suppressed' in held(view_of(cordon, case))


def test_an_exempt_tag_put_on_between_question_and_answer(small, aws, techsolutions, finding, saved):  # noqa: F811
    """Whoever answers after a host was exempted is asked about what is so now: an update of the finding looks again."""
    cordon = small('approve')
    cordon.env['CORDON_GUARDS_EXEMPT_TAGS'] = 'exempt'
    event = finding(techsolutions.instances[0], severity=9.0)
    case = cordon('respond', saved(event), '--output', 'json').json['case']
    aws('ec2').create_tags(Resources=[techsolutions.instances[0]], Tags=[{'Key': 'Exempt', 'Value': ''}])
    cordon('respond', saved(changed(event, updatedAt='2032-01-01T00:00:00.000Z')), '--yes')
    assert groups_of(aws, techsolutions.interfaces[0]) == [techsolutions.web_group]
    assert 'exempt_tag' in held(view_of(cordon, case))


def test_names_of_the_guards_are_all_tried_here():
    """Of guard.h: those that are not in this file have their tests where they live."""
    elsewhere = {'not_a_threat', 'own_action', 'duplicate', 'approver'}  # test_guard.c, test_operators.py, test_approvals.py
    from conftest import ROOT
    names = {line.split('"')[1] for line in (ROOT / 'src/response/guard.h').read_text().splitlines() if line.startswith('#define GUARD_')}
    assert names == set(HELD) | elsewhere | {'circuit_breaker', 'suppressed'}, names
