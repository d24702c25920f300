"""moto with its checks of signatures and permissions on accepts every request, and those of a stranger to no service."""
import os

import botocore.session
import pytest

from aws_samples import Sampler, services
from test_aws import make_user
from test_aws_wire import fit
from wire_driver import Driver, Refused

# The same in every run: what moto makes of odd parameters is not what is tried here.
SEED = os.environ.get('CORDON_SEED') or '1'
REFUSALS = ('SignatureDoesNotMatch', 'InvalidClientTokenId', 'AuthFailure', 'AccessDenied', 'AccessDeniedException',
            'UnauthorizedOperation', 'UnrecognizedClientException', 'IncompleteSignature', 'InvalidAccessKeyId', 'InvalidSignatureException')
# Nothing can be asked of these without naming something.
NAMED = [('s3control', 'GetPublicAccessBlock', {'AccountId': '123456789012'}),
         ('ebs', 'StartSnapshot', {'VolumeSize': 1})]


def reads() -> list[tuple[str, str, dict]]:
    """What can be asked without knowing anything."""
    session, found = botocore.session.get_session(), list(NAMED)
    for service, names in services().items():
        model = session.get_service_model(service)
        for name in names:
            shape = model.operation_model(name).input_shape
            if name.startswith(('List', 'Describe', 'Get')) and not (shape and shape.required_members):
                found.append((service, name, {}))
    return found


@pytest.fixture
def signed(moto, aws, auth_mode):
    keys = make_user(aws, 'reader', '*')
    auth_mode()
    return {'AWS_ENDPOINT_URL': moto, **keys}


def test_every_service_is_accepted_and_strangers_are_not(signed):
    accepted, refused = {}, []
    with Driver(signed) as driver, Driver({**signed, 'AWS_SECRET_ACCESS_KEY': 'wrong'}) as stranger:
        for service, operation, params in reads():
            if service in accepted:
                continue
            try:
                driver('call', service, operation, params)
                accepted.setdefault(service, (operation, params))
            except Refused as answer:
                code = answer.error['code']
                if code in REFUSALS:
                    refused.append(f'{service} {operation}: {answer}')
                elif 'HTML' not in str(answer) and code not in ('InternalError', 'InternalFailure', 'Unknown'):
                    accepted.setdefault(service, (operation, params))  # it read the request; the rest is moto's
        for service, (operation, params) in accepted.items():
            with pytest.raises(Refused) as answer:
                stranger('call', service, operation, params)
            assert answer.value.error['code'] in REFUSALS, f'moto checks nothing of {service}'
    assert not refused, '\n'.join(refused)
    assert set(accepted) == set(services()), set(services()) - set(accepted)


def test_every_operation_is_accepted(signed):
    """Whatever moto then makes of it: random parameters, in texts that its own check of signatures can bear."""
    session, refused, count = botocore.session.get_session(), [], 0
    with Driver(signed) as driver:
        for service, operations in services().items():
            model = session.get_service_model(service)
            for operation in operations:
                shape = model.operation_model(operation).input_shape
                _, document = Sampler(f'{SEED}/{service}/{operation}/signed', simple=True).make(shape, depth=3) if shape else ({}, {})
                fit(service, operation, document)
                try:
                    driver('call', service, operation, document)
                except Refused as answer:
                    # An attribute of images that EC2 shows to nobody is no matter of signatures.
                    if answer.error['code'] in REFUSALS and 'restricted resource' not in str(answer):
                        refused.append(f'{service} {operation}: {answer}')
                    assert answer.error['http'], f'seed {SEED}: {service} {operation} was not sent: {answer}'
                count += 1
    assert not refused, f'seed {SEED}: {len(refused)} of {count}\n' + '\n'.join(refused)
