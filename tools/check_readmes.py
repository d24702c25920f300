#!/usr/bin/env python3
"""Every folder under src/ has a README.md that names each of its C files, by itself or
by a pattern in backticks (`cmd_*.c`): prints what is missing, exits 1."""
import fnmatch
import pathlib
import re
import sys


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    bad = 0
    folders = sorted({p.parent for p in (root / 'src').rglob('*.c')})
    for folder in folders:
        name = folder.relative_to(root)
        readme = folder / 'README.md'
        if not readme.exists():
            print(f'{name}: no README.md')
            bad += 1
            continue
        text = readme.read_text(encoding='utf-8')
        patterns = [p for p in re.findall(r'`([^`\s]+)`', text) if '*' in p]
        for path in sorted(folder.glob('*.c')):
            if path.stem not in text and not any(fnmatch.fnmatch(path.name, p) or fnmatch.fnmatch(path.stem, p)
                                                 for p in patterns):
                print(f'{name}/README.md: says nothing of {path.name}')
                bad += 1
    return 1 if bad else 0


sys.exit(main())
