"""Which columns are suspected to tell the target, and which are only good features."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from airfoil.steps.leakage import gives_target_away

pytestmark = pytest.mark.unit
MAKE = random.Random(3)  # noqa: S311 - test data
NUMBERS = pd.Series([MAKE.gauss(0, 1) for _ in range(100)])
NOISE = pd.Series([MAKE.gauss(0, 1) for _ in range(100)])
CLASSES = NUMBERS.map(lambda number: "high" if number > 0.1 else "low")


@pytest.mark.parametrize(
    ("values", "target", "task"),
    [
        (NUMBERS * 100 + 3, NUMBERS, "regression"),
        (-NUMBERS, NUMBERS, "regression"),
        (NUMBERS, CLASSES, "classification"),
        (CLASSES.map({"high": "gone", "low": "here"}), CLASSES, "classification"),
        (CLASSES == "high", CLASSES, "classification"),
    ],
)
def test_it_is_suspected(values, target, task):
    assert gives_target_away(values, target, task)


@pytest.mark.parametrize(
    ("values", "target", "task"),
    [
        (NUMBERS + NOISE * 0.3, NUMBERS, "regression"),
        (CLASSES, NUMBERS, "regression"),
        (NUMBERS + NOISE * 0.3, CLASSES, "classification"),
        (pd.Series(["a", "b"] * 50), CLASSES, "classification"),
        (pd.Series([f"t{number}" for number in range(100)]), CLASSES, "classification"),
        (pd.Series([None] * 100), CLASSES, "classification"),
    ],
)
def test_it_is_not(values, target, task):
    assert not gives_target_away(values, target, task)
