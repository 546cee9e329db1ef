"""`mlflow_run` for unit tests of task bodies: the real object, logging to a server in memory.

What MLflow or the run would refuse, this refuses in the same words: a name that MLflow does not take, a parameter that
is logged twice. The one thing left out is the saving of models, which needs mlflow: an estimator is kept as it is.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from airfoil.clients.logged_models import log_model_files
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import Attempt, RunInfo, Runs
from airfoil.clients.task_run import MlflowRun
from airfoil.clients.testing.fake_mlflow import FakeMlflow
from airfoil.clients.testing.runs import latest

if TYPE_CHECKING:
    import pandas as pd

    from airfoil.clients.model_files import ModelIdentity
    from airfoil.records import ModelRef

KEY = RunKey("test_dag", "test_run", "test_task")


@dataclass(frozen=True)
class KeptModel:
    """A model as a body gave it to `log_model`."""

    estimator: Any
    example: Any
    packages: tuple[str, ...]
    trusted_types: tuple[str, ...]


class FakeMlflowRun(MlflowRun):
    """The injected `mlflow_run`, for tests: log to it as a task does, then look at what it was given."""

    def __init__(self, server: FakeMlflow, http: MlflowHttp, runs: Runs, info: RunInfo) -> None:
        """Take an open run of a fake server; `fake_mlflow_run()` makes one."""
        super().__init__(http, runs, KEY, info, pause=_pass)
        self.server = server
        """The server in memory, with all its runs, models and files."""
        self.figures: dict[str, Any] = {}
        """The figures that were logged, by file name."""
        self.models: dict[str, KeptModel] = {}
        """The models that were logged, by name."""
        # The real run's files are removed when it is closed, which a unit test has no reason to do.
        weakref.finalize(self, self._files.close)

    @property
    def params(self) -> dict[str, str]:
        """The parameters, as MLflow keeps them: texts."""
        return dict(self._kept()["params"])

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        return {key: float(point["value"]) for key, point in latest(self._kept()["metrics"]).items()}

    @property
    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """Each metric's steps and values, in order."""
        found: dict[str, list[tuple[int, float]]] = {}
        for point in self._kept()["metrics"]:
            found.setdefault(point["key"], []).append((point["step"], float(point["value"])))
        return {key: sorted(points) for key, points in found.items()}

    @property
    def tags(self) -> dict[str, str]:
        """The tags that were set, without those of MLflow and Airfoil themselves."""
        own = ("mlflow.", "airfoil.", "airflow.")
        return {key: value for key, value in self._kept()["tags"].items() if not key.startswith(own)}

    @property
    def datasets(self) -> dict[str, dict[str, Any]]:
        """The datasets, by name."""
        return {row["dataset"]["name"]: dict(row["dataset"]) for row in self._kept()["datasets"]}

    @property
    def files(self) -> dict[str, bytes]:
        """The files, by name: figures, texts, JSON and artifacts."""
        root = self._kept()["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/") + "/"
        stored = self.server.artifacts.items()
        return {path.removeprefix(root): content for path, content in stored if path.startswith(root)}

    @property
    def status(self) -> str:
        """RUNNING until the run is closed."""
        return str(self._kept()["info"]["status"])

    def log_figure(self, figure: Any, name: str) -> None:
        """Store a figure, and keep it as it is."""
        super().log_figure(figure, name)
        self.figures[name] = figure

    def log_model(
        self,
        estimator: Any,
        *,
        name: str,
        example: pd.DataFrame,
        packages: Sequence[str] = (),
        trusted_types: Sequence[str] = (),
    ) -> ModelRef:
        """Keep an estimator as it is, and say where the model would be."""

        def save(folder: Path, identity: ModelIdentity) -> None:
            folder.mkdir(parents=True)
            (folder / "MLmodel").write_text(f"model_id: {identity.model_id}\n")

        model = log_model_files(self._http, self._info, name, save)
        self._own.models.append(model.uri.removeprefix("models:/"))
        self.models[name] = KeptModel(estimator, example, tuple(packages), tuple(trusted_types))
        return model

    def _kept(self) -> dict[str, Any]:
        self.flush()
        return self.server.runs[self.id]


def fake_mlflow_run(*, earlier: Mapping[str, Sequence[float]] | None = None) -> FakeMlflowRun:
    """Return an open run for a test; `earlier` are curves that a try before, which was killed, has left."""
    server = FakeMlflow()
    http = MlflowHttp(MlflowServer("http://mlflow.test"), transport=httpx.MockTransport(server), pause=_pass)
    runs = Runs()
    parent = http.do(runs.parent(KEY, experiment="test", tags={}))
    if earlier:
        first = _opened(server, http, runs, parent, 1)
        for key, values in earlier.items():
            for step, value in enumerate(values):
                first.log_metrics({key: value}, step=step)
        first.flush()
    return _opened(server, http, runs, parent, 2 if earlier else 1)


def _opened(server: FakeMlflow, http: MlflowHttp, runs: Runs, parent: RunInfo, number: int) -> FakeMlflowRun:
    info = http.do(runs.child(KEY, parent, fingerprint="", tags={}, attempt=Attempt(number)))
    return FakeMlflowRun(server, http, runs, info)


def _pass(_: float) -> None:
    """Wait for nothing: a server in memory is there, or away for good."""
