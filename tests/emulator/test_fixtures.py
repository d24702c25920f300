"""The seed is what the tests that use it believe it to be."""


def test_interface_and_instance_agree_on_the_groups(aws, techsolutions):
    ec2 = aws('ec2')
    for instance, interface in zip(techsolutions.instances, techsolutions.interfaces):
        seen = ec2.describe_instances(InstanceIds=[instance])['Reservations'][0]['Instances'][0]
        nic = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])['NetworkInterfaces'][0]
        assert [g['GroupId'] for g in nic['Groups']] == [techsolutions.web_group]
        assert [g['GroupId'] for g in seen['NetworkInterfaces'][0]['Groups']] == [techsolutions.web_group]


def test_the_inbox_hears_the_topic(aws, techsolutions):
    aws('sns').publish(TopicArn=techsolutions.topic, Message='hello', Subject='test')
    got = aws('sqs').receive_message(QueueUrl=techsolutions.inbox)['Messages']
    assert '"hello"' in got[0]['Body']


def test_both_servers_take_traffic_and_scale(aws, techsolutions):
    health = aws('elbv2').describe_target_health(TargetGroupArn=techsolutions.target_group)['TargetHealthDescriptions']
    assert {h['Target']['Id'] for h in health} == set(techsolutions.instances)
    members = aws('autoscaling').describe_auto_scaling_instances(InstanceIds=techsolutions.instances)['AutoScalingInstances']
    assert {m['InstanceId'] for m in members} == set(techsolutions.instances)
