"""Systems Manager Automation for the stub, with the containment runbook that AWS keeps.

AWSSupport-ContainEC2Instance is closed source. Its page says: Contain backs the security groups up to
S3, moves every interface to an "all access" group and then to a "containment" group; Release puts
them back from the backup; DryRun only previews; elevated parameters are declared by the document.
With an upstream (the emulator that holds the instances) that is done for real through EC2; without
one only the execution's states are played. Output names follow the page's sibling
(AWSSupport-ContainIAMPrincipal), which prints its backup's key: they are an assumption.
"""
from __future__ import annotations

import datetime
import json
import threading
import time
import uuid

import botocore.session
from stub_wire import AwsError

NAME = 'AWSSupport-ContainEC2Instance'
UTC = datetime.timezone.utc
_PARAMETERS = {
    'AutomationAssumeRole': {'type': 'String', 'default': ''},
    'Action': {'type': 'String', 'allowedValues': ['Contain', 'Release']},
    'InstanceId': {'type': 'String', 'allowedPattern': r'^i-[a-f0-9]{8}(?:[a-f0-9]{9})?$'},
    'DryRun': {'type': 'Boolean', 'default': True, 'allowedValues': [True, False]},
    'CreateAMIBackup': {'type': 'Boolean', 'default': False, 'allowedValues': [True, False]},
    'KmsKey': {'type': 'String', 'default': ''},
    'BackupS3BucketName': {'type': 'String', 'default': ''},
    'BackupS3KeyName': {'type': 'String', 'default': ''},
    'BackupS3BucketAccess': {'type': 'StringList', 'default': []},
    'TagIdentifier': {'type': 'String', 'default': ''},
}
_STEPS = ['ValidateRequiredInputs', 'AssertInstanceIsNotTerminated', 'BackupInstanceSecurityGroups',
          'CreateContainmentSecurityGroups', 'SwapSecurityGroups', 'ReportContain']


def _now():
    return datetime.datetime.now(UTC).replace(microsecond=0)


def describe() -> dict:
    """DescribeDocument's answer."""
    out = []
    for name, p in _PARAMETERS.items():
        item = {'Name': name, 'Type': 'StringList' if p['type'] == 'StringList' else 'String'}
        if 'default' in p:
            d = p['default']
            item['DefaultValue'] = d if isinstance(d, str) else json.dumps(d)
        out.append(item)
    return {'Name': NAME, 'Owner': 'Amazon', 'Status': 'Active', 'DocumentVersion': '1',
            'DocumentType': 'Automation', 'SchemaVersion': '0.3', 'LatestVersion': '1',
            'DefaultVersion': '1', 'DocumentFormat': 'YAML', 'CreatedDate': _now(), 'Parameters': out,
            'PlatformTypes': ['Windows', 'Linux', 'MacOS'], 'Hash': '0' * 64, 'HashType': 'Sha256', 'Tags': []}


class Automation:
    def __init__(self, account: str, region: str, latency: float, upstream: str | None):
        self.account, self.region, self.latency = account, region, latency
        self.runs: dict[str, dict] = {}
        self.tokens: dict[str, tuple[str, dict]] = {}
        self.backups: dict[tuple[str, str], dict] = {}
        self.ec2 = None
        if upstream:
            self.ec2 = botocore.session.get_session().create_client(
                'ec2', region_name=region, endpoint_url=upstream, aws_access_key_id='testing',
                aws_secret_access_key='testing')

    def StartAutomationExecution(self, p):
        if p['DocumentName'] != NAME:
            raise AwsError('AutomationDefinitionNotFoundException', p['DocumentName'])
        import stub_ssm  # the two know each other: parameters are checked alike
        given = stub_ssm.check_parameters({'parameters': _PARAMETERS}, p.get('Parameters', {}),
                                          'InvalidAutomationExecutionParametersException')
        token = p.get('ClientToken')
        if token in self.tokens:
            ident, before = self.tokens[token]
            if before != p.get('Parameters', {}):
                raise AwsError('IdempotentParameterMismatch', token)
            return {'AutomationExecutionId': ident}
        ident = str(uuid.uuid4())
        if token:
            self.tokens[token] = ident, p.get('Parameters', {})
        self.runs[ident] = {
            'AutomationExecutionId': ident, 'DocumentName': NAME, 'DocumentVersion': '1',
            'ExecutionStartTime': _now(), 'AutomationExecutionStatus': 'Pending',
            'Parameters': given, 'Outputs': {}, 'Mode': 'Auto', 'StepExecutionsTruncated': False,
            'ExecutedBy': f'arn:aws:sts::{self.account}:assumed-role/cordon/case', 'StepExecutions': []}
        threading.Thread(target=self._run, args=(self.runs[ident],), daemon=True).start()
        return {'AutomationExecutionId': ident}

    def GetAutomationExecution(self, p):
        run = self.runs.get(p['AutomationExecutionId'])
        if run is None:
            raise AwsError('AutomationExecutionNotFoundException', p['AutomationExecutionId'])
        shown = {k: v for k, v in run['Parameters'].items() if v and v[0]}
        return {'AutomationExecution': {**run, 'Parameters': shown, 'StepExecutions': list(run['StepExecutions']),
                                        'Outputs': dict(run['Outputs'])}}

    def StopAutomationExecution(self, p):
        run = self.runs.get(p['AutomationExecutionId'])
        if run is None:
            raise AwsError('AutomationExecutionNotFoundException', p['AutomationExecutionId'])
        if run['AutomationExecutionStatus'] in ('Pending', 'InProgress'):
            run['AutomationExecutionStatus'] = 'Cancelled'
        return {}

    def _run(self, run: dict):
        time.sleep(self.latency)
        run['AutomationExecutionStatus'] = 'InProgress'
        one = {k: v[0] if v else '' for k, v in run['Parameters'].items()}
        try:
            for name in _STEPS:
                time.sleep(self.latency / 2)
                if run['AutomationExecutionStatus'] != 'InProgress':
                    return
                step = {'StepName': name, 'Action': 'aws:executeScript', 'StepStatus': 'InProgress',
                        'ExecutionStartTime': _now(), 'StepExecutionId': str(uuid.uuid4())}
                run['StepExecutions'].append(step)
                if name == 'SwapSecurityGroups':
                    run['Outputs'] = self._act(run['AutomationExecutionId'], one)
                step.update(StepStatus='Success', ExecutionEndTime=_now())
            run['AutomationExecutionStatus'] = 'Success'
        except Exception as e:  # the runbook fails, the stub goes on
            run['FailureMessage'] = str(e)[:1000]
            run['AutomationExecutionStatus'] = 'Failed'
            run['StepExecutions'][-1].update(StepStatus='Failed', FailureMessage=str(e)[:1000])
        run['ExecutionEndTime'] = _now()

    def _act(self, ident: str, p: dict) -> dict:
        bucket = p['BackupS3BucketName'] or f'awssupport-containec2instance-{ident[:8]}'
        if p['Action'] == 'Contain':
            key = _now().strftime('%Y/%m/%d/%H/%M/') + ident + '.json'
            if p['DryRun'] != 'true':
                self.backups[bucket, key] = self._contain(p['InstanceId'])
            report = 'contained' if p['DryRun'] != 'true' else 'dry run: nothing was changed'
            return {'ReportContain.Output': [report], 'BackupS3BucketName': [bucket],
                    'BackupS3KeyName': [key]}
        backup = self.backups.get((bucket, p['BackupS3KeyName']))
        if backup is None:
            raise AwsError('NoBackup', f's3://{bucket}/{p["BackupS3KeyName"]} does not exist')
        if p['DryRun'] != 'true':
            self._release(backup)
        return {'ReportRelease.Output': ['released'], 'BackupS3BucketName': [bucket],
                'BackupS3KeyName': [p['BackupS3KeyName']]}

    def _contain(self, instance: str) -> dict:
        if self.ec2 is None:
            return {}
        found = self.ec2.describe_instances(InstanceIds=[instance])['Reservations'][0]['Instances'][0]
        if found['State']['Name'] == 'terminated':
            raise AwsError('Terminated', f'{instance} is terminated')
        group = self.ec2.create_security_group(
            GroupName=f'containment-{uuid.uuid4()}', Description='containment', VpcId=found['VpcId'])['GroupId']
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
            {'IpProtocol': '-1', 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
        backup = {'group': group, 'interfaces': {}}
        for eni in found['NetworkInterfaces']:
            name = eni['NetworkInterfaceId']
            backup['interfaces'][name] = [g['GroupId'] for g in eni['Groups']]
            self.ec2.modify_network_interface_attribute(NetworkInterfaceId=name, Groups=[group])
        return backup

    def _release(self, backup: dict):
        if self.ec2 is None:
            return
        for name, groups in backup['interfaces'].items():
            self.ec2.modify_network_interface_attribute(NetworkInterfaceId=name, Groups=groups)
        self.ec2.delete_security_group(GroupId=backup['group'])
