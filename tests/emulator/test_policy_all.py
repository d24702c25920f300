"""`cordon policy --playbook NAME` is all that the playbook's response and its undo need: every request of every shipped playbook
goes through a door that judges it by that policy, resources and conditions too (test_policy.py has moto judge the actions)."""
from __future__ import annotations

import pytest

import fault_accounts
from conftest import ACCOUNT
from fault_world import World, world  # noqa: F401 (a fixture)
from iam_gate import Gate, policy_of
from test_journal_stores import make_table

SHIPPED = sorted(p.stem for p in fault_accounts.PLAYBOOKS.glob('*.yaml'))


def closed(world: World, playbook: str) -> Gate:
    """From now on nothing but what the playbook's policy allows is let through."""
    world.faults.refused.clear()
    world.faults.gate = Gate(policy_of(world.cordon, playbook), world.aws('ec2'))
    return world.faults.gate


@pytest.fixture
def shut(world):
    yield world
    world.faults.gate = None


def refused(world: World) -> str:
    return '\n'.join(world.faults.refused)


@pytest.mark.parametrize('playbook', SHIPPED)
def test_no_call_is_outside_the_policy(shut, playbook):
    """Responded to with every step agreed to, looked at again, undone."""
    world = shut
    world.set(playbook)
    closed(world, playbook)
    ran = world.respond()
    assert not refused(world) and ran.code == 0, refused(world) + ran.said
    view = world.view()
    if not view['steps']:
        return
    ran = world.run('resume', view['case'])
    assert not refused(world) and ran.code == 0, refused(world) + ran.said
    ran = world.undo(view['case'])
    assert not refused(world) and ran.code == 0, refused(world) + ran.said


def test_no_call_is_outside_the_policy_with_everything_set(shut):
    """Cases in DynamoDB, messages, logs in a bucket; findings out of a queue; a step that waits, agreed to, one declined."""
    world = shut
    world.set('ec2-compromised')
    topic = world.aws('sns').create_topic(Name='security')['TopicArn']
    queue = world.aws('sqs').create_queue(QueueName='findings')['QueueUrl']
    make_table(world.aws('dynamodb'), 'cases')
    world.cordon.env.update(CORDON_NOTIFY_TOPIC_ARN=topic, CORDON_STATE='dynamodb:cases', CORDON_SERVE_QUEUE_URL=queue,
                            CORDON_EVIDENCE_LOG_SOURCES=f's3://{fault_accounts.BUCKET}/2026/')
    world.aws('sqs').send_message(QueueUrl=queue, MessageBody=world.event.read_text())
    gate = closed(world, 'ec2-compromised')
    ran = world.run('serve', '--once')
    assert not refused(world) and ran.code == 0, refused(world) + ran.said
    case = world.cases()[0]['case']
    waiting = [s['id'] for s in world.view()['steps'] if s['state'] == 'awaiting_approval']
    assert len(waiting) >= 1, world.view()['steps']
    for n, step in enumerate(waiting):
        ran = world.run('reject' if n else 'approve', case, step)
        assert not refused(world), refused(world)
    ran = world.undo(case)
    assert not refused(world) and ran.code == 0, refused(world) + ran.said
    assert {'sns:Publish', 'sqs:DeleteMessage', 'dynamodb:UpdateItem', 's3:ListBucket', 's3:PutObject', 'ec2:CreateSecurityGroup'} <= gate.used


@pytest.mark.parametrize('playbook, less', [('ec2-compromised', 'ec2:ModifyNetworkInterfaceAttribute'), ('rds-intrusion', 'rds:ModifyDBInstance'),
                                            ('lambda-compromised', 'lambda:PutFunctionConcurrency'), ('s3-malware', 's3:PutObjectTagging'),
                                            ('s3-data-access', 's3:PutBucketPolicy')])
def test_the_door_is_shut(shut, playbook, less):
    """An action less in the policy and it is refused, said by name, and nothing is called done."""
    world = shut
    world.set(playbook)
    gate = closed(world, playbook)
    for statement in gate.policy['Statement']:
        statement['Action'] = [a for a in statement['Action'] if a != less]
    ran = world.respond()
    assert any(f'needs {less} on' in r for r in world.faults.refused), refused(world)
    assert ran.code in (4, 6) and less in ran.err and 'cordon policy' in ran.err, ran.said
    assert [s for s in world.view()['steps'] if s['state'] == 'failed']


def test_a_resource_of_another_account_is_refused(shut):
    """The resources of the policy are judged, not only its actions."""
    world = shut
    world.set('lambda-compromised')
    gate = closed(world, 'lambda-compromised')
    for statement in gate.policy['Statement']:
        statement['Resource'] = [r.replace(ACCOUNT, '999999999999') for r in statement['Resource']]
    assert world.respond().code != 0
    assert any('lambda:PutFunctionConcurrency' in r or 'lambda:GetFunctionConcurrency' in r for r in world.faults.refused), refused(world)
