"""Models by name: each learns, each can be stored without a pickle, and what means nothing is refused in a sentence."""

import pytest

from airfoil.clients.model_files import TRUSTED_TYPES, is_xgboost
from airfoil.errors import ConfigurationError
from airfoil.runtime.skops_home import skops
from airfoil.steps.model_zoo import ZOO, plan_model
from airfoil.steps.training import wine_data

pytestmark = pytest.mark.unit

WINE = wine_data()
QUICK = {
    "random_forest": {"trees": 10},
    "gradient_boosting": {"rounds": 5},
    "xgboost": {"rounds": 5},
}


def fitted(name):
    if name == "xgboost":
        pytest.importorskip("xgboost", reason="xgboost-cpu has wheels for Linux only")
    return plan_model(name, QUICK.get(name)).build().fit(WINE.features, WINE.labels)


def test_the_six_types_are_there():
    assert list(ZOO) == ["random_forest", "logistic_regression", "gradient_boosting", "xgboost", "svm", "knn"]


@pytest.mark.parametrize("name", ZOO)
def test_each_learns_and_can_be_stored_without_a_pickle(name, tmp_path):
    model = fitted(name)
    assert model.score(WINE.features, WINE.labels) > 0.9
    expected = model.predict(WINE.features)
    if is_xgboost(model):
        model.save_model(tmp_path / "model.ubj")
        again = plan_model(name).build()
        again.load_model(tmp_path / "model.ubj")
    else:
        again = skops.io.loads(skops.io.dumps(model), trusted=sorted(TRUSTED_TYPES))
    assert (again.predict(WINE.features) == expected).all()


@pytest.mark.parametrize("name", ZOO)
def test_the_same_parameters_give_the_same_model(name):
    assert (fitted(name).predict(WINE.features) == fitted(name).predict(WINE.features)).all()


@pytest.mark.parametrize("name", ZOO)
def test_a_plan_survives_a_trip_through_json(name):
    plan = plan_model(name, QUICK.get(name))
    assert plan_model(name, plan.to_json()) == plan


@pytest.mark.parametrize("wrong", ["forest", "", "Random_Forest", None, 7, ["svm"], "x" * 1000])
def test_an_unknown_type_is_refused_with_the_known_ones(wrong):
    with pytest.raises(ConfigurationError, match="There is no model type") as caught:
        plan_model(wrong)
    assert "random_forest, logistic_regression" in caught.value.next_move
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        (
            "random_forest",
            {"trees": 0},
            "'trees' of 'random_forest' cannot be 0: Input should be greater than",
        ),
        ("random_forest", {"trees": "many"}, "'trees' of 'random_forest' cannot be 'many'"),
        ("svm", {"kernel": "magic"}, "'kernel' of 'svm' cannot be 'magic': Input should be 'linear'"),
        ("knn", {"trees": 5}, "'knn' has no parameter 'trees'"),
        ("xgboost", {"learning_rate": float("nan")}, "'learning_rate' of 'xgboost' cannot be nan"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_by_name(name, parameters, sentence):
    with pytest.raises(ConfigurationError) as caught:
        plan_model(name, parameters)
    assert sentence in str(caught.value)


def test_without_xgboost_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xgboost", None)
    with pytest.raises(ConfigurationError, match="needs XGBoost") as caught:
        plan_model("xgboost").build()
    assert "gradient_boosting" in caught.value.next_move
