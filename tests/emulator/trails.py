"""A trail as CloudTrail leaves it in a bucket: log files, and every hour a signed digest of them.

Written after "Validating CloudTrail log file integrity" of the CloudTrail User Guide, with a key pair of its own.
"""
from __future__ import annotations

import base64
import datetime
import functools
import gzip
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

UTC = datetime.timezone.utc
ACCOUNT = '111122223333'
START = datetime.datetime(2026, 8, 1, 9, tzinfo=UTC)


@functools.lru_cache(maxsize=None)
def key_pair(which: str = 'first') -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key(private: rsa.RSAPrivateKey, spki: bool = False) -> dict:
    """As ListPublicKeys answers it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo if spki else serialization.PublicFormat.PKCS1
    der = private.public_key().public_bytes(serialization.Encoding.DER, form)
    return {'Value': base64.b64encode(der).decode(), 'Fingerprint': hashlib.md5(der).hexdigest(),
            'ValidityStartTime': '2026-01-01T00:00:00Z', 'ValidityEndTime': '2027-01-01T00:00:00Z'}


def stamp(t: datetime.datetime) -> str:
    return t.strftime('%Y-%m-%dT%H:%M:%SZ')


class Trail:
    """Objects of one trail in one region: {key: content}, {key: metadata of digests}."""

    def __init__(self, region: str = 'eu-west-1', name: str = 'org_trail', bucket: str = 'acme-trail', prefix: str = 'logs/',
                 hours: int = 4, files: int = 2, spki: bool = False):
        self.region, self.name, self.bucket, self.prefix = region, name, bucket, prefix
        self.private = key_pair()
        self.public = public_key(self.private, spki)
        self.objects: dict[str, bytes] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.digests: list[str] = []
        self.logs: list[str] = []
        for hour in range(hours):
            self.add_hour(START + datetime.timedelta(hours=hour), files)

    def folder(self, kind: str, t: datetime.datetime) -> str:
        return f'{self.prefix}AWSLogs/{ACCOUNT}/{kind}/{self.region}/{t:%Y/%m/%d}/{ACCOUNT}_{kind}_{self.region}_'

    def add_hour(self, start: datetime.datetime, files: int) -> None:
        made = []
        for i in range(files):
            t = start + datetime.timedelta(minutes=10 + 20 * i)
            key = self.folder('CloudTrail', t) + f'{t:%Y%m%dT%H%MZ}_{self.region[:2]}{start.hour:02d}abcdEFGH{i}.json.gz'
            event = {'eventVersion': '1.09', 'eventID': f'{start.hour:08d}-0000-4000-8000-{i:012d}', 'eventName': 'ListBuckets',
                     'eventSource': 's3.amazonaws.com', 'eventTime': stamp(t), 'awsRegion': self.region,
                     'sourceIPAddress': '192.0.2.9', 'userAgent': 'x', 'recipientAccountId': ACCOUNT,
                     'userIdentity': {'type': 'IAMUser', 'arn': f'arn:aws:iam::{ACCOUNT}:user/u', 'userName': 'u'}}
            self.objects[key] = gzip.compress(json.dumps({'Records': [event]}).encode())
            made.append(key)
        self.logs += made
        self.add_digest(start, made)

    def add_digest(self, start: datetime.datetime, logs: list[str], previous: bool = True) -> None:
        end = start + datetime.timedelta(hours=1)
        key = self.folder('CloudTrail-Digest', end) + f'{self.name}_eu-west-1_{end:%Y%m%dT%H%M%SZ}.json.gz'
        before = self.digests[-1] if self.digests and previous else None
        digest = {
            'awsAccountId': ACCOUNT, 'digestStartTime': stamp(start), 'digestEndTime': stamp(end),
            'digestS3Bucket': self.bucket, 'digestS3Object': key,
            'digestPublicKeyFingerprint': self.public['Fingerprint'], 'digestSignatureAlgorithm': 'SHA256withRSA',
            'newestEventTime': stamp(end), 'oldestEventTime': stamp(start),
            'previousDigestS3Bucket': self.bucket if before else None, 'previousDigestS3Object': before,
            'previousDigestHashValue': hashlib.sha256(gzip.decompress(self.objects[before])).hexdigest() if before else None,
            'previousDigestHashAlgorithm': 'SHA-256' if before else None,
            'previousDigestSignature': self.metadata[before]['signature'] if before else None,
            'logFiles': [{'s3Bucket': self.bucket, 's3Object': k, 'hashAlgorithm': 'SHA-256',
                          'hashValue': hashlib.sha256(gzip.decompress(self.objects[k])).hexdigest(),
                          'newestEventTime': stamp(end), 'oldestEventTime': stamp(start)} for k in logs]}
        self.put_digest(key, digest)
        self.digests.append(key)

    def put_digest(self, key: str, digest: dict, private: rsa.RSAPrivateKey | None = None) -> None:
        raw = json.dumps(digest).encode()
        text = '\n'.join([digest['digestEndTime'], f"{digest['digestS3Bucket']}/{digest['digestS3Object']}",
                          hashlib.sha256(raw).hexdigest(), digest['previousDigestSignature'] or 'null'])
        signed = (private or self.private).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        self.objects[key] = gzip.compress(raw)
        self.metadata[key] = {'signature': signed.hex(), 'signature-algorithm': 'SHA256withRSA'}

    def write(self, folder: pathlib.Path, heads: str = 'newest') -> pathlib.Path:
        """A copy as `aws s3 sync` makes it; `heads`: whose metadata was saved too ('newest', 'all', 'none')."""
        for key, content in self.objects.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if key in self.metadata and (heads == 'all' or heads == 'newest' and key == self.digests[-1]):
                (path.parent / (path.name + '.head.json')).write_text(json.dumps({'Metadata': self.metadata[key]}))
        return folder

    def write_keys(self, path: pathlib.Path) -> pathlib.Path:
        path.write_text(json.dumps({'PublicKeyList': [self.public]}))
        return path
