#!/usr/bin/env python3
"""scan_bench.py CORDON TOOLS: what `cordon investigate` takes for a trail that is made here, beside libdeflate doing nothing but unpack the
same files, DuckDB, jq and a Python script. SIZE=quick|full|big: 0.1, 2 or 20 GB before compression. Numbers, not a test.

Times are the processors' (user and system), because a machine that does other things too falsifies a clock; the clock is printed beside them.
"""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEGABYTES = {'quick': 100, 'full': 2000, 'big': 20000}[os.environ.get('SIZE', 'full')]
BUDGET = 0.7


def show(what: str, value: str, note: str = '') -> None:
    print(f'  {what:<58} {value:>14}   {note}', flush=True)


class Run:
    """One command: its output, the time it took of the processors and by the clock, and its memory."""

    def __init__(self, *args, env: dict | None = None):
        began = time.perf_counter()
        process = subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.clock = time.perf_counter() - began
        self.cpu = used.ru_utime + used.ru_stime
        self.mib = used.ru_maxrss / 1024
        if process.returncode:
            sys.exit(f'{args[0]} failed with {process.returncode}')


def by_turns(times: int, *commands) -> list[Run]:
    """The best of each, run in turns: what else the machine does meets all of them."""
    runs = [[Run(*command) for command in commands] for _ in range(times)]
    return [min(column, key=lambda r: r.cpu) for column in zip(*runs)]


def right(run: Run) -> Run:
    doc = json.loads(run.out)
    if doc['verdict']['class'] != 'leaked_access_key' or doc['inputs']['rejected']:
        sys.exit(f'the answer is wrong: {doc["verdict"]["class"]}, {doc["inputs"]["rejected"]}')
    return run


def investigation(cordon: str, threads: int, *args) -> list:
    return [cordon, 'investigate', '--output', 'json', '--threads', threads, *args]


def rules(folder: pathlib.Path, n: int) -> pathlib.Path:
    """Rules of the shape that most published ones have: exact names, a parameter, an exclusion."""
    folder.mkdir()
    names = ['GetObject', 'PutObject', 'AssumeRole', 'Decrypt', 'DescribeInstances', 'RunInstances', 'GetItem', 'GetSecretValue', 'PutRolePolicy']
    for i in range(n):
        name = names[i] if i < len(names) else f'UpdateThing{i}'
        (folder / f'r{i}.yml').write_text(f'''title: Rule {i}
id: 00000000-0000-4000-8000-{i:012d}
status: test
level: {('low', 'medium', 'high')[i % 3]}
logsource: {{product: aws, service: cloudtrail}}
detection:
  selection:
    eventSource: {'s3' if i % 2 else 'ec2'}.amazonaws.com
    eventName: {name}
    requestParameters.bucketName|contains: secret-{i}
  error:
    errorCode|exists: true
  condition: selection and not error
''')
    return folder


def peers(tree: pathlib.Path, files: list[str], gigabytes: float, script: pathlib.Path) -> None:
    """The nearest that other tools do: calls by identity, address and name. None of them follows credentials, tries rules or judges."""
    script.write_text('''import collections, gzip, json, sys
seen, n = set(), collections.Counter()
for path in open(sys.argv[1]).read().split():
    for e in json.loads(gzip.open(path).read())['Records']:
        if e['eventID'] not in seen:
            seen.add(e['eventID'])
            n[e['userIdentity'].get('arn'), e['sourceIPAddress'], e['eventName'], e.get('errorCode')] += 1
print(len(n))
''')
    some = script.with_suffix('.list')
    share = max(1, len(files) // 20)
    some.write_text('\n'.join(files[:share]))
    part = gigabytes * sum(map(os.path.getsize, files[:share])) / sum(map(os.path.getsize, files))
    run = Run(sys.executable, script, some)
    show('Python script (a twentieth of the files)', f'{part / run.cpu:.3f} GB/s')
    if shutil.which('jq'):
        query = '.Records[] | [.userIdentity.arn, .sourceIPAddress, .eventName, .errorCode] | @tsv'
        run = Run('sh', '-c', f"xargs -a {some} gzip -dc | jq -r '{query}' | sort | uniq -c | wc -l")
        show('gzip | jq | sort | uniq -c (a twentieth of the files)', f'{part / run.cpu:.3f} GB/s')
    else:
        show('jq', 'skipped', 'not installed')
    try:
        import duckdb  # noqa: F401
    except ImportError:
        show('DuckDB', 'skipped', 'not installed: tools/setup.sh check installs it')
        return
    script.write_text(f'''import duckdb, sys
con = duckdb.connect()
con.execute("SET threads = 1")
files = open(sys.argv[1]).read().split()
con.execute("""
  WITH e AS (SELECT unnest(Records) AS r FROM read_json(?, columns = {{Records: 'JSON[]'}}, maximum_object_size = 268435456)),
       u AS (SELECT DISTINCT ON (r->>'$.eventID') r->>'$.userIdentity.arn' a, r->>'$.sourceIPAddress' i, r->>'$.eventName' n, r->>'$.errorCode' c FROM e)
  SELECT a, i, n, c, count(*) FROM u GROUP BY ALL""", [files]).fetchall()
''')
    run = Run(sys.executable, script, some)
    show('DuckDB, one thread (a twentieth of the files)', f'{part / run.cpu:.3f} GB/s')


def shares(cordon: str, tree: pathlib.Path, folder: pathlib.Path, gigabytes: float) -> None:
    """Partial results of each account, two processes at a time, and their merging."""
    folder.mkdir()
    began = time.perf_counter()
    accounts = sorted((tree / 'AWSLogs').iterdir())
    running: list[subprocess.Popen] = []
    for account in accounts:
        if len(running) == 2:
            running.pop(0).wait()
        running.append(subprocess.Popen([cordon, 'investigate', '--threads', '1', '--partial', str(folder / f'{account.name}.part'), str(account)]))
    for process in running:
        process.wait()
    read = time.perf_counter() - began
    merged = Run(cordon, 'merge', '--output', 'json', *sorted(folder.iterdir()))
    size = sum(p.stat().st_size for p in folder.iterdir())
    show(f'{len(accounts)} shares, two processes', f'{gigabytes / read:.2f} GB/s', 'by the clock')
    show('their partial results', f'{size / 1e6:.0f} MB', f'merged in {merged.cpu:.1f} s, {merged.mib:.0f} MiB')


def main() -> None:
    cordon, tools = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory(prefix='cordon-bench-', dir=os.environ.get('BENCH_DIR')) as room:
        folder = pathlib.Path(room)
        tree, tenth = folder / 'tree', folder / 'tenth'
        made = json.loads(Run(tools / 'make_trail', tree, MEGABYTES, 3).out)
        Run(tools / 'make_trail', tenth, MEGABYTES // 10, 3)
        files = sorted(str(p) for p in tree.rglob('*.gz'))
        names = folder / 'names'
        names.write_text('\n'.join(files) + '\n')
        gigabytes = made['bytes'] / 1e9
        print(f'Analysis: {gigabytes:.2f} GB of CloudTrail in {made["files"]} objects, {made["events"]} events of {made["bytes"] // made["events"]} '
              f'bytes, gzip {made["bytes"] / made["packed"]:.1f} to 1; the best of several runs, by turns')
        print(f'  {made["identities"]} different identities; {made["tuples"]} different tuples of identity, call, region, address, program and error: '
              f'{made["events"] / made["tuples"]:.1f} events each')
        for threads in (1, 2):
            bare, run = by_turns(3, [tools / 'unpack', names, threads], investigation(cordon, threads, tree))
            right(run)
            show(f'libdeflate alone, {threads} thread{"s" * (threads > 1)}', f'{gigabytes / bare.cpu:.2f} GB/s', f'a core; {gigabytes / bare.clock:.2f} by the clock')
            show(f'cordon investigate, {threads} thread{"s" * (threads > 1)}', f'{gigabytes / run.cpu:.2f} GB/s',
                 f'a core; {gigabytes / run.clock:.2f} by the clock; {run.mib:.0f} MiB (budget 256)')
            show('  of libdeflate', f'{bare.cpu / run.cpu:.2f}', f'budget {BUDGET}; {bare.clock / run.clock:.2f} by the clock')
        small, large = by_turns(2, investigation(cordon, 1, tenth), investigation(cordon, 1, tree))
        right(small), right(large)
        show('ten times the input: time', f'{large.cpu / small.cpu:.1f} x', f'memory {small.mib:.0f} -> {large.mib:.0f} MiB')
        few, many = by_turns(2, *(investigation(cordon, 1, '--rules', rules(folder / f'r{n}', n), tree) for n in (60, 800)))
        show('60 rules -> 800 rules', f'{100 * (many.cpu / few.cpu - 1):+.1f} %', 'budget 15 %')
        shares(cordon, tree, folder / 'shares', gigabytes)
        print('Beside it')
        peers(tree, files, gigabytes, folder / 'peer.py')


main()
