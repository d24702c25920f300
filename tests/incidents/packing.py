"""The same evidence in other boxes: every wrapping that keeps records whole, split, shuffled, doubled, compressed anew.
The answer must be the same, whoever read what: one process with one thread or two, or several whose parts are merged."""
import csv
import gzip
import io
import json
import os
import subprocess

from world import squeeze


def _csv(rows):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator='\n').writerows(rows)
    return out.getvalue()


def _message(e):
    return {'id': '1', 'timestamp': 1785578400000, 'message': json.dumps(e)}


WRAPPINGS = {
    'records': lambda rows, r: json.dumps({'Records': rows}),
    'pretty': lambda rows, r: json.dumps({'Records': rows}, indent=r.randrange(1, 5)),
    'array': lambda rows, r: json.dumps(rows),
    'lines': lambda rows, r: '\n'.join(map(json.dumps, rows)),
    'tight': lambda rows, r: ''.join(json.dumps(e, separators=(',', ':')) for e in rows),
    'lines of records': lambda rows, r: '\n'.join(json.dumps({'Records': [e]}) for e in rows),
    'lake export': lambda rows, r: _csv([['eventid', 'eventjson']] + [[e['eventID'], json.dumps(e)] for e in rows]),
    'insights export': lambda rows, r: _csv([['@timestamp', '@message']] + [[e['eventTime'], json.dumps(e)] for e in rows]),
    'cloudwatch export': lambda rows, r: ''.join(f"{e['eventTime'][:-1]}.123Z {json.dumps(e)}\n" for e in rows),
    'cloudwatch events': lambda rows, r: json.dumps({'events': [_message(e) for e in rows]}),
    'subscription': lambda rows, r: '\n'.join(json.dumps({'messageType': 'DATA_MESSAGE', 'logEvents': [_message(e) for e in rows[i:i + 20]]}) for i in range(0, len(rows), 20)),
    'eventbridge': lambda rows, r: '\n'.join(json.dumps({'version': '0', 'id': 'x', 'detail-type': 'AWS API Call via CloudTrail', 'source': 'aws.x', 'detail': e}) for e in rows),
    'lookup': lambda rows, r: json.dumps({'Events': [{'EventId': e['eventID'], 'EventName': e['eventName'], 'EventTime': 1785578400.0, 'CloudTrailEvent': json.dumps(e)} for e in rows]}),
    'byte order mark': lambda rows, r: '\ufeff' + json.dumps({'Records': rows}),
}


def events(name, data):
    """The CloudTrail events of a file that world.py wrote."""
    text = gzip.decompress(data) if name.endswith('.gz') else data
    if name.endswith('.jsonl'):
        return [json.loads(line) for line in text.splitlines()]
    doc = json.loads(text)
    if isinstance(doc, dict) and 'Events' in doc:
        return [json.loads(e['CloudTrailEvent']) for e in doc['Events']]
    return doc['Records'] if isinstance(doc, dict) else doc


def packed(data, r):
    """Plain, or gzip of one member or several, at any level."""
    if r.random() < .3:
        return data
    cuts = sorted(r.randrange(len(data) + 1) for _ in range(r.choice([0, 0, 1, 3])))
    return b''.join(squeeze(data[a:b], r.choice([1, 6, 9])) for a, b in zip([0, *cuts], [*cuts, len(data)]))


def findings(data, r):
    rows = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    r.shuffle(rows)
    return r.choice([lambda: '\n'.join(map(json.dumps, rows)), lambda: json.dumps(rows), lambda: json.dumps({'Findings': rows}, indent=1),
                     lambda: '\n'.join(json.dumps({'version': '0', 'detail-type': 'GuardDuty Finding', 'source': 'aws.guardduty', 'detail': f}) for f in rows)])().encode()


def reshaped(files, r):
    """Lines are cited by file and number, so logs of lines keep their names and are only compressed and doubled."""
    out = {}
    for name, data in files.items():
        if name.startswith('cloudtrail/'):
            rows = events(name, data)
            r.shuffle(rows)
            cuts = sorted(r.randrange(len(rows) + 1) for _ in range(r.choice([0, 1, 2])))
            parts = [p for p in (rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)])) if p]
            if r.random() < .4:
                parts.append(r.sample(rows, r.randrange(1, len(rows) + 1)))
            for part in parts:
                out[f'{r.randrange(10 ** 9)}.log'] = packed(WRAPPINGS[r.choice(sorted(WRAPPINGS))](part, r).encode(), r)
        elif name.startswith('guardduty/'):
            out[f'f/{r.randrange(10 ** 9)}.json'] = packed(findings(data, r), r)
        else:
            plain, stem = (gzip.decompress(data), name[:-3]) if name.endswith('.gz') else (data, name)
            for folder in ['x'] + ['again'] * (r.random() < .5):
                box = packed(plain, r)
                out[f'{folder}/{stem}' + '.gz' * (box[:2] == b'\x1f\x8b')] = box
    return out


def by_workers(binary, folder, files, r):
    """As several processes read it, each its share, some files twice; then merged."""
    shares = [[] for _ in range(r.randrange(2, 4))]
    for name in files:
        for share in r.sample(shares, r.choice([1, 1, 2])):
            share.append(name)
    parts = []
    for i, share in enumerate(s for s in shares if s):
        part = os.path.join(folder, f'.{i}.part')
        subprocess.run([binary, 'investigate', '--partial', part, '--threads', r.choice('12'), *[os.path.join(folder, n) for n in share]],
                       capture_output=True, timeout=300)
        parts.append(part)
    done = subprocess.run([binary, 'merge', *parts, '--output', 'json'], capture_output=True, timeout=300)
    return json.loads(done.stdout) if done.stdout else {'failed': done.stderr.decode(errors='replace')[-300:]}


def essence(doc):
    return json.dumps({k: doc.get(k) for k in ('verdict', 'scope', 'detections', 'timeline')}, sort_keys=True)
