"""Where a call goes: every modelled service in every region of three partitions, beside botocore's endpoint rules."""
import os
import urllib.parse

import botocore.endpoint_provider
import botocore.exceptions
import botocore.loaders
import botocore.session
import pytest
from aws_peer import Driver
from aws_samples import operations

PARTITIONS = ('aws', 'aws-cn', 'aws-us-gov')
KEYS = {'AWS_ACCESS_KEY_ID': 'AKIAEXAMPLE', 'AWS_SECRET_ACCESS_KEY': 's'}
VARIANTS = {(False, False): {}, (True, False): {'AWS_USE_FIPS_ENDPOINT': 'true'}, (False, True): {'AWS_USE_DUALSTACK_ENDPOINT': 'true'},
            (True, True): {'AWS_USE_FIPS_ENDPOINT': 'true', 'AWS_USE_DUALSTACK_ENDPOINT': 'true'}}


class Rules:
    """botocore's answers for one service."""

    def __init__(self, service: str, loader, partitions):
        self.rules = loader.load_service_model(service, 'endpoint-rule-set-1')
        self.provider = botocore.endpoint_provider.EndpointProvider(self.rules, partitions)

    def ask(self, region: str, fips: bool, dual: bool, **more):
        """(URL, signing region or None), or None when there is no such endpoint."""
        params = {'Region': region, 'UseFIPS': fips, 'UseDualStack': dual, **more}
        known = {k: v for k, v in params.items() if k in self.rules['parameters']}
        try:
            answer = self.provider.resolve_endpoint(**known)
        except botocore.exceptions.EndpointProviderError:
            return None
        schemes = answer.properties.get('authSchemes', [{}])
        return answer.url, schemes[0].get('signingRegion')


def minimal(service: str, loader) -> tuple[str, dict]:
    """An operation of the service and parameters that pass."""
    model = loader.load_service_model(service, 'service-2')
    best = None
    for operation in [o for s, o in operations() if s == service]:
        shape = model['operations'][operation].get('input')
        required = model['shapes'][shape['shape']].get('required', []) if shape else []
        if not required:
            return operation, {}
        best = best or (operation, required, shape)
    operation, required, shape = best
    members = model['shapes'][shape['shape']]['members']

    def value(ref):
        target = model['shapes'][ref['shape']]
        kind = target['type']
        if kind == 'structure':
            return {n: value(target['members'][n]) for n in target.get('required', [])}
        return {'list': [], 'map': {}, 'boolean': False, 'integer': 1, 'long': 1, 'timestamp': 0}.get(kind, 'x')
    return operation, {n: value(members[n]) for n in required}


@pytest.fixture(scope='module')
def loader():
    return botocore.loaders.create_loader()


def regions(partitions, wanted=PARTITIONS):
    for part in partitions['partitions']:
        if part['id'] in wanted:
            for region in sorted(part['regions']):
                if not region.endswith('-global'):
                    yield part['id'], region


def scope_region(shown: dict) -> str:
    return shown['headers']['Authorization'].split('Credential=')[1].split('/')[2]


def one(driver, rules: Rules, service: str, call: tuple, place: tuple) -> str | None:
    """What differs, in words."""
    region, fips, dual = place
    # S3 Control puts the account in front, and its rules are told of it.
    account = {'AccountId': call[1]['AccountId'], 'RequiresAccountId': True} if 'AccountId' in call[1] else {}
    want, got = rules.ask(region, fips, dual, **account), driver.show(service, *call)
    where = f'{service} {region}{" fips" if fips else ""}{" dual" if dual else ""}'
    if want is None:
        return f'{where}: botocore has none, cordon says {got["ok"]["url"]}' if 'ok' in got else None
    if 'ok' not in got:
        return f'{where}: {got["message"]}, botocore says {want[0]}'
    url, host = urllib.parse.urlsplit(got['ok']['url']), urllib.parse.urlsplit(want[0])
    if (url.scheme, url.netloc) != (host.scheme, host.netloc):
        return f'{where}: {url.netloc}, botocore says {host.netloc}'
    signing = want[1] or region
    if 'Authorization' in got['ok']['headers'] and scope_region(got['ok']) != signing:
        return f'{where}: signed for {scope_region(got["ok"])}, botocore for {signing}'
    return None


def test_every_service_region_and_variant(loader):
    partitions = loader.load_data('partitions')
    services = sorted({s for s, _ in operations()})
    rules = {s: Rules(s, loader, partitions) for s in services}
    calls = {s: minimal(s, loader) for s in services}
    differences, compared = [], 0
    with Driver() as driver:
        for (fips, dual), variables in VARIANTS.items():
            for _, region in regions(partitions):
                opened = driver.open({**KEYS, **variables}, region=region)
                assert 'ok' in opened, opened
                for service in services:
                    found = one(driver, rules[service], service, calls[service], (region, fips, dual))
                    compared += 1
                    if found:
                        differences.append(found)
    assert compared > 4000
    assert not differences, f'{len(differences)} of {compared} differ\n' + '\n'.join(differences[:60])


# ---- S3: where the bucket goes ----

BUCKETS = ['my-evidence', 'abc', 'my.dotted.bucket', 'MyUpper', 'a_b', 'x' * 63, 'x' * 64, 'ab', '192.168.5.4', '-lead', 'trail-',
           'xn--puny', 'double..dot', 'a-.b']


def test_buckets(loader, tmp_path):
    path_style = tmp_path / 'config'
    path_style.write_text('[default]\ns3 =\n  addressing_style = path\n')
    partitions = loader.load_data('partitions')
    rules, differences = Rules('s3', loader, partitions), []
    with Driver() as driver:
        for (fips, dual), variables in VARIANTS.items():
            for region in ('us-east-1', 'eu-west-1', 'cn-north-1', 'us-gov-west-1'):
                for force in (False, True):
                    driver.open({**KEYS, **variables, **({'AWS_CONFIG_FILE': str(path_style)} if force else {})}, region=region)
                    for bucket in BUCKETS:
                        want = rules.ask(region, fips, dual, Bucket=bucket, ForcePathStyle=force)
                        got = driver.show('s3', 'GetObject', {'Bucket': bucket, 'Key': 'k'})
                        if want and 'ok' in got:
                            # botocore leaves the global host to us-east-1 alone; the regional one is the same place.
                            url = want[0].replace('s3.amazonaws.com', 's3.us-east-1.amazonaws.com')
                            if got['ok']['url'] != f'{url}/k':
                                differences.append(f'{region} {bucket}: {got["ok"]["url"]}, botocore {url}/k')
                        elif want:
                            differences.append(f'{region} {bucket}: {got["message"]}')
    assert not differences, '\n'.join(differences[:40])


def test_every_partition_is_known(loader):
    """A new partition of AWS's fails here; docs tell how to add it (src/aws/README.md)."""
    partitions = loader.load_data('partitions')
    with Driver() as driver:
        for part in partitions['partitions']:
            for region in [r for r in part['regions'] if not r.endswith('-global')][:2]:
                driver.open({**KEYS}, region=region)
                host = urllib.parse.urlsplit(driver.show('ec2', 'DescribeVpcs')['ok']['url']).netloc
                assert host == f'ec2.{region}.{part["outputs"]["dnsSuffix"]}', part['id']
                driver.open({**KEYS, 'AWS_USE_DUALSTACK_ENDPOINT': 'true'}, region=region)
                shown = driver.show('sqs', 'ListQueues')
                if part['outputs']['supportsDualStack']:
                    assert urllib.parse.urlsplit(shown['ok']['url']).netloc.endswith(part['outputs']['dualStackDnsSuffix'])


# ---- what a person configured ----

CONFIG = '''
[default]
region = eu-west-1
endpoint_url = http://profile.example:1
[profile svc]
region = eu-west-1
services = local
endpoint_url = http://profile.example:2
[profile only]
region = eu-west-1
services = local
[services local]
s3 =
  endpoint_url = http://s3.example:3/base
elastic_load_balancing_v2 =
  endpoint_url = http://elb.example:4
'''
CASES = [
    ({}, None), ({'AWS_PROFILE': 'svc'}, None), ({'AWS_PROFILE': 'only'}, None),
    ({'AWS_ENDPOINT_URL': 'http://global.example:5'}, None),
    ({'AWS_ENDPOINT_URL': 'http://global.example:5', 'AWS_PROFILE': 'svc'}, None),
    ({'AWS_ENDPOINT_URL_S3': 'http://s3env.example:6'}, None), ({'AWS_ENDPOINT_URL_S3': 'http://s3env.example:6', 'AWS_PROFILE': 'svc'}, None),
    ({'AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2': 'http://elbenv.example:7', 'AWS_ENDPOINT_URL': 'http://global.example:5'}, None),
    ({'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS': 'true', 'AWS_ENDPOINT_URL': 'http://global.example:5'}, None),
    ({'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS': 'true', 'AWS_PROFILE': 'svc'}, None),
    ({'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS': 'false', 'AWS_PROFILE': 'svc'}, None),
    ({'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS': 'true', 'AWS_ENDPOINT_URL': 'http://global.example:5'}, 'http://flag.example:8'),
    ({'AWS_PROFILE': 'svc'}, 'http://flag.example:8'),
]


def botocore_url(service: str, variables: dict, flag: str | None, monkeypatch) -> str:
    with monkeypatch.context() as m:
        for name in [n for n in os.environ if n.startswith('AWS_')]:
            m.delenv(name)
        for name, value in variables.items():
            m.setenv(name, value)
        client = botocore.session.Session().create_client(service, endpoint_url=flag, aws_access_key_id='a', aws_secret_access_key='b')
        return client.meta.endpoint_url


def test_configured_urls(tmp_path, monkeypatch):
    (tmp_path / 'config').write_text(CONFIG)
    calls = {'s3': ('ListBuckets', {}), 'elbv2': ('DescribeLoadBalancers', {}), 'sqs': ('ListQueues', {})}
    with Driver() as driver:
        for variables, flag in CASES:
            vars = {'AWS_CONFIG_FILE': str(tmp_path / 'config'), **variables}
            for service, call in calls.items():
                want = botocore_url(service, vars, flag, monkeypatch).rstrip('/')
                options = {'endpoint_url': flag} if flag else {}
                assert driver.open({**KEYS, **vars}, **options) == {'ok': 'eu-west-1'}
                got = driver.show(service, *call)['ok']['url']
                want = want.replace('s3.amazonaws.com', 's3.eu-west-1.amazonaws.com')
                assert got.rstrip('/') == want, (variables, flag, service)
        bad = driver.open({**KEYS, 'AWS_REGION': 'eu-west-1', 'AWS_ENDPOINT_URL': 'ftp://x'})
        assert bad == {'ok': 'eu-west-1'} and 'malformed' in driver.show('sqs', 'ListQueues')['message']
