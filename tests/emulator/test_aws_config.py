"""Configuration files and variables, generated: cordon must find the credentials and region that botocore finds, by the same calls to STS."""
import hashlib
import os
import random
import urllib.parse

import botocore.session
import pytest
from aws_peer import Driver, Peer

CASES = int(os.environ.get('CORDON_CONFIG_CASES', '200'))
NAMES = ['default', 'dev', 'two words', 'p-3']


def sts(request):
    """Keys whose name tells who asked for what, so that a wrong chain gives a wrong key."""
    form = dict(urllib.parse.parse_qsl(request['body'].decode()))
    signer = request['headers'].get('Authorization', '=nobody/').split('Credential=')[-1].split('/')[0]
    token = request['headers'].get('X-Amz-Security-Token', '')
    told = [form['Action'], signer, token] + [form.get(k, '') for k in (
        'RoleArn', 'ExternalId', 'DurationSeconds', 'SerialNumber', 'WebIdentityToken')]
    if form.get('RoleSessionName') == 'named':
        told.append('named')
    key = 'ASIA' + hashlib.sha256('|'.join(told).encode()).hexdigest()[:16].upper()
    kind = form['Action']
    return 200, {'Content-Type': 'text/xml'}, f'''<{kind}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{kind}Result><Credentials>
<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t-{key}</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></{kind}Result></{kind}Response>'''


class Generator:
    """Files and variables of one case."""

    def __init__(self, seed: int, folder):
        self.r = random.Random(seed)
        self.folder = folder

    def some(self, chance: float) -> bool:
        return self.r.random() < chance

    def keys(self, where: str, name: str) -> list[str]:
        key = f'AKIA{where}{NAMES.index(name)}'
        lines = [f'aws_access_key_id = {key}', f'aws_secret_access_key = se=cret/{key}']
        if self.some(.3):
            lines.append(f'aws_session_token = token-{key}==')
        if self.some(.05):
            lines.pop(self.r.randrange(2))
        return lines

    def role(self) -> list[str]:
        lines = [f'role_arn = arn:aws:iam::111122223333:role/r{self.r.randrange(9)}']
        source = self.r.random()
        if source < .75:
            lines.append(f'source_profile = {self.r.choice(NAMES)}')
        if source > .7:
            lines.append('credential_source = Environment')
        for line, chance in (('external_id = x-1', .3), ('duration_seconds = 1800', .3), ('role_session_name = named', .3)):
            if self.some(chance):
                lines.append(line)
        return lines

    def section(self, name: str) -> list[str]:
        lines = []
        if self.some(.6):
            lines.append(f'{self.r.choice(["region", "Region"])} = eu-{self.r.choice(["west", "north"])}-{self.r.randrange(1, 3)}')
        if self.some(.35):
            lines += self.keys('CONFIG', name)
        if self.some(.4):
            lines += self.role()
            if self.some(.2):
                lines.append(f'web_identity_token_file = {self.folder}/token')
        if self.some(.15):
            document = '{"Version":1,"AccessKeyId":"AKIAPROC%d","SecretAccessKey":"s"}' % NAMES.index(name)
            lines.append(f"credential_process = /bin/echo '{document}'")
        if self.some(.2):
            lines.append('s3 =\n    addressing_style = path\n    max_concurrent_requests = 3')
        if self.some(.1):
            lines.append(f'sso_session = s\nsso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://{name[:3]}.example')
        self.r.shuffle(lines)
        return lines

    def heading(self, name: str) -> str:
        if name == 'default':
            return self.r.choice(['[default]', '[profile default]'])
        return self.r.choice([f'[profile "{name}"]', f"[profile '{name}']"] + ([f'[profile {name}]', f'[profile   {name}]'] if ' ' not in name else []))

    def text(self, sections: list[list[str]]) -> str:
        out = []
        for section in sections:
            for line in section:
                if self.some(.15):
                    out.append(self.r.choice(['# a comment', '; another', '']))
                key, equal, value = line.partition(' = ')
                out.append(key + self.r.choice([' = ', '=', ' =', '= ']) + value + self.r.choice(['', ' ', '\t']) if equal and '\n' not in line else line)
        return self.r.choice(['\n', '\n', '\r\n']).join(out) + self.r.choice(['', '\n'])

    def write(self) -> dict:
        config = [[self.heading(n)] + self.section(n) for n in NAMES if self.some(.75)]
        config.append(['[sso-session s]', 'sso_region = eu-west-1', 'sso_start_url = https://s.example'])
        credentials = [[f'[{n}]'] + (self.keys('FILE', n) if self.some(.8) else ['region = us-east-2']) for n in NAMES if self.some(.4)]
        for name, sections in (('config', config), ('credentials', credentials)):
            self.r.shuffle(sections)
            (self.folder / name).write_text(self.text(sections), newline='')
        variables = {'AWS_CONFIG_FILE': f'{self.folder}/config', 'AWS_SHARED_CREDENTIALS_FILE': f'{self.folder}/credentials'}
        if self.some(.05):
            variables['AWS_CONFIG_FILE'] = f'{self.folder}/none'
        for chance, more in ((.5, {'AWS_PROFILE': self.r.choice(NAMES + ['missing'])}), (.15, {'AWS_DEFAULT_REGION': 'ap-south-1'}),
                             (.2, {'AWS_ACCESS_KEY_ID': 'AKIAENV', 'AWS_SECRET_ACCESS_KEY': 's'}), (.1, {'AWS_SESSION_TOKEN': 'env-token'}),
                             (.1, {'AWS_WEB_IDENTITY_TOKEN_FILE': f'{self.folder}/token', 'AWS_ROLE_ARN': 'arn:aws:iam::1:role/env'})):
            if self.some(chance):
                variables.update(more)
        return variables


def by_botocore(variables: dict, flag: str | None, monkeypatch):
    """(access key, token, region), or None when botocore finds nothing."""
    found, why = look_by_botocore(variables, flag, monkeypatch)
    if 'NoRegionError' in why:  # STS is asked somewhere
        found, why = look_by_botocore({**variables, 'AWS_DEFAULT_REGION': 'us-east-1'}, flag, monkeypatch)
        found = found and (*found[:2], None)
    return found, why


def look_by_botocore(variables: dict, flag: str | None, monkeypatch):
    with monkeypatch.context() as m:
        for name in [n for n in os.environ if n.startswith('AWS_')]:
            m.delenv(name)
        for name, value in variables.items():
            m.setenv(name, value)
        try:
            session = botocore.session.Session(profile=flag)
            region = session.get_config_variable('region')
            found = session.get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        except Exception as problem:  # botocore has no common class for what it refuses
            return None, repr(problem)
        return ((frozen.access_key, frozen.token, region), '') if frozen else (None, 'nothing found')


def by_cordon(driver, variables: dict, flag: str | None):
    # botocore finds credentials without a region; cordon's client is made for one.
    opened = driver.open(variables, **({'profile': flag} if flag else {}))
    region = opened.get('ok')
    if not region and 'no AWS region' in opened['message']:
        opened = driver.open({**variables, 'AWS_REGION': 'us-east-1'}, **({'profile': flag} if flag else {}))
    if 'ok' not in opened:
        return None, opened['message']
    shown = driver.show('sts', 'GetCallerIdentity')
    if 'ok' not in shown:
        return None, shown['message']
    headers = shown['ok']['headers']
    return (headers['Authorization'].split('Credential=')[1].split('/')[0], headers.get('X-Amz-Security-Token'), region), ''


def test_files_and_variables(tmp_path, monkeypatch):
    (tmp_path / 'token').write_text('the.jwt')
    differences, found = [], 0
    with Peer(sts) as peer, Driver() as driver:
        for seed in range(CASES):
            generator = Generator(seed, tmp_path)
            variables = {**generator.write(), 'AWS_ENDPOINT_URL_STS': peer.url, 'AWS_EC2_METADATA_DISABLED': 'true', 'HOME': str(tmp_path)}
            flag = generator.r.choice([None, None, None] + NAMES)
            want, why = by_botocore(variables, flag, monkeypatch)
            got, because = by_cordon(driver, variables, flag)
            found += want is not None
            # Sign-ins of the browser: botocore looks for a session in its cache, cordon says whom to ask.
            if got is None and 'aws sso login' in because and ('SSO' in why or 'sso' in why or 'Token' in why):
                continue
            if want != got:
                differences.append(f'seed {seed}: cordon {got} {because}, botocore {want} {why}')
    assert found > CASES / 4
    assert not differences, f'{len(differences)} of {CASES} differ\n' + '\n'.join(differences[:20])


@pytest.mark.parametrize('name', ['AWS_REGION', 'AWS_DEFAULT_REGION'])
def test_region_variables(name, tmp_path):
    (tmp_path / 'config').write_text('[default]\nregion = eu-west-1\n')
    keys = {'AWS_ACCESS_KEY_ID': 'A', 'AWS_SECRET_ACCESS_KEY': 's', 'AWS_CONFIG_FILE': str(tmp_path / 'config')}
    with Driver() as driver:
        assert driver.open(keys) == {'ok': 'eu-west-1'}
        assert driver.open({**keys, name: 'us-west-2'}) == {'ok': 'us-west-2'}
        assert driver.open({**keys, 'AWS_REGION': 'us-west-1', 'AWS_DEFAULT_REGION': 'us-west-2'}) == {'ok': 'us-west-1'}
        assert driver.open({**keys, name: 'us-west-2'}, region='sa-east-1') == {'ok': 'sa-east-1'}
