"""A burst of findings, as an attack or a misconfigured detector brings it: in a queue, with repeats, about many resources and
about one of them over and over. For test_burst.py and for the benchmark."""
from __future__ import annotations

import json
import pathlib
import random

from conftest import ACCOUNT, REGION, make_network

PLAYBOOK = """
name: burst
title: Whatever comes
answers:
  types: ["Policy:S3/*", "Backdoor:EC2/*"]
modes:
  now: {production: {critical: auto, high: auto, medium: auto, low: auto}}
steps:
  - {id: block-bucket-public-access, action: block-bucket-public-access, on: S3Bucket, mode: now}
  - {id: isolate-network, action: isolate-network, on: Instance, mode: now}
"""
SEVERITIES = (9.5, 8.0, 5.0, 2.0)


def finding(number: int, kind: str, severity: float, resource: dict) -> dict:
    ident = f'{number:032x}'
    return {'detail-type': 'GuardDuty Finding', 'source': 'aws.guardduty', 'account': ACCOUNT, 'region': REGION, 'detail': {
        'schemaVersion': '2.0', 'accountId': ACCOUNT, 'region': REGION, 'partition': 'aws', 'id': ident,
        'arn': f'arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/burst/finding/{ident}', 'type': kind, 'severity': severity,
        'createdAt': '2026-08-01T10:00:00.000Z', 'updatedAt': '2026-08-01T10:00:00.000Z', 'title': kind, 'description': kind,
        'resource': resource, 'service': {'serviceName': 'guardduty', 'resourceRole': 'TARGET', 'count': 1, 'archived': False,
                                          'eventFirstSeen': '2026-08-01T09:55:00.000Z', 'eventLastSeen': '2026-08-01T09:59:00.000Z'}}}


class Burst:
    """`size` messages: `repeats` of them are deliveries of a finding that was sent before, `same` different findings are about
    one instance, all others about a bucket each."""

    def __init__(self, aws, size: int, repeats: int, same: int, folder: pathlib.Path):
        rng = random.Random(7)
        ec2, s3, self.sqs = aws('ec2'), aws('s3'), aws('sqs')
        vpc, subnets, _, _, group = make_network(ec2)
        self.instance = ec2.run_instances(ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, NetworkInterfaces=[
            {'DeviceIndex': 0, 'SubnetId': subnets[0], 'Groups': [group]}])['Instances'][0]['InstanceId']
        self.unique = [finding(n, 'Backdoor:EC2/C&CActivity.B', SEVERITIES[n % 4], {
            'resourceType': 'Instance', 'instanceDetails': {'instanceId': self.instance}}) for n in range(same)]
        self.buckets = [f'burst-{n}' for n in range(size - repeats - same)]
        for n, bucket in enumerate(self.buckets):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={'LocationConstraint': REGION})
            self.unique.append(finding(same + n, 'Policy:S3/BucketAnonymousAccessGranted', SEVERITIES[n % 4], {
                'resourceType': 'S3Bucket', 's3BucketDetails': [{'name': bucket, 'arn': f'arn:aws:s3:::{bucket}', 'type': 'Destination'}]}))
        self.messages = [*self.unique, *(rng.choice(self.unique) for _ in range(repeats))]
        rng.shuffle(self.messages)
        self.queue = self.sqs.create_queue(QueueName='cordon-findings')['QueueUrl']
        for at in range(0, len(self.messages), 10):
            self.sqs.send_message_batch(QueueUrl=self.queue, Entries=[
                {'Id': str(n), 'MessageBody': json.dumps(m)} for n, m in enumerate(self.messages[at:at + 10])])
        books = folder / 'burst-playbooks'
        books.mkdir()
        (books / 'burst.yaml').write_text(PLAYBOOK)
        self.env = {'CORDON_MODE': 'auto', 'CORDON_PLAYBOOKS': str(books), 'CORDON_SERVE_QUEUE_URL': self.queue,
                    'CORDON_GUARDS_BREAKER_ACTIONS': '100000'}

    def left(self) -> int:
        """Messages in the queue, seen or unseen."""
        a = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=['All'])['Attributes']
        return int(a['ApproximateNumberOfMessages']) + int(a['ApproximateNumberOfMessagesNotVisible'])
