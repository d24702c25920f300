"""Servers that nobody here wrote, each started for the tests that ask for it: `s3_server` and
`s3_server_tls` (versitygw, which verifies every signature), `dynamodb_local` (AWS's own DynamoDB on
one machine; it does not look at signatures). tools/peers.sh puts them where `PEERS` points; a test
whose peer is not there is skipped with the reason.
"""
from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config

PEERS = pathlib.Path(os.environ.get('CORDON_PEERS') or pathlib.Path(sys.prefix).parent / 'peers')


def peer(name: str) -> pathlib.Path:
    """The peer's program or folder; skips the test where there is none."""
    path = PEERS / name
    if not path.exists():
        reason = PEERS / f'{name}.missing'
        pytest.skip(f'{name}: {reason.read_text().strip() if reason.exists() else "tools/peers.sh has not fetched it"}')
    return path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f'the server on port {port} ended with {process.returncode}')
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f'nothing answers on port {port} after {seconds} s')


def stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving(command: list[str], port: int, log: pathlib.Path, env: dict | None = None) -> Iterator[None]:
    """A server's process while it listens on `port`."""
    with open(log, 'wb') as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=log.parent,
                                   env={'PATH': os.environ['PATH'], 'HOME': str(log.parent), **(env or {})})
        try:
            wait_for_port(port, process)
            yield
        except RuntimeError as problem:
            raise RuntimeError(f'{problem}: {log.read_text(errors="replace")[-2000:]}') from problem
        finally:
            stop(process)


@dataclasses.dataclass
class Peer:
    """Where a server listens and how a client gets in."""
    service: str
    url: str
    region: str
    access_key: str
    secret_key: str
    ca: pathlib.Path | None = None  # to be trusted, over TLS

    @property
    def env(self) -> dict:
        """What cordon needs in its environment to use this server for this one service."""
        values = {f'AWS_ENDPOINT_URL_{self.service.upper()}': self.url, 'AWS_REGION': self.region,
                  'AWS_ACCESS_KEY_ID': self.access_key, 'AWS_SECRET_ACCESS_KEY': self.secret_key}
        return {**values, 'AWS_CA_BUNDLE': str(self.ca)} if self.ca else values

    @property
    def client(self):
        """boto3's client, for seeding and for looking."""
        return boto3.client(self.service, region_name=self.region, endpoint_url=self.url,
                            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
                            verify=str(self.ca) if self.ca else None,
                            config=Config(retries={'max_attempts': 1}, s3={'addressing_style': 'path'}))


def new_keys() -> tuple[str, str]:
    return 'AKIA' + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)


# ---- DynamoDB Local ----

@pytest.fixture(scope='session')
def dynamodb_process(tmp_path_factory) -> Iterator[str]:
    jars = peer('dynamodb-local')
    java = shutil.which('java')
    if not java:
        pytest.skip('dynamodb-local: there is no java')
    port = free_port()
    command = [java, '-Xmx256m', '-XX:+UseSerialGC', f'-Djava.library.path={jars}', '-cp', f'{jars}/*',
               'software.amazon.dynamodb.services.local.main.ServerRunner', '-inMemory', '-port', str(port)]
    with serving(command, port, tmp_path_factory.mktemp('dynamodb') / 'server.log'):
        yield f'http://127.0.0.1:{port}'


@pytest.fixture
def dynamodb_local(dynamodb_process: str) -> Peer:
    """A DynamoDB with nothing in it: the server keeps a database for each access key."""
    return Peer('dynamodb', dynamodb_process, 'eu-west-1', *new_keys())


# ---- the S3 server ----

def self_signed(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate for 127.0.0.1 and its key; the certificate is its own authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    import ipaddress
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, '127.0.0.1')])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=2))
                   .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1')),
                                                               x509.DNSName('localhost')]), False)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
                   .sign(key, hashes.SHA256()))
    crt, pem = folder / 'server.crt', folder / 'server.key'
    crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))
    return crt, pem


@contextlib.contextmanager
def versitygw(folder: pathlib.Path, tls: bool = False, env: dict | None = None) -> Iterator[Peer]:
    """An S3 server over `folder`, with versioning."""
    program = peer('versitygw')
    for name in ('iam', 'versions', 'buckets', 'parts'):
        (folder / name).mkdir(parents=True)
    port, (access, secret) = free_port(), new_keys()
    crt, pem = self_signed(folder) if tls else (None, None)
    command = [str(program), '--port', f'127.0.0.1:{port}', '--region', 'eu-west-1', '--iam-dir', str(folder / 'iam')]
    command += ['--cert', str(crt), '--key', str(pem)] if tls else []
    # Without --sidecar the attributes go into extended attributes, which some file systems lack.
    command += ['posix', '--versioning-dir', str(folder / 'versions'), '--sidecar', str(folder / 'parts'),
                str(folder / 'buckets')]
    keys = {'ROOT_ACCESS_KEY': access, 'ROOT_SECRET_KEY': secret, **(env or {})}
    with serving(command, port, folder / 'server.log', keys):
        yield Peer('s3', f'http{"s" if tls else ""}://127.0.0.1:{port}', 'eu-west-1', access, secret, crt)


@pytest.fixture
def s3_server(tmp_path: pathlib.Path) -> Iterator[Peer]:
    """An S3 server with no bucket in it."""
    with versitygw(tmp_path / 's3') as server:
        yield server


@pytest.fixture
def s3_server_tls(tmp_path: pathlib.Path) -> Iterator[Peer]:
    """The same over TLS; the client is told to trust `ca`."""
    with versitygw(tmp_path / 's3-tls', tls=True) as server:
        yield server
