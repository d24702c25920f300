#!/usr/bin/env python3
"""Plays incidents with the truth known and holds `cordon investigate` to it.

sweep.py [--bin CORDON] [--kinds a,b] [--seeds 1-20] [--cut] [--meta] [--keep DIR] [-v]
Ends in a table (one row a kind), the innocent accused, how well the stated confidence fits (reliability), and exit 1
when fewer are right than the floor, somebody innocent is accused, or another packing of the same logs gives another answer.
CORDON_INCIDENTS=N plays N seeds of each kind instead.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import alike  # noqa: E402
import attacks  # noqa: E402
import calm  # noqa: E402
import more  # noqa: E402
import packing  # noqa: E402
import theft  # noqa: E402
from world import World  # noqa: E402


KINDS = {**attacks.KINDS, **more.KINDS, **theft.KINDS}


def play(kind, seed):
    """The world of one incident, its truth and its files."""
    n = zlib.crc32(kind.encode()) ^ seed * 2654435761 & 0xffffffff
    r = random.Random(n)
    w = World(n, days=r.choice([1, 2, 3, 5]), people=r.choice([2, 3, 4, 5, 8]), machines=r.randrange(1, 4), mfa=r.choice([0, .5, .8, 1]))
    calm.live(w, r.choice([.15, .35, .8]), hosts=True, last=alike.SOMETIMES)
    truth = KINDS[kind](w)
    return w, truth, w.files()


def write(files, folder):
    for name, data in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def investigate(binary, files, keep=None, threads=None):
    folder = keep or tempfile.mkdtemp(prefix='incident-')
    try:
        write(files, folder)
        more = ['--threads', str(threads)] if threads else []
        p = subprocess.run([binary, 'investigate', folder, '--output', 'json', *more], capture_output=True, timeout=300)
        if p.returncode not in (0, 6) or not p.stdout:
            return {'verdict': {'class': f'exit {p.returncode}: {p.stderr.decode(errors="replace")[-200:]}'}}
        return json.loads(p.stdout)
    finally:
        if not keep:
            shutil.rmtree(folder)


def seconds(text):
    import calendar
    import time
    return calendar.timegm(time.strptime(text[:19], '%Y-%m-%dT%H:%M:%S')) if text else None


def uncited(verdict):
    """Sentences without proof: claims and links that cite no event, alternatives that nothing speaks against."""
    bare = [c['text'] for c in verdict.get('claims', []) + verdict.get('chain', []) if not c['events'] or not all(c['events'])]
    return bare + [a['class'] for a in verdict.get('alternatives', []) if not a['against']]


def remains(w, left):
    """Something that the intruder left is in the logs that are left: marked calls, lines of the hosts. Flows alone are not:
    a request over TLS looks like any other."""
    kinds = {name.split('/')[0] for name in left}
    return bool(w.bad and 'cloudtrail' in kinds or 'web' in kinds and any(v[-1] for v in w.web) or 'ssh' in kinds and any(v[-1] for v in w.ssh))


class Score:
    def __init__(self, kind, seed, truth, doc, bad):
        v = doc['verdict']
        self.kind, self.seed, self.said = kind, seed, v['class']
        self.right = v['class'] == truth.klass or v['class'] in truth.also
        self.confidence = v.get('confidence', 0)
        named = {'principals': set(v.get('principals', [])), 'keys': set(v.get('access_keys', [])), 'ips': set(v.get('source_ips', []))}
        true = {'principals': truth.principals, 'keys': truth.keys, 'ips': truth.ips}
        self.innocent = sorted(x for k in named for x in named[k] - true[k] - truth.may)
        self.missed = sorted(x for k in named for x in true[k] - named[k]) if self.right and v['class'] == truth.klass else []
        entry = seconds(v.get('entry_time'))
        self.late = None if truth.entry is None or entry is None else entry - truth.entry
        self.entry_right = truth.entry is None or v['class'] != truth.klass or (self.late is not None and abs(self.late) <= truth.slack)
        self.uncited = uncited(v)
        seen = {row['event'] for row in doc.get('timeline', [])}
        self.recall = len(seen & bad) / len(bad) if bad and v['class'] == truth.klass else None


def otherwise(binary, files, r):
    """The answers to the same evidence in other boxes: read by one thread, by two, and by several processes."""
    for threads in (1, 2):
        yield f'{threads} threads', investigate(binary, packing.reshaped(files, r), threads=threads)
    with tempfile.TemporaryDirectory(prefix='incident-') as folder:
        boxes = packing.reshaped(files, r)
        write(boxes, folder)
        yield 'merged', packing.by_workers(binary, folder, boxes, r)


def reliability(scores):
    rows = collections.defaultdict(list)
    for s in scores:
        rows[min(int(s.confidence * 10), 9)].append(s.right)
    print('\nstated confidence   cases   right')
    for k in sorted(rows):
        print(f'  {k / 10:.1f} - {(k + 1) / 10:.1f}       {len(rows[k]):6}  {sum(rows[k]) / len(rows[k]):6.1%}')
    n = len(scores)
    if n:
        print(f'  Brier score {sum((s.confidence - s.right) ** 2 for s in scores) / n:.3f} over {n} cases')


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--bin', default=os.environ.get('CORDON_BIN', 'build/debug/src/app/cordon'))
    a.add_argument('--kinds', default='')
    a.add_argument('--seeds', default='1-4')
    a.add_argument('--cut', action='store_true', help='also take the deciding logs away')
    a.add_argument('--meta', action='store_true', help='also pack the same evidence otherwise')
    a.add_argument('--thin', type=int, default=1, help='--cut and --meta for every Nth kind only')
    a.add_argument('--floor', type=float, default=.9, help='share of cases that must be right; nobody innocent may be accused')
    a.add_argument('--keep', help='write the files of the (one) incident here and leave them')
    a.add_argument('-v', action='store_true')
    o = a.parse_args()
    if os.environ.get('CORDON_INCIDENTS'):
        o.seeds = '1-' + os.environ['CORDON_INCIDENTS']
    low, _, high = o.seeds.partition('-')
    kinds = [k for k in KINDS if not o.kinds or any(x in k for x in o.kinds.split(','))]
    scores, cuts, unequal, asked_again, nothing_left = [], [], [], 0, 0
    for at, kind in enumerate(kinds):
        cut, meta = o.cut and at % o.thin == 0, o.meta and at % o.thin == o.thin - 1
        for seed in range(int(low), int(high or low) + 1):
            w, truth, files = play(kind, seed)
            doc = investigate(o.bin, files, o.keep)
            s = Score(kind, seed, truth, doc, w.bad)
            scores.append(s)
            if o.v and s.uncited:
                print(f'{kind} {seed}: without proof: {s.uncited}')
            if o.v and (not s.right or s.innocent or s.missed or not s.entry_right):
                print(f'{kind} {seed}: {s.said} ({s.confidence}) innocent={s.innocent} missed={s.missed} late={s.late}')
            for part in truth.cuts if cut else []:
                left = {k: v for k, v in files.items() if not k.startswith(part + '/') and not k.startswith('guardduty/')}
                if not left:
                    continue
                c = Score(kind, seed, truth, investigate(o.bin, left), w.bad)
                c.cut = part
                cuts.append(c)
                # Without the entry the verdict may still say what is seen: whose credential was used.
                seen = {'web': ('instance_credential_theft', 'leaked_access_key'), 'ssh': ('instance_credential_theft',)}
                ok = c.right = c.said == 'undetermined' or c.said in seen.get(part, ()) or c.said == 'no_incident' and not remains(w, left)
                nothing_left += c.said == 'no_incident' and ok
                if o.v and (not ok or c.innocent):
                    print(f'{kind} {seed} without {part}: {c.said} ({c.confidence}) left={sorted({k.split("/")[0] for k in left})} innocent={c.innocent}')
            if meta:
                for way, other in otherwise(o.bin, files, random.Random(seed)):
                    if packing.essence(other) != packing.essence(doc):
                        unequal.append((kind, seed, way))
                    asked_again += 1
    print(f'{"kind":18} cases  class  entry  named  recall  innocent')
    for kind in kinds:
        of = [s for s in scores if s.kind == kind]
        recall = [s.recall for s in of if s.recall is not None]
        print(f'{kind:18} {len(of):5} {sum(s.right for s in of):6} {sum(s.entry_right for s in of):6} {sum(not s.missed for s in of):6} '
              f'{sum(recall) / len(recall) if recall else 1:7.0%} {sum(bool(s.innocent) for s in of):9}')
    n = len(scores)
    right, innocent = sum(s.right for s in scores), sum(bool(s.innocent) for s in scores)
    print(f'{"all":18} {n:5} {right:6} {sum(s.entry_right for s in scores):6} {sum(not s.missed for s in scores):6}         {innocent:9}')
    reliability(scores)
    if o.cut:
        by = collections.Counter((c.cut, c.said) for c in cuts)
        print('\nwith the deciding logs taken away (and no finding left):')
        for (part, said), k in sorted(by.items()):
            print(f'  without {part:11} {said:32} {k:5}')
        print(f'  as it should be: {sum(c.right for c in cuts)} of {len(cuts)} ({nothing_left} of them no_incident where no trace is left); innocent accused: {sum(bool(c.innocent) for c in cuts)}')
    if o.meta:
        print(f'\npacked otherwise: {asked_again - len(unequal)} of {asked_again} give the same answer {unequal[:5]}')
    accused = innocent + sum(bool(c.innocent) for c in cuts)
    asked = sum(c.right for c in cuts)
    bare = sum(len(s.uncited) for s in scores)
    print(f'\nsentences without proof: {bare}')
    good = right >= o.floor * n and not accused and not unequal and not bare and asked >= o.floor * len(cuts)
    print('held' if good else f'below the floor of {o.floor:.0%}, or innocent accused, or not the same answer')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
