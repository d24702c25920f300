"""Sigma correlations, filters and placeholders of `cordon rules` and `cordon investigate`, held against a second
evaluator: the definition in Python, slow and plain. Rules and events are drawn from a seed."""
from __future__ import annotations

import collections
import json
import os
import pathlib
import random
import statistics
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get('CORDON_BIN', str(ROOT / 'build/debug/src/app/cordon'))
COMPARE = {'lt': lambda a, b: a < b, 'lte': lambda a, b: a <= b, 'gt': lambda a, b: a > b, 'gte': lambda a, b: a >= b,
           'eq': lambda a, b: a == b, 'neq': lambda a, b: a != b}
NAMES = ('GetObject', 'PutObject', 'ListBuckets', 'DeleteObject')


def draw_events(rng: random.Random, n: int) -> list[dict]:
    events = []
    for i in range(n):
        second = rng.randrange(7200)
        identity = {'type': 'IAMUser', 'accountId': '111122223333', 'accessKeyId': f'AKIAEXAMPLE{rng.randrange(4):09d}'}
        if rng.random() < 0.9:
            identity['userName'] = f'user{rng.randrange(3)}'
        parameters = {'bucketName': f'bucket{rng.randrange(4)}', 'owner': f'user{rng.randrange(3)}'}
        if rng.random() < 0.8:
            parameters['size'] = rng.choice((rng.randrange(100), str(rng.randrange(100)), 'none'))
        events.append({'eventVersion': '1.09', 'eventID': f'00000000-0000-4000-8000-{i:012d}',
                       'eventTime': f'2026-08-01T{10 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z',
                       'eventSource': 's3.amazonaws.com', 'eventName': rng.choice(NAMES), 'awsRegion': 'eu-west-1',
                       'sourceIPAddress': f'192.0.2.{rng.randrange(5)}', 'userAgent': 'test', 'eventType': 'AwsApiCall',
                       'recipientAccountId': '111122223333', 'userIdentity': identity, 'requestParameters': parameters})
    return events


def base_rules() -> list[dict]:
    return [{'title': f'Base {name}', 'id': f'base-{name}', 'name': f'base_{name}',
             'logsource': {'product': 'aws', 'service': 'cloudtrail'},
             'detection': {'s': {'eventName': name}, 'condition': 's'}} for name in NAMES]


def draw_correlation(rng: random.Random, k: int, earlier: list[str]) -> dict:
    kind = rng.choice(('event_count', 'value_count', 'temporal', 'temporal_ordered', 'value_sum', 'value_avg',
                       'value_percentile', 'value_median'))
    pool = [f'base_{n}' for n in NAMES] + earlier[-3:]
    rules = rng.sample(pool, rng.choice((1, 2, 3)) if not kind.startswith('temporal') else rng.choice((2, 3)))
    out = {'type': kind, 'rules': rules, 'timespan': rng.choice(('30s', '2m', '10m', '1h')),
           'group-by': rng.choice((['userIdentity.userName'], ['sourceIPAddress', 'requestParameters.bucketName'],
                                   ['who'], []))}
    if out['group-by'] == ['who']:
        out['aliases'] = {'who': {r: rng.choice(('userIdentity.userName', 'requestParameters.owner')) for r in rules}}
    if kind.startswith('temporal'):
        if rng.random() < 0.3:
            out['condition'] = rng.choice((f'{rules[0]} and not {rules[1]}', f'{rules[0]} or {rules[1]}'))
        elif kind == 'temporal' and rng.random() < 0.5:
            out['condition'] = {'gte': rng.randrange(1, len(rules) + 1)}
    else:
        most = {'event_count': 12, 'value_count': 5, 'value_sum': 400}.get(kind, 100)
        out['condition'] = {rng.choice(('gte', 'gt', 'eq', 'lte', 'neq')): rng.randrange(1, most)}
        if rng.random() < 0.2:
            out['condition'] = {'gt': 1, 'lte': most // 2}
        if kind == 'value_count':
            out['condition']['field'] = rng.choice(('sourceIPAddress', ['userIdentity.accessKeyId', 'sourceIPAddress']))
        elif kind != 'event_count':
            out['condition']['field'] = 'requestParameters.size'
        if kind == 'value_percentile' and rng.random() < 0.8:
            out['condition']['percentile'] = rng.choice((5, 50, 95))
    return {'title': f'Correlation {k}', 'id': f'c{k}', 'name': f'c{k}', 'correlation': out}


class Reference:
    """What the specification says, event by event, window by window."""

    def __init__(self, rules: list[dict], events: list[dict]) -> None:
        self.rules = {r['name']: r for r in rules}
        self.events = sorted(events, key=lambda e: (e['eventTime'], e['eventID']))
        self.memo: dict[str, list] = {}

    @staticmethod
    def seconds(event: dict) -> int:
        h, m, s = event['eventTime'][11:19].split(':')
        return int(h) * 3600 + int(m) * 60 + int(s)

    def value(self, rule: str, path: tuple, event: dict, field: str):
        """`path` is the chain of rules from the correlation's child down to the one that the event matched."""
        for child in path:
            aliases = self.rules[rule]['correlation'].get('aliases', {})
            field = aliases.get(field, {}).get(child, field)
            rule = child
        node = event
        for step in field.split('.'):
            node = node.get(step) if isinstance(node, dict) else None
        return None if node is None else str(node)

    def hits(self, name: str) -> list[tuple]:
        """(event, path below) of everything that a rule or correlation matched."""
        if name not in self.memo:
            rule = self.rules[name]
            self.memo[name] = self.correlate(name, rule['correlation']) if 'correlation' in rule else [
                (e, ()) for e in self.events if e['eventName'] == rule['detection']['s']['eventName']]
        return self.memo[name]

    def correlate(self, name: str, c: dict) -> list[tuple]:
        items = []
        for index, child in enumerate(c['rules']):
            items += [(self.seconds(e), index, e['eventID'], e, (child, *path)) for e, path in self.hits(child)]
        groups = collections.defaultdict(list)
        for item in sorted(items, key=lambda i: i[:3]):
            key = tuple(self.value(name, item[4], item[3], f) for f in c['group-by'])
            if None not in key:
                groups[key].append(item)
        span = int(c['timespan'][:-1]) * {'s': 1, 'm': 60, 'h': 3600}[c['timespan'][-1]]
        return [(i[3], i[4]) for group in groups.values() for i in self.windows(name, c, group, span)]

    def windows(self, name: str, c: dict, group: list, span: int):
        for at, item in enumerate(group):
            window = [i for i in group[:at + 1] if i[0] >= item[0] - span]
            if self.holds(name, c, window):
                yield item

    def holds(self, name: str, c: dict, window: list) -> bool:
        kind, condition = c['type'], c.get('condition')
        if kind.startswith('temporal'):
            fired = {c['rules'][i[1]] for i in window}
            if kind == 'temporal_ordered' and not self.in_order(len(c['rules']), window):
                return False
            if isinstance(condition, str):
                return bool(fired) and eval(condition, {}, {r: r in fired for r in c['rules']})  # noqa: S307
            return all(COMPARE[op](len(fired), n) for op, n in (condition or {'gte': len(c['rules'])}).items())
        last = window[-1]
        distinct = {i[2]: i for i in reversed(window)}
        if kind != 'value_count' and any(i[2] == last[2] and i is not last for i in window):
            return False  # the same event by another rule of the list: not a second event
        if kind == 'event_count':
            n = len(distinct)
        elif kind == 'value_count':
            fields = condition['field'] if isinstance(condition['field'], list) else [condition['field']]
            values = [tuple(self.value(name, i[4], i[3], f) for f in fields) for i in window]
            if None in values[-1]:
                return False
            n = len({v for v in values if None not in v})
        else:
            numbers = [self.number(self.value(name, i[4], i[3], condition['field'])) for i in distinct.values()]
            if self.number(self.value(name, last[4], last[3], condition['field'])) is None:
                return False
            n = self.aggregate(kind, condition, sorted(x for x in numbers if x is not None))
        return all(COMPARE[op](n, x) for op, x in condition.items() if op in COMPARE)

    @staticmethod
    def number(text: str | None) -> float | None:
        try:
            return float(text)
        except (TypeError, ValueError):
            return None

    @staticmethod
    def aggregate(kind: str, condition: dict, numbers: list[float]) -> float:
        if kind == 'value_sum':
            return sum(numbers)
        if kind == 'value_avg':
            return sum(numbers) / len(numbers)
        if kind == 'value_median':
            return statistics.median(numbers)
        rank = condition.get('percentile', 50) / 100 * (len(numbers) - 1)
        low, high = numbers[int(rank)], numbers[min(int(rank) + 1, len(numbers) - 1)]
        return low + (rank - int(rank)) * (high - low)

    @staticmethod
    def in_order(n: int, window: list) -> bool:
        wanted = 0
        for item in window:
            if item[1] == wanted:
                wanted += 1
            if wanted == n:
                return True
        return False


def cordon(*args, expect=(0,)) -> tuple[dict, str]:
    run = subprocess.run([BIN, *map(str, args), '--output', 'json'], capture_output=True, timeout=120)
    error = run.stderr.decode(errors='replace')
    assert run.returncode in expect and 'Sanitizer' not in error, error
    return json.loads(run.stdout.splitlines()[-1]), error


def write_rules(folder: pathlib.Path, rules: list[dict]) -> pathlib.Path:
    folder.mkdir(exist_ok=True)
    # JSON is YAML; several documents in one file, correlations before the rules that they need.
    (folder / 'all.yml').write_text('\n---\n'.join(json.dumps(r) for r in reversed(rules)))
    return folder


def write_events(path: pathlib.Path, events: list[dict]) -> pathlib.Path:
    path.write_text(json.dumps({'Records': events}))
    return path


@pytest.mark.parametrize('seed', range(4))
def test_correlations_agree_with_the_definition(tmp_path, seed):
    rng = random.Random(seed)
    events = draw_events(rng, 220)
    rules = base_rules()
    depth = {r['name']: 0 for r in rules}
    for k in range(60):
        chainable = [r['name'] for r in rules if 'correlation' in r and depth[r['name']] < 4]
        rules.append(draw_correlation(rng, k, chainable))
        depth[f'c{k}'] = 1 + max(depth[r] for r in rules[-1]['correlation']['rules'])
    folder = write_rules(tmp_path / 'rules', rules)
    counts, error = cordon('rules', 'test', write_events(tmp_path / 'a.json', events), '--rules', folder)
    reference = Reference(rules, events)
    assert not error
    wrong = {r['id']: (counts[r['id']], len(reference.hits(r['name'])), r.get('correlation')) for r in rules
             if counts[r['id']] != len(reference.hits(r['name']))}
    assert not wrong
    assert sum(1 for r in rules if counts[r['id']]) > 30

    rng.shuffle(events)
    half = tmp_path / 'halves'
    half.mkdir()
    write_events(half / 'b.json', events[:110])
    write_events(half / 'c.json', events[110:])
    again, _ = cordon('rules', 'test', half, '--rules', folder)
    assert again == counts


def brute_force() -> list[dict]:
    return [{'title': 'Guessed', 'id': 'guessed', 'level': 'critical', 'correlation': {
                'type': 'temporal_ordered', 'rules': ['many_denied', 'allowed'], 'group-by': ['sourceIPAddress'],
                'timespan': '10m'}},
            {'title': 'Many denied', 'name': 'many_denied', 'correlation': {
                'type': 'event_count', 'rules': ['denied'], 'group-by': ['sourceIPAddress'], 'timespan': '5m',
                'condition': {'gte': 5}}},
            {'title': 'Denied', 'name': 'denied', 'logsource': {'product': 'aws', 'service': 'cloudtrail'},
             'detection': {'s': {'errorCode': 'AccessDenied'}, 'condition': 's'}},
            {'title': 'Allowed', 'name': 'allowed', 'logsource': {'product': 'aws', 'service': 'cloudtrail'},
             'detection': {'s': {'errorCode': None, 'eventName': 'ListBuckets'}, 'condition': 's'}}]


def guessing(n_denied: int) -> list[dict]:
    events = draw_events(random.Random(7), n_denied + 1)
    for i, e in enumerate(events):
        e.update(eventTime=f'2026-08-01T10:00:{i:02d}Z', sourceIPAddress='198.51.100.7', eventName='ListBuckets')
        if i < n_denied:
            e['errorCode'] = 'AccessDenied'
    return events


def test_what_a_correlation_found_is_told_with_its_group_and_events(tmp_path):
    folder = write_rules(tmp_path / 'rules', brute_force())
    doc, _ = cordon('investigate', write_events(tmp_path / 'a.json', guessing(6)), '--rules', folder)
    assert [d['rule'] for d in doc['detections']] == ['guessed'], 'rules that only feed a correlation are not told'
    found = doc['detections'][0]
    assert found['count'] == 1 and found['last'] == '2026-08-01T10:00:06Z'
    assert found['groups'][0]['by'] == {'sourceIPAddress': '198.51.100.7'}
    assert found['events'][-1] == '00000000-0000-4000-8000-000000000006'
    quiet, _ = cordon('investigate', write_events(tmp_path / 'b.json', guessing(4)), '--rules', folder)
    assert quiet['detections'] == []


def test_generate_lets_the_rules_below_speak(tmp_path):
    rules = brute_force()
    for r in rules[:2]:
        r['correlation']['generate'] = True
    doc, _ = cordon('investigate', write_events(tmp_path / 'a.json', guessing(6)), '--rules',
                    write_rules(tmp_path / 'rules', rules))
    assert sorted(d['title'] for d in doc['detections']) == ['Allowed', 'Denied', 'Guessed', 'Many denied']


BAD = {
    'no such rule': ({'rules': ['nobody']}, 'not there'),
    'circle': ({'rules': ['bad']}, 'need each other'),
    'type': ({'type': 'near'}, 'type "near" is unknown'),
    'timespan': ({'timespan': '5 minutes'}, 'timespan'),
    'condition': ({'condition': {'at least': 5}}, 'at least'),
    'no condition': ({'condition': {}}, 'no condition'),
    'field': ({'type': 'value_count'}, 'condition.field'),
    'key': ({'group_by': ['x']}, 'group_by'),
    'words': ({'condition': 'denied and allowed'}, 'temporal'),
}


@pytest.mark.parametrize('case', BAD)
def test_a_correlation_that_cannot_be_had_is_refused_with_file_line_and_reason(tmp_path, case):
    change, reason = BAD[case]
    good = {'type': 'event_count', 'rules': ['denied'], 'group-by': ['sourceIPAddress'], 'timespan': '5m',
            'condition': {'gte': 5}}
    folder = write_rules(tmp_path / 'rules', [*brute_force(), {'title': 'Bad', 'name': 'bad',
                                                               'correlation': {**good, **change}}])
    counts, error = cordon('rules', 'test', write_events(tmp_path / 'a.json', guessing(6)), '--rules', folder,
                           expect=(6,))
    assert reason in error and 'all.yml:1:' in error
    assert counts['guessed'] == 1, 'the other rules still work'


def test_a_filter_narrows_the_rules_it_names(tmp_path):
    rules = [{'title': 'Gets', 'id': 'gets', 'logsource': {'product': 'aws', 'service': 'cloudtrail'},
              'detection': {'s': {'eventName': 'GetObject'}, 'condition': 's'}},
             {'title': 'Puts', 'id': 'puts', 'logsource': {'product': 'aws', 'service': 'cloudtrail'},
              'detection': {'s': {'eventName': 'PutObject'}, 'condition': 's'}}]
    narrow = {'title': 'Backup user', 'logsource': {'product': 'aws'},
              'filter': {'rules': ['gets'], 'selection': {'userIdentity.userName': 'user0'}, 'condition': 'not selection'}}
    events = draw_events(random.Random(3), 200)

    def count(name: str, keep) -> int:
        return sum(1 for e in events if e['eventName'] == name and keep(e))

    def run(*documents) -> dict:
        return cordon('rules', 'test', write_events(tmp_path / 'a.json', events), '--rules',
                      write_rules(tmp_path / 'rules', [*rules, *documents]), expect=(0, 6))[0]

    others = lambda e: e['userIdentity'].get('userName') != 'user0'  # noqa: E731
    assert run() == {'gets': count('GetObject', lambda e: True), 'puts': count('PutObject', lambda e: True)}
    assert run(narrow) == {'gets': count('GetObject', others), 'puts': count('PutObject', lambda e: True)}
    everywhere = {**narrow, 'filter': {**narrow['filter'], 'rules': 'any'}}
    assert run(everywhere) == {'gets': count('GetObject', others), 'puts': count('PutObject', others)}
    elsewhere = {**everywhere, 'logsource': {'product': 'windows'}}
    assert run(elsewhere) == run()
    unknown = {**narrow, 'filter': {**narrow['filter'], 'rules': ['nobody']}}
    _, error = cordon('rules', 'list', '--rules', write_rules(tmp_path / 'rules', [*rules, unknown]), expect=(6,))
    assert 'nobody' in error


def test_placeholders_come_from_a_file(tmp_path):
    rule = {'title': 'Owners', 'id': 'owners', 'logsource': {'product': 'aws', 'service': 'cloudtrail'},
            'detection': {'s': {'userIdentity.userName|expand': '%Owners%'}, 'condition': 's'}}
    events = draw_events(random.Random(5), 100)
    folder, log = write_rules(tmp_path / 'rules', [rule]), write_events(tmp_path / 'a.json', events)
    counts, error = cordon('rules', 'test', log, '--rules', folder, expect=(6,))
    assert counts == {} and '%Owners%' in error and '--placeholders' in error
    values = tmp_path / 'values.yml'
    values.write_text('Owners: [user0, "*2"]\n')
    counts, _ = cordon('rules', 'test', log, '--rules', folder, '--placeholders', values)
    assert counts['owners'] == sum(1 for e in events if e['userIdentity'].get('userName') in ('user0', 'user2'))
    values.write_text('Owners: {a: b}\n')
    run = subprocess.run([BIN, 'rules', 'list', '--rules', folder, '--placeholders', values], capture_output=True)
    assert run.returncode == 3 and b'values.yml:1' in run.stderr


def test_explain_says_what_a_rule_asks_for(tmp_path):
    folder = write_rules(tmp_path / 'rules', brute_force())
    doc, _ = cordon('rules', 'explain', 'allowed', '--rules', folder)
    assert doc['rules'][0]['tried_on'] == ['listbuckets']
    assert any('eventName: "ListBuckets"' in line for line in doc['rules'][0]['logic'])
    doc, _ = cordon('rules', 'explain', 'guessed', '--rules', folder)
    assert 'of these rules: many_denied, allowed' in doc['rules'][0]['logic']


def test_rules_for_web_servers_are_tried_on_access_logs(tmp_path):
    rules = [{'title': 'Shell asked for', 'id': 'shell', 'level': 'high', 'logsource': {'category': 'webserver'},
              'detection': {'s': {'cs-method': 'GET', 'cs-uri-query|contains': ['cmd=', 'exec='], 'sc-status': [200, 500]},
                            'keys': ['/cgi-bin/'], 'condition': 's and keys'}},
             {'title': 'Not ours', 'id': 'proxy', 'logsource': {'category': 'proxy'},
              'detection': {'s': {'cs-method': 'GET'}, 'condition': 's'}},
             {'title': 'Often', 'id': 'often', 'correlation': {
                 'type': 'event_count', 'rules': ['shell'], 'group-by': ['c-ip'], 'timespan': '5m', 'condition': {'gte': 3},
                 'generate': True}}]
    lines = [f'198.51.100.{i % 2} - - [01/Aug/2026:10:00:0{i} +0000] "GET /cgi-bin/x?cmd=id{i} HTTP/1.1" {status} 12 "-" "curl"'
             for i, status in enumerate((200, 200, 500, 404, 200, 200))]
    folder = write_rules(tmp_path / 'rules', rules)
    logs = tmp_path / 'logs'
    logs.mkdir()
    (logs / 'access.log').write_text('\n'.join(lines))
    assert cordon('rules', 'test', logs, '--rules', folder)[0] == {'shell': 5, 'proxy': 0, 'often': 1}
    once, _ = cordon('investigate', logs, '--rules', folder)
    (logs / 'a-copy.log').write_text('\n'.join(lines))
    twice, _ = cordon('investigate', logs, '--rules', folder)
    assert once['detections'] == twice['detections']
    assert {d['rule']: d['count'] for d in once['detections']} == {'shell': 5, 'often': 1}
    assert [d['groups'][0]['by'] for d in once['detections'] if d['rule'] == 'often'] == [{'c-ip': '198.51.100.0'}]
