"""Operators that take `profile=`: by themselves, with default_args, mapped, under a decorator, serialized."""

import json
from datetime import timedelta

import pytest
from airflow.providers.standard.operators.python import ExternalPythonOperator, PythonOperator
from airflow.sdk import DAG, BaseOperator, task
from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG

from airfoil.errors import ConfigurationError
from airfoil.provider.profiled_operator import ProfiledOperator, takes_python
from airfoil.provider.profiles import profile, with_profile
from airfoil.stack.checks_project import _words_of

pytestmark = pytest.mark.unit


class Fit(ProfiledOperator):
    """A tiny operator of ours."""

    template_fields = ("data",)

    def __init__(self, *, data="x", **kwargs):
        super().__init__(**kwargs)
        self.data = data

    def execute(self, context):
        return self.data


class Bare(ProfiledOperator):
    """One without a constructor."""

    def execute(self, context):
        return None


class DecoratedFit(ProfiledOperator, DecoratedOperator):
    """What stands behind a decorator of ours."""

    custom_operator_name = "@task.fit"

    def execute(self, context):
        return self.python_callable(*self.op_args, **self.op_kwargs)


def fit_task(python_callable=None, *, profile=None, **kwargs):
    """A decorator as `@task.mlflow` will be one: mapped tasks too get the profile's arguments while they are parsed."""
    given = with_profile(profile, kwargs, takes_python=takes_python(DecoratedFit))
    return task_decorator_factory(python_callable, decorated_operator_class=DecoratedFit, **given)


@pytest.fixture(autouse=True)
def configuration(monkeypatch):
    """A laptop with one profile."""
    tables = {
        "training": {"gpu": 1, "queue": "big", "timeout_seconds": 60, "retries": 2},
        "heavy": {"environment": "/opt/heavy/bin/python"},
    }
    monkeypatch.setenv("AIRFLOW__AIRFOIL__PROFILES", json.dumps(tables))
    monkeypatch.setenv("AIRFLOW__AIRFOIL__GPU_POOL", "gpu")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")


def placed(operator):
    return operator.pool, operator.queue, operator.retries, operator.execution_timeout


MEANT = ("gpu", "big", 2, timedelta(seconds=60))


def test_an_operator_is_placed_by_its_profile():
    assert placed(Fit(task_id="a", profile="training", data="y")) == MEANT
    assert placed(Bare(task_id="a", profile="training")) == MEANT
    assert placed(Bare(task_id="a")) == placed(BareTwin(task_id="a"))


class BareTwin(BaseOperator):
    def execute(self, context):
        return None


def test_the_dag_goes_before_the_profile_and_the_profile_before_default_args():
    with DAG("d", schedule=None, default_args={"retries": 9, "queue": "small", "pool": "other"}):
        assert placed(Fit(task_id="a", profile="training")) == MEANT
        assert Fit(task_id="b", profile="training", retries=0, pool="mine").retries == 0
        assert Fit(task_id="c").retries == 9
    with DAG("e", schedule=None, default_args={"profile": "training"}):
        assert placed(Bare(task_id="a")) == MEANT


def test_a_mapped_task_is_placed_while_it_is_parsed():
    with DAG("d", schedule=None):
        mapped = Fit.partial(task_id="a", profile="training", retries=5).expand(data=["x", "y"])
    assert placed(mapped) == ("gpu", "big", 5, timedelta(seconds=60))
    assert "profile" not in mapped.partial_kwargs


def test_a_decorator_of_ours_takes_a_profile_mapped_or_not():
    with DAG("d", schedule=None) as dag:
        fit_task(profile="training")(one)(1)
        fit_task(profile="training")(two).expand(x=[1, 2])
    assert [placed(dag.get_task(name)) for name in ("one", "two")] == [MEANT, MEANT]


def one(x):
    return x


def two(x):
    return x


def test_any_operator_and_any_decorator_takes_the_arguments():
    with DAG("d", schedule=None) as dag:
        PythonOperator(task_id="a", python_callable=print, **profile("training"))
        task(**profile("training"))(one)(1)
        task.external_python(**profile("heavy"))(two)(1)
    assert [placed(dag.get_task(name)) for name in ("a", "one")] == [MEANT, MEANT]
    assert dag.get_task("two").python == "/opt/heavy/bin/python"


def test_a_profile_can_be_the_default_of_a_whole_dag():
    with DAG("d", schedule=None, default_args=profile("training") | profile("heavy")) as dag:
        PythonOperator(task_id="a", python_callable=print)
        task(one)(1)
        task(two).expand(x=[1])
    assert [placed(dag.get_task(name)) for name in ("a", "one", "two")] == [MEANT] * 3


def test_an_isolated_environment_needs_an_operator_that_can():
    with pytest.raises(ConfigurationError, match="isolated environment"):
        Fit(task_id="a", profile="heavy")
    assert takes_python(ExternalPythonOperator)
    assert not takes_python(PythonOperator)


def test_airflows_words_for_an_environment_in_the_wrong_task_are_translated_by_doctor():
    with DAG("d", schedule=None), pytest.raises(TypeError, match="Invalid arguments were passed") as caught:
        task(**profile("heavy"))(one)(1)
    sentence, fix = _words_of({"filename": "d.py", "stack_trace": f"TypeError: {caught.value}"})
    assert sentence == "d.py does not import: the task one has a profile with an isolated environment."
    assert "@task.external_python" in fix
    with DAG("d", schedule=None), pytest.raises(TypeError) as caught:
        task(**profile("training"), nonsense=1)(one)(1)
    assert (
        "environment" not in _words_of({"filename": "d.py", "stack_trace": f"TypeError: {caught.value}"})[0]
    )


def written(name="training"):
    with DAG("d", schedule=None) as dag:
        Fit(task_id="a", profile=name)
        Fit.partial(task_id="b", profile=name).expand(data=["x"])
        task(**profile(name))(one)(1)
    return DagSerialization.to_dict(dag)


def test_a_task_comes_back_as_it_was_placed():
    back = DagSerialization.from_dict(json.loads(json.dumps(written())))
    assert [placed(back.get_task(name)) for name in ("a", "b", "one")] == [MEANT] * 3
    assert '"profile"' not in json.dumps(written()), "the word is not kept: only what it means"


def test_the_same_profile_is_the_same_version_and_another_meaning_is_another(monkeypatch):
    first = LazyDeserializedDAG(data=written()).hash
    assert LazyDeserializedDAG(data=written()).hash == first
    monkeypatch.setenv("AIRFLOW__AIRFOIL__PROFILES", '{"training": {"retries": 3}}')
    assert LazyDeserializedDAG(data=written()).hash != first
