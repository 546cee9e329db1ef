"""The injected run for users' tests: the real one's surface and refusals, and everything that was logged in view."""

from __future__ import annotations

import gc
import inspect

import pytest

from airfoil.clients.task_run import MlflowRun
from airfoil.clients.testing import FakeMlflowRun, fake_mlflow_run
from airfoil.errors import ConfigurationError
from airfoil.records import DataRef
from airfoil.steps.charts import draw_confusion

pytestmark = pytest.mark.unit


@pytest.fixture
def run():
    return fake_mlflow_run()


def public(kind):
    return {name: one for name, one in inspect.getmembers(kind) if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(public(MlflowRun)))
def test_what_a_task_can_call_is_called_the_same_way(name):
    real, fake = public(MlflowRun)[name], public(FakeMlflowRun)[name]
    if inspect.isfunction(real):
        assert inspect.signature(fake) == inspect.signature(real)
    else:
        assert type(fake) is type(real)


def test_a_body_may_ask_whether_it_is_the_real_kind(run):
    assert isinstance(run, MlflowRun)


def test_what_was_logged_can_be_looked_at_at_once(run):
    run.log_params({"depth": 3})
    run.log_metrics({"loss": 0.5})
    run.log_metrics({"loss": 0.25}, step=1)
    run.set_tags({"team": "a"})
    run.log_text("hello", "notes.md")
    run.log_dataset("wine", DataRef(uri="s3://bucket/wine", content_hash="abc"))
    assert run.params == {"depth": "3"}
    assert run.metrics == {"loss": 0.25}
    assert run.curves == {"loss": [(0, 0.5), (1, 0.25)]}
    assert run.tags == {"team": "a"}
    assert run.files == {"notes.md": b"hello"}
    assert list(run.datasets) == ["wine"]
    assert run.status == "RUNNING"


def test_figures_and_models_are_kept_as_they_are(run):
    figure, estimator = draw_confusion([[1]], ["only"]), object()
    run.log_figure(figure, "confusion.png")
    model = run.log_model(estimator, name="wine", example=[1], packages=["polars"])
    assert run.figures == {"confusion.png": figure}
    assert run.files["confusion.png"].startswith(b"\x89PNG")
    kept = run.models["wine"]
    assert (kept.estimator, kept.example, kept.packages) == (estimator, [1], ("polars",))
    assert (model.name, model.run_id) == ("wine", run.id)


def test_it_refuses_what_the_real_one_refuses(run):
    with pytest.raises(ConfigurationError):
        run.log_params({"it's": 1})
    run.log_params({"depth": 1})
    with pytest.raises(ConfigurationError, match="logged twice"):
        run.log_params({"depth": 2})


def test_a_killed_try_can_have_left_curves():
    run = fake_mlflow_run(earlier={"loss": [3.0, 2.0, 1.0]})
    assert run.last_step("loss") == 2
    run.log_metrics({"loss": 0.5}, step=3)
    assert run.curves["loss"][-1] == (3, 0.5)


def test_a_new_one_has_no_past(run):
    assert run.last_step("loss") is None


def test_the_end_of_a_block_is_the_end_of_the_run():
    with pytest.raises(ZeroDivisionError), fake_mlflow_run() as run:
        raise ZeroDivisionError
    assert run.status == "FAILED"


def test_nothing_is_left_behind_when_it_is_forgotten(recwarn):
    run = fake_mlflow_run()
    run.log_text("hello", "notes.md")
    del run
    gc.collect()
    assert [str(one.message) for one in recwarn if one.category is ResourceWarning] == []
