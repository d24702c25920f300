"""Credentials of EC2, ECS and EKS at their real link-local addresses, in a network namespace of this test's own."""
import os
import pathlib
import subprocess
import sys

import pytest
from aws_machine import CHECKS

HERE = pathlib.Path(__file__).parent
ADDRESSES = ['169.254.169.254/32', '169.254.170.2/32', '169.254.170.23/32', 'fd00:ec2::254/128', 'fd00:ec2::23/128']
SETUP = 'ip link set lo up && ' + ' && '.join(f'ip address add {a} dev lo' for a in ADDRESSES)


def in_namespace(command: str) -> subprocess.CompletedProcess:
    env = {**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}
    return subprocess.run(['unshare', '-rn', 'sh', '-c', command], cwd=HERE, env=env, text=True, capture_output=True, timeout=60)


@pytest.fixture(scope='module')
def namespace():
    tried = in_namespace(SETUP)
    if tried.returncode:
        pytest.skip(f'no network namespace with addresses of its own can be made here: {tried.stderr.strip()}')


@pytest.mark.parametrize('check', sorted(CHECKS))
def test_machine(check, namespace):
    ran = in_namespace(f'{SETUP} && exec {sys.executable} aws_machine.py {check}')
    assert ran.returncode == 0, ran.stderr
