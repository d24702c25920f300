#!/usr/bin/env python3
"""print_sources.py FOLDER OUT.c DEPFILE: a C file with the SHA-256 over the sources of a folder, which tells one build from another."""
import hashlib
import pathlib
import sys

folder, out, depfile = sys.argv[1:]
digest = hashlib.sha256()
sources = sorted(p for p in pathlib.Path(folder).iterdir() if p.suffix in ('.c', '.h'))
for path in sources:
    data = path.read_bytes()
    digest.update(f'{path.name} {len(data)}\n'.encode() + data)
pathlib.Path(out).write_text(f'#include "analysis/sources.h"\n\nconst char sources_print[] = "{digest.hexdigest()}";\n')
pathlib.Path(depfile).write_text(f'{out}: {" ".join(str(p).replace(" ", chr(92) + " ") for p in sources)}\n')
