"""The EC2 measures when AWS refuses, throttles, lags or answers as moto does not: a proxy in front of moto plays AWS."""
from __future__ import annotations

import base64
import http.client
import http.server
import threading
import urllib.parse

import pytest

from test_actions_ec2 import Host, Step, host, pytestmark  # noqa: F401 (a fixture and the skip mark)

ERROR = '<Response><Errors><Error><Code>{0}</Code><Message>{1}</Message></Error></Errors><RequestID>r-1</RequestID></Response>'


class Aws(http.server.ThreadingHTTPServer):
    """Forwards to moto; `rule(action, parameters, n)` may answer (status, body) instead, n counting calls of the action."""

    daemon_threads = True

    def __init__(self, target: str):
        self.target = urllib.parse.urlsplit(target)
        self.rule = lambda action, parameters, n: None
        self.counts: dict[str, int] = {}
        self.lock = threading.Lock()
        super().__init__(('127.0.0.1', 0), Handler)

    def reset(self, rule) -> None:
        self.counts, self.rule = {}, rule


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        parameters = dict(urllib.parse.parse_qsl(body.decode()))
        action = parameters.get('Action', '')
        with self.server.lock:
            n = self.server.counts[action] = self.server.counts.get(action, 0) + 1
            answer = self.server.rule(action, parameters, n)
        if answer is None:
            connection = http.client.HTTPConnection(self.server.target.hostname, self.server.target.port, timeout=30)
            connection.request('POST', self.path, body, {k: v for k, v in self.headers.items() if k.lower() != 'connection'})
            got = connection.getresponse()
            answer = got.status, got.read().decode()
            connection.close()
        payload = answer[1].encode()
        self.send_response(answer[0])
        self.send_header('Content-Type', 'text/xml')
        self.send_header('Content-Length', str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


@pytest.fixture
def proxy(moto):
    server = Aws(moto)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def step(proxy, tmp_path):
    address = f'http://127.0.0.1:{proxy.server_address[1]}'
    return lambda name, resource, **given: Step(name, resource, address, tmp_path, **given)


def fail(code: str, status: int = 400) -> tuple[int, str]:
    return status, ERROR.format(code, 'as told by the test')


def closing(isolation: Step, parameters: dict) -> bool:
    """The call swaps an interface into the closed group."""
    return parameters.get('SecurityGroupId.1') == isolation.partial()['groups'][0]['closed']


def test_a_throttled_closing_is_tried_again(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('RequestLimitExceeded', 503)
                if action == 'ModifyNetworkInterfaceAttribute' and n <= 5 and closing(isolation, p) else None)
    assert isolation.apply()['status'] == 'ok'
    assert isolation.run('verify')['ok']


def test_a_closing_that_never_works_leaves_an_emptied_group_and_says_so(host, step, proxy):
    """An interface that can't be swapped stays in the open group, which has no rules any more."""
    before = host.describe()
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('UnauthorizedOperation', 403)
                if action == 'ModifyNetworkInterfaceAttribute' and p['NetworkInterfaceId'] == host.second and closing(isolation, p) else None)
    answer = isolation.apply()
    assert answer['status'] == 'denied' and 'Resume' in answer['error']['message'], answer
    groups = isolation.partial()['groups'][0]
    assert host.interfaces() == {host.first: [groups['closed']], host.second: [groups['open']]}
    assert host.rules(groups['open']) == [], 'the host is closed all the same'
    assert isolation.partial()['half_open'] is True
    proxy.reset(lambda *_: None)
    assert isolation.apply()['status'] == 'ok' and isolation.run('verify')['ok']
    assert isolation.undo()['status'] == 'ok' and host.describe() == before


def test_an_open_group_that_is_not_emptied_at_once_is_emptied_later(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('OperationNotPermitted') if action == 'RevokeSecurityGroupIngress' and n <= 2 else None)
    assert isolation.apply()['status'] == 'ok'
    assert host.rules(isolation.after['groups'][0]['open']) == []
    assert isolation.run('verify')['ok']


def test_an_open_group_that_can_not_be_emptied_is_no_success(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('UnauthorizedOperation', 403) if action == 'RevokeSecurityGroupIngress' else None)
    answer = isolation.apply()
    assert answer['status'] == 'denied' and 'emptied' in answer['error']['message'], answer
    groups = isolation.partial()['groups'][0]
    assert host.interfaces() == {host.first: [groups['closed']], host.second: [groups['closed']]}, 'isolated all the same'
    proxy.reset(lambda *_: None)
    assert isolation.apply()['status'] == 'ok' and host.rules(groups['open']) == []
    assert isolation.run('verify')['ok']


def test_a_rule_that_stands_in_the_open_group_is_seen_by_the_reading(host, step):
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    host.ec2.authorize_security_group_ingress(GroupId=isolation.after['groups'][0]['open'], IpPermissions=[
        {'IpProtocol': '-1', 'Ipv6Ranges': [{'CidrIpv6': '::/0'}]}])
    proof = isolation.run('verify')
    assert not proof['ok'] and 'still has rules: 1' in proof['proof']['text'], proof


def test_an_unreadable_group_does_not_stop_the_closing(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('InternalError', 500) if action == 'DescribeSecurityGroupRules' and n == 1 else None)
    assert isolation.apply()['status'] == 'ok'
    assert isolation.run('verify')['ok']


def test_without_the_right_to_open_the_host_is_isolated_uncut(host, step, proxy):
    """No tracked connection is cut then, and the result does not pretend otherwise; the isolation holds."""
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('UnauthorizedOperation', 403)
                if action == 'ModifyNetworkInterfaceAttribute' and not closing(isolation, p) else None)
    applied = isolation.apply()
    assert applied['status'] == 'ok' and applied['after']['cut'] == 'not on every interface'
    assert isolation.run('verify')['ok']


def test_a_refused_opening_of_the_group_is_no_cut(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('UnauthorizedOperation', 403) if action == 'AuthorizeSecurityGroupIngress' else None)
    applied = isolation.apply()
    assert applied['status'] == 'ok' and applied['after']['cut'] != 'done'
    assert applied['calls'].count('ec2:ModifyNetworkInterfaceAttribute') == 2, 'no opening that would be of no use'
    proof = isolation.run('verify')
    assert proof['ok'] and 'not cut' in proof['proof']['text']


def test_a_group_that_is_not_known_everywhere_yet_is_waited_for(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('InvalidGroup.NotFound') if action == 'RevokeSecurityGroupEgress' and n <= 2 else None)
    assert isolation.apply()['status'] == 'ok'
    assert isolation.run('verify')['ok']


def test_a_denied_creation_changes_nothing(host, step, proxy):
    before = host.describe()
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: fail('UnauthorizedOperation', 403) if action == 'CreateSecurityGroup' else None)
    answer = isolation.apply()
    assert answer['status'] == 'denied' and 'CreateSecurityGroup' in answer['error']['message']
    assert host.describe() == before


def test_a_quarantine_group_with_a_second_page_is_not_proven(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    page = ('<DescribeSecurityGroupRulesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
            '<securityGroupRuleSet/><nextToken>more</nextToken></DescribeSecurityGroupRulesResponse>')
    proxy.reset(lambda action, p, n: (200, page) if action == 'DescribeSecurityGroupRules' else None)
    assert not isolation.run('verify')['ok']


def test_a_group_still_in_use_is_deleted_a_moment_later(host, step, proxy):
    """An interface leaves its group some moments before AWS admits it: DependencyViolation, which moto never says."""
    before = host.describe()
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    proxy.reset(lambda action, p, n: fail('DependencyViolation') if action == 'DeleteSecurityGroup' and n <= 2 else None)
    undone = isolation.undo()
    assert undone['status'] == 'ok' and undone['differences'] == []
    assert host.describe() == before


def test_a_group_that_stays_in_use_is_named(host, step, proxy):
    isolation = step('isolate-network', host.instance)
    isolation.contain()
    proxy.reset(lambda action, p, n: fail('DependencyViolation') if action == 'DeleteSecurityGroup' else None)
    undone = isolation.undo()
    assert undone['status'] == 'ok' and undone['differences'][0]['what'] == 'SecurityGroup'
    assert host.interfaces()[host.first] == [host.groups[1], host.groups[0]]


def test_a_revoke_that_aws_takes_for_done_is_caught_by_the_reading(host, step, proxy):
    """AWS may answer 200 to a revoke that matched nothing; only the rules that are read count."""
    done = '<RevokeSecurityGroupEgressResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><return>true</return></RevokeSecurityGroupEgressResponse>'
    isolation = step('isolate-network', host.instance)
    isolation.observe()
    proxy.reset(lambda action, p, n: (200, done)
                if action == 'RevokeSecurityGroupEgress' and 'IpPermissions.1.IpProtocol' in p else None)
    assert isolation.apply()['status'] == 'ok'
    assert host.rules(isolation.after['groups'][0]['closed']) == []
    assert isolation.run('verify')['ok']


def test_the_screen_is_kept_where_there_is_one(host, step, proxy):
    picture = base64.b64encode(b'\xff\xd8\xff\xe0 a picture').decode()
    answer = (f'<GetConsoleScreenshotResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
              f'<instanceId>{host.instance}</instanceId><imageData>{picture}</imageData></GetConsoleScreenshotResponse>')
    proxy.reset(lambda action, p, n: (200, answer) if action == 'GetConsoleScreenshot' else None)
    console = step('collect-console', host.instance)
    console.observe()
    applied = console.apply()
    assert [a['name'] for a in applied['artifacts']] == ['console-output.txt', 'console-screenshot.jpg']
    assert applied['artifacts'][1]['bytes'] == 14


def test_an_old_type_gives_the_output_of_its_last_boot(host, step, proxy):
    proxy.reset(lambda action, p, n: fail('UnsupportedOperation') if action == 'GetConsoleOutput' and p.get('Latest') == 'true' else None)
    console = step('collect-console', host.instance)
    console.observe()
    assert console.apply()['after']['artifacts'][0]['bytes'] > 0


def test_a_full_tag_list_does_not_leave_the_host_unprotected(host, step, proxy):
    proxy.reset(lambda action, p, n: fail('TagLimitExceeded') if action == 'CreateTags' else None)
    protection = step('protect-instance', host.instance)
    protection.contain()
    assert protection.undo()['status'] == 'ok'


def test_a_stop_that_hangs_is_not_called_done(host, step, proxy):
    stop = step('stop-instance', host.instance, **{'with': {'wait_seconds': 1}})
    stop.observe()
    proxy.reset(lambda action, p, n: (200, '<StopInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>')
                if action == 'StopInstances' else None)
    assert stop.apply()['status'] == 'ok'
    proof = stop.run('verify')
    assert not proof['ok'] and 'force' in proof['proof']['text']


def test_a_full_network_acl_says_what_to_do(host, step, proxy):
    block = step('block-address', host.instance, actors=['198.51.100.7'])
    block.observe()
    proxy.reset(lambda action, p, n: fail('NetworkAclEntryLimitExceeded') if action == 'CreateNetworkAclEntry' and p['Egress'] == 'true' else None)
    answer = block.apply()
    assert answer['status'] != 'ok' and 'NetworkAclEntryLimitExceeded' in answer['error']['message']
    block.after = None
    assert block.undo()['status'] == 'ok'
