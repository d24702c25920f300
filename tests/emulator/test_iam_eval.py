"""The policy evaluator of the tests, on cases of the IAM User Guide: a judge that is wrong proves nothing."""
from __future__ import annotations

import pytest

from iam_eval import arn_like, condition_holds, judge, like


@pytest.mark.parametrize('operator, wanted, have, holds', [
    ('StringEquals', ['a', 'b'], 'b', True), ('StringEquals', 'a', 'A', False), ('StringEquals', 'a', None, False),
    ('StringEqualsIfExists', 'a', None, True), ('StringEqualsIfExists', 'a', 'b', False),
    ('StringNotEquals', ['a', 'b'], 'b', False), ('StringNotEquals', 'a', None, True), ('StringNotEquals', ['a', 'b'], 'c', True),
    ('StringLike', 'cordon:*', 'cordon:case', True), ('StringLike', 'c?', 'cd', True), ('StringLike', '[ab]', 'a', False),
    ('ForAllValues:StringLike', 'cordon:*', ['cordon:a', 'cordon:b'], True),
    ('ForAllValues:StringLike', 'cordon:*', ['cordon:a', 'Name'], False), ('ForAllValues:StringLike', 'cordon:*', None, True),
    ('ForAnyValue:StringEquals', 'a', ['b', 'a'], True), ('ForAnyValue:StringEquals', 'a', ['b'], False),
    ('ForAnyValue:StringEquals', 'a', None, False), ('Bool', 'true', 'True', True), ('Null', 'true', None, True), ('Null', 'false', None, False),
    ('ArnNotLike', ['arn:aws:iam::1:role/x', 'arn:aws:iam::1:role/y'], 'arn:aws:iam::1:role/y', False),
    ('DateLessThan', '2026-08-01T10:00:00Z', '2026-08-01T09:59:59Z', True)])
def test_conditions(operator, wanted, have, holds):
    context = {} if have is None else {'some:key': have}
    assert condition_holds(operator, 'some:Key', wanted, context) == holds


def test_arns_part_by_part():
    assert arn_like('arn:aws:iam::*:role/a*', 'arn:aws:iam::1:role/a/b') and not arn_like('arn:aws:*', 'arn:aws:iam::1:role/a')
    assert like('arn:aws:s3:::bucket/*', 'arn:aws:s3:::bucket/a/b') and not like('arn:aws:s3:::bucket', 'arn:aws:s3:::bucket2')


def test_a_deny_wins_and_silence_is_no():
    policy = {'Statement': [{'Effect': 'Allow', 'Action': 's3:Get*', 'Resource': '*'},
                            {'Effect': 'Deny', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::b/*', 'Principal': '*',
                             'Condition': {'StringEquals': {'s3:ExistingObjectTag/bad': 'yes'}}}]}
    tagged = {'s3:existingobjecttag/bad': 'yes'}
    assert judge(policy, 's3:GetObject', 'arn:aws:s3:::b/k', tagged) == 'Deny'
    assert judge(policy, 's3:getobject', 'arn:aws:s3:::b/k', {}) == 'Allow'
    assert judge(policy, 's3:PutObject', 'arn:aws:s3:::b/k', tagged) is None
    other = {'Statement': {'Effect': 'Deny', 'NotAction': 's3:Get*', 'Resource': '*', 'Principal': {'AWS': 'arn:aws:iam::1:user/a'}}}
    assert judge(other, 's3:PutObject', '*', {'aws:principalarn': 'arn:aws:iam::1:user/a'}) == 'Deny'
    assert judge(other, 's3:PutObject', '*', {'aws:principalarn': 'arn:aws:iam::1:user/b'}) is None
    assert judge(other, 's3:GetObject', '*', {'aws:principalarn': 'arn:aws:iam::1:user/a'}) is None


def test_an_operator_that_is_not_known_is_not_passed_over():
    with pytest.raises(KeyError):
        condition_holds('NumericLessThan', 'some:key', '1', {'some:key': '2'})
