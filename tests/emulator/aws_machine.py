"""Checks of what a machine hands out, at the addresses where it does; run by test_aws_machine.py in a network of its own.

    unshare -rn sh -c 'ip link set lo up; ip address add 169.254.169.254/32 dev lo; ..; exec python aws_machine.py CHECK'
"""
import json
import sys
import tempfile

from aws_peer import Driver, Peer

KEYS = {'AccessKeyId': 'ASIAMACHINE', 'SecretAccessKey': 's', 'Token': 't', 'Expiration': '2099-01-01T00:00:00Z'}
# None of this may ever leave through a proxy.
PROXIES = {'HTTP_PROXY': 'http://127.0.0.1:9', 'http_proxy': 'http://127.0.0.1:9', 'ALL_PROXY': 'http://127.0.0.1:9'}


def key_of(shown: dict) -> str:
    return shown['ok']['headers']['Authorization'].split('Credential=')[1].split('/')[0]


def instance(request):
    """IMDS as it is with HttpTokens=required."""
    path, headers = request['path'], request['headers']
    if path == '/latest/api/token':
        wanted = request['method'] == 'PUT' and headers.get('X-aws-ec2-metadata-token-ttl-seconds', '').isdigit()
        return (200, {}, 'session') if wanted else (400, {}, '')
    if headers.get('X-aws-ec2-metadata-token') != 'session':
        return 401, {}, ''
    known = {'/latest/meta-data/iam/security-credentials/': 'web-role', '/latest/meta-data/placement/region': 'eu-north-1',
             '/latest/meta-data/iam/security-credentials/web-role': json.dumps(KEYS)}
    return (200, {}, known[path]) if path in known else (404, {}, '')


def ecs(request):
    return (200, {}, json.dumps(KEYS)) if request['path'] == '/v2/credentials/abc?x=1' else (404, {}, '')


def on_ec2(address: str, mode: dict):
    with Peer(instance, address, 80) as peer, Driver() as driver:
        # The region comes from the instance too.
        variables = {'AWS_EC2_METADATA_DISABLED': 'false', **PROXIES, **mode}
        assert driver.open(variables) == {'ok': 'eu-north-1'}
        shown = driver.show('sts', 'GetCallerIdentity')
        assert key_of(shown) == 'ASIAMACHINE' and '/eu-north-1/sts/' in shown['ok']['headers']['Authorization']
        methods = [(r['method'], r['path']) for r in peer.requests]
        assert methods.count(('PUT', '/latest/api/token')) == 2 and len(methods) == 5, methods
        assert driver.open({**variables, 'AWS_REGION': 'eu-west-1'}) == {'ok': 'eu-west-1'}
        assert driver.open({**variables, 'AWS_EC2_METADATA_DISABLED': 'TRUE'})['status'] == 'config'


def check_ec2():
    on_ec2('169.254.169.254', {})


def check_ec2_ipv6():
    on_ec2('fd00:ec2::254', {'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE': 'IPv6'})


def check_ecs():
    with Peer(ecs, '169.254.170.2', 80) as peer, Driver() as driver:
        driver.open({'AWS_REGION': 'eu-west-1', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI': '/v2/credentials/abc?x=1', **PROXIES})
        assert key_of(driver.show('sts', 'GetCallerIdentity')) == 'ASIAMACHINE'
        assert [r['headers'].get('Authorization') for r in peer.requests] == [None]


def on_eks(address: str, host: str):
    with tempfile.NamedTemporaryFile('w') as token, Peer(lambda r: (200, {}, json.dumps(KEYS)), address, 80) as peer, Driver() as driver:
        token.write('the-token\n')
        token.flush()
        driver.open({'AWS_REGION': 'eu-west-1', 'AWS_CONTAINER_CREDENTIALS_FULL_URI': f'http://{host}/v1/credentials',
                     'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE': token.name, **PROXIES})
        assert key_of(driver.show('sts', 'GetCallerIdentity')) == 'ASIAMACHINE'
        assert [(r['path'], r['headers']['Authorization']) for r in peer.requests] == [('/v1/credentials', 'the-token')]


def check_eks():
    on_eks('169.254.170.23', '169.254.170.23')


def check_eks_ipv6():
    on_eks('fd00:ec2::23', '[fd00:ec2::23]')


def check_credential_sources():
    """Each kind of credential_source signs the AssumeRole call."""
    def sts(request):
        signers.append(request['headers']['Authorization'].split('Credential=')[1].split('/')[0])
        return 200, {}, ('<R><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>'
                         '<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></R>')
    signers: list[str] = []
    with tempfile.NamedTemporaryFile('w') as config, Peer(instance, '169.254.169.254', 80), Peer(ecs, '169.254.170.2', 80), \
            Peer(sts) as peer, Driver() as driver:
        for kind in ('Environment', 'Ec2InstanceMetadata', 'EcsContainer'):
            config.write(f'[profile {kind}]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = {kind}\n')
        config.flush()
        for kind, signer in (('Environment', 'AKIAENV'), ('Ec2InstanceMetadata', 'ASIAMACHINE'), ('EcsContainer', 'ASIAMACHINE')):
            driver.open({'AWS_REGION': 'eu-west-1', 'AWS_CONFIG_FILE': config.name, 'AWS_ENDPOINT_URL_STS': peer.url,
                         'AWS_EC2_METADATA_DISABLED': 'false', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI': '/v2/credentials/abc?x=1',
                         'AWS_ACCESS_KEY_ID': 'AKIAENV', 'AWS_SECRET_ACCESS_KEY': 's'}, profile=kind)
            assert key_of(driver.show('sts', 'GetCallerIdentity')) == 'ASIAROLE'
            assert signers.pop() == signer


CHECKS = {name[6:]: check for name, check in list(globals().items()) if name.startswith('check_')}

if __name__ == '__main__':
    CHECKS[sys.argv[1]]()
