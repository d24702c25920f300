"""Systems Manager for the stub: instances, documents, commands that really run, Automation."""
from __future__ import annotations

import datetime
import hashlib
import json
import pathlib
import re
import threading
import time
import uuid

import stub_host
import stub_runbook
import yaml
from stub_wire import AwsError

UTC = datetime.timezone.utc
_OUT_MAX, _ERR_MAX = 24000, 8000
_TREE = pathlib.Path(__file__).resolve().parent.parent.parent


def _now():
    return datetime.datetime.now(UTC).replace(microsecond=0)


def _parameters(content: dict) -> list[dict]:
    out = []
    for name, p in (content.get('parameters') or {}).items():
        item = {'Name': name, 'Type': p.get('type', 'String')}
        if 'description' in p:
            item['Description'] = p['description']
        if 'default' in p:
            d = p['default']
            item['DefaultValue'] = d if isinstance(d, str) else json.dumps(d)
        out.append(item)
    return out


def check_parameters(content: dict, given: dict[str, list[str]], code: str) -> dict[str, list[str]]:
    """The parameters a document runs with; AwsError(code) as the service refuses them."""
    declared = content.get('parameters') or {}
    for name in given:
        if name not in declared:
            raise AwsError(code, f'{name} is not a parameter of the document')
    out = {}
    for name, p in declared.items():
        if name in given:
            values = given[name]
        elif 'default' in p:
            d = p['default']
            values = d if isinstance(d, list) else [str(d).lower() if isinstance(d, bool) else str(d)]
        else:
            raise AwsError(code, f'{name} is required and was not given')
        if p.get('type') != 'StringList' and len(values) != 1:
            raise AwsError(code, f'{name} takes one value')
        for v in values:
            if 'allowedValues' in p and v not in [str(a).lower() if isinstance(a, bool) else a
                                                  for a in p['allowedValues']]:
                raise AwsError(code, f'{name}: {v} is not among the allowed values')
            if 'allowedPattern' in p and not re.search(p['allowedPattern'], v):
                raise AwsError(code, f'{name}: the value does not match {p["allowedPattern"]}')
        out[name] = values
    return out


class Document:
    """Versions are never changed, only added."""

    def __init__(self, name: str, kind: str):
        self.name, self.kind, self.default = name, kind, '1'
        self.versions: dict[str, dict] = {}
        self.next = 1

    def add(self, content: str, form: str, version_name: str | None):
        try:
            parsed = json.loads(content) if form == 'JSON' else yaml.safe_load(content)
        except (ValueError, yaml.YAMLError) as e:
            raise AwsError('InvalidDocumentContent', f'{form} can not be read: {e}') from e
        if not isinstance(parsed, dict) or 'schemaVersion' not in parsed:
            raise AwsError('InvalidDocumentContent', 'schemaVersion is missing')
        if self.kind == 'Command' and str(parsed['schemaVersion']) not in ('1.2', '2.0', '2.2'):
            raise AwsError('InvalidDocumentSchemaVersion', 'a Command document has schema 1.2, 2.0 or 2.2')
        if len(content.encode()) > 65536:
            raise AwsError('MaxDocumentSizeExceeded', 'a document has at most 64 KiB')
        if any(v['content'] == content for v in self.versions.values()):
            raise AwsError('DuplicateDocumentContent', 'The content of the document matches another version')
        n, self.next = str(self.next), self.next + 1
        self.versions[n] = {'content': content, 'format': form, 'parsed': parsed, 'created': _now(),
                            'name': version_name, 'hash': hashlib.sha256(content.encode()).hexdigest()}
        return n

    def pick(self, version: str | None) -> str:
        n = {None: self.default, '$DEFAULT': self.default, '$LATEST': list(self.versions)[-1]}.get(version, version)
        if n not in self.versions:
            raise AwsError('InvalidDocumentVersion', f'{self.name} has no version {version}')
        return n

    def describe(self, n: str, account: str) -> dict:
        v = self.versions[n]
        out = {'Sha1': hashlib.sha1(v['content'].encode(), usedforsecurity=False).hexdigest(),
               'Hash': v['hash'], 'HashType': 'Sha256', 'Name': self.name, 'Owner': account,
               'CreatedDate': v['created'], 'Status': 'Active', 'DocumentVersion': n,
               'Description': v['parsed'].get('description', ''), 'Parameters': _parameters(v['parsed']),
               'PlatformTypes': ['Linux', 'MacOS'], 'DocumentType': self.kind,
               'SchemaVersion': str(v['parsed']['schemaVersion']), 'LatestVersion': list(self.versions)[-1],
               'DefaultVersion': self.default, 'DocumentFormat': v['format'], 'Tags': []}
        if v['name']:
            out['VersionName'] = v['name']
        return out


class Invocation:
    """One command on one instance."""

    def __init__(self, command: dict, instance: str, step: str):
        self.command, self.instance, self.step = command, instance, step
        self.status, self.details, self.code = 'Pending', 'Pending', -1
        self.out = self.err = ''
        self.made, self.began, self.ended = time.monotonic(), None, None
        self.child = None

    def set(self, status: str, details: str | None = None):
        if self.status not in ('Cancelled', 'TimedOut'):
            self.status, self.details = status, details or status

    def answer(self) -> dict:
        c = self.command
        iso = '%Y-%m-%dT%H:%M:%S.000Z'
        elapsed = (self.ended or _now()) - self.began if self.began else None
        return {'CommandId': c['CommandId'], 'InstanceId': self.instance, 'Comment': c['Comment'],
                'DocumentName': c['DocumentName'], 'DocumentVersion': c['DocumentVersion'],
                'PluginName': self.step, 'ResponseCode': self.code,
                'ExecutionStartDateTime': self.began.strftime(iso) if self.began else '',
                'ExecutionElapsedTime': f'PT{elapsed.total_seconds():.3f}S' if elapsed else '',
                'ExecutionEndDateTime': self.ended.strftime(iso) if self.ended else '',
                'Status': self.status, 'StatusDetails': self.details,
                'StandardOutputContent': self.out[:_OUT_MAX], 'StandardOutputUrl': '',
                'StandardErrorContent': self.err[:_ERR_MAX], 'StandardErrorUrl': '',
                'CloudWatchOutputConfig': {'CloudWatchOutputEnabled': False}}


class Ssm:
    def __init__(self, account: str, region: str, latency: float, upstream: str | None):
        self.account, self.region, self.latency = account, region, latency
        self.lock = threading.RLock()
        self.how = stub_host.allowed()
        self.instances: dict[str, dict] = {}
        self.hosts: dict[str, stub_host.Host] = {}
        self.documents: dict[str, Document] = {}
        self.invocations: dict[tuple[str, str], Invocation] = {}
        self.canned: dict[str, dict] = {}
        self.automation = stub_runbook.Automation(account, region, latency, upstream)
        self.runnable = [yaml.safe_load(p.read_text(encoding='utf-8'))
                         for p in sorted((_TREE / 'deploy/ssm').glob('*.yaml'))]
        builtin = Document('AWS-RunShellScript', 'Command')
        builtin.add(json.dumps({'schemaVersion': '1.2', 'description': 'Run a shell script',
                                'parameters': {'commands': {'type': 'StringList'},
                                               'workingDirectory': {'type': 'String', 'default': ''},
                                               'executionTimeout': {'type': 'String', 'default': '3600'}},
                                'runtimeConfig': {'aws:runShellScript': {}}}), 'JSON', None)
        self.documents[builtin.name] = builtin

    def close(self):
        with self.lock:
            for host in self.hosts.values():
                host.close()
            self.hosts.clear()

    def set_instance(self, ident: str, facts: dict | None):
        """Facts override the defaults; None forgets the instance."""
        with self.lock:
            if facts is None:
                self.instances.pop(ident, None)
                host = self.hosts.pop(ident, None)
                if host:
                    host.close()
                return
            self.instances[ident] = {
                'InstanceId': ident, 'PingStatus': 'Online', 'AgentVersion': '3.3.2746.0',
                'IsLatestVersion': True, 'PlatformType': 'Linux', 'PlatformName': 'Debian GNU/Linux',
                'PlatformVersion': '12', 'ResourceType': 'EC2Instance', 'IPAddress': '10.0.1.10',
                'ComputerName': f'ip-{ident}', 'SourceId': ident, 'SourceType': 'AWS::EC2::Instance',
                **facts}

    def host(self, ident: str) -> stub_host.Host:
        with self.lock:
            if ident not in self.hosts:
                self.hosts[ident] = stub_host.Host(ident, self.how, self.region)
            return self.hosts[ident]

    def call(self, operation: str, p: dict) -> dict:
        handler = getattr(self, '_' + operation, None) or getattr(self.automation, operation, None)
        if handler is None:
            raise AwsError('InternalServerError', f'the stub does not do {operation}', 500)
        with self.lock:
            return handler(p)

    # --- instances

    def _DescribeInstanceInformation(self, p):
        found = list(self.instances.values())
        for f in p.get('Filters', []):
            keys = {'InstanceIds': 'InstanceId', 'PingStatus': 'PingStatus', 'AgentVersion': 'AgentVersion',
                    'PlatformTypes': 'PlatformType', 'ResourceType': 'ResourceType'}
            if f['Key'] not in keys:
                raise AwsError('InvalidFilterKey', f['Key'])
            found = [i for i in found if i.get(keys[f['Key']]) in f['Values']]
        for f in p.get('InstanceInformationFilterList', []):
            name = {'InstanceIds': 'InstanceId', 'PlatformTypes': 'PlatformType'}.get(f['key'], f['key'])
            found = [i for i in found if i.get(name) in f['valueSet']]
        at, size = int(p.get('NextToken') or 0), p.get('MaxResults', 50)
        out = {'InstanceInformationList': [{**i, 'LastPingDateTime': _now()} for i in found[at:at + size]]}
        if at + size < len(found):
            out['NextToken'] = str(at + size)
        return out

    # --- documents

    def _document(self, name: str) -> Document:
        doc = self.documents.get(name)
        if doc is None:
            raise AwsError('InvalidDocument', f'Document with name {name} does not exist.')
        return doc

    def _CreateDocument(self, p):
        if p['Name'] in self.documents:
            raise AwsError('DocumentAlreadyExists', f'Document with same name {p["Name"]} already exists')
        if re.match(r'(?i)(aws|amazon|amzn)', p['Name']):
            raise AwsError('ValidationException', 'a name may not begin with aws, amazon or amzn')
        doc = Document(p['Name'], p.get('DocumentType', 'Command'))
        n = doc.add(p['Content'], p.get('DocumentFormat', 'JSON'), p.get('VersionName'))
        self.documents[doc.name] = doc
        return {'DocumentDescription': {**doc.describe(n, self.account), 'Status': 'Creating'}}

    def _UpdateDocument(self, p):
        doc = self._document(p['Name'])
        if p.get('DocumentVersion', '$LATEST') not in ('$LATEST', list(doc.versions)[-1]):
            raise AwsError('InvalidDocumentVersion', 'only the latest version can be updated')
        n = doc.add(p['Content'], p.get('DocumentFormat', 'JSON'), p.get('VersionName'))
        return {'DocumentDescription': {**doc.describe(n, self.account), 'Status': 'Updating'}}

    def _GetDocument(self, p):
        doc = self._document(p['Name'])
        n = doc.pick(p.get('DocumentVersion'))
        v = doc.versions[n]
        form = p.get('DocumentFormat', v['format'])
        content = v['content']
        if form != v['format']:
            content = json.dumps(v['parsed'], indent=2) if form == 'JSON' else yaml.safe_dump(v['parsed'])
        return {'Name': doc.name, 'CreatedDate': v['created'], 'DocumentVersion': n, 'Status': 'Active',
                'Content': content, 'DocumentType': doc.kind, 'DocumentFormat': form}

    def _DescribeDocument(self, p):
        if p['Name'] == stub_runbook.NAME:
            return {'Document': stub_runbook.describe()}
        doc = self._document(p['Name'])
        return {'Document': doc.describe(doc.pick(p.get('DocumentVersion')), self.account)}

    def _DeleteDocument(self, p):
        doc = self._document(p['Name'])
        if p.get('DocumentVersion'):
            n = doc.pick(p['DocumentVersion'])
            if n == doc.default:
                raise AwsError('InvalidDocumentOperation', 'the default version can not be deleted')
            del doc.versions[n]
        else:
            del self.documents[doc.name]
        return {}

    def _ListDocuments(self, p):
        return {'DocumentIdentifiers': [
            {'Name': d.name, 'CreatedDate': d.versions[d.default]['created'], 'Owner': self.account,
             'DocumentVersion': d.default, 'DocumentType': d.kind} for d in self.documents.values()]}

    # --- commands

    def _SendCommand(self, p):
        doc = self._document(p['DocumentName'])
        n = doc.pick(p.get('DocumentVersion'))
        v = doc.versions[n]
        if p.get('DocumentHashType', 'Sha256') == 'Sha256' and p.get('DocumentHash', v['hash']) != v['hash']:
            raise AwsError('InvalidDocument', 'the document does not have the hash given')
        ids = p.get('InstanceIds', [])
        if not ids:
            raise AwsError('InvalidInstanceId', 'the stub takes InstanceIds, not Targets')
        if len(set(ids)) != len(ids):
            raise AwsError('DuplicateInstanceId', 'an instance is named twice')
        if any(i not in self.instances for i in ids):
            raise AwsError('InvalidInstanceId', f'Instances {ids} not in a valid state for account {self.account}')
        given = check_parameters(v['parsed'], p.get('Parameters', {}), 'InvalidParameters')
        now = _now()
        command = {'CommandId': str(uuid.uuid4()), 'DocumentName': doc.name, 'DocumentVersion': n,
                   'Comment': p.get('Comment', ''), 'Parameters': p.get('Parameters', {}),
                   'InstanceIds': ids, 'Targets': [], 'RequestedDateTime': now,
                   'ExpiresAfter': now + datetime.timedelta(seconds=p.get('TimeoutSeconds', 3600)),
                   'Status': 'Pending', 'StatusDetails': 'Pending',
                   'MaxConcurrency': '50', 'MaxErrors': '0',
                   'TargetCount': len(ids), 'CompletedCount': 0, 'ErrorCount': 0,
                   'DeliveryTimedOutCount': 0, 'TimeoutSeconds': p.get('TimeoutSeconds', 3600)}
        for i in ids:
            steps = v['parsed'].get('mainSteps') or [{'name': 'aws:runShellScript'}]
            inv = Invocation(command, i, steps[0]['name'])
            self.invocations[command['CommandId'], i] = inv
            threading.Thread(target=self._run, args=(inv, v['parsed'], given), daemon=True).start()
        return {'Command': dict(command)}

    def _run(self, inv: Invocation, parsed: dict, given: dict[str, list[str]]):
        time.sleep(self.latency)
        if self.instances.get(inv.instance, {}).get('PingStatus') != 'Online':
            time.sleep(min(inv.command['TimeoutSeconds'], 600) if inv.status == 'Pending' else 0)
            inv.set('TimedOut', 'DeliveryTimedOut')
            return
        inv.began = _now()
        inv.set('InProgress')
        time.sleep(self.latency)
        canned = self.canned.get(inv.command['DocumentName'])
        if canned is not None:
            code, out, err = canned.get('code', 0), canned.get('stdout', ''), canned.get('stderr', '')
        elif parsed not in self.runnable:
            code, out, err = 1, '', 'stub: only the documents of this tree (deploy/ssm) are run\n'
        else:
            step = parsed['mainSteps'][0]['inputs']
            script = '\n'.join(step['runCommand'])
            for name, values in given.items():
                script = re.sub(r'\{\{\s*' + re.escape(name) + r'\s*\}\}', lambda _, v=values: v[0], script)
            code, out, err = self.host(inv.instance).run(
                script, float(step.get('timeoutSeconds', 3600)), lambda c: setattr(inv, 'child', c))
        inv.ended, inv.out, inv.err = _now(), out, err
        if code is None:
            inv.set('TimedOut', 'ExecutionTimedOut')
        else:
            inv.code = code
            inv.set('Success' if code == 0 else 'Failed')

    def _GetCommandInvocation(self, p):
        inv = self.invocations.get((p['CommandId'], p['InstanceId']))
        if inv is None or time.monotonic() - inv.made < self.latency / 2:
            raise AwsError('InvocationDoesNotExist', '')
        if p.get('PluginName') and p['PluginName'] != inv.step:
            raise AwsError('InvalidPluginName', p['PluginName'])
        return inv.answer()

    def _ListCommandInvocations(self, p):
        found = [i for (c, n), i in self.invocations.items()
                 if p.get('CommandId', c) == c and p.get('InstanceId', n) == n]
        return {'CommandInvocations': [
            {'CommandId': i.command['CommandId'], 'InstanceId': i.instance, 'Comment': i.command['Comment'],
             'DocumentName': i.command['DocumentName'], 'DocumentVersion': i.command['DocumentVersion'],
             'RequestedDateTime': i.command['RequestedDateTime'], 'Status': i.status,
             'StatusDetails': i.details,
             'CommandPlugins': [{'Name': i.step, 'Status': i.status, 'StatusDetails': i.details,
                                 'ResponseCode': i.code, 'Output': i.out[:2500]}]
             if p.get('Details') else []} for i in found]}

    def _CancelCommand(self, p):
        hit = False
        for (command, instance), inv in self.invocations.items():
            if command != p['CommandId'] or instance not in p.get('InstanceIds', [instance]):
                continue
            hit = True
            if inv.status in ('Pending', 'InProgress'):
                inv.set('Cancelled')
                if inv.child is not None:
                    stub_host._kill(inv.child)
        if not hit:
            raise AwsError('InvalidCommandId', p['CommandId'])
        return {}
