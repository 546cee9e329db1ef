"""Every DAG file parses, and says what it is."""

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).parents[1] / "dags"


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(DAGS))


def test_all_files_parse(bag):
    assert bag.import_errors == {}


def test_the_expected_dags_are_there(bag):
    # Next edit: add the id of your new DAG here.
    assert set(bag.dags) == {"example_dag", "simple_test_dag"}


def test_every_dag_is_described_and_tagged(bag):
    for dag in bag.dags.values():
        assert dag.description, f"{dag.dag_id} has no description"
        assert dag.tags, f"{dag.dag_id} has no tags"
