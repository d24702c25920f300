#!/usr/bin/env python3
"""bench_aws.py FOLDER: calls a second, CPU a call and memory of cordon's AWS layer beside boto3, against one server in one run.

FOLDER is where aws_calls and canned_server were built. The answers are moto's, made once and then served from memory by a server that
costs next to nothing, over plain HTTP and kept connections. Numbers, not a test: nothing here passes or fails.
"""
from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile

REGION = 'eu-west-1'
KEYS = {'AWS_ACCESS_KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'AWS_SECRET_ACCESS_KEY': 'bench'}
# What is called, by boto3's name, the word by which the server knows it, and what comes back.
CALLS = [
    ('sts', 'GetCallerIdentity', 'get_caller_identity', {}, 'Action=GetCallerIdentity', ''),
    ('ec2', 'DescribeInstances', 'describe_instances', {'InstanceIds': ['i-0123456789abcdef0']}, 'InstanceId.1=', ' (1)'),
    ('ec2', 'DescribeInstances', 'describe_instances', {}, 'Action=DescribeInstances', ' (10)'),
    ('dynamodb', 'GetItem', 'get_item', {'TableName': 'cases', 'Key': {'id': {'S': 'c-1'}}}, '.GetItem', ''),
    ('sqs', 'ReceiveMessage', 'receive_message', {'QueueUrl': 'https://sqs.eu-west-1.amazonaws.com/123456789012/q'}, '.ReceiveMessage', ''),
    ('s3', 'ListObjectsV2', 'list_objects_v2', {'Bucket': 'evidence'}, 'list-type=2', ' (50)'),
]
TIMES = int(os.environ.get('TIMES', '5'))

# What boto3 does, in a process of its own: the same loop, the same clocks.
BOTO = '''
import json, sys, time
import boto3
from botocore.config import Config
from concurrent.futures import ThreadPoolExecutor
url, service, method, params, calls, in_flight = sys.argv[1:]
calls, in_flight, params = int(calls), int(in_flight), json.loads(params)
client = boto3.client(service, region_name='eu-west-1', endpoint_url=url, config=Config(
    max_pool_connections=in_flight, retries={'max_attempts': 1}, s3={'addressing_style': 'path'}))
call = getattr(client, method)
pool = ThreadPoolExecutor(in_flight)
def round():
    if in_flight == 1:
        call(**params)
    else:
        list(pool.map(lambda _: call(**params), range(in_flight)))
round()
cpu, began, made = time.process_time(), time.perf_counter(), 0
while made < calls:
    round()
    made += in_flight
print(json.dumps({'calls': made, 'seconds': time.perf_counter() - began, 'cpu_seconds': time.process_time() - cpu,
                  'rss_kib': int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])}))
'''


def record(folder: str) -> list[str]:
    """The answers of a small account, as moto writes them: files for the server."""
    import boto3
    import moto
    os.environ.update(KEYS)
    specs = []

    def keep(name):
        return lambda response_dict, **_: pathlib.Path(folder, name).write_bytes(response_dict['body'])
    with moto.mock_aws():
        clients = {s: boto3.client(s, region_name=REGION) for s in {c[0] for c in CALLS}}
        fleet = clients['ec2'].run_instances(ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=10, MaxCount=10)['Instances']
        clients['dynamodb'].create_table(TableName='cases', BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
                                         AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}])
        clients['dynamodb'].put_item(TableName='cases', Item={'id': {'S': 'c-1'}, **{f'field{i}': {'S': 'x' * 60} for i in range(20)}})
        url = clients['sqs'].create_queue(QueueName='q')['QueueUrl']
        clients['sqs'].send_message(QueueUrl=url, MessageBody=json.dumps({'detail': {'type': 'x' * 900}}))
        clients['s3'].create_bucket(Bucket='evidence', CreateBucketConfiguration={'LocationConstraint': REGION})
        for i in range(50):
            clients['s3'].put_object(Bucket='evidence', Key=f'cases/2026-0042/log-{i:04}.json.gz', Body=b'x')
        real = {'QueueUrl': url, 'InstanceIds': [fleet[0]['InstanceId']]}
        for service, operation, method, params, word, size in CALLS:
            name = f'{operation}{size}'
            clients[service].meta.events.register_last(f'before-parse.{service}.{operation}', keep(name))
            getattr(clients[service], method)(**{k: real.get(k, v) for k, v in params.items()})
            specs.append(f'{word}={folder}/{name}')
            clients[service] = boto3.client(service, region_name=REGION)
    return specs


def run(command: list[str]) -> dict:
    env = {**{k: v for k, v in os.environ.items() if not k.startswith('AWS_')}, **KEYS}
    return json.loads(subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout)


def line(what: str, mine: dict, theirs: dict) -> None:
    def rate(r):
        return r['calls'] / r['seconds']

    def cpu(r):
        return r['cpu_seconds'] / r['calls'] * 1e6
    print(f'  {what:<38} {rate(mine):>8.0f} {rate(theirs):>8.0f} {cpu(mine):>10.0f} {cpu(theirs):>8.0f} {cpu(theirs) / cpu(mine):>8.1f}x '
          f'{mine["rss_kib"] / 1024:>7.0f} {theirs["rss_kib"] / 1024:>6.0f}', flush=True)


def main() -> None:
    programs = pathlib.Path(sys.argv[1]).resolve()
    print('Calls to AWS: cordon, and boto3 against the same server')
    print(f'  {"":<38} {"calls/s":>8} {"boto3":>8} {"CPU us":>10} {"boto3":>8} {"less CPU":>9} {"MiB":>7} {"boto3":>6}')
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([programs / 'canned_server', *record(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            url = f'http://127.0.0.1:{int(server.stdout.readline())}'
            for in_flight, label in ((1, 'one by one'), (50, '50 at once')):
                for service, operation, method, params, _, size in CALLS:
                    calls, document = 100 * TIMES, json.dumps(params)
                    mine = run([str(programs / 'aws_calls'), url, service, operation, document, str(calls * 4), str(in_flight)])
                    theirs = run([sys.executable, '-c', BOTO, url, service, method, document, str(calls), str(in_flight)])
                    line(f'{service} {operation}{size}, {label}', mine, theirs)
        finally:
            server.stdin.close()
            server.wait(10)


main()
