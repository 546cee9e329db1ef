"""What it takes to log a model: a random forest through the provider, against stock `mlflow.sklearn.log_model`.

`python -m benchmarks.log_model`, or `make bench NAME=log_model`. Each side is a process of its own with the same forest
and the same server; imports are measured apart. Takes about three minutes, nearly all of it the stock call's.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks import machine, result
from benchmarks.contender import BIN, LOOPBACK, BenchmarkError, clean_environment, free_port
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.side import ask_python, peak_mib
from benchmarks.trial import hold, options_of

NAME = "log_model"
WARM_CALLS = {result.OURS: 10, result.PEER: 3}
TREES = 100
TRUSTED_TYPE = "sklearn.tree._tree.Tree"
"""Without it the stock call refuses every forest; the provider names it itself."""
_BOTH = ("pandas", "sklearn.datasets", "sklearn.ensemble", "mlflow", "mlflow.sklearn")
IMPORTS = {
    result.OURS: (*_BOTH, "mlflow.models", "skops.io", "airfoil.clients.tracking"),
    result.PEER: _BOTH,
}
MOST_SECONDS = 1.0
_QUIET_SECONDS = 180.0
_READY_SECONDS = 120.0
_DISTRIBUTIONS = ("airfoil", "mlflow", "scikit-learn", "skops")
FIGURES = (
    Figure("seconds", "A model, once the libraries are loaded", "s", 2, is_plotted=True),
    Figure("first_seconds", "The first one of a process, without imports", "s", 2),
    Figure("import_seconds", "The imports", "s", 2),
    Figure("peak_mib", "Memory of the process at its largest", "MiB", 0),
)
LEAD = (
    "Storing a model runs a guess of its requirements in a process of its own, unless they are given. The provider "
    "gives them: pinned as installed, with signature, example rows and a format that runs no code."
)
NOTES = (
    f"A random forest of {TREES} trees on the wine data, with example rows, against one MLflow server on loopback.",
    "The stock call is made as MLflow's documentation makes it, and is told the one type that it refuses otherwise.",
    "Imports: scikit-learn, pandas, and what each side loads to save and to log; each process starts without any.",
    "Both models are loaded again and must predict the same.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    if options.side:
        print(json.dumps(_SIDES[options.side](options.url, options.calls)))
        return 0
    return hold(NAME, _compare, options)


def _compare(folder: Path, scale: float, say: Progress) -> Result:
    machine.wait_for_quiet(_QUIET_SECONDS * scale, say)
    with _server(folder) as url:
        say(f"server at {url}")
        seen = {
            side: _measure(side, url, max(1, round(calls * scale)), say) for side, calls in WARM_CALLS.items()
        }
        predictions = [_predictions(url, seen[side]["uri"]) for side in seen]
    return assemble(seen, equal=predictions[0] == predictions[1] != [])


def assemble(seen: Mapping[str, Mapping[str, Any]], *, equal: bool) -> Result:
    """The result of both sides."""
    numbers = {
        side: {
            "seconds": statistics.median(one["warm"]),
            "first_seconds": one["first"],
            "import_seconds": one["import"],
            "peak_mib": one["peak_mib"],
        }
        for side, one in seen.items()
    }
    return Result(
        name=NAME,
        title="Logging a model",
        lead=LEAD,
        size={"trees": TREES},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=min(len(one["warm"]) for one in seen.values()),
        sides=[
            Side(
                result.OURS, "mlflow_run.log_model", 'mlflow_run.log_model(forest, name="wine", example=rows)'
            ),
            Side(
                result.PEER,
                "mlflow.sklearn.log_model",
                'mlflow.sklearn.log_model(forest, name="wine", input_example=rows,\n'
                f'                         skops_trusted_types=["{TRUSTED_TYPE}"])',
            ),
        ],
        figures=FIGURES,
        numbers=numbers,
        equal=equal,
        goals=[Goal("A random forest, warm", numbers[result.OURS]["seconds"], MOST_SECONDS, "s")],
        notes=NOTES,
        machine=machine.describe(),
        details={side: {"warm": one["warm"]} for side, one in seen.items()},
    )


def _measure(side: str, url: str, calls: int, say: Progress) -> dict[str, Any]:
    arguments = ["-m", "benchmarks.log_model", "--side", side, "--url", url, "--calls", str(calls)]
    found = ask_python(arguments, f"{side} failed", environment={"MLFLOW_TRACKING_URI": url})
    say(f"{side}: {statistics.median(found['warm']):.2f} s warm, {found['first']:.2f} s first")
    return found


def _ours(url: str, calls: int) -> dict[str, Any]:
    """In the process of our side."""
    imports = _import(result.OURS)
    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.clients.mlflow_server import MlflowServer
    from airfoil.clients.run_keys import RunKey
    from airfoil.clients.tracking import Tracking

    forest, rows = _forest()
    with Tracking(MlflowHttp(MlflowServer(url))) as tracking:
        run = tracking.open_task(RunKey("bench", f"run-{os.getpid()}", "train"), experiment="bench")

        def log(name: str) -> str:
            return run.log_model(forest, name=name, example=rows).uri

        found = _timed(log, calls)
        run.close()
    return found | {"import": imports, "peak_mib": peak_mib()}


def _stock(url: str, calls: int) -> dict[str, Any]:
    """In the process of the peer's side."""
    imports = _import(result.PEER)
    import mlflow
    import mlflow.sklearn

    forest, rows = _forest()
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment("bench-stock")
    with mlflow.start_run():

        def log(name: str) -> str:
            model = mlflow.sklearn.log_model(
                forest, name=name, input_example=rows, skops_trusted_types=[TRUSTED_TYPE]
            )
            return str(model.model_uri)

        found = _timed(log, calls)
    return found | {"import": imports, "peak_mib": peak_mib()}


_SIDES: Mapping[str, Callable[[str, int], dict[str, Any]]] = {result.OURS: _ours, result.PEER: _stock}


def _import(side: str) -> float:
    """Load what a side needs; seconds it took."""
    began = time.perf_counter()
    for name in IMPORTS[side]:
        importlib.import_module(name)
    return time.perf_counter() - began


def _forest() -> tuple[Any, Any]:
    """The same forest in both processes, and example rows."""
    from sklearn.datasets import load_wine
    from sklearn.ensemble import RandomForestClassifier

    wine = load_wine(as_frame=True)
    forest = RandomForestClassifier(n_estimators=TREES, random_state=7).fit(wine.data, wine.target)
    return forest, wine.data.head(5)


def _timed(log: Callable[[str], str], calls: int) -> dict[str, Any]:
    seconds, uri = [], ""
    for number in range(calls + 1):
        began = time.perf_counter()
        uri = log(f"wine{number}")
        seconds.append(time.perf_counter() - began)
    return {"first": seconds[0], "warm": seconds[1:], "uri": uri}


def _predictions(url: str, uri: str) -> list[float]:
    code = (
        "import json, mlflow.pyfunc, sklearn.datasets as d; rows = d.load_wine(as_frame=True).data;"
        f"found = [float(one) for one in mlflow.pyfunc.load_model({uri!r}).predict(rows)];"
        "print(json.dumps({'predictions': found}))"
    )
    said = ask_python(["-c", code], f"{uri} cannot be loaded", environment={"MLFLOW_TRACKING_URI": url})
    return list(said["predictions"])


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """One MLflow server for both sides."""
    port = free_port(5000)
    url = f"http://{LOOPBACK}:{port}"
    argv = [str(BIN / "mlflow"), "server", "--workers", "1", "--port", str(port)]
    argv += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    argv += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=clean_environment() | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + _READY_SECONDS
        while not _is_well(url):
            if process.poll() is not None or time.monotonic() > until:
                raise BenchmarkError(f"MLflow does not start:\n{(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _is_well(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/health", trust_env=False, timeout=2).is_success
    return False


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the server keeps what is logged")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
