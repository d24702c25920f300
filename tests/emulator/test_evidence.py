"""Custody against moto: what is stored, locked and read back, and that tampering is found.

moto lets a lock be shortened and an object be deleted with governance bypassed, which is what an intruder with too
many rights would do; it has no GetObjectRetention and does not check Content-MD5.
"""
from __future__ import annotations

import datetime
import gzip
import hashlib
import json

import pytest

from rooms import driver, open_case

BUCKET = 'evidence-of-techsolutions'
TRAIL = 'techsolutions-trail'
PREFIX = 'AWSLogs/123456789012/CloudTrail/eu-west-1'
INSIDE = f'{PREFIX}/2026/08/01/123456789012_CloudTrail_eu-west-1_20260801T1005Z_aaaa.json.gz'
WINDOW = ('2026-08-01T09:00:00Z', '2026-08-01T11:00:00Z')


@pytest.fixture
def case(cordon, aws, moto):
    """An open case on a running instance, with a bucket for evidence and a trail with three days in it."""
    cordon.env.update(CORDON_EVIDENCE_BUCKET=BUCKET, CORDON_EVIDENCE_LOCK_DAYS='30',
                      CORDON_EVIDENCE_LOG_SOURCES=f's3://{TRAIL}/,s3://techsolutions-logs/web/')
    s3 = aws('s3')
    where = {'LocationConstraint': 'eu-west-1'}
    for bucket in (TRAIL, 'techsolutions-logs'):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    body = gzip.compress(json.dumps({'Records': []}).encode())
    s3.put_object(Bucket=TRAIL, Key=INSIDE, Body=body)
    for day in ('2026/07/31', '2026/08/05', '2025/08/01'):
        s3.put_object(Bucket=TRAIL, Key=f'{PREFIX}/{day}/123456789012_CloudTrail_eu-west-1_{day.replace("/", "")}T1005Z_b.json.gz', Body=body)
    s3.put_object(Bucket=TRAIL, Key=f'{PREFIX}/2026/08/01/123456789012_CloudTrail_eu-west-1_20260801T2305Z_c.json.gz', Body=body)
    s3.put_object(Bucket='techsolutions-logs', Key='web/../../../evil name.log', Body=b'GET / 200\n' * 1000)
    instance = aws('ec2').run_instances(ImageId='ami-12c6146b', MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']
    return open_case(cordon, instance)


def acquire(cordon, case, folder='-'):
    return driver(cordon)('acquire', case, str(folder), *WINDOW)


@pytest.fixture
def stored(cordon, case):
    assert cordon('evidence', 'init').code == 0
    ran = acquire(cordon, case)
    assert ran.code == 0, ran.err
    return {i['name']: i for i in ran.json['items']}


def test_the_bucket_is_made_as_it_should_be(cordon, case, aws):
    ran = cordon('evidence', 'init')
    assert ran.code == 0, ran.err
    s3 = aws('s3')
    assert s3.get_bucket_versioning(Bucket=BUCKET)['Status'] == 'Enabled'
    rule = s3.get_object_lock_configuration(Bucket=BUCKET)['ObjectLockConfiguration']['Rule']['DefaultRetention']
    assert (rule['Mode'], rule['Days']) == ('GOVERNANCE', 30)
    assert all(s3.get_public_access_block(Bucket=BUCKET)['PublicAccessBlockConfiguration'].values())
    rules = s3.get_bucket_encryption(Bucket=BUCKET)['ServerSideEncryptionConfiguration']['Rules']
    assert rules[0]['ApplyServerSideEncryptionByDefault']['SSEAlgorithm'] == 'AES256'
    assert 'BypassGovernanceRetention' in s3.get_bucket_policy(Bucket=BUCKET)['Policy']
    assert cordon('evidence', 'init').code == 0, 'a second time is fine'


def test_what_is_stored_is_hashed_locked_and_encrypted(cordon, case, stored, aws):
    s3 = aws('s3')
    for name in ('finding.json', 'logs/techsolutions-trail/' + INSIDE):
        item = stored[name]
        got = s3.get_object(Bucket=BUCKET, Key=item['key'], VersionId=item['version_id'])
        body = got['Body'].read()
        assert hashlib.sha256(body).hexdigest() == item['sha256']
        assert len(body) == item['size']
        assert got['ObjectLockMode'] == 'GOVERNANCE'
        left = got['ObjectLockRetainUntilDate'] - datetime.datetime.now(datetime.timezone.utc)
        assert 29 <= left.total_seconds() / 86400 <= 30
        assert got['ServerSideEncryption'] == 'AES256'
        assert item['retain_until'] and item['operator']['arn'].startswith('arn:aws:')


def test_only_the_window_is_taken_and_names_stay_inside(cordon, case, stored, tmp_path):
    logs = sorted(n for n in stored if n.startswith('logs/'))
    assert logs == ['logs/techsolutions-logs/web/_./_./_./evil_name.log', 'logs/techsolutions-trail/' + INSIDE]
    assert any(n.endswith('DescribeInstances.json') for n in stored)
    folder = tmp_path / 'copies'
    assert acquire(cordon, case, folder).code == 0
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file())
    assert files == logs


def test_the_same_again_is_kept_once(cordon, case, stored, aws):
    again = acquire(cordon, case)
    assert again.code == 0
    assert {i['name']: i['version_id'] for i in again.json['items'] if i['name'].startswith('logs/')} == \
        {n: i['version_id'] for n, i in stored.items() if n.startswith('logs/')}
    versions = aws('s3').list_object_versions(Bucket=BUCKET, Prefix=stored['finding.json']['key'])['Versions']
    assert len(versions) == 1


def test_other_content_under_the_name_gets_a_number(cordon, case, stored, tmp_path):
    one, two = tmp_path / 'a', tmp_path / 'b'
    one.write_text('first')
    two.write_text('second')
    run = driver(cordon)
    assert run('put', case, 'console.txt', str(one)).json['name'] == 'console.txt'
    assert run('put', case, 'console.txt', str(two)).json['name'] == 'console.txt.2'
    assert run('put', case, 'console.txt', str(one)).json['name'] == 'console.txt'


def test_an_upload_that_was_not_recorded_is_adopted_or_stepped_over(cordon, case, stored, aws, tmp_path):
    """A run killed between PutObject and the journal left an object behind."""
    s3 = aws('s3')
    content = tmp_path / 'x'
    content.write_text('content')
    for name, body, expected in (('same.txt', b'content', 'same.txt'), ('other.txt', b'elsewhere', 'other.txt.2')):
        s3.put_object(Bucket=BUCKET, Key=f'cordon/{case}/{name}', Body=body)
        ran = driver(cordon)('put', case, name, str(content))
        assert ran.code == 0, ran.err
        assert ran.json['name'] == expected


def test_verify_is_content_with_what_is_whole(cordon, case, stored):
    ran = cordon('evidence', 'verify', case, '--output', 'json')
    assert ran.code == 0, ran.err
    assert ran.json['ok'] is True
    assert ran.json['objects'] == len(stored) + 1, 'the manifest is evidence too'
    listed = cordon('evidence', 'list', case, '--output', 'json').json
    assert {i['name'] for i in listed['items']} == set(stored) | {'manifest.json'}


def test_a_deleted_version_is_found(cordon, case, stored, aws):
    item = stored['finding.json']
    s3 = aws('s3')
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.delete_object(Bucket=BUCKET, Key=item['key'], VersionId=item['version_id'], BypassGovernanceRetention=True)
    ran = cordon('evidence', 'verify', case)
    assert ran.code == 8, ran.err
    assert 'finding.json' in ran.err and 'deleted' in ran.err


def test_a_shortened_retention_is_found(cordon, case, stored, aws):
    item = stored['finding.json']
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    s3 = aws('s3')
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.put_object_retention(Bucket=BUCKET, Key=item['key'], VersionId=item['version_id'], BypassGovernanceRetention=True,
                            Retention={'Mode': 'GOVERNANCE', 'RetainUntilDate': soon})
    ran = cordon('evidence', 'verify', case)
    assert ran.code == 8, ran.err
    assert 'finding.json' in ran.err and 'shortened' in ran.err


def test_changed_content_is_found(cordon, case, aws, tmp_path):
    """Without versioning a key can be overwritten: the weakest bucket that cordon still accepts."""
    aws('s3').create_bucket(Bucket=BUCKET, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
    content = tmp_path / 'x'
    content.write_text('content')
    item = driver(cordon)('put', case, 'x.txt', str(content)).json
    assert item['retain_until'] is None
    assert cordon('evidence', 'verify', case).code == 0
    aws('s3').put_object(Bucket=BUCKET, Key=item['key'], Body=b'CONTENT')
    ran = cordon('evidence', 'verify', case)
    assert ran.code == 8, ran.err
    assert 'x.txt' in ran.err and 'SHA-256' in ran.err


def test_a_weak_bucket_is_named(cordon, case, aws):
    aws('s3').create_bucket(Bucket=BUCKET, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
    ran = acquire(cordon, case)
    assert set(ran.json['weak']) >= {'versioning', 'object-lock', 'public-access-block'}


def test_a_missing_bucket_says_what_to_run(cordon, case):
    ran = acquire(cordon, case)
    assert ran.code == 1, ran.err
    assert 'cordon evidence init' in ran.err and BUCKET in ran.err


def test_no_bucket_configured_says_what_to_set(cordon, case):
    cordon.env['CORDON_EVIDENCE_BUCKET'] = ''
    ran = acquire(cordon, case)
    assert ran.code == 3, ran.err
    assert 'evidence.bucket' in ran.err


def test_a_missing_log_source_does_not_stop_the_rest(cordon, case):
    assert cordon('evidence', 'init').code == 0
    cordon.env['CORDON_EVIDENCE_LOG_SOURCES'] = f's3://no-such-bucket-at-all/x,s3://{TRAIL}/'
    ran = acquire(cordon, case)
    assert ran.code == 6, ran.err
    assert [f['name'] for f in ran.json['failed']] == ['s3://no-such-bucket-at-all/x']
    assert any(i['name'].endswith('aaaa.json.gz') for i in ran.json['items'])


def test_export_can_be_checked_without_aws(cordon, case, stored, tmp_path):
    folder = tmp_path / 'export'
    ran = cordon('evidence', 'export', case, str(folder))
    assert ran.code == 0, ran.err
    for line in (folder / 'SHA256SUMS').read_text().splitlines():
        digest, name = line.split('  ', 1)
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    records = json.loads((folder / 'journal.json').read_text())
    assert records[0]['kind'] == 'case.opened'
    manifest = json.loads((folder / 'manifest.json').read_text())
    assert {i['name'] for i in manifest['items']} == set(stored) | {'manifest.json'}
    again = cordon('evidence', 'export', case, str(folder))
    assert again.code == 2 and 'not empty' in again.err


def test_an_unknown_case_is_named(cordon, case):
    ran = cordon('evidence', 'verify', '2020-9999')
    assert ran.code != 0 and '2020-9999' in ran.err


def test_the_report_shows_the_evidence(cordon, case, stored, tmp_path):
    out = tmp_path / 'r.html'
    assert cordon('report', case, '--file', str(out)).code == 0
    html = out.read_text()
    assert stored['finding.json']['sha256'] in html and 'GOVERNANCE' in html
    assert cordon('report', case, '--file', str(out)).code == 2, 'nothing is overwritten unasked'
    assert cordon('report', case, '--file', str(out), '--force', '--lang', 'es').code == 0
    assert 'lang="es"' in out.read_text()
    assert json.loads(cordon('report', case, '--format', 'json').out)['case'] == case
