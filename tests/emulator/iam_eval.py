"""IAM's policy language, as far as cordon's own policies and its bucket policies use it: what moto does not judge.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
"""
from __future__ import annotations

import fnmatch
import functools
import re

SINGLE = {
    'StringEquals': lambda want, have: want == have,
    'StringEqualsIgnoreCase': lambda want, have: want.lower() == have.lower(),
    'StringLike': lambda want, have: like(want, have),
    'ArnLike': lambda want, have: arn_like(want, have),
    'ArnEquals': lambda want, have: arn_like(want, have),
    'Bool': lambda want, have: want.lower() == have.lower(),
    'DateLessThan': lambda want, have: have < want,
    'DateGreaterThan': lambda want, have: have > want,
}
NEGATED = {'StringNotEquals': 'StringEquals', 'StringNotLike': 'StringLike', 'ArnNotLike': 'ArnLike', 'ArnNotEquals': 'ArnEquals',
           'StringNotEqualsIgnoreCase': 'StringEqualsIgnoreCase'}


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


@functools.cache
def pattern(glob: str):
    return re.compile(fnmatch.translate(glob.replace('[', '[[]')))


def like(glob: str, text: str) -> bool:
    """* and ? of IAM, which know no sets."""
    return pattern(glob).match(text) is not None


def arn_like(glob: str, arn: str) -> bool:
    """The six parts of an ARN each for itself: a * does not reach over a colon."""
    want, have = glob.split(':', 5), arn.split(':', 5)
    return len(want) == len(have) and all(like(w, h) for w, h in zip(want, have))


def condition_holds(operator: str, key: str, wanted, context: dict) -> bool:
    """One key of one operator. `context`: key in lower case -> a text, or a list for a key of many values; absent: not known."""
    for_all, any_of = operator.startswith('ForAllValues:'), operator.startswith('ForAnyValue:')
    name = operator.split(':')[-1]
    if_exists = name.endswith('IfExists')
    name = name.removesuffix('IfExists')
    have = context.get(key.lower())
    if name == 'Null':
        return (have is None) == (str(as_list(wanted)[0]).lower() == 'true')
    negated = name in NEGATED
    test = SINGLE[NEGATED.get(name, name)]  # KeyError: an operator that is not understood is no yes
    if have is None:
        return if_exists or for_all or negated
    hits = [any(test(str(w), str(h)) for w in as_list(wanted)) != negated for h in as_list(have)]
    return all(hits) if for_all or not any_of else any(hits)


def conditions_hold(conditions: dict, context: dict) -> bool:
    return all(condition_holds(operator, key, wanted, context) for operator, keys in conditions.items() for key, wanted in keys.items())


def principal_fits(statement: dict, principal: str) -> bool:
    if 'Principal' not in statement and 'NotPrincipal' not in statement:
        return True  # a policy of the principal itself
    named = statement.get('Principal', statement.get('NotPrincipal'))
    arns = ['*'] if named == '*' else as_list(named.get('AWS', [])) if isinstance(named, dict) else []
    account = principal.split(':')[4] if principal.count(':') > 4 else ''
    fits = any(a in ('*', principal, account, f'arn:aws:iam::{account}:root') for a in arns)
    return fits != ('NotPrincipal' in statement)


def applies(statement: dict, action: str, resource: str, context: dict) -> bool:
    actions = as_list(statement.get('Action', statement.get('NotAction', [])))
    named = any(like(a.lower(), action.lower()) for a in actions)
    resources = as_list(statement.get('Resource', statement.get('NotResource', '*')))
    there = any(like(r, resource) for r in resources)
    return (named != ('NotAction' in statement) and there != ('NotResource' in statement)
            and principal_fits(statement, context.get('aws:principalarn', ''))
            and conditions_hold(statement.get('Condition', {}), context))


def judge(policy: dict, action: str, resource: str, context: dict) -> str | None:
    """'Deny', 'Allow', or None when no statement is about it."""
    effects = {s['Effect'] for s in as_list(policy['Statement']) if applies(s, action, resource, context)}
    return 'Deny' if 'Deny' in effects else 'Allow' if effects else None
