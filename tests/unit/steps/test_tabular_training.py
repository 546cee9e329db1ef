"""Training on a table with a contract: it learns, keeps to the contract, and is the same again."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.tables import write_customers, write_houses

from airfoil.steps.data_contract import infer_contract
from airfoil.steps.tabular_training import METRICS, TableParameters, features_of, train_table

pytestmark = pytest.mark.unit
SMALL = TableParameters(trees=10)


@pytest.fixture(scope="module", params=["churned", "price"])
def table(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "x.csv"
    (write_customers if request.param == "churned" else write_houses)(path)
    separator = "," if request.param == "churned" else ";"
    frame = pd.read_csv(path, sep=separator)
    return frame, infer_contract(frame, request.param, data="x.csv", separator=separator)


def test_it_learns_more_than_a_guess(table):
    frame, contract = table
    trained = train_table(frame, contract, SMALL)
    metric = METRICS[contract.task]
    better, guess = trained.scores[metric], trained.baseline[metric]
    assert better > guess + 0.1 if contract.task == "classification" else better < guess / 2
    assert trained.scores.rows == 100


def test_only_the_features_of_the_contract_are_used(table):
    frame, contract = table
    trained = train_table(frame, contract, SMALL)
    assert list(trained.example.columns) == [one.name for one in contract.features]
    again = features_of(frame.drop(columns=[one.name for one in contract.columns if one.ignored]), contract)
    assert len(trained.estimator.predict(again)) == len(frame)


def test_the_same_parameters_give_the_same_model(table):
    frame, contract = table
    first, second = (train_table(frame, contract, SMALL) for _ in range(2))
    assert first.scores == second.scores


def test_values_never_seen_and_values_missing_are_no_error(table):
    frame, contract = table
    trained = train_table(frame, contract, SMALL)
    odd = frame.head(2).assign(**{one.name: None for one in contract.features})
    assert len(trained.estimator.predict(features_of(odd, contract))) == 2


def test_rows_without_a_target_are_not_learnt_from(table):
    frame, contract = table
    holed = frame.astype({contract.target: object})
    holed.loc[:39, contract.target] = None
    assert train_table(holed, contract, SMALL).scores.rows == 90
