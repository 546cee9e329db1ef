"""Training: bundled data in, an estimator with honest scores out."""

import pytest
from pydantic import ValidationError

from airfoil.steps.training import ForestParameters, score_classifier, train_forest, wine_data

pytestmark = pytest.mark.unit

SMALL = ForestParameters(trees=5)


@pytest.fixture(scope="module")
def trained():
    return train_forest(wine_data(), SMALL)


def test_the_bundled_data_is_complete():
    table = wine_data()
    assert table.features.shape == (178, 13)
    assert sorted(table.labels.unique()) == [0, 1, 2]
    assert table.label_names == ("cultivar 1", "cultivar 2", "cultivar 3")


def test_the_scores_are_those_of_rows_that_were_held_back(trained):
    assert trained.scores.rows == 45
    assert 0.8 < trained.scores["accuracy"] <= 1
    assert trained.scores["log_loss"] > 0


def test_the_confusion_matrix_counts_every_held_back_row_once(trained):
    assert sum(map(sum, trained.confusion)) == trained.scores.rows
    right = sum(trained.confusion[label][label] for label in range(3))
    assert right / trained.scores.rows == pytest.approx(trained.scores["accuracy"])


def test_the_same_parameters_give_the_same_model(trained):
    again = train_forest(wine_data(), SMALL)
    assert again.scores == trained.scores
    assert again.confusion == trained.confusion


def test_a_parameter_changes_the_outcome(trained):
    assert train_forest(wine_data(), ForestParameters(trees=1, max_depth=1)).scores != trained.scores


def test_a_label_that_does_not_occur_still_has_its_row(trained):
    table = wine_data()
    only_first = table.labels == 0
    _, confusion = score_classifier(trained.estimator, table.features[only_first], table.labels[only_first])
    assert len(confusion) == 3
    assert sum(confusion[1]) == sum(confusion[2]) == 0


@pytest.mark.parametrize("bad", [{"trees": 0}, {"max_depth": 0}, {"test_share": 1}, {"tress": 5}])
def test_parameters_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValidationError):
        ForestParameters(**bad)
