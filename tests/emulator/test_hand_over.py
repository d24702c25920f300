"""What only people can do reaches them: in the answer, in the case, in the message. Answered by moto."""
from __future__ import annotations

import json

from conftest import ACCOUNT, REGION


def test_use_of_root_is_told_with_the_steps(cordon, aws, techsolutions, finding, tmp_path):
    event = finding('i-0', kind='Policy:IAMUser/RootCredentialUsage', severity=2.0)
    event['detail']['resource'] = {'resourceType': 'AccessKey', 'accessKeyDetails': {
        'accessKeyId': 'ASIAEXAMPLEROOT00001', 'principalId': ACCOUNT, 'userType': 'Root', 'userName': 'Root'}}
    (tmp_path / 'finding.json').write_text(json.dumps(event))
    ran = cordon('respond', str(tmp_path / 'finding.json'), '--yes', '--output', 'json',
                 env={'CORDON_MODE': 'auto', 'CORDON_NOTIFY_TOPIC_ARN': techsolutions.topic})
    assert ran.json['state'] == 'notified', ran.err
    [told] = ran.json['actions']
    assert told['action'] == 'hand-over' and not told['verified']
    commands = [s['command'] for s in told['before']['steps'] if 'command' in s]
    assert any('assume-root' in c and ACCOUNT in c for c in commands) and any(REGION in c for c in commands)
    [message] = aws('sqs').receive_message(QueueUrl=techsolutions.inbox, MaxNumberOfMessages=10)['Messages']
    assert '"case.opened"' in json.loads(message['Body'])['Message'], 'nothing was tried, so nothing failed'
