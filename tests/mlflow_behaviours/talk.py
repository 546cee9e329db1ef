"""A conversation with an MLflow server, kept word for word so that two servers' answers can be compared."""

from __future__ import annotations

import importlib
import inspect
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

_TIME_MS = 10**12
_RANDOM_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")
_IDS = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}")
_EXPERIMENT = re.compile(r"(?<=mlflow-artifacts:/)\d+")


class Talk:
    """Asks, and remembers what was asked and answered."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._token = uuid.uuid4().hex[:10]
        self.answers: list[tuple[str, int, Any]] = []

    def name(self, stem: str = "wine") -> str:
        """A name of this conversation's own: a server may have been talked to before."""
        return f"{stem}_{self._token}"

    def ask(self, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        """The answer, which must be a good one."""
        response = self.send(method, path, **body)
        assert response.is_success, response.text
        return response.json() if response.content else {}

    def refusal(self, method: str, path: str, /, **body: Any) -> tuple[int, str]:
        """The status and the error code of an answer, which must be a refusal."""
        response = self.send(method, path, **body)
        assert not response.is_success, response.text
        return response.status_code, response.json().get("error_code", "")

    def send(self, method: str, path: str, /, **body: Any) -> httpx.Response:
        sent = {"params": body} if method == "GET" else {"json": body}
        return self._note(path, self._client.request(method, f"/api/2.0/mlflow/{path}", **sent))

    def file(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        """Send, fetch or remove a file of the artifact store."""
        url = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
        return self._note("a file", self._client.request(method, url, content=content), shown=False)

    def page(self, path: str) -> str:
        """The text at an address outside the API."""
        return self._client.get(path).text

    def _note(self, path: str, response: httpx.Response, *, shown: bool = True) -> httpx.Response:
        said: Any = None
        if shown and "json" in response.headers.get("content-type", ""):
            said = response.json()
            said = said.get("error_code") if not response.is_success else said
        self.answers.append((path, response.status_code, said))
        return response

    # Things most conversations begin with.

    def experiment(self, stem: str = "wine") -> str:
        return self.ask("POST", "experiments/create", name=self.name(stem))["experiment_id"]

    def run(self, experiment: str | None = None, /, **given: Any) -> str:
        given.setdefault("run_name", "one")
        made = self.ask("POST", "runs/create", experiment_id=experiment or self.experiment(), **given)
        return made["run"]["info"]["run_id"]

    def read(self, run_id: str) -> dict[str, Any]:
        """A run's data: params and tags by key, latest metrics by key."""
        data = self.ask("GET", "runs/get", run_id=run_id)["run"]["data"]
        return {kind: {row["key"]: row["value"] for row in rows} for kind, rows in data.items()}

    def logged_model(self, run_id: str | None = None, experiment: str | None = None) -> str:
        given = {"source_run_id": run_id} if run_id else {}
        made = self.ask(
            "POST", "logged-models", experiment_id=experiment or self.experiment(), name="forest", **given
        )
        return made["model"]["info"]["model_id"]

    def version(self, name: str, **given: Any) -> str:
        given.setdefault("source", "s3://bucket/model")
        return self.ask("POST", "model-versions/create", name=name, **given)["model_version"]["version"]

    def comparable(self) -> list[tuple[str, int, Any]]:
        """All answers, without what may differ between two good servers: ids, times, made-up names, order."""

        def text(value: str) -> str:
            value = _EXPERIMENT.sub("<experiment>", _IDS.sub("<id>", value.replace(self._token, "TOKEN")))
            return "<made up>" if _RANDOM_NAME.fullmatch(value) else value

        def plain(value: Any, key: str = "") -> Any:
            if key in {"next_page_token", "experiment_id"}:
                return f"<{key}>"
            if isinstance(value, dict):
                return {name: plain(one, name) for name, one in sorted(value.items())}
            if isinstance(value, list):
                return sorted((plain(one, key) for one in value), key=str)
            if isinstance(value, str):
                return text(value)
            return "<time>" if type(value) is int and value > _TIME_MS else value

        return [(text(path), status, plain(said)) for path, status, said in self.answers]


def behaviours_of(module: ModuleType) -> list[Callable[[Talk], None]]:
    """The behaviours that a module describes, in their order."""
    return [
        one
        for name, one in vars(module).items()
        if inspect.isfunction(one) and one.__module__ == module.__name__ and not name.startswith("_")
    ]


def modules_of(package: ModuleType) -> list[ModuleType]:
    """The modules of a package that describe behaviours."""
    folder = Path(str(package.__file__)).parent
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem not in {"__init__", "talk"})
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]
