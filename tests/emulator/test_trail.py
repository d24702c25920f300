"""`cordon trail verify`: trees that CloudTrail could have written, then what somebody made of them."""
from __future__ import annotations

import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import urllib.request

import pytest

from conftest import KEYS, REGION, ROOT, Cordon, stop
from peers import peer
from trails import START, Trail, key_pair, public_key

import datetime


@pytest.fixture
def verify(cordon_alone: Cordon, tmp_path: pathlib.Path):
    """A function: writes the trail as a copy, checks it, gives exit code and document."""
    def run(trail: Trail, *more: str, heads: str = 'newest', after=None):
        tree = trail.write(tmp_path / 'tree', heads)
        keys = trail.write_keys(tmp_path / 'keys.json')
        if after:
            after(tree)
        ran = cordon_alone('trail', 'verify', str(tree), '--keys', str(keys), '--output', 'json', *more)
        return ran.code, ran.json
    return run


def kinds(doc: dict) -> list[str]:
    return sorted(p['kind'] for p in doc['problems'])


@pytest.mark.parametrize('spki', [False, True])
def test_a_trail_as_delivered(verify, spki: bool):
    code, doc = verify(Trail(spki=spki))
    assert code == 0, doc
    assert doc['schema'] == 'cordon.trail/1'
    assert doc['digests'] == {'found': 4, 'valid': 4, 'invalid': 0, 'unproven': 0, 'unread': 0}
    assert doc['logs']['valid'] == 8 and doc['problems'] == [] and doc['gaps'] == []
    assert doc['chains'][0]['trail'] == 'org_trail' and doc['chains'][0]['region'] == 'eu-west-1'


def test_packed_anew_is_not_changed(verify):
    trail = Trail()
    for key in trail.objects:
        trail.objects[key] = gzip.compress(gzip.decompress(trail.objects[key]), 1)
    assert verify(trail)[0] == 0


def test_a_copy_that_was_unpacked(verify):
    trail = Trail()
    for key in trail.logs:
        trail.objects[key.removesuffix('.gz')] = gzip.decompress(trail.objects.pop(key))
    assert verify(trail)[0] == 0


def test_the_newest_signature_is_missing(verify):
    code, doc = verify(Trail(), heads='none')
    assert code == 6 and kinds(doc) == ['signature_missing']
    assert doc['digests']['valid'] == 3 and doc['logs'] == {'found': 8, 'valid': 6, 'edited': 0, 'deleted': 0, 'unproven': 2,
                                                            'unlisted': 0, 'outside': 0}


def flipped(content: bytes) -> bytes:
    raw = bytearray(gzip.decompress(content))
    raw[len(raw) // 2] ^= 1
    return gzip.compress(bytes(raw))


@pytest.mark.parametrize('how', ['flipped', 'second member', 'trailing bytes', 'cut', 'garbage'])
def test_an_edited_log_file(verify, how: str):
    trail = Trail()
    key = trail.logs[3]
    content = trail.objects[key]
    trail.objects[key] = {'flipped': flipped(content), 'second member': content + gzip.compress(b' '),
                          'trailing bytes': content + b'x', 'cut': content[:-9], 'garbage': b'\x1f\x8bnonsense'}[how]
    code, doc = verify(trail)
    assert code == 8 and kinds(doc) == ['log_edited']
    assert doc['problems'][0]['object'] == key and doc['logs']['edited'] == 1 and doc['logs']['valid'] == 7


def test_a_deleted_log_file(verify):
    trail = Trail()
    del trail.objects[trail.logs[2]]
    code, doc = verify(trail)
    assert code == 8 and kinds(doc) == ['log_deleted'] and doc['problems'][0]['object'] == trail.logs[2]


def test_an_unlisted_log_file(verify):
    trail = Trail()
    forged = trail.logs[2].replace('abcd', 'zzzz')
    trail.objects[forged] = trail.objects[trail.logs[2]]
    code, doc = verify(trail)
    assert code == 8 and kinds(doc) == ['log_unlisted'] and doc['problems'][0]['object'].endswith(forged)


def test_an_edited_digest(verify):
    """A log file taken out of its digest, and away: the digest is not AWS's any more, and the log's hour is unproven."""
    trail = Trail()
    digest = json.loads(gzip.decompress(trail.objects[trail.digests[1]]))
    gone = digest['logFiles'].pop()
    del trail.objects[gone['s3Object']]
    trail.objects[trail.digests[1]] = gzip.compress(json.dumps(digest).encode())
    code, doc = verify(trail)
    assert code == 8 and kinds(doc) == ['digest_edited'] and doc['digests']['invalid'] == 1
    assert doc['logs']['unproven'] == 1


def test_a_digest_signed_by_another(verify):
    trail = Trail()
    digest = json.loads(gzip.decompress(trail.objects[trail.digests[-1]]))
    trail.put_digest(trail.digests[-1], digest, key_pair('thief'))
    code, doc = verify(trail)
    assert code == 8 and kinds(doc) == ['digest_edited']


@pytest.mark.parametrize('valid, code', [(('2026-01-01T00:00:00Z', '2026-08-01T10:30:00Z'), 8), (('2026-08-01T15:30:00Z', '2027-01-01T00:00:00Z'), 8),
                                         (('2026-08-01T09:00:00Z', '2026-08-01T13:00:00Z'), 0), ((1785571200, 1785589200), 0), ((1785571200, 1785580000), 8)])
def test_a_key_that_was_not_in_use(verify, valid: tuple, code: int):
    trail = Trail()
    trail.public |= {'ValidityStartTime': valid[0], 'ValidityEndTime': valid[1]}
    got, doc = verify(trail)
    assert got == code, doc
    assert set(kinds(doc)) == ({'key_out_of_time'} if code else set())
    assert bool(doc['digests']['invalid']) == bool(code)


def test_an_unknown_key(verify):
    trail = Trail()
    trail.public = public_key(key_pair('other'))
    code, doc = verify(trail)
    assert code == 6 and kinds(doc) == ['key_missing'] * 4 and doc['logs']['valid'] == 0 and doc['logs']['unproven'] == 8


def test_a_digest_moved_to_another_place(verify):
    trail = Trail()
    wrong = trail.digests[2].replace('T12', 'T22')
    trail.objects[wrong] = trail.objects[trail.digests[2]]
    code, doc = verify(trail)
    assert code == 8 and 'digest_moved' in kinds(doc)


@pytest.mark.parametrize('heads', ['newest', 'all'])
def test_a_deleted_digest(verify, heads: str):
    """Without it nothing vouches for the one before, unless its metadata was saved; its log files stand alone."""
    trail = Trail(hours=5)
    del trail.objects[trail.digests[2]], trail.metadata[trail.digests[2]]
    code, doc = verify(trail, heads=heads)
    assert code == 8
    expected = ['digest_deleted'] + ['log_unlisted'] * 2 + ([] if heads == 'all' else ['signature_missing'])
    assert kinds(doc) == expected
    assert [p['object'] for p in doc['problems'] if p['kind'] == 'digest_deleted'] == [trail.digests[2]]
    assert [(g['from'], g['to']) for g in doc['gaps']] == [('2026-08-01T11:00:00Z', '2026-08-01T12:00:00Z')]


def test_a_chain_begun_anew(verify):
    trail = Trail(hours=2)
    trail.add_digest(START + datetime.timedelta(hours=5), [], previous=False)
    code, doc = verify(trail, heads='all')
    assert code == 6 and kinds(doc) == ['chain_restarted']
    assert [(g['from'], g['to']) for g in doc['gaps']] == [('2026-08-01T11:00:00Z', '2026-08-01T14:00:00Z')]


def test_a_signature_field_made_null(verify):
    trail = Trail()
    digest = json.loads(gzip.decompress(trail.objects[trail.digests[-1]]))
    digest['previousDigestSignature'] = None
    trail.objects[trail.digests[-1]] = gzip.compress(json.dumps(digest).encode())
    code, doc = verify(trail)
    assert code == 8 and 'digest_edited' in kinds(doc)


@pytest.mark.parametrize('heads', ['all', 'newest'])
def test_a_backfill_digest_stands_by_itself(verify, heads: str):
    """Late deliveries are listed in a digest outside the chain; only its own metadata has its signature."""
    trail = Trail()
    late = trail.logs[0].replace('abcd', 'late')
    trail.objects[late] = flipped(trail.objects[trail.logs[0]])
    digest = json.loads(gzip.decompress(trail.objects[trail.digests[0]]))
    key = trail.digests[0].replace('.json.gz', '_backfill.json.gz')
    digest['digestS3Object'] = key
    digest['logFiles'] = [dict(digest['logFiles'][0], s3Object=late, hashValue=hashlib.sha256(gzip.decompress(trail.objects[late])).hexdigest())]
    trail.put_digest(key, digest)
    code, doc = verify(trail, heads=heads)
    assert doc['gaps'] == [] and doc['digests']['found'] == 5 and len(doc['chains']) == 2
    assert (code, kinds(doc)) == ((0, []) if heads == 'all' else (6, ['signature_missing']))
    assert doc['logs']['valid'] == (9 if heads == 'all' else 8)


def test_no_digest_at_all(verify):
    trail = Trail()
    trail.objects = {k: v for k, v in trail.objects.items() if 'Digest' not in k}
    code, doc = verify(trail)
    assert code == 6 and doc['digests']['found'] == 0 and doc['logs']['outside'] == 8


def test_a_window_and_a_region(verify, tmp_path: pathlib.Path):
    Trail(region='us-east-1').write(tmp_path / 'tree')
    code, doc = verify(Trail(), '--region', 'eu-west-1', '--since', '2026-08-01T11:00:00Z', '--until', '2026-08-01T12:30:00Z')
    assert code == 0 and doc['digests']['found'] == 2 and len(doc['chains']) == 1


def test_hostile_trees(verify):
    """Digests that are no digests, bombs, and names that lie: each is named, nothing falls over."""
    trail = Trail()
    bad = trail.digests[-1]
    for raw in (b'{', b'[]', b'{"digestS3Bucket":1}', b'\xff' * 100, b'{"a":' * 5000, b'\x00' * 4000000):
        trail.objects[bad] = gzip.compress(raw)
        code, doc = verify(trail)
        assert code == 8 and 'digest_edited' in kinds(doc), raw[:10]


def test_words_for_people(cordon_alone: Cordon, tmp_path: pathlib.Path):
    trail = Trail()
    trail.objects[trail.logs[0]] = flipped(trail.objects[trail.logs[0]])
    tree, keys = trail.write(tmp_path / 'tree'), trail.write_keys(tmp_path / 'keys.json')
    english = cordon_alone('trail', 'verify', str(tree), '--keys', str(keys), '--output', 'table')
    assert english.code == 8 and 'log file changed' in english.out and 'of them 4 signed by AWS' in english.out
    spanish = cordon_alone('trail', 'verify', str(tree), '--keys', str(keys), '--output', 'table', '--lang', 'es')
    assert 'archivo de registro modificado' in spanish.out and 'firmados por AWS' in spanish.out
    assert cordon_alone('trail', 'verify', str(tree)).code == 2
    assert cordon_alone('trail', 'verify', str(tree / 'nowhere'), '--keys', str(keys)).code == 1
    broken = json.loads(keys.read_text())
    broken['PublicKeyList'][0]['Fingerprint'] = '0' * 32
    keys.write_text(json.dumps(broken))
    assert cordon_alone('trail', 'verify', str(tree), '--keys', str(keys)).code == 8


# ---- in the bucket ----

@pytest.fixture
def bucket(cordon: Cordon, aws):
    """A function: puts the trail into its bucket and its key where ListPublicKeys finds it."""
    process = subprocess.Popen([sys.executable, str(ROOT / 'tests/emulator/stub.py'), '--print-port'],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    url = f'http://127.0.0.1:{int(process.stdout.readline())}'
    cordon.env['AWS_ENDPOINT_URL_CLOUDTRAIL'] = url
    s3 = aws('s3')

    def put(trail: Trail) -> str:
        s3.create_bucket(Bucket=trail.bucket, CreateBucketConfiguration={'LocationConstraint': REGION})
        for key, content in trail.objects.items():
            s3.put_object(Bucket=trail.bucket, Key=key, Body=content, Metadata=trail.metadata.get(key, {}))
        urllib.request.urlopen(urllib.request.Request(f'{url}/_stub/keys', method='POST',
                                                      data=json.dumps([trail.public]).encode())).read()
        return url
    try:
        yield put
    finally:
        process.stdin.close()
        stop(process)


def test_in_the_bucket(cordon: Cordon, bucket, aws):
    trail = Trail()
    bucket(trail)
    ran = cordon('trail', 'verify', f's3://{trail.bucket}/logs', '--output', 'json')
    assert ran.code == 0, ran.err
    assert ran.json['digests']['valid'] == 4 and ran.json['logs']['valid'] == 8
    aws('s3').delete_object(Bucket=trail.bucket, Key=trail.digests[1])
    aws('s3').delete_object(Bucket=trail.bucket, Key=trail.logs[0])
    ran = cordon('trail', 'verify', f's3://{trail.bucket}/logs', '--output', 'json')
    assert ran.code == 8
    assert kinds(ran.json) == ['digest_deleted', 'log_deleted', 'log_unlisted', 'log_unlisted']
    # Whatever its successor said, the metadata of the digest before the deleted one is at hand here.
    assert ran.json['digests']['valid'] == 3


def test_the_oldest_digest_is_missed_in_a_bucket(cordon: Cordon, bucket, aws):
    trail = Trail()
    bucket(trail)
    aws('s3').delete_object(Bucket=trail.bucket, Key=trail.digests[0])
    ran = cordon('trail', 'verify', f's3://{trail.bucket}/logs', '--output', 'json')
    assert ran.code == 8 and 'digest_deleted' in kinds(ran.json)
    ran = cordon('trail', 'verify', f's3://{trail.bucket}/logs', '--since', '2026-08-01T11:00:00Z', '--output', 'json')
    assert ran.code == 0, ran.json


# ---- beside AWS's own tool ----

def edit_log(t: Trail) -> None:
    t.objects[t.logs[3]] = flipped(t.objects[t.logs[3]])


def delete_log(t: Trail) -> None:
    del t.objects[t.logs[2]]


def delete_digest(t: Trail) -> None:
    del t.objects[t.digests[1]], t.metadata[t.digests[1]]


def edit_digest(t: Trail) -> None:
    digest = json.loads(gzip.decompress(t.objects[t.digests[1]]))
    digest['logFiles'].pop()
    t.objects[t.digests[1]] = gzip.compress(json.dumps(digest).encode())


@pytest.mark.parametrize('change', [None, edit_log, delete_log, delete_digest, edit_digest])
def test_the_aws_cli_finds_the_same(cordon: Cordon, bucket, moto: str, change):
    """What `aws cloudtrail validate-logs` calls valid and not is what cordon does; cordon names more (log_unlisted)."""
    trail = Trail(prefix='')
    if change:
        change(trail)
    url = bucket(trail)
    aws = peer('awscli') / 'bin/aws'
    ran = subprocess.run([str(aws), 'cloudtrail', 'validate-logs', '--trail-arn', f'arn:aws:cloudtrail:{REGION}:111122223333:trail/{trail.name}',
                          '--start-time', '2026-08-01T00:00:00Z', '--end-time', '2026-08-01T23:00:00Z', '--s3-bucket', trail.bucket],
                         capture_output=True, text=True, timeout=120,
                         env={**cordon.env, 'AWS_DEFAULT_REGION': REGION, 'AWS_ENDPOINT_URL_CLOUDTRAIL': url, 'AWS_ENDPOINT_URL': moto})
    mine = cordon('trail', 'verify', f's3://{trail.bucket}', '--output', 'json')
    assert (ran.returncode == 0) == (mine.code == 0), ran.stderr

    def theirs(kind: str) -> int:
        found = re.search(rf'(\d+)/\d+ {kind} files valid', ran.stdout)
        return int(found[1])
    assert theirs('digest') == mine.json['digests']['valid']
    assert theirs('log') == mine.json['logs']['valid']
    bad = {line.split('\t')[1].partition(trail.bucket + '/')[2] for line in (ran.stdout + ran.stderr).splitlines() if '\tINVALID' in line}
    assert bad == {p['object'] for p in mine.json['problems'] if p['kind'] != 'log_unlisted'}
