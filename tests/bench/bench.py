#!/usr/bin/env python3
"""bench.py CORDON: start-up time, and the time from a finding to an isolated instance, beside boto3 making the same calls.

Both sides talk to a moto server on this machine, so most of the time is moto's; what differs is the number of
round trips and what the client adds to each. Numbers, not a test: nothing here passes or fails.
"""
from __future__ import annotations

import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/emulator'))

import boto3  # noqa: E402
import burst  # noqa: E402
import conftest  # noqa: E402
from botocore.config import Config  # noqa: E402


def milliseconds(run, times: int) -> list[float]:
    out = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        out.append((time.perf_counter() - began) * 1000)
    return out


def show(what: str, value: str, note: str = '') -> None:
    print(f'  {what:<46} {value:>12}   {note}', flush=True)


def bench_start(binary: str) -> None:
    print('Start')
    runs = milliseconds(lambda: subprocess.run([binary, 'version'], stdout=subprocess.DEVNULL, check=True), 40)
    show('cordon version, median of 40', f'{statistics.median(runs):.1f} ms', 'budget 30 ms')
    show('  slowest', f'{max(runs):.1f} ms')


def bench_drill(binary: str, times: int) -> None:
    print('Finding to isolated: cordon drill --scenario web-exploit, every measure of the playbook running beside it')
    docs = []
    for seed in range(1, times + 1):
        ran = subprocess.run([binary, 'drill', '--scenario', 'web-exploit', '--seed', str(seed), '--output', 'json'], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env={**os.environ, 'CORDON_VENV': sys.prefix}, text=True)
        if ran.returncode:
            sys.exit(f'the drill failed:\n{ran.stderr[-1500:]}')
        docs.append(json.loads(ran.stdout.splitlines()[-1]))
    for key, label in (('finding_to_case', 'finding to case'), ('finding_to_isolated', 'finding to isolated'), ('total', 'finding to report')):
        values = [d['timings_ms'][key] for d in docs]
        show(f'{label}, median of {times}', f'{statistics.median(values):.0f} ms')
    show('sequential round trips to isolation', str(docs[0]['round_trips']), 'budget 5')


class Counting:
    """boto3's EC2 client, counting its calls."""

    def __init__(self, url: str):
        self.calls = 0
        self.ec2 = boto3.client('ec2', region_name=conftest.REGION, endpoint_url=url, aws_access_key_id='AKIAIOSFODNN7EXAMPLE',
                                aws_secret_access_key='bench', config=Config(retries={'max_attempts': 1}))
        self.ec2.meta.events.register('before-send.ec2.*', self.count)

    def count(self, **_):
        self.calls += 1


def isolate(client: Counting, instance: str) -> None:
    """What cordon's isolation does for one instance, one call after the other, as a script would."""
    ec2 = client.ec2
    nics = ec2.describe_instances(InstanceIds=[instance])['Reservations'][0]['Instances'][0]['NetworkInterfaces']
    vpc = nics[0]['VpcId']
    groups = []
    for name in ('pass', 'closed'):
        group = ec2.create_security_group(GroupName=f'{name}-{instance}-{time.monotonic_ns()}', Description='isolation', VpcId=vpc)['GroupId']
        if name == 'pass':
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{'IpProtocol': '-1', 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
        else:
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[{'IpProtocol': '-1', 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
        groups.append(group)
    ec2.describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': groups}])
    for group in groups:
        for nic in nics:
            ec2.modify_network_interface_attribute(NetworkInterfaceId=nic['NetworkInterfaceId'], Groups=[group])
    ec2.describe_network_interfaces(NetworkInterfaceIds=[n['NetworkInterfaceId'] for n in nics])


def finding_of(instance: str) -> dict:
    arn = f'arn:aws:guardduty:{conftest.REGION}:{conftest.ACCOUNT}:detector/bench/finding/{instance}'
    return {'schemaVersion': '2.0', 'accountId': conftest.ACCOUNT, 'region': conftest.REGION, 'id': instance, 'arn': arn, 'severity': 8,
            'type': 'Backdoor:EC2/C&CActivity.B', 'createdAt': '2026-08-01T10:00:00Z', 'updatedAt': '2026-08-01T10:00:00Z',
            'resource': {'resourceType': 'Instance', 'instanceDetails': {'instanceId': instance}},
            'service': {'resourceRole': 'ACTOR', 'count': 1}}


def when(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp() * 1000


def bench_alone(binary: str, url: str, instances: list[str]) -> None:
    """cordon with a playbook that isolates and does nothing else: its journal says when the case opened and the step was proved."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        env = {**{k: v for k, v in os.environ.items() if not k.startswith(('AWS_', 'CORDON_'))}, **conftest.KEYS, 'AWS_ENDPOINT_URL': url,
               'AWS_REGION': conftest.REGION, 'CORDON_STATE': f'sqlite:{folder}/cordon.db', 'CORDON_MODE': 'auto',
               'CORDON_PLAYBOOKS': str(ROOT / 'tests/bench/playbooks')}
        for instance in instances:
            path = pathlib.Path(folder) / f'{instance}.json'
            path.write_text(json.dumps(finding_of(instance)))
            ran = subprocess.run([binary, 'respond', str(path), '--yes', '--output', 'json'], capture_output=True, text=True, env=env)
            case = json.loads(ran.stdout.splitlines()[-1])['case'] if ran.stdout else sys.exit(ran.stderr)
            shown = json.loads(subprocess.run([binary, 'case', 'show', case, '--output', 'json'], stdout=subprocess.PIPE, env=env).stdout)
            step = next(s for s in shown['steps'] if s['action'] == 'isolate-network')
            if not step['verified']:
                sys.exit(f'{instance} was not isolated: {step}')
            taken.append(when(step['finished']) - when(shown['opened']))
    show(f'case opened to isolation proved, median of {len(taken)}', f'{statistics.median(taken):.0f} ms', 'journal on disk included')


def bench_boto3(binary: str, times: int) -> None:
    print('The isolation alone, on one quiet emulator: cordon, then a boto3 script with the same result')
    port = conftest.free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith(('AWS_', 'MOTO_'))}
    server = subprocess.Popen([conftest.python_tool('moto_server'), '-H', '127.0.0.1', '-p', str(port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env={**env, 'MOTO_EC2_LOAD_DEFAULT_AMIS': 'false'})
    try:
        conftest.wait_for_port(port, server)
        url = f'http://127.0.0.1:{port}'
        began = time.perf_counter()
        client = Counting(url)
        loading = (time.perf_counter() - began) * 1000
        vpc, subnets, _, _, group = conftest.make_network(client.ec2)
        fleet = [client.ec2.run_instances(ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, NetworkInterfaces=[
            {'DeviceIndex': 0, 'SubnetId': subnets[0], 'Groups': [group]}])['Instances'][0]['InstanceId'] for _ in range(times + 1)]
        made = fleet.pop()
        isolate(client, made)
        bench_alone(binary, url, fleet)
        client.calls = 0
        runs = milliseconds(lambda: isolate(client, made), times)
        show(f'boto3 script, median of {times}', f'{statistics.median(runs):.0f} ms')
        show('sequential round trips', str(client.calls // times))
        show('loading the client', f'{loading:.0f} ms', 'before the first call')
    finally:
        conftest.stop(server)


def bench_burst(binary: str, size: int) -> None:
    """`size` findings in the queue, 30 % repeats, 5 % about one instance; the daemon empties it once."""
    print(f'A burst of {size} findings through the queue ({size * 3 // 10} repeats, {size // 20} about one instance)')
    port = conftest.free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith(('AWS_', 'MOTO_', 'CORDON_'))}
    server = subprocess.Popen([conftest.python_tool('moto_server'), '-H', '127.0.0.1', '-p', str(port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env={**env, 'MOTO_EC2_LOAD_DEFAULT_AMIS': 'false'})
    try:
        conftest.wait_for_port(port, server)
        url = f'http://127.0.0.1:{port}'
        with tempfile.TemporaryDirectory() as folder:
            def aws(service: str):
                return boto3.client(service, region_name=conftest.REGION, endpoint_url=url, aws_access_key_id='AKIAIOSFODNN7EXAMPLE',
                                    aws_secret_access_key='bench')
            b = burst.Burst(aws, size, size * 3 // 10, size // 20, pathlib.Path(folder))
            began = time.perf_counter()
            out = pathlib.Path(folder) / 'out'
            with open(out, 'wb') as answers:
                daemon = subprocess.Popen([binary, 'serve', '--once'], stdout=answers, stderr=subprocess.DEVNULL, env={
                    **env, **conftest.KEYS, **b.env, 'AWS_ENDPOINT_URL': url, 'AWS_REGION': conftest.REGION,
                    'CORDON_STATE': f'sqlite:{folder}/cordon.db'})
                _, status, used = os.wait4(daemon.pid, 0)
            took = time.perf_counter() - began
            answered = len(out.read_text().splitlines())
            if os.waitstatus_to_exitcode(status) or answered != size or b.left():
                sys.exit(f'the burst was not answered: {answered} of {size}, {b.left()} left')
            cases = json.loads(subprocess.run([binary, 'case', 'list', '--output', 'json'], stdout=subprocess.PIPE, env={
                **env, 'CORDON_STATE': f'sqlite:{folder}/cordon.db'}).stdout)
            show('findings a second', f'{size / took:.1f}', f'{took:.1f} s in all; the emulator takes most of it')
            show('cases', str(len(cases)), 'one a resource')
            show('processor time of cordon', f'{(used.ru_utime + used.ru_stime) / size * 1000:.1f} ms', 'a finding')
            show('peak memory', f'{used.ru_maxrss / 1024:.0f} MiB')
    finally:
        conftest.stop(server)


def main() -> None:
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    times = int(os.environ.get('TIMES', '5'))
    bench_start(binary)
    bench_drill(binary, times)
    bench_boto3(binary, times)
    bench_burst(binary, int(os.environ.get('BURST', '1000')))


main()
