"""Every format that `cordon investigate` says it reads, written here as its service writes it, recognised by what is in
it (all files have names that say nothing), counted, and joined with the rest."""
from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import os
import pathlib
import struct

import pytest

import finding_envelopes
import finding_maker
from test_investigate import INTRUDER, KEY, ROOT, answer, investigate, story

T = '2026-08-01T10:{:02d}:00Z'
OWNER = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be'


@pytest.fixture
def read(tmp_path: pathlib.Path):
    """A function: the document for files of these contents."""
    def run(*contents: bytes | str, args: tuple[str, ...] = ()) -> dict:
        folder = tmp_path / 'case'
        folder.mkdir(exist_ok=True)
        for i, content in enumerate(contents):
            (folder / f'file{i}').write_bytes(content.encode() if isinstance(content, str) else content)
        return investigate(*args, folder)
    return run


@pytest.fixture
def expected(tmp_path: pathlib.Path) -> dict:
    (tmp_path / 'plain.json').write_text(json.dumps({'Records': story()}))
    return investigate(tmp_path / 'plain.json')


def hive(value) -> str:
    """As Presto and Athena print a struct."""
    if isinstance(value, dict):
        return '{' + ', '.join(f'{k.lower()}={hive(v)}' for k, v in value.items()) + '}'
    if isinstance(value, list):
        return '[' + ', '.join(map(hive, value)) + ']'
    return 'null' if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator='\n').writerows(rows)
    return out.getvalue()


def athena_rows(events: list[dict]) -> list[list[str]]:
    names = ['eventVersion', 'userIdentity', 'eventTime', 'eventSource', 'eventName', 'awsRegion', 'sourceIPAddress', 'userAgent',
             'errorCode', 'errorMessage', 'requestParameters', 'responseElements', 'requestID', 'eventID', 'eventType',
             'recipientAccountId']
    rows = [[n.lower() for n in names]]
    for e in events:
        rows.append([hive(e[n]) if n == 'userIdentity' else json.dumps(e[n]) if isinstance(e.get(n), dict) else str(e.get(n, ''))
                     for n in names])
    return rows


def lookup(events: list[dict]) -> str:
    return json.dumps({'Events': [{'EventId': e['eventID'], 'EventName': e['eventName'], 'EventTime': 1785578400.0,
                                   'CloudTrailEvent': json.dumps(e)} for e in events]}, indent=4)


def subscription(events: list[dict]) -> bytes:
    """What a subscription filter hands to Kinesis or Lambda: gzip a message, one after another."""
    control = {'messageType': 'CONTROL_MESSAGE', 'owner': 'CloudwatchLogs', 'logGroup': '', 'logStream': '',
               'subscriptionFilters': [], 'logEvents': [{'id': '', 'timestamp': 1, 'message': 'CWL CONTROL MESSAGE: Checking'}]}
    out = [gzip.compress(json.dumps(control).encode())]
    for i in range(0, len(events), 40):
        out.append(gzip.compress(json.dumps({
            'messageType': 'DATA_MESSAGE', 'owner': '111122223333', 'logGroup': 'CloudTrail/logs', 'logStream': 's',
            'subscriptionFilters': ['all'], 'logEvents': [{'id': str(n), 'timestamp': 1785578400000, 'message': json.dumps(e)}
                                                          for n, e in enumerate(events[i:i + 40])]}).encode()))
    return b''.join(out)


def lake_json(events: list[dict]) -> str:
    rows = athena_rows(events)
    return json.dumps({'QueryStatus': 'FINISHED', 'QueryStatistics': {'ResultsCount': len(events)},
                       'QueryResultRows': [[{n: v} for n, v in zip(rows[0], row)] for row in rows[1:]]})


def athena_json(events: list[dict]) -> str:
    return json.dumps({'UpdateCount': 0, 'ResultSet': {'Rows': [{'Data': [{'VarCharValue': v} for v in row]}
                                                                for row in athena_rows(events)]}})


SHAPES = {
    'records': lambda e: json.dumps({'Records': e}),
    'array': lambda e: json.dumps(e),
    'lines': lambda e: '\n'.join(map(json.dumps, e)),
    'lines of records': lambda e: '\n'.join(json.dumps({'Records': [x]}) for x in e),
    'athena csv': lambda e: as_csv(athena_rows(e)),
    'lake csv with eventjson': lambda e: as_csv([['eventid', 'eventjson']] + [[x['eventID'], json.dumps(x)] for x in e]),
    'eventdata column': lambda e: as_csv([['eventData']] + [[json.dumps(x)] for x in e]).replace('"eventData"', '"eventData","n"')
        .replace('}"\n', '}","1"\n'),
    'insights csv': lambda e: as_csv([['@timestamp', '@message']] + [[x['eventTime'], json.dumps(x)] for x in e]),
    'lake json': lake_json,
    'athena json': athena_json,
    'cloudwatch export': lambda e: ''.join(f"{x['eventTime'][:-1]}.123Z {json.dumps(x)}\n" for x in e),
    'cloudwatch events': lambda e: json.dumps({'events': [{'timestamp': 1, 'message': json.dumps(x), 'ingestionTime': 1} for x in e]}),
    'subscription': subscription,
    'subscription in records': lambda e: '\n'.join(json.dumps({'messageType': 'DATA_MESSAGE', 'logEvents': [
        {'id': '1', 'timestamp': 1785578400000, 'message': json.dumps(x)}]}) for x in e),
    'stamped lines in events': lambda e: json.dumps({'events': [
        {'timestamp': 1785578400000, 'message': f"{x['eventTime'][:-1]}.123Z {json.dumps(x)}"} for x in e]}),
    'eventbridge': lambda e: '\n'.join(json.dumps({'version': '0', 'id': 'x', 'detail-type': 'AWS API Call via CloudTrail',
                                                   'source': 'aws.s3', 'detail': x}) for x in e),
    'lookup': lookup,
    'gzip members': lambda e: b''.join(gzip.compress((json.dumps(x) + '\n').encode()) for x in e),
    'byte order mark': lambda e: '\ufeff' + json.dumps({'Records': e}),
}


@pytest.mark.parametrize('shape', SHAPES)
def test_cloudtrail_in_every_wrapping(read, expected: dict, shape: str):
    doc = read(SHAPES[shape](story()))
    assert doc['inputs']['rejected'] == []
    assert doc['inputs']['events'] == doc['inputs']['unique_events'] == len(story())
    assert answer(doc) == answer(expected)


def test_copies_are_counted(read):
    doc = read(json.dumps({'Records': story()}), json.dumps(story()[:30]), 'Aug  1 10:00:00 w sshd[1]: Accepted publickey for a '
               'from 192.0.2.1 port 1 ssh2\n' * 2, 'Aug  1 10:00:00 w sshd[1]: Accepted publickey for a from 192.0.2.1 port 1 ssh2\n')
    assert doc['inputs']['duplicates'] == 31
    assert doc['inputs']['events'] - doc['inputs']['unique_events'] == 31
    assert doc['inputs']['sources']['ssh'] == 2


# ---- logs of the network ----

FLOW = ('2 111122223333 eni-1 198.51.100.77 10.0.0.5 40000 22 6 20 4249 1785578400 1785578460 ACCEPT OK\n'
        '2 111122223333 eni-1 - - - - - - - 1785578400 1785578460 - NODATA\n'
        '2 111122223333 eni-1 - - - - - - - 1785578460 1785578520 - SKIPDATA\n')


def test_flow_logs(read):
    doc = read(FLOW)
    assert doc['inputs']['sources']['flow'] == 3 and doc['inputs']['rejected'] == []
    assert doc['inputs']['flow_windows_lost'] == 1


@pytest.mark.parametrize('wrap', ['header', 'cloudwatch export', 'cloudwatch json', 'athena csv'])
def test_flow_logs_in_other_wrappings(read, wrap: str):
    line = FLOW.splitlines()[0]
    header = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
    content = {'header': header + '\n' + line + '\n', 'cloudwatch export': f'2026-08-01T10:00:00.000Z {line}\n',
               'cloudwatch json': json.dumps({'events': [{'timestamp': 1785578400000, 'message': line}]}),
               'athena csv': as_csv([header.replace('-', '_').split(' '), line.split(' ')])}[wrap]
    doc = read(content)
    assert doc['inputs']['sources']['flow'] == 1 and doc['inputs']['rejected'] == []


def test_flow_log_without_its_header(read):
    doc = read('5 eni-1 10.0.0.1 10.0.0.2 443 ACCEPT\n' * 3)
    assert [(r['count'], 'columns' in r['reason']) for r in doc['inputs']['rejected']] == [(3, True)]


def test_formats_that_are_not_read_say_so(read):
    doc = read(b'PAR1' + b'\0' * 50 + b'PAR1', b'PK\x03\x04' + b'x' * 30, b'\x28\xb5\x2f\xfd' + b'x' * 30, b'BZh91AY' + b'x' * 30,
               b'\xff\xfe{\x00"\x00', b'LPKSHHRH' + b'\0' * 40)
    reasons = {r['file']: r['reason'] for r in doc['inputs']['rejected']}
    assert 'Parquet' in reasons['file0'] and 'ZIP' in reasons['file1'] and 'zstd' in reasons['file2']
    assert 'bzip2' in reasons['file3'] and 'UTF-16' in reasons['file4'] and 'journalctl' in reasons['file5']


def dns_line(name: str = 'c2.example.net.') -> str:
    return json.dumps({'version': '1.100000', 'account_id': '111122223333', 'region': 'eu-west-1', 'vpc_id': 'vpc-1',
                       'query_timestamp': T.format(3), 'query_name': name, 'query_type': 'A', 'query_class': 'IN',
                       'rcode': 'NOERROR', 'answers': [{'Rdata': '198.51.100.77', 'Type': 'A', 'Class': 'IN'}],
                       'srcaddr': '10.0.0.5', 'srcport': '5353', 'transport': 'UDP', 'srcids': {'instance': 'i-0a1b2c3d4e5f67890'}})


@pytest.mark.parametrize('wrap', ['lines', 'cloudwatch export', 'cloudwatch json'])
def test_resolver_query_logs(read, wrap: str):
    content = {'lines': dns_line() + '\n' + dns_line('a.example.'), 'cloudwatch export': ''.join(
        f'2026-08-01T10:03:00.000Z {dns_line(n)}\n' for n in ('a.', 'b.')),
        'cloudwatch json': json.dumps({'events': [{'timestamp': 1, 'message': dns_line(n)} for n in ('a.', 'b.')]})}[wrap]
    doc = read(content)
    assert doc['inputs']['sources']['dns'] == 2 and doc['inputs']['rejected'] == []


def test_s3_access_logs(read):
    line = (f'{OWNER} media [01/Aug/2026:10:00:38 +0000] 198.51.100.77 - 3E57427F3 REST.GET.OBJECT a.pdf "GET /media/a.pdf HTTP/1.1" '
            '200 - 1000 1000 28 27 "-" "curl/8" - host= - - - media.s3.amazonaws.com TLSv1.2 - -\n')
    doc = read(line * 3, 'not a log line\n')
    assert doc['inputs']['sources']['s3'] == 3
    assert [(r['file'], r['count']) for r in doc['inputs']['rejected']] == [('file1', 1)]


def test_flows_and_names_join_the_attack(read):
    """The intruder's address is known from CloudTrail; flows and the Resolver say which of our hosts talked with it."""
    flows = ('2 1 eni-1 10.0.0.5 198.51.100.77 50000 443 6 20 900000 1785578700 1785578760 ACCEPT OK\n'
             '2 1 eni-1 198.51.100.77 10.0.0.5 443 50000 6 20 4000 1785578700 1785578760 ACCEPT OK\n'
             '2 1 eni-1 10.0.0.5 192.0.2.200 50000 443 6 20 1 1785578700 1785578760 ACCEPT OK\n'
             '2 1 eni-1 10.0.0.5 198.51.100.77 50000 445 6 20 1 1785578700 1785578760 REJECT OK\n')
    contacts = read(json.dumps({'Records': story()}), flows, dns_line(), dns_line('c2.example.net.'))['scope']['contacts']
    assert [(c['how'], c['host'], c['ip'], c['name'], c.get('bytes')) for c in contacts] == [
        ('asked', 'i-0a1b2c3d4e5f67890', '198.51.100.77', 'c2.example.net', None),
        ('in', '10.0.0.5', '198.51.100.77', 'c2.example.net', 4000), ('out', '10.0.0.5', '198.51.100.77', 'c2.example.net', 900000)]
    calm = [e for e in story() if e['sourceIPAddress'] != '198.51.100.77']
    assert read(json.dumps({'Records': calm}), flows)['scope']['contacts'] == []


# ---- hosts ----

SSH = ['Accepted password for root from 198.51.100.77 port 22 ssh2', 'Failed password for root from 198.51.100.77 port 22 ssh2']


def journal_export(messages: list[str], binary: bool) -> bytes:
    out = b''
    for i, m in enumerate(messages):
        out += f'__CURSOR=s={i}\n__REALTIME_TIMESTAMP={1785578400000000 + i}\n_HOSTNAME=web-1\nSYSLOG_IDENTIFIER=sshd\n'.encode()
        if binary:
            value = m.encode() + b'\n\xff\x00tail'
            out += b'MESSAGE\n' + struct.pack('<Q', len(value)) + value + b'\n\n'
        else:
            out += f'MESSAGE={m}\n\n'.encode()
    return out


def journal_json(messages: list[str], binary: bool) -> str:
    return '\n'.join(json.dumps({'__CURSOR': f's={i}', '__REALTIME_TIMESTAMP': str(1785578400000000 + i), '_HOSTNAME': 'web-1',
                                 'SYSLOG_IDENTIFIER': 'sshd', 'MESSAGE': list(m.encode()) if binary else m})
                     for i, m in enumerate(messages))


@pytest.mark.parametrize('how', [journal_export, journal_json])
@pytest.mark.parametrize('binary', [False, True])
def test_journals(read, how, binary: bool):
    doc = read(how(SSH, binary))
    assert doc['inputs']['sources']['ssh'] == 2 and doc['inputs']['rejected'] == []


def test_a_broken_journal(read):
    whole = journal_export(SSH, True)
    doc = read(whole[:-20], whole.replace(b'__REALTIME_TIMESTAMP=1785578400000000', b'__REALTIME_TIMESTAMP=x'),
               b'__CURSOR=a\nMESSAGE\n' + b'\xff' * 8 + b'x')
    reasons = [(r['file'], r['reason']) for r in doc['inputs']['rejected']]
    assert ('file0', 'the journal export ends inside a field') in reasons
    assert ('file1', 'journal entries without a time') in reasons
    assert ('file2', 'the journal export ends inside a field') in reasons


@pytest.mark.parametrize('prefix', ['Aug  1 10:00:00 web-1 sshd[9]: ', '2026-08-01T10:00:00.000000+00:00 web-1 sshd[9]: ',
                                    '2026-08-01T10:00:00.000Z Aug  1 10:00:00 web-1 sshd[9]: '])
def test_auth_log_and_secure(read, prefix: str):
    doc = read(''.join(prefix + m + '\n' for m in SSH))
    assert doc['inputs']['sources']['ssh'] == 2 and doc['inputs']['rejected'] == []


def test_the_envelope_dates_lines_without_a_year(read):
    doc = read(f'2025-12-31T23:59:59.000Z Dec 31 23:59:58 web-1 sshd[9]: {SSH[0]}\n')
    assert 'assumed_year' not in doc['inputs']


# ---- windows ----

def tree(folder: pathlib.Path, day: int, region: str) -> None:
    path = folder / f'AWSLogs/111122223333/CloudTrail/{region}/2026/08/{day:02d}'
    path.mkdir(parents=True)
    events = [dict(e, eventTime=f'2026-08-{day:02d}T10:00:00Z', awsRegion=region, eventID=f'{region}-{day}-{i}')
              for i, e in enumerate(story()[:5])]
    (path / f'111122223333_CloudTrail_{region}_202608{day:02d}T1010Z_x.json.gz').write_bytes(
        gzip.compress(json.dumps({'Records': events}).encode()))


def test_folders_that_cannot_match_are_not_opened(tmp_path: pathlib.Path):
    for day in (1, 2, 3, 9):
        for region in ('eu-west-1', 'us-east-1'):
            tree(tmp_path, day, region)
    trap = next(tmp_path.glob('AWSLogs/*/CloudTrail/eu-west-1/2026/08/01/*'))
    trap.write_bytes(b'not gzip at all')
    doc = investigate('--since', '2026-08-02', '--until', '2026-08-02T23:00:00Z', '--region', 'eu-west-1', tmp_path)
    assert doc['inputs']['unique_events'] == 5 and doc['inputs']['files'] == 2
    assert doc['inputs']['rejected'] == []
    skipped = {(s['file'].removeprefix('AWSLogs/111122223333/CloudTrail/'), s['reason']) for s in doc['inputs']['skipped']}
    assert skipped == {('us-east-1', 'of a region that was not asked for'), ('eu-west-1/2026/08/01', 'from before the time asked for'),
                       ('eu-west-1/2026/08/09', 'from after the time asked for')}
    assert doc['inputs']['outside_window'] == 5  # the third of August holds late deliveries, maybe: it was looked into


def test_regions_of_records_too(tmp_path: pathlib.Path):
    (tmp_path / 'a').write_text(json.dumps([dict(e, awsRegion='us-east-1' if i % 2 else 'eu-west-1', eventID=str(i))
                                            for i, e in enumerate(story()[:10])]))
    doc = investigate('--region', 'us-east-1', tmp_path / 'a')
    assert doc['inputs']['unique_events'] == 5 and doc['inputs']['outside_window'] == 5


def test_gaps_are_named_by_source(read):
    lines = [f'192.0.2.1 - - [01/Aug/2026:{h:02d}:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-"\n' for h in (1, 2, 9, 10)]
    doc = read(''.join(lines))
    assert doc['inputs']['gaps'] == [{'source': 'web', 'from': '2026-08-01T03:00:00Z', 'to': '2026-08-01T09:00:00Z'}]


def trail(hours: dict[str, list[int]]) -> str:
    events = [{'eventVersion': '1.09', 'eventID': f'{region}-{h}', 'eventName': 'ListBuckets', 'eventSource': 's3.amazonaws.com', 'awsRegion': region,
               'eventTime': f'2026-08-{1 + h // 24:02d}T{h % 24:02d}:10:00Z', 'sourceIPAddress': '192.0.2.1', 'userAgent': 'x',
               'userIdentity': {'type': 'IAMUser', 'userName': 'u', 'arn': 'arn:aws:iam::111122223333:user/u', 'accessKeyId': 'AKIAX'}}
              for region, of in hours.items() for h in of]
    return json.dumps({'Records': events})


def test_gaps_are_named_by_region(read):
    """A region that never pauses and then does has a hole, even when another one goes on; one that is quiet anyway has none."""
    doc = read(trail({'eu-west-1': [*range(0, 40)], 'us-east-1': [*range(0, 22), *range(29, 40)], 'sa-east-1': [2, 9, 30]}))
    assert doc['inputs']['gaps'] == [{'source': 'cloudtrail', 'region': 'us-east-1', 'from': '2026-08-01T22:00:00Z', 'to': '2026-08-02T05:00:00Z'}]
    assert doc['verdict']['class'] == 'undetermined' and any('missing in the middle' in m for m in doc['verdict']['missing'])
    doc = read(trail({'eu-west-1': [*range(0, 40)], 'us-east-1': [*range(0, 40)], 'sa-east-1': [2, 9, 30]}))
    assert doc['inputs']['gaps'] == [] and doc['verdict']['class'] == 'no_incident'
    doc = read(trail({r: [*range(0, 20), *range(26, 40)] for r in ('eu-west-1', 'us-east-1')}))
    assert doc['inputs']['gaps'] == [{'source': 'cloudtrail', 'from': '2026-08-01T20:00:00Z', 'to': '2026-08-02T02:00:00Z'}]


# ---- other people's logs ----

SHARED = pathlib.Path(os.environ.get('CORDON_SHARED') or str(ROOT.parent / 'shared'))
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason='the conformance data is not beside the checkout')


@needs_shared
def test_resolver_logs_of_others():
    tests = json.loads((SHARED / 'data/cloudtrail/panther-tests/tests-dns.json').read_text())
    events = [json.dumps(t['event']) for t in tests]
    run = investigate('-', stdin='\n'.join(dict.fromkeys(events)).encode())
    whole = [e for e in dict.fromkeys(events) if 'query_name' in e and 'query_timestamp' in e]
    assert run['inputs']['sources']['dns'] == len(whole) > 5


@needs_shared
def test_host_logs_of_others():
    """Every line of nginx, apache, ALB and sshd logs that the hub has is either taken in or counted as not understood."""
    cases = json.loads((SHARED / 'data/hostlogs/crowdsec/expected.json').read_text())
    kinds = {'nginx': 'web', 'apache2': 'web', 'aws-alb': 'web', 'sshd': 'ssh', 'syslog': 'ssh'}
    seen = {'web': 0, 'ssh': 0}
    total = {'web': 0, 'ssh': 0}
    for case in cases:
        path = SHARED / 'data/hostlogs/crowdsec' / case['log']
        kind = kinds.get(case['log_type'])
        if kind and path.is_file():
            doc = investigate(path)
            taken = doc['inputs']['events']
            lost = sum(r['count'] for r in doc['inputs']['rejected'])
            lines = sum(1 for line in path.read_bytes().split(b'\n') if line.strip())
            assert taken + lost == lines, (case['test'], doc['inputs'])
            seen[kind] += doc['inputs']['sources'][kind]
            total[kind] += lines
    assert total['web'] > 300 and seen['web'] >= 0.85 * total['web'], (seen, total)
    assert total['ssh'] > 100 and seen['ssh'] >= 0.85 * total['ssh'], (seen, total)


def test_findings_in_every_export_and_no_others(tmp_path: pathlib.Path):
    """GuardDuty's own JSON and Security Hub's two formats are read alike; what another product or a control says is no alarm."""
    made = next(m for m in map(finding_maker.make, range(1000)) if not m.sample)
    shapes = finding_envelopes.native(made.finding) | finding_envelopes.hub(made.finding, 1)
    read = {}
    for shape, data in shapes.items():
        if 'SQS' not in shape and 'SNS' not in shape and shape != 'ReceiveMessage':
            path = tmp_path / 'finding'
            path.write_bytes(data)
            read[shape] = investigate(path)['inputs']['sources']['findings']
    assert len(read) >= 17 and set(read.values()) == {1}, read
    quiet = tmp_path / 'quiet'
    quiet.mkdir()
    (quiet / 'trail.json').write_text(json.dumps({'Records': [e for e in story() if e['sourceIPAddress'] != INTRUDER]}))
    asff = json.loads(shapes['ASFF'])
    control = {**asff, 'ProductArn': 'arn:aws:securityhub:eu-west-1::product/aws/securityhub', 'ProductName': 'Security Hub',
               'Types': ['Software and Configuration Checks/Industry and Regulatory Standards'], 'Compliance': {'Status': 'FAILED'},
               'GeneratorId': 'security-control/EC2.2', 'Severity': {'Label': 'HIGH', 'Normalized': 70}}
    (quiet / 'control.json').write_text(json.dumps(control))
    doc = investigate(quiet)
    assert doc['verdict']['class'] == 'no_incident' and doc['inputs']['sources']['findings'] == 0
    assert [r['reason'] for r in doc['inputs']['rejected']] == ["findings that are none of GuardDuty's"]
