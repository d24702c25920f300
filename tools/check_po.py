#!/usr/bin/env python3
"""Both languages are complete: every text marked for translation in src/ has its Spanish in po/es, with the
same printf conversions; every file of po/es is built in and nothing in it is unused. Prints what is wrong, exits 1."""
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import po2c  # noqa: E402

CALLS = re.compile(r'(?:\bN_|\bapp_tr|\bi18n_tr|\bi18n_trn|\btr|\btrn)\s*\(')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
ERRORS = re.compile(r'\b(?:err_(?:set|prefix)|sigma_refuse)\s*\(')
# Whoever looks into logs meets the errors of these rooms: every one of them is told in Spanish.
SPOKEN = ('src/analysis/', 'src/base/')
CONVERSION = re.compile(r'%(?:\d+\$)?[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|j|z|t)?([diouxXcsfgeaAEGp])')


def literals_in_call(text: str, start: int) -> list[str]:
    """
    The string literals (adjacent ones joined) that are themselves arguments of the call whose list begins
    at `start`; those of a call inside it are that call's.
    """
    out, depth, i, current = [], 1, start, None
    while i < len(text) and depth:
        m = LITERAL.match(text, i)
        if m:
            current = (current or '') + m[1]
            i = m.end()
            continue
        c = text[i]
        if c in '(),?:':
            if current is not None and depth == 1:
                out.append(current)
            current = None
            depth += {'(': 1, ')': -1}.get(c, 0)
        i += 1
    return out


def unescape(text: str) -> str:
    return text.encode('latin-1', 'backslashreplace').decode('unicode_escape') if '\\' in text else text


def conversions(text: str) -> list[str]:
    """Conversions as far as their arguments go: '%-20.*s' takes an int and a string."""
    return [re.sub(r'[-+ #0-9]', '', m[0]) for m in CONVERSION.finditer(text.replace('%%', ''))]


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    spanish: dict[str, str] = {}
    where: dict[str, str] = {}
    bad = 0
    built = (root / 'src/base/meson.build').read_text(encoding='utf-8')
    for po in sorted((root / 'po/es').glob('*.po')):
        if f"'po/es/{po.name}'" not in built:
            print(f'src/base/meson.build: po/es/{po.name} is not built in, so nobody sees its texts')
            bad += 1
        for key, value in po2c.parse(str(po)).items():
            if spanish.get(key, value) != value:
                print(f'po/es/{po.name}: {key!r} is {spanish[key]!r} in {where[key]} and {value!r} here')
                bad += 1
            spanish[key] = value
            where[key] = po.name
    used: dict[str, str] = {}
    errors: set[str] = set()
    for path in sorted((root / 'src').rglob('*.[ch]')):
        text = path.read_text(encoding='utf-8')
        text = re.sub(r'/\*.*?\*/', lambda m: '\n' * m[0].count('\n'), text, flags=re.S)
        for m in CALLS.finditer(text):
            if text[:m.start()].rsplit('\n', 1)[-1].lstrip().startswith('#'):
                continue
            for literal in literals_in_call(text, m.end()):
                if re.search('[A-Za-z]', literal):
                    line = text.count('\n', 0, m.start()) + 1
                    used.setdefault(unescape(literal), f'{path.relative_to(root)}:{line}')
        for m in ERRORS.finditer(text):
            said = {unescape(literal) for literal in literals_in_call(text, m.end())}
            errors |= said
            for literal in said - spanish.keys():
                if str(path.relative_to(root)).startswith(SPOKEN) and re.search('[a-z] ', CONVERSION.sub('', literal)):
                    print(f'{path.relative_to(root)}:{text.count(chr(10), 0, m.start()) + 1}: no Spanish for the error {literal!r}')
                    bad += 1
    system = {os.strerror(i) for i in range(256)} | {'an error the system has no words for'}
    for key in spanish:
        if where[key] == 'errno.po' and key and key not in system:
            print(f'po/es/errno.po: no error of the system is {key!r}')
            bad += 1
        if where[key] == 'errors.po' and key and key not in errors:
            print(f'po/es/errors.po: no error says {key!r}')
            bad += 1
    for key, place in used.items():
        if key not in spanish:
            print(f'{place}: no Spanish for {key!r}')
            bad += 1
    for key, value in spanish.items():
        if conversions(key) != conversions(value):
            print(f'po/es/{where[key]}: other conversions in the Spanish of {key!r}')
            bad += 1
    return 1 if bad else 0


sys.exit(main())
