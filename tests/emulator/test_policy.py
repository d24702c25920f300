"""`cordon policy`: cordon acts as a user who may do exactly what it prints, and nothing that its playbooks do is refused.

moto judges actions, and resources only of S3; so for it the statements' actions stay as they are, and resources and conditions
that it can't judge are left out (the drill does the same: src/app/drill_access.c). test_policy_all.py judges those, of every
playbook, and the tests of the measures those of every measure (iam_gate.py).
"""
from __future__ import annotations

import json
import re

import pytest

from conftest import ACCOUNT, REGION

# What moto calls otherwise than IAM does: settings of a bucket that it has no name for.
MOTO_NAMES = {
    's3:GetBucketPublicAccessBlock': ['s3:ListBucket'], 's3:GetEncryptionConfiguration': ['s3:ListBucket'],
    's3:GetBucketObjectLockConfiguration': ['s3:ListBucket'], 's3:GetBucketOwnershipControls': ['s3:ListBucket'],
    's3:PutBucketPublicAccessBlock': ['s3:CreateBucket', 's3:DeleteBucket'],
    's3:PutBucketOwnershipControls': ['s3:CreateBucket', 's3:DeleteBucket'], 's3:ListBucket': ['s3:HeadBucket'],
}


def for_moto(policy: dict) -> dict:
    statements = []
    for s in policy['Statement']:
        s3 = any(r.startswith('arn:aws:s3:::') for r in s['Resource'])
        actions = [n for a in s['Action'] for n in [a, *MOTO_NAMES.get(a, [])]]
        statements.append({'Effect': 'Allow', 'Action': actions, 'Resource': s['Resource'] if s3 else '*'})
    return {'Version': policy['Version'], 'Statement': statements}


def printed(cordon, *options: str) -> dict:
    ran = cordon('policy', '--account', ACCOUNT, '--region', REGION, '--output', 'json', *options)
    assert ran.code == 0, ran.err
    return ran.json


def actions(policy: dict) -> set[str]:
    return {a for s in policy['Statement'] for a in s['Action']}


@pytest.fixture
def acting(cordon, aws, auth_mode, techsolutions, systems_manager):
    """A function: cordon acts from now on as a user with this policy; gives nothing."""
    cordon.env.update(CORDON_MODE='auto', CORDON_EVIDENCE_BUCKET=techsolutions.evidence_bucket, CORDON_EVIDENCE_LOCK_DAYS='1',
                      CORDON_NOTIFY_TOPIC_ARN=techsolutions.topic, CORDON_RESPONSE_QUARANTINE_PROFILE=techsolutions.quarantine_profile)
    iam = aws('iam')
    iam.create_user(UserName='cordon')
    key = iam.create_access_key(UserName='cordon')['AccessKey']
    # moto checks signatures once it checks anything: the one who looks on needs a key that it knows.
    iam.create_user(UserName='looker')
    iam.put_user_policy(UserName='looker', PolicyName='all', PolicyDocument=json.dumps(
        {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}))

    def begin(policy: dict) -> None:
        iam.put_user_policy(UserName='cordon', PolicyName='policy', PolicyDocument=json.dumps(for_moto(policy)))
        cordon.env.update(AWS_ACCESS_KEY_ID=key['AccessKeyId'], AWS_SECRET_ACCESS_KEY=key['SecretAccessKey'])
        auth_mode()
    return begin


def credential(user_type: str, name: str, key: str, principal: str = 'AIDAEXAMPLE', **more) -> dict:
    return {'resourceType': 'AccessKey', 'accessKeyDetails': {
        'accessKeyId': key, 'principalId': principal, 'userName': name, 'userType': user_type}, **more}


def findings(aws, seed, finding) -> dict[str, dict]:
    """A finding for each playbook that changes something, about things that are there."""
    iam = aws('iam')
    iam.create_user(UserName='marta')
    iam.create_login_profile(UserName='marta', Password='not-a-real-one-1')
    key = iam.create_access_key(UserName='marta')['AccessKey']['AccessKeyId']
    bucket = {'s3BucketDetails': [{'name': seed.bucket, 'arn': f'arn:aws:s3:::{seed.bucket}',
                                   'publicAccess': {'effectivePermission': 'PUBLIC'}}]}
    user = credential('IAMUser', 'marta', key)
    session = credential('AssumedRole', seed.roles[0], 'ASIAIOSFODNN7EXAMPLE', f'AROAEXAMPLE:{seed.instances[0]}')

    def made(kind: str, resource: dict | None = None, **more) -> dict:
        event = finding(seed.instances[0], kind=kind, profile=seed.profiles[0], severity=9.0, **more)
        if resource is not None:
            event['detail']['resource'] = resource
        return event
    return {
        'ec2-compromised': made('Backdoor:EC2/C&CActivity.B'),
        'ec2-suspicious': made('Behavior:EC2/NetworkPortUnusual'),
        'instance-credential-theft': made('UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS', session),
        'iam-credential-use': made('UnauthorizedAccess:IAMUser/TorIPCaller', user),
        'iam-console-login': made('UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B', user),
        's3-public': made('Policy:S3/BucketAnonymousAccessGranted', {**bucket, 'resourceType': 'S3Bucket'}),
    }


# moto holds a bucket policy that denies one user against all: s3-data-access is played in test_policy_all.py.
NAMES = ['ec2-compromised', 'ec2-suspicious', 'instance-credential-theft', 'iam-credential-use', 'iam-console-login', 's3-public']


@pytest.mark.parametrize('name', NAMES)
def test_a_playbook_needs_no_more_than_its_policy(cordon, acting, aws, techsolutions, finding, tmp_path, name):
    event = findings(aws, techsolutions, finding)[name]
    path = tmp_path / 'finding.json'
    path.write_text(json.dumps(event))
    assert cordon('playbook', 'test', str(path), '--output', 'json').json['playbook'] == name
    acting(printed(cordon, '--playbook', name))
    ran = cordon('respond', str(path), '--yes', '--output', 'json')
    assert ran.code in (0, 6), ran.err
    refused = [e for e in ran.json['errors'] if e['status'] == 'denied']
    assert not refused and 'denied' not in ran.err.lower() and 'not authorized' not in ran.err.lower(), (refused, ran.err)
    assert any(a['state'] == 'done' for a in ran.json['actions']), ran.json
    undone = cordon('undo', ran.json['case'], '--force', '--output', 'json')
    assert 'denied' not in undone.err.lower() and not [e for e in undone.json['errors'] if e['status'] == 'denied'], undone.out


@pytest.mark.parametrize('name, action', [('s3-public', 's3:PutBucketPublicAccessBlock'), ('iam-credential-use', 'iam:PutUserPolicy'),
                                          ('ec2-suspicious', 'ec2:CreateSecurityGroup')])
def test_an_action_less_is_denied_and_named(cordon, acting, aws, techsolutions, finding, tmp_path, name, action):
    event = findings(aws, techsolutions, finding)[name]
    path = tmp_path / 'finding.json'
    path.write_text(json.dumps(event))
    if name == 's3-public':  # one step alone: what is denied then is all there was to do
        books = tmp_path / 'playbooks'
        books.mkdir()
        (books / 'one.yaml').write_text('name: s3-public\ntitle: One step\nanswers: {types: ["Policy:S3/*"]}\nsteps:\n'
                                        '  - {action: block-bucket-public-access, on: S3Bucket, mode: auto}\n')
        cordon.env['CORDON_PLAYBOOKS'] = str(books)
    policy = printed(cordon, '--playbook', name)
    assert action in actions(policy)
    for s in policy['Statement']:
        s['Action'] = [a for a in s['Action'] if a != action]
    policy['Statement'] = [s for s in policy['Statement'] if s['Action']]
    acting(policy)
    ran = cordon('respond', str(path), '--yes', '--output', 'json')
    assert ran.code == (4 if name == 's3-public' else 6), ran.err + ran.out  # 6: other steps were carried out
    assert action in ran.err and 'cordon policy' in ran.err, ran.err
    assert [e for e in ran.json['errors'] if e['status'] == 'denied']


def test_the_policy_is_as_narrow_as_it_can_be(cordon, tmp_path):
    policy = printed(cordon)
    assert policy['Version'] == '2012-10-17'
    for s in policy['Statement']:
        assert s['Effect'] == 'Allow' and s['Resource'] and s['Action'] == sorted(set(s['Action']))
        assert all('*' not in a for a in s['Action'])
        if s['Resource'] == ['*']:  # only what AWS can't tell apart by resource, and that only reads
            assert all(re.match(r'[a-z0-9-]+:(Describe|List|Get)', a) for a in s['Action']), s
        for r in s['Resource']:
            assert '{' not in r and (r == '*' or r.startswith('arn:aws:')), r
    by = {a: s for s in policy['Statement'] for a in s['Action']}
    assert by['iam:PassRole']['Condition'] == {'StringEquals': {'iam:PassedToService': 'ec2.amazonaws.com'}}
    assert 'aws:ResourceTag/cordon:case' in json.dumps(by['ec2:AuthorizeSecurityGroupIngress']['Condition'])
    assert 'sqs:ReceiveMessage' not in by and 'sns:Publish' not in by and 's3:PutObject' not in by  # nothing configured
    assert by['iam:UpdateAccessKey']['Resource'] == [f'arn:aws:iam::{ACCOUNT}:user/*']
    assert not {a for a in by if a.startswith(('iam:Create', 'iam:Attach', 'organizations:', 'iam:DeleteUser'))} - {'iam:DeleteUserPolicy'}


def test_the_policy_follows_the_configuration(cordon):
    cordon.env.update(CORDON_EVIDENCE_BUCKET='proofs', CORDON_EVIDENCE_PREFIX='c/', CORDON_NOTIFY_TOPIC_ARN='arn:aws:sns:eu-west-1:1:t',
                      CORDON_SERVE_QUEUE_URL=f'https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/findings', CORDON_STATE='dynamodb:cases',
                      CORDON_EVIDENCE_LOG_SOURCES='s3://trail/AWSLogs/', CORDON_APPROVALS_KEY='secret:links',
                      CORDON_EVIDENCE_KMS_KEY='arn:aws:kms:eu-west-1:1:key/k')
    by = {a: s['Resource'] for s in printed(cordon)['Statement'] for a in s['Action'] if s['Sid'] not in ('Buckets', 'LogObjects')}
    assert by['s3:PutObject'] == ['arn:aws:s3:::proofs/c/*'] and by['sns:Publish'] == ['arn:aws:sns:eu-west-1:1:t']
    assert by['sqs:DeleteMessage'] == [f'arn:aws:sqs:{REGION}:{ACCOUNT}:findings']
    assert by['dynamodb:PutItem'] == [f'arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/cases']
    assert by['s3:ListBucket'] == ['arn:aws:s3:::trail'] and by['kms:Decrypt'] == ['arn:aws:kms:eu-west-1:1:key/k']
    assert by['secretsmanager:GetSecretValue'] == [f'arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:links-*']
    china = cordon('policy', '--region', 'cn-north-1', '--output', 'json').json
    assert all(r == '*' or r.startswith('arn:aws-cn:') or r.startswith('arn:aws:sns') or r.startswith('arn:aws:kms')
               for s in china['Statement'] for r in s['Resource'])
    small = actions(printed(cordon, '--playbook', 's3-public'))
    assert 's3:PutBucketPublicAccessBlock' in small and 'ec2:StopInstances' not in small
    assert cordon('policy', '--playbook', 'nothing').code == 1
    assert cordon('policy', '--account', '12').code == 2
