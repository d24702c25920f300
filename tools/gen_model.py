#!/usr/bin/env python3
"""Writes src/aws/model_table.c from src/aws/operations.list and botocore's service models.

usage: gen_model.py [--list FILE] [--output FILE]     (run with a Python that has botocore)

Every operation of the list is looked up in the newest model of its service; the shapes that its
input and output reach are kept, equal shapes are stored once. What the columns mean stands in
src/aws/model.h.
"""
import argparse
import os
import re
import sys

import botocore
import botocore.loaders
from botocore.endpoint_provider import EndpointProvider

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROTOCOLS = {'ec2': 'MODEL_EC2', 'query': 'MODEL_QUERY', 'json': 'MODEL_JSON',
             'rest-json': 'MODEL_REST_JSON', 'rest-xml': 'MODEL_REST_XML'}
KINDS = ['structure', 'list', 'map', 'string', 'integer', 'float', 'boolean', 'blob', 'timestamp',
         'document']
OTHER_KINDS = {'character': 'string', 'long': 'integer', 'short': 'integer', 'byte': 'integer',
               'double': 'float', 'bigdecimal': 'float'}
LOCATIONS = {None: 0, 'header': 1, 'headers': 2, 'uri': 3, 'querystring': 4, 'statusCode': 5}
TIMES = {None: 0, 'iso8601': 1, 'rfc822': 2, 'unixTimestamp': 3}
REQUIRED, FLATTENED, IDEMPOTENCY, STREAMING, XML_ATTR, JSON_VALUE = (1 << i for i in range(6))
URL_ENCODED, UNION = 1 << 6, REQUIRED  # of a shape
# The models do not say it, IAM's API reference does ("URL-encoded compliant with RFC 3986").
URL_ENCODED_SHAPES = {('iam', 'policyDocumentType')}

# IAM action prefix where it is not the signing name (Service Authorization Reference).
IAM_PREFIX = {'cloudwatch': 'cloudwatch', 'resourcegroupstaggingapi': 'tag'}
# IAM action where it is not the operation's name (Service Authorization Reference, and for S3
# "Required permissions for Amazon S3 API operations"). None: the call needs no permission.
IAM_ACTION = {
    's3': {
        'ListBuckets': 'ListAllMyBuckets', 'HeadBucket': 'ListBucket',
        'ListObjects': 'ListBucket', 'ListObjectsV2': 'ListBucket',
        'ListObjectVersions': 'ListBucketVersions',
        'ListMultipartUploads': 'ListBucketMultipartUploads',
        'ListParts': 'ListMultipartUploadParts', 'HeadObject': 'GetObject',
        'CopyObject': 'PutObject', 'CreateMultipartUpload': 'PutObject',
        'UploadPart': 'PutObject', 'UploadPartCopy': 'PutObject',
        'CompleteMultipartUpload': 'PutObject', 'DeleteObjects': 'DeleteObject',
        'GetPublicAccessBlock': 'GetBucketPublicAccessBlock',
        'PutPublicAccessBlock': 'PutBucketPublicAccessBlock',
        'DeletePublicAccessBlock': 'PutBucketPublicAccessBlock',
        'DeleteBucketOwnershipControls': 'PutBucketOwnershipControls',
        'GetBucketEncryption': 'GetEncryptionConfiguration',
        'PutBucketEncryption': 'PutEncryptionConfiguration',
        'DeleteBucketEncryption': 'PutEncryptionConfiguration',
        'GetBucketNotificationConfiguration': 'GetBucketNotification',
        'PutBucketNotificationConfiguration': 'PutBucketNotification',
        'GetBucketReplication': 'GetReplicationConfiguration',
        'PutBucketReplication': 'PutReplicationConfiguration',
        'DeleteBucketReplication': 'PutReplicationConfiguration',
        'GetBucketLifecycleConfiguration': 'GetLifecycleConfiguration',
        'PutBucketLifecycleConfiguration': 'PutLifecycleConfiguration',
        'GetBucketCors': 'GetBucketCORS', 'DeleteBucketTagging': 'PutBucketTagging',
        'GetObjectLockConfiguration': 'GetBucketObjectLockConfiguration',
        'PutObjectLockConfiguration': 'PutBucketObjectLockConfiguration',
    },
    's3control': {
        'GetPublicAccessBlock': 'GetAccountPublicAccessBlock',
        'PutPublicAccessBlock': 'PutAccountPublicAccessBlock',
        'DeletePublicAccessBlock': 'PutAccountPublicAccessBlock',
    },
    'lambda': {'Invoke': 'InvokeFunction'},
    'dynamodb': {'TransactWriteItems': 'PutItem', 'TransactGetItems': 'GetItem'},
    'sqs': {'SendMessageBatch': 'SendMessage', 'DeleteMessageBatch': 'DeleteMessage',
            'ChangeMessageVisibilityBatch': 'ChangeMessageVisibility'},
    'sns': {'PublishBatch': 'Publish'},
}
# Rule sets are asked for these; `regions` of the partitions beyond them follow the pattern.
PARTITIONS = ('aws', 'aws-cn', 'aws-us-gov', 'aws-eusc')


class Texts:
    """Each text once; id 0 is the empty one."""

    def __init__(self):
        self.ids = {'': 0}

    def id(self, text):
        return self.ids.setdefault(text or '', len(self.ids))


class Table:
    def __init__(self):
        self.texts = Texts()
        self.extras = {(0, 0, 0, 0): 0}
        self.members = []
        self.blocks = {}
        self.shapes = []
        self.shape_ids = {}
        self.pagers = []
        self.operations = []
        self.services = []
        self.hosts = []

    def extra(self, ref, shape_too=False):
        ns = ref.get('xmlNamespace') or {}
        ns = {'uri': ns} if isinstance(ns, str) else ns
        key = (TIMES[ref.get('timestampFormat')], self.texts.id(ref.get('queryName')),
               self.texts.id(ns.get('prefix')), self.texts.id(ns.get('uri')))
        return self.extras.setdefault(key, len(self.extras))


class Service:
    """Adds the shapes of one service model to the table."""

    def __init__(self, table, name, model):
        self.name = name
        self.table, self.shapes = table, model['shapes']
        self.done = {}

    def member_row(self, name, ref, required):
        t = self.table.texts
        flags = ((REQUIRED if required else 0) | (FLATTENED if ref.get('flattened') else 0)
                 | (IDEMPOTENCY if ref.get('idempotencyToken') else 0)
                 | (STREAMING if ref.get('streaming') else 0)
                 | (XML_ATTR if ref.get('xmlAttribute') else 0)
                 | (JSON_VALUE if ref.get('jsonvalue') else 0))
        wire = ref.get('locationName')
        return (t.id(name), t.id(wire) if wire and wire != name else 0, self.shape(ref['shape']),
                flags, LOCATIONS[ref.get('location')], self.table.extra(ref))

    def named(self, shape, name, ref):
        """An XML payload without a name of its own is called as its shape."""
        target = self.shapes[ref['shape']]
        if (shape.get('payload') != name or target['type'] != 'structure'
                or 'locationName' in ref or 'locationName' in target):
            return ref
        return {**ref, 'locationName': ref['shape']}

    def rows(self, shape):
        required = set(shape.get('required', []))
        if shape['type'] == 'structure':
            return [self.member_row(n, self.named(shape, n, r), n in required)
                    for n, r in shape['members'].items()]
        if shape['type'] == 'list':
            return [self.member_row('', shape['member'], False)]
        if shape['type'] == 'map':
            return [self.member_row('', shape['key'], False),
                    self.member_row('', shape['value'], False)]
        return []

    def head(self, name, shape):
        kind = 'document' if shape.get('document') else shape['type']
        flags = ((FLATTENED if shape.get('flattened') else 0)
                 | (UNION if shape.get('union') else 0)
                 | (STREAMING if shape.get('streaming') else 0)
                 | (URL_ENCODED if (self.name, name) in URL_ENCODED_SHAPES else 0))
        payload = 0
        if shape.get('payload'):
            payload = 1 + list(shape['members']).index(shape['payload'])
        return (payload, self.table.texts.id(shape.get('locationName')), KINDS.index(OTHER_KINDS.get(kind, kind)),
                flags, self.table.extra(shape))

    def shape(self, name):
        if name in self.done:
            return self.done[name]
        table, shape = self.table, self.shapes[name]
        if shape['type'] not in ('structure', 'list', 'map') or shape.get('document'):
            key = self.head(name, shape)
            if key not in table.shape_ids:
                table.shape_ids[key] = len(table.shapes)
                table.shapes.append((0, 0) + key)
            self.done[name] = table.shape_ids[key]
            return self.done[name]
        # The id is taken before the members are walked: shapes may contain themselves.
        index = self.done[name] = len(table.shapes)
        table.shapes.append(None)
        rows = tuple(self.rows(shape))
        key = (rows,) + self.head(name, shape)
        same = table.shape_ids.get(key)
        if same is not None and index == len(table.shapes) - 1:
            table.shapes.pop()
            self.done[name] = same
            return same
        table.shape_ids.setdefault(key, index)
        if rows not in table.blocks:
            table.blocks[rows] = len(table.members)
            table.members.extend(rows)
        table.shapes[index] = (table.blocks[rows], len(rows)) + self.head(name, shape)
        return index


def comma(value):
    return ','.join(value) if isinstance(value, list) else (value or '')


def add_operation(table, service, svc, op, mutating, pagers):
    t, model = table.texts, svc['operations'][op]
    name = svc['name']
    ref_in, ref_out = model.get('input'), model.get('output')
    shapes = svc['shapes']
    for ref in (ref_in, ref_out):
        members = shapes[ref['shape']].get('members', {}) if ref else {}
        if any(shapes[m['shape']].get('eventstream') for m in members.values()):
            sys.exit(f'{name} {op}: event streams are not spoken here')
    flags = 1 if mutating else 0

    def streams(ref):
        shape = shapes[ref['shape']] if ref else {}
        payload = shape.get('payload')
        if not payload:
            return False
        member = shape['members'][payload]
        target = shapes[member['shape']]
        return target['type'] == 'blob' and bool(member.get('streaming') or target.get('streaming'))

    flags |= 2 if streams(ref_in) else 0
    flags |= 4 if streams(ref_out) else 0
    checksum = model.get('httpChecksum', {})
    flags |= 8 if checksum.get('requestAlgorithmMember') else 0
    if checksum.get('requestChecksumRequired') or model.get('httpChecksumRequired'):
        flags |= 16
    flags |= 32 if model.get('authtype') == 'none' or model.get('auth') == ['smithy.api#noAuth'] else 0
    flags |= 128 if 'gzip' in model.get('requestcompression', {}).get('encodings', []) else 0
    flags |= 64 if model.get('authtype') == 'v4-unsigned-body' or model.get('unsignedPayload') else 0
    pager = 0
    if op in pagers:
        p = pagers[op]
        table.pagers.append(tuple(t.id(re.sub(r'\s', '', comma(p.get(k)))) for k in (
            'input_token', 'output_token', 'result_key', 'more_results')))
        pager = len(table.pagers)
    action = IAM_ACTION.get(name, {}).get(op, op)
    ns = (ref_in or {}).get('xmlNamespace') or {}
    table.operations.append((
        t.id(op), t.id(model['http']['method']), t.id(model['http']['requestUri']),
        t.id(f"{IAM_PREFIX.get(name, svc['signing'])}:{action}"),
        t.id(model.get('endpoint', {}).get('hostPrefix')), t.id((ref_out or {}).get('resultWrapper')), t.id((ref_in or {}).get('locationName')),
        t.id(ns.get('uri')), service.shape(ref_in['shape']) if ref_in else 'MODEL_NO_SHAPE',
        service.shape(ref_out['shape']) if ref_out else 'MODEL_NO_SHAPE', pager, flags))


def add_hosts(table, index, svc, loader):
    """Asks the service's own endpoint rules; keeps what the plain pattern does not give."""
    rules = loader.load_service_model(svc['name'], 'endpoint-rule-set-1')
    partitions = loader.load_data('partitions')
    provider = EndpointProvider(rules, partitions)
    for part in partitions['partitions']:
        if part['id'] not in PARTITIONS:
            continue
        regions = [r for r in part['regions'] if not r.endswith('-global')]
        for variant in range(4):
            suffix = part['outputs']['dualStackDnsSuffix' if variant & 2 else 'dnsSuffix']
            plain = f"{svc['prefix']}{'-fips' if variant & 1 else ''}.{{region}}.{suffix}"
            found = {}
            for region in regions:
                params = {'Region': region, 'UseFIPS': bool(variant & 1),
                          'UseDualStack': bool(variant & 2)}
                params = {k: v for k, v in params.items() if k in rules['parameters']}
                try:
                    answer = provider.resolve_endpoint(**params)
                except botocore.exceptions.EndpointProviderError:
                    continue  # a combination the partition does not offer
                host = answer.url.removeprefix('https://').rstrip('/')
                if host == 's3.amazonaws.com':  # the old global name; the regional one works
                    host = f's3.{region}.amazonaws.com'
                schemes = answer.properties.get('authSchemes', [{}])
                found[region] = (host, schemes[0].get('signingRegion') or region)
            for region, host, signing in summarise(found, regions, plain):
                table.hosts.append((index, table.texts.id(region), table.texts.id(host),
                                    table.texts.id(signing), variant))


def summarise(found, regions, plain):
    """Rows (region or prefix*, host pattern, signing region) for one partition and variant."""
    every = region_glob(regions)
    if found and len(set(found.values())) == 1 and len(regions) > 1:
        host, signing = next(iter(found.values()))
        return [(every, host, signing)]
    patterns = {r: (h.replace(r, '{region}'), '' if s == r else s) for r, (h, s) in found.items()}
    if len(set(patterns.values())) == 1:
        host, signing = next(iter(patterns.values()))
        return [] if (host, signing) == (plain, '') else [(every, host, signing)]
    return [(r, h, s) for r, (h, s) in patterns.items() if (h, s) != (plain, '')]


def region_glob(regions):
    """The prefix that names a partition's regions; "*" alone is the commercial one."""
    for prefix in ('cn-', 'us-gov-', 'eusc-'):
        if regions[0].startswith(prefix):
            return prefix + '*'
    return '*'


def add_service(table, name, ops, loader):
    model = loader.load_service_model(name, 'service-2')
    meta = model['metadata']
    candidates = meta.get('protocols') or [meta['protocol']]
    protocol = next(p for p in candidates if p in PROTOCOLS)
    try:
        pagers = loader.load_service_model(name, 'paginators-1')['pagination']
    except botocore.exceptions.UnknownServiceError:
        pagers = {}
    service_id = meta.get('serviceId') or name
    svc = {'name': name, 'operations': model['operations'], 'shapes': model['shapes'],
           'signing': meta.get('signingName') or meta['endpointPrefix'],
           'prefix': meta['endpointPrefix']}
    t, service, first = table.texts, Service(table, name, model), len(table.operations)
    for op, mode in sorted(ops.items()):
        if op not in model['operations']:
            sys.exit(f'operations.list: {name} has no operation {op}')
        add_operation(table, service, svc, op, mode == 'w', pagers)
    index = len(table.services)
    table.services.append((
        t.id(name), t.id(svc['prefix']), t.id(svc['signing']),
        t.id(service_id.upper().replace(' ', '_').replace('-', '_')),
        t.id(service_id.lower().replace(' ', '_').replace('-', '_')),
        t.id(meta.get('apiVersion')), t.id(meta.get('jsonVersion')), t.id(meta.get('targetPrefix')),
        first, len(ops), PROTOCOLS[protocol],
        'true' if 'awsQueryCompatible' in meta and protocol == 'json' else 'false'))
    add_hosts(table, index, svc, loader)


def read_list(path):
    ops = {}
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            parts = line.split('#')[0].split()
            if not parts:
                continue
            if len(parts) != 3 or parts[2] not in ('r', 'w') or parts[1] in ops.get(parts[0], {}):
                sys.exit(f'{path}:{number}: expected "service Operation r|w", once each')
            ops.setdefault(parts[0], {})[parts[1]] = parts[2]
    return ops


def c_rows(rows, per_line=1):
    out, line = [], []
    for row in rows:
        line.append('{' + ','.join(str(x) for x in row) + '}')
        if len(line) == per_line:
            out.append('\t' + ', '.join(line) + ',')
            line = []
    if line:
        out.append('\t' + ', '.join(line) + ',')
    return out


def packed(texts):
    """All texts in one, and where each begins: a text that ends another ("Id" in "KeyId") lies in it."""
    data, offsets, longer = bytearray(), {}, ''
    for text in sorted(texts, key=lambda t: t[::-1], reverse=True):
        if longer.endswith(text) and offsets:
            offsets[text] = offsets[longer] + len(longer.encode()) - len(text.encode())
            continue
        offsets[text] = len(data)
        data += text.encode() + b'\0'
        longer = text
    return data, [offsets[t] for t in texts]


def literal(data):
    """C string literals, a line each; the last NUL is C's own."""
    lines, chunk = [], ''
    for text in bytes(data).decode().split('\0')[:-1]:
        piece = text.replace('\\', '\\\\').replace('"', '\\"') + '\\0'
        # An octal escape swallows following digits: the literal is closed before one.
        if chunk and (len(chunk) + len(piece) > 100 or piece[0].isdigit()):
            lines.append(f'\t"{chunk}"')
            chunk = ''
        chunk += piece
    return lines + [f'\t"{chunk}";']


def render(table):
    data, offsets = packed(table.texts.ids)
    for rows, limit in ((table.texts.ids, 65535), (table.shapes, 65534), (table.members, 65535),
                        (table.extras, 31)):
        if len(rows) > limit:
            sys.exit('the table outgrew its index types; see model.h')
    if max(n for _, n, *_ in table.shapes) > 256:
        sys.exit('a structure has more members than MODEL_MAX_MEMBERS')
    lines = [f'/* Generated by tools/gen_model.py from botocore {botocore.__version__}; '
             'do not edit. See model.h. */', '/* clang-format off */',
             '#include "aws/model.h"', '', '/* One text of all names; both compilers take it. */',
             '#pragma GCC diagnostic ignored "-Woverlength-strings"', 'static const char text[] =']
    lines += literal(data) + ['static const uint32_t offsets[] = {']
    for at in range(0, len(offsets), 16):
        lines.append('\t' + ', '.join(map(str, offsets[at:at + 16])) + ',')
    lines.append('};')
    for decl, rows, per in (
            ('struct model_extra extras', list(table.extras), 8),
            ('struct model_member members', table.members, 7),
            ('struct model_shape shapes', table.shapes, 6),
            ('struct model_pager pagers', table.pagers, 8),
            ('struct model_operation operations', table.operations, 2),
            ('struct model_service services', table.services, 1),
            ('struct model_host hosts', table.hosts, 5)):
        lines += [f'static const {decl}[] = {{'] + c_rows(rows, per) + ['};']
    names = ('text', 'offsets', 'extras', 'members', 'shapes', 'pagers', 'operations', 'services', 'hosts')
    total = ' + '.join(f'sizeof({n})' for n in names)
    lines += [f'_Static_assert({total} <= MODEL_MAX_BYTES,', '\t"the table outgrew its budget");']
    lines += ['const struct model model_table = {', '\ttext, offsets, extras, members, shapes, '
              f'pagers, operations, services, hosts, {len(table.services)}, {len(table.hosts)},',
              '};', '']
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--list', default=os.path.join(ROOT, 'src/aws/operations.list'))
    parser.add_argument('--output', default=os.path.join(ROOT, 'src/aws/model_table.c'))
    args = parser.parse_args()
    loader, table = botocore.loaders.create_loader(), Table()
    for name, ops in sorted(read_list(args.list).items()):
        add_service(table, name, ops, loader)
    with open(args.output, 'w', encoding='utf-8') as f:
        f.write(render(table))
    print(f'{len(table.services)} services, {len(table.operations)} operations, '
          f'{len(table.shapes)} shapes, {len(table.members)} members, {len(table.hosts)} hosts')


main()
