"""Fingerprints: equal for the same work in any process, different when code or input differ."""

from __future__ import annotations

import functools
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.provider.fingerprints import code_digest, fingerprint
from airfoil.records import Scores

pytestmark = pytest.mark.unit


def compiled(tmp_path, name, text):
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)  # noqa: S102 - code of this test
    return names["f"]


BODY = """
    def same(g): return g
    @same
    def f(x):
        return x + 1
"""


def test_layout_comments_and_decorators_do_not_count(tmp_path):
    digest = code_digest(compiled(tmp_path, "a", BODY))
    other = BODY.replace("@same", "@same\n    @same").replace(
        "return x + 1", "# a comment\n        return (x  +  1)"
    )
    assert code_digest(compiled(tmp_path, "b", "\n\n" + other)) == digest
    assert code_digest(compiled(tmp_path, "c", BODY.replace("+ 1", "+ 2"))) != digest
    assert len(digest) == 16


def test_what_has_no_source_has_a_digest_too():
    class Callable:
        def __call__(self): ...

    first, second = (eval(f"lambda x: x + {n} if x in {{1, 2, 'a'}} else (lambda: {n})") for n in (1, 2))  # noqa: S307 - code of this test
    assert code_digest(first) != code_digest(second)
    assert code_digest(functools.partial(first, 1)) == code_digest(first)
    assert code_digest(print) != code_digest(len)
    assert len(code_digest(Callable())) == 16


SAME = (
    'from airfoil.provider.fingerprints import *; f = eval(\'lambda x: x in {"a", "b", "c", 1}\');'
    "print(code_digest(f), fingerprint('c', {'s': {'a', 'b', 'c'}, 'o': object(), 1: 2.5}))"
)


def test_another_process_finds_the_same():
    found = {
        subprocess.run(
            [sys.executable, "-c", SAME],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


DIFFERENT = [
    None,
    0,
    False,
    1.0,
    "1",
    [1],
    {"a": 1},
    {"a": 2},
    {1, 2},
    {1, 3},
    Scores(values={"a": 1}, rows=1),
    Scores(values={"a": 1}, rows=2),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC),
    Decimal("1.0"),
    Path("/a"),
    object(),
    float("nan"),
]


def test_different_input_is_different():
    marks = [fingerprint("code", value) for value in DIFFERENT]
    assert len(set(marks)) == len(marks)
    assert fingerprint("code", 1) != fingerprint("other", 1)


def test_of_an_object_only_its_kind_counts():
    assert fingerprint("code", [object()]) == fingerprint("code", (object(),))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
)


@given(st.dictionaries(st.text(), values))
def test_the_order_of_keys_does_not_count(value):
    assert fingerprint("c", dict(reversed(value.items()))) == fingerprint("c", value)
