"""An instance as far as a shell script sees it: a network namespace of its own that keeps its state.

The namespace lives as long as a holder process that waits on a pipe; when the stub ends, however it
ends, the pipe closes, the holder removes the folder and ends, and the kernel takes the namespace away. Where namespaces are
not allowed the script runs against a recording `nft` instead, and its stderr says so: it must never
touch the firewall of the machine that runs the tests.
"""
from __future__ import annotations

import functools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading

_RECORDER = '''#!/bin/sh
# Stands in for nft where network namespaces are not allowed: keeps one table as text.
f=$CORDON_STATE/recorded.nft
case "$*" in
"--version") echo "nftables (recorder)" ;;
"list table inet cordon"|"-s list table inet cordon"|"list tables"|"list ruleset"|"-s list ruleset")
	[ -s "$f" ] || { case "$*" in *"list table inet"*) exit 1 ;; esac; exit 0; }
	case "$*" in "list tables") echo "table inet cordon" ;; *) cat "$f" ;; esac ;;
"delete table inet cordon") rm -f "$f" ;;
"-f -") sed -n '/^table inet cordon {$/,/^}$/p' >"$f" ;;
*) echo "recorder: $*: not done here" >&2; exit 1 ;;
esac
'''


@functools.cache
def allowed() -> list[str] | None:
    """How a network namespace can be had here: the unshare arguments, or None."""
    for how in (['unshare', '-n'], ['unshare', '-r', '-n']):
        try:
            if subprocess.run([*how, 'ip', 'link', 'set', 'lo', 'up'], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=10, check=False).returncode == 0:
                return how
        except (OSError, subprocess.TimeoutExpired):
            return None
    return None


class Host:
    """One instance. run() executes a script as the agent's aws:runShellScript plugin would."""

    def __init__(self, ident: str, how: list[str] | None, region: str):
        self.ident, self.how, self.region = ident, how, region
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='cordon-host-'))
        (self.folder / 'hosts').write_text('127.0.0.1 localhost\n', encoding='utf-8')
        self.holder = None
        if how:
            self.holder = subprocess.Popen(
                [*how, 'sh', '-c', 'ip link set lo up; echo ready; cat >/dev/null; rm -rf "$0"', str(self.folder)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
            if self.holder.stdout.readline() != b'ready\n':
                self.holder = None
        if self.holder is None:
            (self.folder / 'bin').mkdir()
            (self.folder / 'bin/nft').write_text(_RECORDER, encoding='utf-8')
            (self.folder / 'bin/nft').chmod(0o755)

    def enter(self) -> list[str]:
        """Command prefix that runs inside the namespace."""
        if self.holder is None:
            return []
        user = ['-U', '--preserve-credentials'] if '-r' in self.how else []
        return ['nsenter', '-t', str(self.holder.pid), *user, '-n']

    def run(self, script: str, timeout: float, started=None, **more: str):
        """(exit code or None when timed out, stdout, stderr); `more` joins the environment."""
        env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'AWS_SSM_INSTANCE_ID': self.ident,
               'AWS_SSM_REGION_NAME': self.region, 'CORDON_STATE': str(self.folder / 'state'),
               'CORDON_HOSTS': str(self.folder / 'hosts'), 'CORDON_NAMESPACES': 'own', **more}
        note = ''
        if self.holder is None:
            env['CORDON_PATH'] = f"{self.folder / 'bin'}:{env['PATH']}"
            note = 'stub: no network namespace here, the script ran against a recording nft\n'
        path = self.folder / '_script.sh'
        path.write_text(script, encoding='utf-8')
        child = subprocess.Popen([*self.enter(), 'sh', str(path)], env=env, cwd=self.folder,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, start_new_session=True)
        if started:
            started(child)
        clock = threading.Timer(timeout, _kill, [child])
        clock.start()
        out, err = child.communicate()
        late = not clock.is_alive()
        clock.cancel()
        code = None if late and child.returncode < 0 else child.returncode
        return code, out.decode('utf-8', 'replace'), note + err.decode('utf-8', 'replace')

    def close(self):
        """Ends the namespace and removes the folder."""
        if self.holder is not None:
            self.holder.stdin.close()
            self.holder.stdout.close()
            self.holder.wait(10)
            self.holder = None
        shutil.rmtree(self.folder, ignore_errors=True)


def _kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
