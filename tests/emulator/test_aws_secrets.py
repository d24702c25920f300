"""Secrets leave nothing behind: the memory of a live process is searched for them, and what it printed."""
import datetime
import ipaddress
import json
import os
import pty
import re
import secrets
import select
import signal
import ssl
import time

import pytest
from aws_peer import Driver, Peer, wait_until
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BIGGEST = 256 << 20  # the sanitizers' shadow is larger, and empty


def memory_of(pid: int):
    """The writable pieces of a process's memory."""
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
        for line in maps:
            found = re.match(r'([0-9a-f]+)-([0-9a-f]+) rw', line)
            begin, end = (int(x, 16) for x in found.groups()) if found else (0, 0)
            if 0 < end - begin < BIGGEST:
                memory.seek(begin)
                try:
                    yield memory.read(end - begin)
                except OSError:
                    continue


def seen(pid: int, wanted: dict[str, str]) -> set[str]:
    """Which of the named secrets lie in the memory, whole or all but their first sixteen bytes (malloc overwrites those)."""
    found = set()
    for piece in memory_of(pid):
        found |= {name for name, secret in wanted.items() if secret[16:].encode() in piece}
    return found


def certificate(folder) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that is its own authority, and its key: two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, '127.0.0.1')])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]), False)
            .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    (folder / 'ca.pem').write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / 'key.pem').write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return str(folder / 'ca.pem'), str(folder / 'key.pem')


class World:
    """An STS over TLS, a container's endpoint, a program and files, each with secrets that only they and the test know."""

    def __init__(self, folder):
        self.folder = folder
        self.secrets = {name: secrets.token_urlsafe(48) for name in ('file', 'sts', 'sts token', 'machine', 'machine token', 'program', 'jwt')}
        s = self.secrets
        (folder / 'token').write_text(s['jwt'])
        document = json.dumps({'Version': 1, 'AccessKeyId': 'AKIAPROC', 'SecretAccessKey': s['program']})
        (folder / 'program').write_text(f"#!/bin/sh\necho '{document}'\n")
        (folder / 'program').chmod(0o700)
        (folder / 'config').write_text(f'''[profile role]
role_arn = arn:aws:iam::1:role/r
source_profile = keys
[profile web]
role_arn = arn:aws:iam::1:role/r
web_identity_token_file = {folder}/token
[profile program]
credential_process = {folder}/program
''')
        (folder / 'credentials').write_text(f'[keys]\naws_access_key_id = AKIAFILE\naws_secret_access_key = {s["file"]}\n')

    def answer(self, request):
        s = self.secrets
        if request['path'].startswith('/machine'):
            return 200, {}, json.dumps({'AccessKeyId': 'ASIAM', 'SecretAccessKey': s['machine'], 'Token': s['machine token'],
                                        'Expiration': '2099-01-01T00:00:00Z'})
        if b'AssumeRole' not in request['body']:
            return 200, {}, '<R><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></R>'
        kind = 'AssumeRoleWithWebIdentity' if b'WebIdentity' in request['body'] else 'AssumeRole'
        return 200, {}, (f'<R><{kind}Result><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>{s["sts"]}</SecretAccessKey>'
                         f'<SessionToken>{s["sts token"]}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></{kind}Result></R>')

    def variables(self, url: str, ca: str) -> dict:
        return {'AWS_CONFIG_FILE': f'{self.folder}/config', 'AWS_SHARED_CREDENTIALS_FILE': f'{self.folder}/credentials', 'AWS_REGION': 'eu-west-1',
                'AWS_ENDPOINT_URL': url, 'AWS_CA_BUNDLE': ca}


@pytest.mark.parametrize('source, lives', [('role', 'sts'), ('web', 'sts'), ('program', 'program'), ('machine', 'machine')])
def test_memory_is_clean_after_use(source, lives, tmp_path):
    ca, key = certificate(tmp_path)
    world = World(tmp_path)
    with Peer(world.answer) as peer, Driver() as driver:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca, key)
        peer.server.socket = context.wrap_socket(peer.server.socket, server_side=True)
        url = peer.url.replace('http:', 'https:')
        variables = world.variables(url, ca)
        if source == 'machine':
            variables['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = f'{url}/machine'
        opened = driver.open(variables, **({} if source == 'machine' else {'profile': source}))
        assert 'ok' in opened, opened
        assert driver.call('sts', 'GetCallerIdentity') == {'ok': {'Account': '1'}}
        assert lives in seen(driver.process.pid, world.secrets)  # so the search does find what is there
        assert driver.ask(close={}) == {'ok': None}
        left = seen(driver.process.pid, world.secrets)
        assert not left, f'left in memory: {left}'


def test_secrets_are_never_printed(cordon_alone, tmp_path):
    """With everything logged, and in every error: no secret, whatever goes wrong."""
    world = World(tmp_path)
    shown = ''
    for status in (200, 403, 500):
        with Peer(lambda r: world.answer(r) if status == 200 or b'AssumeRole' in r['body'] else (status, {}, 'no')) as peer:
            variables = {**world.variables(peer.url, ''), 'AWS_CA_BUNDLE': None, 'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None}
            for profile in ('role', 'web', 'program'):
                ran = cordon_alone('--log-level', 'trace', '--profile', profile, 'aws', 'sts', 'GetCallerIdentity', env=variables)
                assert (ran.code == 0) == (status == 200), ran.err
                shown += ran.out + ran.err
    assert not [name for name, secret in world.secrets.items() if secret in shown]


# ---- the MFA question ----

MFA = '''[profile mfa]
role_arn = arn:aws:iam::1:role/r
source_profile = keys
mfa_serial = arn:aws:iam::1:mfa/me
'''


class Terminal:
    """cordon with a controlling terminal of its own."""

    def __init__(self, cordon, variables: dict, *args: str):
        env = {k: v for k, v in {**cordon.env, **variables}.items() if v is not None}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(cordon.binary, [cordon.binary, *args], env)
        self.text = ''

    def until(self, words: str) -> None:
        end = time.monotonic() + 20
        while words not in self.text:
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], f'no "{words}" in: {self.text}'
            self.text += self.read()

    def read(self) -> str:
        try:
            return os.read(self.fd, 4096).decode()
        except OSError:  # the other side is closed
            return ''

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self) -> int:
        more = self.read()
        while more:
            self.text += more
            more = self.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


@pytest.fixture
def mfa(cordon_alone, tmp_path):
    world, asked = World(tmp_path), []

    def answer(request):
        asked.append(request['body'].decode())
        return world.answer(request)
    with open(tmp_path / 'config', 'a') as config:
        config.write(MFA)
    with Peer(answer) as peer:
        variables = {**world.variables(peer.url, ''), 'AWS_CA_BUNDLE': None, 'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None}
        yield cordon_alone, variables, asked


def test_mfa_is_asked_at_the_terminal(mfa):
    cordon, variables, asked = mfa
    terminal = Terminal(cordon, variables, '--profile', 'mfa', 'aws', 'sts', 'GetCallerIdentity')
    terminal.until('MFA code for arn:aws:iam::1:mfa/me: ')
    terminal.type('135790\n')
    assert terminal.end() == 0, terminal.text
    assert '135790' not in terminal.text  # not echoed
    assert '"Account": "1"' in terminal.text
    assert 'SerialNumber=arn%3Aaws%3Aiam%3A%3A1%3Amfa%2Fme' in asked[0] and 'TokenCode=135790' in asked[0]


@pytest.mark.parametrize('typed, code, words', [('12345\n', 3, 'six digits'), ('12a456\n', 3, 'six digits'), ('\x03', 130, '')])
def test_mfa_answers_that_are_none(mfa, typed, code, words):
    cordon, variables, asked = mfa
    terminal = Terminal(cordon, variables, '--profile', 'mfa', 'aws', 'sts', 'GetCallerIdentity')
    terminal.until('MFA code for')
    terminal.type(typed)
    assert terminal.end() == code, terminal.text
    assert words in terminal.text and not asked


def test_mfa_without_a_terminal(mfa):
    cordon, variables, asked = mfa
    ran = cordon.start('--profile', 'mfa', 'aws', 'sts', 'GetCallerIdentity', env=variables, start_new_session=True)
    out, err = ran.communicate(timeout=20)
    assert ran.returncode == 3 and b'there is no terminal' in err and not out and not asked


def test_interrupt(cordon_alone, tmp_path):
    """Ctrl-C during a call that does not come back: at once, 130, and it is said that the outcome is not known."""
    with Peer(lambda r: time.sleep(30)) as peer:
        ran = cordon_alone.start('aws', 'sns', 'CreateTopic', '--params', '{"Name":"t"}', env={'AWS_ENDPOINT_URL': peer.url})
        wait_until(lambda: peer.requests)
        began = time.monotonic()
        ran.send_signal(signal.SIGINT)
        out, err = ran.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert ran.returncode == 130 and b'whether it took effect is not known' in err and not out


