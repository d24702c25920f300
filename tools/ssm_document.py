#!/usr/bin/env python3
"""Writes deploy/ssm/cordon-isolate.yaml from deploy/ssm/isolate.sh; --check: exits 1 when it is not its image."""
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / 'deploy/ssm'
HEAD = '''# Written by tools/ssm_document.py from isolate.sh: change that file and run the tool.
schemaVersion: "2.2"
description: "cordon: cut a host off the network, put it back, or say how it stands and whom it talks to"
parameters:
  action:
    type: String
    description: "isolate, restore, status or survivors"
    allowedValues:
      - isolate
      - restore
      - status
      - survivors
  caseId:
    type: String
    description: "the case that holds the host; it opens when the last case has let go"
    allowedPattern: "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"
  endpoints:
    type: String
    description: "CIDRs, comma separated, that stay reachable on TCP 443"
    default: ""
    allowedPattern: "^[0-9a-fA-F:./,]{0,2000}$"
  seconds:
    type: String
    description: "how far back a packet proves that a connection lives (survivors)"
    default: "0"
    allowedPattern: "^[0-9]{1,5}$"
mainSteps:
  - action: aws:runShellScript
    name: isolate
    precondition:
      StringEquals:
        - platformType
        - Linux
    inputs:
      timeoutSeconds: "300"
      runCommand:
        - "set -- '{{ action }}' '{{ caseId }}' '{{ endpoints }}' '{{ seconds }}'"
        - |
'''


def document() -> str:
    script = (FOLDER / 'isolate.sh').read_text(encoding='utf-8')
    if '{{' in script or '}}' in script:
        sys.exit('isolate.sh holds {{ or }}: Systems Manager would take it for a parameter')
    return HEAD + ''.join(f'          {line}\n' if line else '\n' for line in script.splitlines())


def main() -> int:
    path = FOLDER / 'cordon-isolate.yaml'
    if sys.argv[1:] == ['--check']:
        if path.read_text(encoding='utf-8') == document():
            return 0
        print(f'{path} is not the image of isolate.sh: run tools/ssm_document.py', file=sys.stderr)
        return 1
    path.write_text(document(), encoding='utf-8')
    return 0


sys.exit(main())
