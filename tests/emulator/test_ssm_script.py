"""The isolation script is not believed but run: two network namespaces, an exfiltration between them.

HOST is the compromised instance, WORLD is everybody else: an exfiltration sink, a DNS server, an
intruder who reaches in, and the evidence endpoint. The script runs in HOST exactly as Systems Manager would run
it: the runCommand of deploy/ssm/cordon-isolate.yaml with its parameters filled in. No emulator has a
part in this: what is asserted is what the kernel does. Skipped, visibly, where network
namespaces are not allowed or this is not root.
"""
from __future__ import annotations

import ctypes
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import stub_host  # noqa: E402
import yaml  # noqa: E402

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
NEAR, FAR = ('10.9.0.2', 'fd09::2'), ('10.9.1.2', 'fd09:1::2')  # evidence endpoint; the intruder's
ENDPOINTS = '10.9.0.2/32,fd09::2/128'
HOW = stub_host.allowed() if os.geteuid() == 0 else None

pytestmark = pytest.mark.skipif(HOW is None, reason='network namespaces need root and a kernel that allows them')


def inside(host: stub_host.Host, work):
    """Runs work() on a thread in the host's namespace: the sockets it makes stay there."""
    out = {}

    def body():
        try:
            with open(f'/proc/{host.holder.pid}/ns/net', 'rb') as f:
                if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), 0x40000000) != 0:
                    raise OSError(ctypes.get_errno(), 'setns')
            out['value'] = work()
        except BaseException as e:  # carried to the caller
            out['error'] = e

    t = threading.Thread(target=body)
    t.start()
    t.join(30)
    if 'error' in out:
        raise out['error']
    return out['value']


def command(host: stub_host.Host, text: str, check=True) -> str:
    done = subprocess.run([*host.enter(), 'sh', '-c', text], capture_output=True, text=True, timeout=30, check=False)
    assert not check or done.returncode == 0, f'{text}: {done.stderr}'
    return done.stdout


class Sink:
    """Listens in WORLD; counts what arrives, answers "pong" to "ping"."""

    def __init__(self, world, address: str, port: int):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET

        def listen():
            s = socket.socket(family)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
            s.listen(16)
            return s

        self.socket = inside(world, listen)
        self.bytes = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        while True:
            try:
                data = c.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.bytes += len(data)
            if data == b'ping':
                c.sendall(b'pong')

    def close(self):
        self.socket.close()


def connect(host, address: str, port: int, timeout=1.0) -> socket.socket:
    def work():
        s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
        s.settimeout(timeout)
        s.connect((address, port))
        return s
    return inside(host, work)


def reaches(host, address: str, port: int) -> bool:
    try:
        connect(host, address, port).close()
        return True
    except OSError:
        return False


def answers(s: socket.socket) -> bool:
    try:
        s.sendall(b'ping')
        return s.recv(4) == b'pong'
    except OSError:
        return False


def resolves(host, address: str) -> bool:
    """A datagram to port 53 is answered."""
    def work():
        s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(0.7)
        s.sendto(b'who?', (address, 53))
        return s.recv(64) == b'me'
    try:
        return inside(host, work)
    except OSError:
        return False


class Net:
    def __init__(self):
        self.host = stub_host.Host('i-0123456789abcdef0', HOW, 'eu-west-1')
        self.world = stub_host.Host('world', HOW, 'eu-west-1')
        command(self.host, f'ip link add va type veth peer name vb netns {self.world.holder.pid} && '
                'ip addr add 10.9.0.1/24 dev va && ip -6 addr add fd09::1/64 dev va nodad && ip link set va up')
        command(self.world, 'ip addr add 10.9.0.2/24 dev vb && ip -6 addr add fd09::2/64 dev vb nodad && '
                'ip addr add 10.9.1.2/24 dev vb && ip -6 addr add fd09:1::2/64 dev vb nodad && ip link set vb up')
        command(self.host, 'ip route add 10.9.1.0/24 via 10.9.0.2 && ip -6 route add fd09:1::/64 via fd09::2')
        self.sinks = {(a, p): Sink(self.world, a, p) for a in NEAR + FAR for p in (443, 8443)}
        self.shell = Sink(self.host, '10.9.0.1', 22)
        self.dns = [inside(self.world, lambda a=a: self._dns(a)) for a in FAR]
        deadline = time.monotonic() + 10
        while not (reaches(self.host, FAR[0], 443) and reaches(self.host, FAR[1], 443)):
            assert time.monotonic() < deadline, 'the namespaces do not reach each other'

    @staticmethod
    def _dns(address):
        s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, 53))

        def serve():
            while True:
                try:
                    _, peer = s.recvfrom(512)
                    s.sendto(b'me', peer)
                except OSError:
                    return
        threading.Thread(target=serve, daemon=True).start()
        return s

    def script(self, action: str, case='2026-0042', endpoints=ENDPOINTS, seconds='0', **env):
        doc = yaml.safe_load((TREE / 'deploy/ssm/cordon-isolate.yaml').read_text(encoding='utf-8'))
        text = '\n'.join(doc['mainSteps'][0]['inputs']['runCommand'])
        for name, value in (('action', action), ('caseId', case), ('endpoints', endpoints), ('seconds', seconds)):
            text = text.replace('{{ %s }}' % name, value)
        code, out, err = self.host.run(text, 60, **env)
        assert out.count('\n') == 1, (out, err)
        return code, json.loads(out)

    def rules(self) -> str:
        """Everything that filters or routes, counters left out."""
        return command(self.host, 'nft -s list ruleset; '
                       'for f in iptables ip6tables; do $f-save | sed -e "/^#/d" -e "s/ \\[.*\\]$//"; done; '
                       'ip rule show; ip -6 rule show; ip route show table all | grep -v fe80:')

    def close(self):
        for s in [*self.sinks.values(), self.shell, *self.dns]:
            s.close()
        self.host.close()
        self.world.close()


@pytest.fixture
def net():
    n = Net()
    yield n
    n.close()


def seed_rules(net, backend):
    """A firewall that is there already, of the kind the backend shares the kernel with."""
    if shutil.which('iptables') and backend != 'nftables':
        for f in ('iptables', 'ip6tables'):
            command(net.host, f'{f} -A INPUT -p tcp --dport 22 -j ACCEPT && {f} -A OUTPUT -p tcp --dport 25 -j REJECT'
                    f' && {f} -A FORWARD -j DROP && {f} -t nat -A OUTPUT -p tcp --dport 81 -j REDIRECT --to-ports 82')
    elif shutil.which('nft'):
        command(net.host, '''nft -f - <<'X'
table inet shop {
	set blocked { type ipv4_addr; elements = { 192.0.2.7, 192.0.2.8 } }
	chain in { type filter hook input priority 0; policy accept; ip saddr @blocked counter drop; tcp dport 22 counter accept; }
	chain nat { type nat hook output priority -100; tcp dport 81 redirect to :82; }
}
X''')


def need(backend):
    tool = {'nftables': 'nft', 'iptables': 'iptables', 'routes': 'ip'}[backend]
    if not shutil.which(tool):
        pytest.skip(f'{tool} is not installed: backend {backend} is not tested here')


@pytest.mark.parametrize('backend', ['nftables', 'iptables', 'routes'])
def test_isolation_cuts_everything_and_restore_is_exact(net, backend):
    need(backend)
    seed_rules(net, backend)
    rules = net.rules()
    exfil = [connect(net.host, a, 8443) for a in FAR]
    evidence = [connect(net.host, a, 443) for a in NEAR]
    intruder = connect(net.world, '10.9.0.1', 22)
    assert all(answers(s) for s in [*exfil, *evidence, intruder])
    assert resolves(net.host, FAR[0]) and resolves(net.host, FAR[1])

    code, said = net.script('isolate', CORDON_BACKEND=backend)
    assert (code, said['state'], said['backend'], said['ipv6']) == (0, 'isolated', backend, 'closed')
    assert said['cases'] == ['2026-0042'] and said['schema'] == 'cordon.isolate/1'

    before = [net.sinks[a, 8443].bytes for a in FAR], net.shell.bytes
    for s in exfil:
        s.settimeout(0.5)
        try:
            s.sendall(b'stolen' * 1000)
        except OSError:
            pass
    intruder.settimeout(0.5)
    assert not answers(intruder)
    time.sleep(1)
    assert ([net.sinks[a, 8443].bytes for a in FAR]) == before[0], 'an established connection still carries data'
    if backend != 'routes':  # routing rules let packets in (rp_filter off), they only let none out
        assert net.shell.bytes == before[1]
    for address in FAR:
        assert not reaches(net.host, address, 8443)
        assert not reaches(net.host, address, 443), 'the port alone must not open the way'
        assert not resolves(net.host, address)
    for address in NEAR:
        assert not reaches(net.host, address, 8443), 'the address alone must not open the way'
        assert reaches(net.host, address, 443), 'the evidence endpoint must answer'
    assert all(answers(s) for s in evidence), 'the agent\'s connection must live on'
    assert not reaches(net.world, '10.9.0.1', 22)
    assert net.script('status')[1]['state'] == 'isolated'

    again, said = net.script('isolate')
    assert (again, said['state'], said['backend']) == (0, 'isolated', backend)

    code, said = net.script('restore')
    assert (code, said['state'], said['exact'], said['note']) == (0, 'open', True, '')
    assert net.rules() == rules
    assert reaches(net.host, FAR[0], 8443) and reaches(net.host, FAR[1], 8443)
    assert resolves(net.host, FAR[0])
    assert reaches(net.world, '10.9.0.1', 22)
    assert net.script('restore')[1]['state'] == 'open', 'restoring twice is fine'
    assert not (net.host.folder / 'state').exists(), 'nothing is left on the host'


def test_second_case_holds_the_host(net):
    net.script('isolate', case='2026-0001')
    net.script('isolate', case='2026-0002')
    code, said = net.script('restore', case='2026-0001')
    assert (code, said['state'], said['cases']) == (0, 'held', ['2026-0002'])
    assert not reaches(net.host, FAR[0], 8443)
    assert net.script('restore', case='2026-0002')[1]['state'] == 'open'
    assert reaches(net.host, FAR[0], 8443)


@pytest.mark.parametrize('backend', ['nftables', 'iptables', 'routes'])
def test_altered_rules_are_seen(net, backend):
    need(backend)
    net.script('isolate', CORDON_BACKEND=backend)
    command(net.host, {'nftables': 'nft insert rule inet cordon output accept; nft insert rule inet cordon input accept',
                       'iptables': 'iptables -I OUTPUT 1 -j ACCEPT; iptables -I INPUT 1 -j ACCEPT',
                       'routes': 'ip rule add pref 21 lookup main'}[backend])
    assert reaches(net.host, FAR[0], 8443)
    code, said = net.script('status')
    assert said['state'] == 'partial'
    assert net.script('isolate')[1]['state'] == 'isolated', 'isolating again puts it right'
    assert not reaches(net.host, FAR[0], 8443)
    command(net.host, 'iptables -D OUTPUT -j ACCEPT; iptables -D INPUT -j ACCEPT; true')
    assert net.script('restore')[1]['state'] == 'open'


def test_foreign_changes_are_left_alone_and_named(net):
    seed_rules(net, 'nftables')
    net.script('isolate', CORDON_BACKEND='nftables')
    command(net.host, 'nft add table inet later')
    code, said = net.script('restore')
    assert (code, said['state'], said['exact']) == (0, 'open', False)
    assert 'changed meanwhile' in said['note']
    rules = command(net.host, 'nft list ruleset')
    assert 'table inet later' in rules and 'table inet shop' in rules and 'cordon' not in rules


@pytest.mark.parametrize('case, endpoints', [
    ('2026-0042', '0.0.0.0/0'), ('2026-0042', '10.0.0.0/7'), ('2026-0042', '::/0'), ('2026-0042', ''),
    ('2026-0042', '10.9.0.999/32'), ('2026-0042', 'example.com'), ('2026-0042', '10.9.0.2;reboot'),
    ('../x', ENDPOINTS), ('', ENDPOINTS), ('a b', ENDPOINTS), ('.', ENDPOINTS)])
def test_bad_input_changes_nothing(net, case, endpoints):
    rules = net.rules()
    code, said = net.script('isolate', case=case, endpoints=endpoints)
    assert (code, said['state']) == (1, 'error') and said['note']
    assert net.rules() == rules
    assert reaches(net.host, FAR[0], 8443)


def test_bad_input_does_not_open_an_isolated_host(net):
    for backend in ('nftables', 'iptables', 'routes'):
        assert net.script('isolate', CORDON_BACKEND=backend)[0] == 0
        assert net.script('isolate', endpoints='10.9.0.999/32')[1]['state'] == 'error'
        assert not reaches(net.host, FAR[0], 8443)
        net.script('restore')


@pytest.mark.parametrize('hosts', ['127.0.0.1 localhost\n', '127.0.0.1 localhost', ''])
def test_names_of_the_agent_are_pinned_and_unpinned(net, hosts):
    """DNS is closed, so the agent's own names must be known before; the file comes back to the byte."""
    path = net.host.folder / 'hosts'
    path.write_text(hosts, encoding='utf-8')
    tools = net.host.folder / 'tools'
    tools.mkdir()
    (tools / 'getent').write_text('#!/bin/sh\necho "10.9.0.2 STREAM $2"\necho "10.9.0.2 DGRAM"\n', encoding='utf-8')
    (tools / 'getent').chmod(0o755)
    env = {'CORDON_PATH': f'{tools}:/usr/sbin:/usr/bin:/sbin:/bin'}
    assert net.script('isolate', **env)[1]['pinned'] == 6
    text = path.read_text(encoding='utf-8')
    assert '\n10.9.0.2 ssm.eu-west-1.amazonaws.com\n' in text and text.startswith(hosts)
    net.script('isolate', **env)
    assert path.read_text(encoding='utf-8').count('# cordon begin') == 1
    net.script('restore', **env)
    assert path.read_text(encoding='utf-8') == hosts


def test_document_is_the_image_of_the_script():
    done = subprocess.run([sys.executable, str(TREE / 'tools/ssm_document.py'), '--check'],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- who is still there

def held(net, address: str, port: int) -> socket.socket:
    s = connect(net.host, address, port)
    assert answers(s)
    return s


def asked(net, seconds: int, **env) -> dict:
    code, said = net.script('survivors', endpoints='', seconds=str(seconds), **env)
    assert code == 0 and said['state'] == 'asked', said
    return said


@pytest.mark.skipif(not shutil.which('ss'), reason='ss is not installed')
def test_a_connection_that_lives_is_told_from_one_that_is_silent(net):
    before, rules = asked(net, 60), net.rules()
    assert before['survivors'] == [] == before['silent']
    four, six, idle = held(net, FAR[0], 8443), held(net, FAR[1], 8443), held(net, NEAR[0], 8443)
    over = threading.Event()

    def talk():  # however slow this machine is, something came in a moment ago
        while not over.wait(0.05):
            assert answers(four) and answers(six)
    talking = threading.Thread(target=talk)
    talking.start()
    time.sleep(2.1)  # nothing comes in on `idle` any more
    try:
        said = asked(net, 2)
        assert said['survivors'] == sorted([FAR[0], FAR[1]]) and said['silent'] == [NEAR[0]], said
        assert asked(net, 900)['survivors'] == sorted([FAR[0], FAR[1], NEAR[0]])
    finally:
        over.set()
        talking.join()
    assert net.rules() == rules, 'asking changes nothing'
    for s in (four, six, idle):
        s.close()


@pytest.mark.skipif(not shutil.which('ss'), reason='ss is not installed')
def test_an_isolated_host_names_nobody_who_lives(net):
    s = held(net, FAR[0], 8443)
    assert net.script('isolate')[0] == 0
    assert not answers(s)
    time.sleep(1.2)
    said = asked(net, 1)
    assert said['survivors'] == [] and FAR[0] in said['silent'], said
    s.close()


def test_without_ss_what_is_open_is_known(net, tmp_path):
    tools = tmp_path / 'bin'
    tools.mkdir()
    for name in 'sh cat cut sed sort head grep paste mktemp rm readlink ls id env wc tr sha256sum mkdir cmp flock'.split():
        if shutil.which(name):
            (tools / name).symlink_to(shutil.which(name))
    four, six, mapped = held(net, FAR[0], 8443), held(net, FAR[1], 8443), connect(net.host, f'::ffff:{NEAR[0]}', 443)
    said = asked(net, 60, CORDON_PATH=str(tools))
    # /proc writes an IPv6 address in full
    assert said['silent'] == sorted([FAR[0], 'FD09:0001:0000:0000:0000:0000:0000:0002', NEAR[0]]), said
    assert said['survivors'] == [] and 'ss is missing' in said['note']
    for s in (four, six, mapped):
        s.close()


def test_connections_within_the_host_are_no_way_out(net):
    def local():
        s = socket.create_connection(('10.9.0.1', 22))
        s.sendall(b'ping')
        return s
    s = inside(net.host, local)
    assert asked(net, 60) == {**asked(net, 60), 'survivors': [], 'silent': []}
    s.close()


def test_connections_of_containers_are_seen(net):
    """HOST and WORLD are two namespaces of this machine, as a host and its container are."""
    s = held(net, FAR[0], 8443)
    said = asked(net, 60, CORDON_NAMESPACES='all')
    assert said['state'] == 'asked'
    if shutil.which('nsenter') and shutil.which('ss'):  # both ends are here now, so it is no way out of the machine
        assert FAR[0] not in said['survivors'] + said['silent'], said
    s.close()


@pytest.mark.parametrize('seconds', ['', 'x', '-1', '1000000', '1;id'])
def test_malformed_seconds_are_refused(net, seconds):
    code, said = net.script('survivors', endpoints='', seconds=seconds)
    assert code == 1 and said['state'] == 'error' and 'seconds' in said['note']
