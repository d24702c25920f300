#!/usr/bin/env python3
"""Includes under src/ go only downwards (see ARCHITECTURE.md): exits 1 and names each that does not."""
import pathlib
import re
import sys

ROOMS = ['base', 'aws', 'finding', 'incident', 'response', 'evidence', 'analysis', 'notify',
         'report', 'flow', 'app']
# Rooms of the same height: neither sees the other.
APART = [{'analysis', 'aws'}, {'evidence', 'response'}, {'report', 'notify'}, {'analysis', 'evidence'},
         {'analysis', 'response'}, {'analysis', 'incident'}, {'report', 'aws'}, {'finding', 'aws'}]


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent / 'src'
    bad = 0
    for path in sorted(root.rglob('*.[ch]')):
        room = path.relative_to(root).parts[0]
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([a-z_]+)/', line)
            if not m or m[1] == room:
                continue
            if m[1] not in ROOMS or ROOMS.index(m[1]) > ROOMS.index(room) or {room, m[1]} in APART:
                print(f'{path.relative_to(root.parent)}:{number}: src/{room} may not include {m[1]}/')
                bad += 1
    return 1 if bad else 0


sys.exit(main())
