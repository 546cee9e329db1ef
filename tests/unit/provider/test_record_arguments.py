"""Records between tasks: JSON on the way, records where an annotation asks for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.provider.record_arguments import rebuild_arguments, to_plain
from airfoil.records import DataRef, Record, Scores

if TYPE_CHECKING:
    from airfoil.records import ModelRef

pytestmark = pytest.mark.unit

SCORES = Scores(values={"accuracy": 0.9}, rows=10)
DATA = DataRef(uri="file:///a.parquet", content_hash="sha256:1", rows=3)


class Own(Record):
    """A record of a user."""

    inner: Scores
    note: str = ""


class Sequenced(Sequence[Any]):
    """What Airflow hands over for the results of a mapped task: a sequence that is no list."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, at):
        return self.items[at]


# -- out


def test_records_become_json_wherever_they_are():
    value = {"a": [SCORES, (DATA, None)], "b": 1, "c": Own(inner=SCORES)}
    plain = to_plain(value)
    assert json.loads(json.dumps(plain)) == plain
    assert plain == {
        "a": [SCORES.to_json(), [DATA.to_json(), None]],
        "b": 1,
        "c": {"inner": SCORES.to_json(), "note": ""},
    }
    assert to_plain((SCORES, DATA)) == [SCORES.to_json(), DATA.to_json()]


@pytest.mark.parametrize("value", [None, 3, "x", (1, 2), [1, {"a": (2,)}], {1, 2}, object()])
def test_what_holds_no_record_is_the_same_object(value):
    assert to_plain(value) is value


# -- and in again


def one(scores: Scores) -> Any: ...
def maybe(scores: Scores | None) -> Any: ...
def maybe_old(scores: Optional[Scores]) -> Any: ...  # noqa: UP045 - people write it so
def many(scores: list[Scores]) -> Any: ...
def sequence(scores: Sequence[Scores]) -> Any: ...
def named(scores: dict[str, Scores]) -> Any: ...
def mapping(scores: Mapping[str, list[Scores]]) -> Any: ...
def pair(scores: tuple[Scores, DataRef]) -> Any: ...
def several(scores: tuple[Scores, ...]) -> Any: ...
def either(scores: Scores | DataRef) -> Any: ...
def or_text(scores: Scores | str) -> Any: ...
def annotated(scores: Annotated[Scores, "measured"]) -> Any: ...
def own(scores: Own) -> Any: ...


GOES_IN = [
    (one, SCORES),
    (maybe, SCORES),
    (maybe, None),
    (maybe_old, None),
    (maybe_old, SCORES),
    (many, [SCORES, SCORES]),
    (many, []),
    (sequence, [SCORES]),
    (named, {"a": SCORES}),
    (mapping, {"a": [SCORES]}),
    (pair, (SCORES, DATA)),
    (several, (SCORES, SCORES)),
    (either, SCORES),
    (either, DATA),
    (or_text, "as it is"),
    (or_text, SCORES),
    (annotated, SCORES),
    (own, Own(inner=SCORES)),
]


@pytest.mark.parametrize(("function", "value"), GOES_IN, ids=lambda part: getattr(part, "__name__", ""))
def test_what_a_task_returned_is_rebuilt_by_the_annotation(function, value):
    through_xcom = json.loads(json.dumps(to_plain(value)))
    assert rebuild_arguments(function, (), {"scores": through_xcom}) == ((value,), {})
    assert rebuild_arguments(function, (through_xcom,), {}) == ((value,), {})
    assert rebuild_arguments(function, (value,), {}) == ((value,), {}), "what is a record stays one"


def test_the_results_of_a_mapped_task_are_a_list_of_records():
    given_list = Sequenced([SCORES.to_json(), SCORES.to_json()])
    assert rebuild_arguments(many, (given_list,), {}) == (([SCORES, SCORES],), {})


def test_names_that_only_a_type_checker_imports_are_found_among_our_records():
    def task_of_a_checker(model: ModelRef, other: Unknown) -> Any: ...  # noqa: F821 - it is unknown on purpose

    model = {"name": "m", "uri": "models:/m", "run_id": "r", "version": None}
    args, _ = rebuild_arguments(task_of_a_checker, (model, {"a": 1}), {})
    assert type(args[0]).__name__ == "ModelRef"
    assert args[1] == {"a": 1}


def test_a_record_of_the_enclosing_function_is_found_when_the_body_uses_it():
    class Local(Record):
        number: int

    def task_of_mine(x: Local) -> Any:
        return Local

    assert rebuild_arguments(task_of_mine, ({"number": 1},), {}) == ((Local(number=1),), {})


def test_stars_defaults_and_arguments_without_records():
    def function(a, b: Scores | None = None, *rest: Scores, c: int = 1, **others: DataRef): ...

    args = (1, None, SCORES.to_json())
    assert rebuild_arguments(function, args, {"c": "2", "d": DATA.to_json()}) == (
        (1, None, SCORES),
        {"c": "2", "d": DATA},
    )
    assert rebuild_arguments(function, (1,), {}) == ((1,), {})


MISFITS = [
    (one, None, "should be Scores, and nothing came"),
    (one, 3, "and int 3 came: it is no dictionary"),
    (one, {"rows": 1}, "values: Field required"),
    (one, {"values": {"a": "much"}, "rows": 1}, "values.a: Input should be a valid number"),
    (one, DATA.to_json(), "should be Scores"),
    (maybe, 1, "should be Scores | None"),
    (many, SCORES.to_json(), "should be list[Scores]"),
    (many, [SCORES.to_json(), None], r"\[1\]: it is no dictionary"),
    (many, "text", "it is no list"),
    (named, [1], "it is no dictionary"),
    (pair, [SCORES.to_json()], "it has 1 items in place of 2"),
    (either, {"x": 1}, "should be Scores | DataRef"),
]


@pytest.mark.parametrize(
    ("function", "value", "words"), MISFITS, ids=lambda part: getattr(part, "__name__", "")
)
def test_what_does_not_fit_is_one_sentence(function, value, words):
    words = words.replace("|", r"\|").replace("list[", r"list\[")
    with pytest.raises(ConfigurationError, match=words) as caught:
        rebuild_arguments(function, (value,), {})
    assert f"The argument 'scores' of {function.__name__}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_huge_value_is_not_printed_whole():
    with pytest.raises(ConfigurationError) as caught:
        rebuild_arguments(one, ({"values": {str(n): n for n in range(9999)}},), {})
    assert len(str(caught.value)) < 500


numbers = st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False), max_size=4)
records = st.builds(Scores, values=numbers, rows=st.integers(1, 10**9))


@given(st.dictionaries(st.text(max_size=5), st.lists(records, max_size=3), max_size=3))
def test_any_records_survive_the_trip(value):
    through_xcom = json.loads(json.dumps(to_plain(value)))
    assert rebuild_arguments(mapping, (through_xcom,), {}) == ((value,), {})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    )
)
def test_garbage_is_rebuilt_or_refused_with_our_words(value):
    try:
        rebuild_arguments(mapping, (value,), {})
    except ConfigurationError as error:
        assert "The argument 'scores' of mapping should be Mapping[str, list[Scores]]" in str(error)  # noqa: PT017 - either way is right
