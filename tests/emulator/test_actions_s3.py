"""Buckets and objects, each phase through `action_driver`, answered by moto.

moto evaluates bucket policies (an explicit deny is a 403), but ignores their conditions: to it a deny for tagged objects
denies all objects to everybody, cordon included, so that the proof of quarantine-object can't be read there, and the
documents are looked at instead. That ownership makes ACLs void is not played either.
"""
from __future__ import annotations

import json

import pytest

from conftest import ACCOUNT
from test_actions_ec2 import pytestmark  # noqa: F401 (the mark skips without the driver)
from test_actions_iam import step  # noqa: F401 (fixture)

ALLOW = {'Version': '2012-10-17', 'Statement': [
    {'Sid': 'partner', 'Effect': 'Allow', 'Principal': {'AWS': 'arn:aws:iam::222222222222:root'}, 'Action': 's3:GetObject',
     'Resource': 'arn:aws:s3:::techsolutions-project-files/*'}]}


def quarantine(s):
    """Observe and apply; moto then lets nobody look at the object any more."""
    assert s.observe()['needed']
    assert s.apply()['status'] == 'ok'
    assert s.run('verify')['status'] == 'denied', 'moto knows conditions now: let the proof be tested'


def policy_text(s3, bucket):
    try:
        return s3.get_bucket_policy(Bucket=bucket)['Policy']
    except s3.exceptions.ClientError:
        return None


@pytest.fixture
def bucket(aws, techsolutions):
    return techsolutions.bucket


@pytest.mark.parametrize('policy', [None, ALLOW])
def test_bucket_is_locked_and_opened_to_the_letter(aws, bucket, step, policy):  # noqa: F811
    s3 = aws('s3')
    if policy:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy, indent=1))
    was = policy_text(s3, bucket)
    s = step('lock-bucket', bucket, kind='S3Bucket', **{'with': {'allow': ['arn:aws:iam::123456789012:role/backup']}})
    s.contain()
    statements = json.loads(policy_text(s3, bucket))['Statement']
    lock = statements[-1]
    assert (lock['Effect'], lock['Principal'], lock['Action']) == ('Deny', '*', 's3:*')
    allowed = lock['Condition']['ArnNotLike']['aws:PrincipalArn']
    assert f'arn:aws:iam::{ACCOUNT}:root' in allowed and 'arn:aws:iam::123456789012:role/backup' in allowed
    assert lock['Condition']['Bool'] == {'aws:PrincipalIsAWSService': 'false'}
    texts = ' '.join(d['text'] for d in s.before['doors'])
    assert 'presigned' in texts and ('222222222222' in texts) == bool(policy)
    assert s.undo()['differences'] == []
    assert policy_text(s3, bucket) == was
    assert s.undo()['status'] == 'ok'


def test_locks_of_two_cases_are_two_statements(aws, bucket, step):  # noqa: F811
    s3 = aws('s3')
    one = step('lock-bucket', bucket, kind='S3Bucket', case='2026-0001', token='a' * 16)
    other = step('lock-bucket', bucket, kind='S3Bucket', case='2026-0002', token='b' * 16)
    one.contain()
    other.contain()
    undone = one.undo()
    assert undone['status'] == 'ok' and undone['differences'] == [], 'a statement of cordon is no foreign change'
    assert other.run('verify')['ok']
    assert other.undo()['status'] == 'ok'
    assert policy_text(s3, bucket) is None


@pytest.mark.parametrize('policy', [None, ALLOW])
def test_a_forced_undo_takes_back_only_its_own_step(aws, bucket, step, policy):  # noqa: F811
    """The later step saw the earlier one's statement: it does not bring it back either."""
    s3 = aws('s3')
    if policy:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy, indent=1))
    was = policy_text(s3, bucket)
    one = step('lock-bucket', bucket, kind='S3Bucket', token='a' * 16)
    other = step('lock-bucket', bucket, kind='S3Bucket', token='b' * 16)
    one.contain()
    other.contain()
    assert one.undo(**{'with': {'force': True}})['status'] == 'ok'
    assert other.run('verify')['ok'] and not one.run('verify')['ok']
    assert other.undo(**{'with': {'force': True}})['status'] == 'ok'
    now = policy_text(s3, bucket)
    assert (now and json.loads(now)) == (was and json.loads(was))


def test_foreign_policy_change_survives_undo(aws, bucket, step):  # noqa: F811
    s3 = aws('s3')
    s = step('lock-bucket', bucket, kind='S3Bucket')
    s.contain()
    now = json.loads(policy_text(s3, bucket))
    now['Statement'].append(ALLOW['Statement'][0])
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(now))
    answer = s.undo()
    assert answer['status'] == 'ok' and len(answer['differences']) == 1
    assert [x['Sid'] for x in json.loads(policy_text(s3, bucket))['Statement']] == ['partner']


def test_deleted_policy_is_not_put_back(aws, bucket, step):  # noqa: F811
    s3 = aws('s3')
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(ALLOW))
    s = step('lock-bucket', bucket, kind='S3Bucket')
    s.contain()
    s3.delete_bucket_policy(Bucket=bucket)
    assert s.undo()['status'] == 'conflict'
    assert s.undo(**{'with': {'force': True}})['status'] == 'ok'
    assert json.loads(policy_text(s3, bucket)) == ALLOW


def test_object_is_quarantined_and_released(aws, bucket, step):  # noqa: F811
    s3, key = aws('s3'), 'clients/acme/plan.pdf'
    tags = [{'Key': 'data', 'Value': 'customer'}]
    s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={'TagSet': tags})
    s = step('quarantine-object', f'{bucket}/{key}', kind='S3Object')
    quarantine(s)
    assert s.after['tags'] == [*tags, {'Key': 'cordon-quarantine', 'Value': 'f00dfeed12345678'}]
    deny = json.loads(policy_text(s3, bucket))['Statement'][-1]
    assert deny['Condition']['StringEquals'] == {'s3:ExistingObjectTag/cordon-quarantine': 'f00dfeed12345678'}
    assert 's3:DeleteObjectTagging' in deny['Action'], 'whoever could take the tag away could read'
    assert s.undo()['differences'] == []
    assert s3.get_object_tagging(Bucket=bucket, Key=key)['TagSet'] == tags and policy_text(s3, bucket) is None
    assert s.undo()['status'] == 'ok'


def test_tags_that_somebody_added_stay(aws, bucket, step):  # noqa: F811
    s3, key = aws('s3'), 'clients/acme/plan.pdf'
    s = step('quarantine-object', f'{bucket}/{key}', kind='S3Object')
    quarantine(s)
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={'TagSet': s.after['tags'] + [{'Key': 'seen', 'Value': 'yes'}]})
    answer = s.undo()
    assert answer['status'] == 'ok' and 'only the quarantine tag' in answer['differences'][0]['text']
    assert s3.get_object_tagging(Bucket=bucket, Key=key)['TagSet'] == [{'Key': 'seen', 'Value': 'yes'}]


def test_object_in_quarantine_already(aws, bucket, step):  # noqa: F811
    key = 'clients/acme/plan.pdf'
    aws('s3').put_object_tagging(Bucket=bucket, Key=key, Tagging={'TagSet': [{'Key': 'cordon-quarantine', 'Value': 'x'}]})
    assert not step('quarantine-object', f'{bucket}/{key}', kind='S3Object').observe()['needed']


@pytest.mark.parametrize('call', [1, 2])
def test_killed_quarantine_of_an_object_is_undone(aws, bucket, step, call):  # noqa: F811
    s3 = aws('s3')
    s = step('quarantine-object', f'{bucket}/clients/acme/plan.pdf', kind='S3Object')
    s.observe()
    assert s.apply(die_after=call) is None
    assert s.undo(after=None)['status'] == 'ok'
    assert s3.get_object_tagging(Bucket=bucket, Key='clients/acme/plan.pdf')['TagSet'] == [] and policy_text(s3, bucket) is None


@pytest.mark.parametrize('ownership', [None, 'ObjectWriter'])
def test_ownership_is_enforced_and_put_back(aws, bucket, step, ownership):  # noqa: F811
    s3 = aws('s3')
    if ownership:
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={'Rules': [{'ObjectOwnership': ownership}]})
    s3.put_bucket_acl(Bucket=bucket, ACL='public-read')

    def state():
        try:
            rule = s3.get_bucket_ownership_controls(Bucket=bucket)['OwnershipControls']['Rules'][0]['ObjectOwnership']
        except s3.exceptions.ClientError:
            rule = None
        return rule, sorted((g['Grantee'].get('ID') or g['Grantee']['URI'], g['Permission']) for g in s3.get_bucket_acl(Bucket=bucket)['Grants'])
    was = state()
    s = step('enforce-bucket-ownership', bucket, kind='S3Bucket')
    s.contain()
    assert state()[0] == 'BucketOwnerEnforced' and len(state()[1]) == 1
    assert s.undo()['differences'] == []
    assert state() == was
