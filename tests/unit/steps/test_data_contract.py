"""What a table is taken for: kinds, roles, reasons; and what later data breaks."""

from __future__ import annotations

import pandas as pd
import pytest

from airfoil.steps.data_contract import ContractError, DataContract, find_breaches, infer_contract, kind_of

pytestmark = pytest.mark.unit
ROWS = 60


def table(**columns):
    """A table whose target is 0 or 1, hard to tell from `a`."""
    base = {
        "a": [number * 7 % 13 for number in range(ROWS)],
        "y": [number * 5 % 7 % 2 for number in range(ROWS)],
    }
    return pd.DataFrame(base | columns)


def ignored(frame, target="y"):
    contract = infer_contract(frame, target, data="x.csv")
    return {one.name: one.ignored.split(",")[0].split(":")[0] for one in contract.columns if one.ignored}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], "number"),
        ([1.5, None, 2], "number"),
        ([True, False, True], "boolean"),
        (["yes", "no", None], "boolean"),
        (["2026-01-01", "2026-01-02", "2026-02-03"], "date"),
        (["1.2.2026", "2.2.2026"], "date"),
        (["red", "green"], "category"),
        ([f"text {number}" for number in range(60)], "text"),
        ([None, None], "category"),
    ],
)
def test_what_a_column_holds(values, kind):
    assert (
        kind_of(pd.Series(values, dtype=object if not isinstance(values[0], int | float) else None)) == kind
    )


def test_classes_and_amounts_are_told_apart():
    assert infer_contract(table(), "y", data="x").task == "classification"
    amounts = table(y=[number * 1.37 % 11 for number in range(ROWS)])
    assert infer_contract(amounts, "y", data="x").task == "regression"
    counts = table(y=[number * 31 % 59 for number in range(ROWS)])
    assert infer_contract(counts, "y", data="x").task == "regression"
    words = table(y=["red", "green", "blue"] * 20)
    found = infer_contract(words, "y", data="x")
    assert (found.task, found.classes) == ("classification", ("blue", "green", "red"))


def test_what_should_not_be_learnt_from_is_named_with_its_reason():
    frame = table(
        customer_id=[number * 7919 for number in range(ROWS)],
        line=range(100, 100 + ROWS),
        code=[f"c{number}" for number in range(ROWS)],
        since=["2026-01-02"] * (ROWS // 2) + ["2026-01-03"] * (ROWS // 2),
        country=["de"] * ROWS,
        empty=[None] * 40 + [1.0] * 10 + [2.0] * 10,
        words=[f"word {number // 2 * 2 if number < 4 else number}" for number in range(ROWS)],
    )
    assert ignored(frame) == {
        "customer_id": "another value in every row",
        "line": "another value in every row",
        "code": "another value in every row",
        "since": "a date; make features of it first",
        "country": "the same in every row",
        "empty": "empty in 67% of the rows",
        "words": "free text",
    }


def test_a_column_that_tells_the_target_is_suspected():
    frame = table()
    frame["status"] = frame["y"].map({0: "stays", 1: "leaves"})
    assert ignored(frame) == {"status": "suspected leakage"}


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (table(y=[1] * ROWS), "the same in every row"),
        (table(y=[None] * 50 + [1.0] * 10), "only 10 rows"),
        (table().head(5), "only 5 rows"),
        (table(y=[f"w{number}" for number in range(ROWS)]), "60 different texts"),
        (table(y=["rare"] + ["common"] * (ROWS - 1)), "'rare' of 'y' stands in one row only"),
        (table(a=[1] * ROWS), "no column is left"),
    ],
)
def test_what_cannot_be_learnt_is_one_sentence(frame, said):
    with pytest.raises(ContractError, match=said):
        infer_contract(frame, "y", data="x")


def test_a_contract_survives_json():
    contract = infer_contract(table(colour=["red", "blue"] * 30), "y", data="x", separator=";")
    assert DataContract.from_json(contract.to_json()) == contract


def test_data_that_holds_breaks_nothing_and_may_have_more():
    frame = table()
    contract = infer_contract(frame, "y", data="x")
    assert find_breaches(frame, contract) == []
    assert find_breaches(frame.assign(more=1), contract) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop(columns="a"), "the column 'a' is missing"),
        (lambda frame: frame.drop(columns="y"), "the column 'y' is missing"),
        (lambda frame: frame.assign(a="many"), "held numbers"),
        (lambda frame: frame.assign(a=[None] * 50 + [1] * 10), "empty in 83%"),
        (lambda frame: frame.assign(y=[0, 1, 2] * 20), "new classes: 2"),
        (lambda frame: frame.head(3), "only 3 rows"),
        (lambda frame: frame.head(0), "empty in 100%"),
    ],
)
def test_a_breach_is_named(change, said):
    frame = table()
    assert said in "; ".join(find_breaches(change(frame), infer_contract(frame, "y", data="x")))
