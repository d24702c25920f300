"""An emulated account with something for every playbook to contain, and for each shipped playbook a finding about it."""
from __future__ import annotations

import base64
import io
import json
import pathlib
import zipfile

from conftest import ACCOUNT, REGION, make_network, make_profile

BUCKET, EVIDENCE = 'techsolutions-invoices', 'techsolutions-evidence'
USER, KEY = 'deploy', 'AKIAEXAMPLEDEPLOY001'
ROLE, FUNCTION, CLUSTER, DATABASE = 'web-role', 'invoice-export', 'shop', 'orders'
REMOTE = '198.51.100.77'
PLAYBOOKS = pathlib.Path(__file__).resolve().parents[2] / 'playbooks'
TRUST = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'lambda.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}
READ = [{'Effect': 'Allow', 'Action': ['s3:GetObject', 's3:ListBucket'], 'Resource': '*'}]


def seed_instance(aws) -> tuple[str, list[str]]:
    """A web server with two interfaces, behind a balancer, in an Auto Scaling group."""
    ec2, elb, scaling = aws('ec2'), aws('elbv2'), aws('autoscaling')
    vpc, subnets, _, _, web = make_network(ec2)
    profile = make_profile(aws('iam'), ROLE, READ)
    make_profile(aws('iam'), 'cordon-quarantine', [])
    made = ec2.run_instances(
        ImageId='ami-12c6146b', InstanceType='t3.small', MinCount=1, MaxCount=1, IamInstanceProfile={'Arn': profile},
        NetworkInterfaces=[{'DeviceIndex': 0, 'SubnetId': subnets[0], 'Groups': [web], 'AssociatePublicIpAddress': False}],
        TagSpecifications=[{'ResourceType': 'instance', 'Tags': [{'Key': 'Environment', 'Value': 'production'}]}])['Instances'][0]
    instance = made['InstanceId']
    inner = ec2.create_security_group(GroupName='inner', Description='inner', VpcId=vpc)['GroupId']
    second = ec2.create_network_interface(SubnetId=subnets[0], Groups=[inner])['NetworkInterface']['NetworkInterfaceId']
    ec2.attach_network_interface(DeviceIndex=1, InstanceId=instance, NetworkInterfaceId=second)
    target = elb.create_target_group(Name='web', Protocol='HTTP', Port=80, VpcId=vpc)['TargetGroups'][0]['TargetGroupArn']
    balancer = elb.create_load_balancer(Name='web', Subnets=subnets)['LoadBalancers'][0]['LoadBalancerArn']
    elb.create_listener(LoadBalancerArn=balancer, Protocol='HTTP', Port=80, DefaultActions=[{'Type': 'forward', 'TargetGroupArn': target}])
    elb.register_targets(TargetGroupArn=target, Targets=[{'Id': instance, 'Port': 80}])
    scaling.create_launch_configuration(LaunchConfigurationName='web', ImageId='ami-12c6146b', InstanceType='t3.small')
    scaling.create_auto_scaling_group(AutoScalingGroupName='web', LaunchConfigurationName='web', MinSize=0, MaxSize=4, DesiredCapacity=0,
                                      VPCZoneIdentifier=','.join(subnets))
    scaling.attach_instances(AutoScalingGroupName='web', InstanceIds=[instance])
    # The emulator takes no automatic address away before the instance stops; an elastic one it does.
    address = ec2.allocate_address(Domain='vpc')['AllocationId']
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=made['NetworkInterfaces'][0]['NetworkInterfaceId'])
    return instance, [made['NetworkInterfaces'][0]['NetworkInterfaceId'], second]


def seed_people(aws) -> None:
    iam = aws('iam')
    iam.create_user(UserName=USER)
    iam.create_access_key(UserName=USER)
    iam.create_login_profile(UserName=USER, Password='Not-a-real-one-1')
    iam.create_group(GroupName='developers')
    iam.add_user_to_group(GroupName='developers', UserName=USER)
    iam.put_user_policy(UserName=USER, PolicyName='own', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': READ}))


def seed_data(aws) -> None:
    s3, rds = aws('s3'), aws('rds')
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={'LocationConstraint': REGION})
    s3.create_bucket(Bucket=EVIDENCE, CreateBucketConfiguration={'LocationConstraint': REGION}, ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket=BUCKET, Key='2026/invoice.pdf', Body=b'%PDF-1.7')
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [
        {'Sid': 'theirs', 'Effect': 'Allow', 'Principal': '*', 'Action': 's3:GetObject', 'Resource': f'arn:aws:s3:::{BUCKET}/public/*'}]}))
    rds.create_db_instance(DBInstanceIdentifier=f'{DATABASE}-1', DBInstanceClass='db.t3.micro', Engine='postgres', MasterUsername='app',
                           MasterUserPassword='not-a-real-one-1', AllocatedStorage=20, PubliclyAccessible=True,
                           VpcSecurityGroupIds=[aws('ec2').describe_security_groups(GroupNames=['web'])['SecurityGroups'][0]['GroupId']])


def seed_workloads(aws) -> None:
    iam, ecs = aws('iam'), aws('ecs')
    role = iam.create_role(RoleName='invoice-export-role', AssumeRolePolicyDocument=json.dumps(TRUST))['Role']['Arn']
    code = io.BytesIO()
    with zipfile.ZipFile(code, 'w') as z:
        z.writestr(zipfile.ZipInfo('index.py', (2026, 1, 1, 0, 0, 0)), 'def handler(e, c): pass\n')
    queue = aws('sqs').create_queue(QueueName='invoices')['QueueUrl']
    arn = aws('sqs').get_queue_attributes(QueueUrl=queue, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    aws('lambda').create_function(FunctionName=FUNCTION, Runtime='python3.12', Role=role, Handler='index.handler', Code={'ZipFile': code.getvalue()})
    aws('lambda').create_event_source_mapping(EventSourceArn=arn, FunctionName=FUNCTION)
    ecs.create_cluster(clusterName=CLUSTER)
    ecs.register_task_definition(family='web', containerDefinitions=[{'name': 'web', 'image': 'web:1', 'memory': 64}])
    ecs.create_service(cluster=CLUSTER, serviceName='web', taskDefinition='web', desiredCount=2)
    aws('eks').create_cluster(name=CLUSTER, roleArn=role, resourcesVpcConfig={'subnetIds': [
        s['SubnetId'] for s in aws('ec2').describe_subnets(Filters=[{'Name': 'cidr-block', 'Values': ['10.20.*']}])['Subnets']]})


def seed(aws) -> dict:
    """Fills an empty account; always with the same ids when moto was given a seed."""
    instance, interfaces = seed_instance(aws)
    seed_people(aws)
    seed_data(aws)
    seed_workloads(aws)
    key = aws('iam').list_access_keys(UserName=USER)['AccessKeyMetadata'][0]['AccessKeyId']
    user = aws('iam').get_user(UserName=USER)['User']['UserId']
    role = aws('iam').get_role(RoleName=ROLE)['Role']['RoleId']
    return {'instance': instance, 'interfaces': interfaces, 'key': key, 'user_id': user, 'role_id': role}


# ---- findings ----

def api_call(api: str, service: str) -> dict:
    return {'actionType': 'AWS_API_CALL', 'awsApiCallAction': {
        'api': api, 'serviceName': service, 'callerType': 'Remote IP', 'remoteIpDetails': {'ipAddressV4': REMOTE}, 'userAgent': 'Boto3/1.34'}}


def connection(direction: str = 'OUTBOUND') -> dict:
    return {'actionType': 'NETWORK_CONNECTION', 'networkConnectionAction': {
        'connectionDirection': direction, 'protocol': 'TCP', 'blocked': False, 'remoteIpDetails': {'ipAddressV4': REMOTE}}}


def instance_details(a: dict) -> dict:
    return {'instanceId': a['instance'], 'instanceState': 'running', 'tags': [{'key': 'Environment', 'value': 'production'}]}


def user_key(a: dict) -> dict:
    return {'accessKeyId': a['key'], 'principalId': a['user_id'], 'userType': 'IAMUser', 'userName': USER}


def role_key(a: dict) -> dict:
    return {'accessKeyId': 'ASIAEXAMPLEROLE0KEY1', 'principalId': f'{a["role_id"]}:{a["instance"]}', 'userType': 'AssumedRole', 'userName': ROLE}


def bucket_details() -> list:
    none = {'allowsPublicReadAccess': True, 'allowsPublicWriteAccess': False}
    return [{'arn': f'arn:aws:s3:::{BUCKET}', 'name': BUCKET, 'type': 'Destination', 'tags': [], 'publicAccess': {
        'effectivePermission': 'PUBLIC', 'permissionConfiguration': {'bucketLevelPermissions': {'bucketPolicy': none}}}}]


def sequence(a: dict) -> dict:
    arn = f'arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{a["instance"]}'
    resources = [
        {'uid': arn, 'name': a['instance'], 'accountId': ACCOUNT, 'resourceType': 'EC2_INSTANCE', 'region': REGION, 'service': 'ec2',
         'tags': [], 'data': {'ec2Instance': {'instanceState': 'running', 'ec2NetworkInterfaceUids': []}}},
        {'uid': f'arn:aws:s3:::{BUCKET}', 'name': BUCKET, 'accountId': ACCOUNT, 'resourceType': 'S3_BUCKET', 'region': REGION,
         'service': 's3', 'tags': [], 'data': {'s3Bucket': {'effectivePermission': 'NOT_PUBLIC'}}},
        {'uid': a['key'], 'name': a['key'], 'accountId': ACCOUNT, 'resourceType': 'ACCESS_KEY', 'region': REGION, 'service': 'iam',
         'tags': [], 'data': {'accessKey': {'principalId': a['user_id'], 'userName': USER, 'userType': 'IAMUser'}}}]
    return {'sequence': {'uid': 'seq', 'description': 'A sequence of actions', 'actors': [], 'resources': resources,
                         'endpoints': [{'id': 'endpoint-1', 'ip': REMOTE, 'connection': {'direction': 'OUTBOUND'}}], 'signals': [],
                         'sequenceIndicators': [{'key': 'MALICIOUS_IP', 'values': [REMOTE]}]}}


def task_details() -> dict:
    return {'name': CLUSTER, 'arn': f'arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}', 'status': 'ACTIVE', 'tags': [], 'taskDetails': {
        'arn': f'arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/0123456789abcdef0123456789abcdef', 'group': 'service:web',
        'definitionArn': f'arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:1', 'launchType': 'FARGATE'}}


def findings(a: dict) -> dict:
    """Playbook -> (type, severity, resource, service)."""
    out = connection()
    iam = api_call('ListUsers', 'iam.amazonaws.com')
    user, theirs = {'resourceType': 'AccessKey', 'accessKeyDetails': user_key(a)}, {'resourceType': 'AccessKey', 'accessKeyDetails': role_key(a)}
    box = {'resourceType': 'Instance', 'instanceDetails': instance_details(a)}
    bucket = {'resourceType': 'S3Bucket', 's3BucketDetails': bucket_details(), 'accessKeyDetails': user_key(a)}
    database = {'resourceType': 'RDSDBInstance', 'rdsDbInstanceDetails': {
        'dbInstanceIdentifier': f'{DATABASE}-1', 'engine': 'postgres', 'dbInstanceArn': f'arn:aws:rds:{REGION}:{ACCOUNT}:db:{DATABASE}-1',
        'tags': []}, 'rdsDbUserDetails': {'user': 'app', 'database': 'orders'}}
    login = {'actionType': 'RDS_LOGIN_ATTEMPT', 'rdsLoginAttemptAction': {'remoteIpDetails': {'ipAddressV4': REMOTE}, 'LoginAttributes': []}}
    function = {'resourceType': 'Lambda', 'lambdaDetails': {
        'functionArn': f'arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}', 'functionName': FUNCTION, 'functionVersion': '$LATEST',
        'role': f'arn:aws:iam::{ACCOUNT}:role/invoice-export-role', 'tags': []}}
    cluster = {'resourceType': 'EKSCluster', 'eksClusterDetails': {
        'name': CLUSTER, 'arn': f'arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{CLUSTER}', 'status': 'ACTIVE', 'tags': []},
        'kubernetesDetails': {'kubernetesUserDetails': {'username': 'system:anonymous', 'groups': []}}}
    kubernetes = {'actionType': 'KUBERNETES_API_CALL', 'kubernetesApiCallAction': {
        'requestUri': '/api/v1/secrets', 'verb': 'list', 'remoteIpDetails': {'ipAddressV4': REMOTE}}}
    return {
        'ai-protection': ('Impact:IAMUser/AnomalousModelInvocation', 8, user, api_call('InvokeModel', 'bedrock.amazonaws.com')),
        'attack-sequence-cluster': ('AttackSequence:EKS/CompromisedCluster', 9, {'resourceType': 'AttackSequence'}, None),
        'attack-sequence': ('AttackSequence:EC2/CompromisedInstanceGroup', 9, {'resourceType': 'AttackSequence'}, None),
        'cluster-node': ('Backdoor:EC2/C&CActivity.B', 9, {'resourceType': 'Instance', 'instanceDetails': {
            **box['instanceDetails'], 'tags': box['instanceDetails']['tags'] + [{'key': 'kubernetes.io/cluster/shop', 'value': 'owned'}]}}, out),
        'container-host': ('Execution:Runtime/ReverseShell', 8, {
            'resourceType': 'Container', 'instanceDetails': instance_details(a),
            'containerDetails': {'id': 'c1', 'name': 'web', 'image': 'web:1'}}, out),
        'container-workload': ('Execution:Runtime/ReverseShell', 8, {
            'resourceType': 'ECSCluster', 'ecsClusterDetails': task_details(), 'instanceDetails': instance_details(a)}, out),
        'custom-detection': ('PrivilegeEscalation:IAM/AdminPolicyAttached', 8, user, iam),
        'ec2-attempted': ('Recon:EC2/PortProbeUnprotectedPort', 2, box, connection('INBOUND')),
        'ec2-compromised': ('Backdoor:EC2/C&CActivity.B', 9, box, out),
        'ec2-suspicious': ('Behavior:EC2/NetworkPortUnusual', 8, box, out),
        'iam-console-login': ('UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B', 8, user, api_call('ConsoleLogin', 'signin.amazonaws.com')),
        'iam-credential-use': ('Recon:IAMUser/MaliciousIPCaller', 8, user, iam),
        'iam-root': ('Policy:IAMUser/RootCredentialUsage', 5, {'resourceType': 'AccessKey', 'accessKeyDetails': {
            'accessKeyId': 'AKIAEXAMPLEROOT00001', 'principalId': ACCOUNT, 'userType': 'Root', 'userName': 'Root'}}, iam),
        'image-malware': ('Execution:EC2/MaliciousFile!Snapshot', 8, {
            'resourceType': 'EBSSnapshot', 'ebsSnapshotDetails': {'snapshotArn': f'arn:aws:ec2:{REGION}::snapshot/snap-0123456789abcdef0'}}, None),
        'instance-credential-theft': ('UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS', 9, {
            **theirs, 'instanceDetails': instance_details(a)}, api_call('ListBuckets', 's3.amazonaws.com')),
        'kubernetes-control-plane': ('CredentialAccess:Kubernetes/SuccessfulAnonymousAccess', 8, cluster, kubernetes),
        'lambda-compromised': ('Backdoor:Lambda/C&CActivity.B', 8, function, out),
        'logging-tampered': ('Stealth:IAMUser/CloudTrailLoggingDisabled', 8, user, api_call('StopLogging', 'cloudtrail.amazonaws.com')),
        'rds-attempted': ('CredentialAccess:RDS/AnomalousBehavior.FailedLogin', 2, database, login),
        'rds-intrusion': ('CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin', 8, database, login),
        'role-credential-theft': ('UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS', 8, theirs, iam),
        's3-data-access': ('Exfiltration:S3/AnomalousBehavior', 8, bucket, api_call('GetObject', 's3.amazonaws.com')),
        's3-malware': ('Object:S3/MaliciousFile', 8, {'resourceType': 'S3Object', 's3BucketDetails': [{
            **bucket_details()[0], 's3ObjectDetails': [{'objectArn': f'arn:aws:s3:::{BUCKET}/2026/invoice.pdf', 'key': '2026/invoice.pdf'}]}]}, None),
        's3-public': ('Policy:S3/BucketAnonymousAccessGranted', 8, bucket, api_call('PutBucketPolicy', 's3.amazonaws.com')),
        'unknown': ('Novelty:Quantum/Entangled', 8, {'resourceType': 'QuantumTask'}, None),
    }


def event(a: dict, playbook: str) -> dict:
    """The finding of a playbook, as EventBridge delivers it."""
    kind, severity, resource, action = findings(a)[playbook]
    ident = base64.b16encode(playbook.encode()).decode().lower()[:32].ljust(32, '0')
    service = {'serviceName': 'guardduty', 'detectorId': '12abc34d567e8fa901bc2d34eexample', 'resourceRole': 'TARGET', 'archived': False,
               'eventFirstSeen': '2026-08-01T09:55:00.000Z', 'eventLastSeen': '2026-08-01T09:59:00.000Z', 'count': 1}
    if kind.startswith('AttackSequence'):
        service['detection'] = sequence(a)
    elif action:
        service['action'] = action
    detail = {'schemaVersion': '2.0', 'accountId': ACCOUNT, 'region': REGION, 'partition': 'aws', 'id': ident,
              'arn': f'arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/12abc34d567e8fa901bc2d34eexample/finding/{ident}', 'type': kind,
              'severity': severity, 'createdAt': '2026-08-01T10:00:00.000Z', 'updatedAt': '2026-08-01T10:00:00.000Z', 'title': kind,
              'description': kind, 'resource': resource, 'service': service}
    return {'version': '0', 'id': '6041f8be-df36-b1ff-a970-da7210a382b4', 'detail-type': 'GuardDuty Finding', 'source': 'aws.guardduty',
            'account': ACCOUNT, 'time': '2026-08-01T10:00:05Z', 'region': REGION, 'resources': [], 'detail': detail}
