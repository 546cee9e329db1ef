"""The process behind `FreshProcess`: reads one question, loads what an alias points to, predicts, answers, ends.

`python -m airfoil.clients.fresh_prediction` with a question as JSON on its input; the answer is one line on its output,
and an error of ours is an answer too. Must not write anything anywhere.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_endpoints import ANSWER, Predictions
from airfoil.clients.model_loading import LoadedModel, load_model
from airfoil.clients.model_registry import version_of
from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError

if TYPE_CHECKING:
    import httpx
    import pandas as pd


def answer(question: Mapping[str, Any], *, transport: httpx.BaseTransport | None = None) -> Predictions:
    """Load the model and predict."""
    import pandas as pd

    model, alias = str(question["model"]), str(question["alias"])
    began = time.perf_counter()
    with MlflowHttp(MlflowServer(**question["server"]), transport=transport) as http:
        found = http.do(version_of(model, alias))
        if found is None:
            raise NotFoundError(f"There is no model {model}@{alias}", "See `airfoil models list`.")
        # By its number: the alias may move between two requests, and the answer says which version it is of.
        loaded = load_model(
            http, f"models:/{model}/{found.version}", trusted_types=question.get("trusted_types", ())
        )
    load_seconds = time.perf_counter() - began
    frame = pd.DataFrame(list(question["rows"]))
    predictions = _predict(loaded, frame, f"{model}@{alias} (version {found.version})")
    return Predictions(
        model=model,
        alias=alias,
        version=found.version,
        predictions=tuple(predictions),
        load_seconds=round(load_seconds, 3),
        latency_ms=tuple(_times(loaded, frame, int(question.get("alone", 0)))),
    )


def _predict(loaded: LoadedModel, frame: pd.DataFrame, shown: str) -> list[Any]:
    try:
        found = loaded.predict(frame)
    except (
        ValueError,
        KeyError,
        TypeError,
    ) as error:  # what an estimator says about rows that it cannot take
        said = " ".join(str(error).split())[:300]
        raise ConfigurationError(
            f"{shown} cannot predict these rows: {said}", "It was trained on other columns; train it again."
        ) from error
    return list(found.tolist() if hasattr(found, "tolist") else found)


def _times(loaded: LoadedModel, frame: pd.DataFrame, count: int) -> list[float]:
    """Return how many milliseconds each of the first rows takes alone."""
    found = []
    for number in range(min(count, len(frame))):
        row = frame.iloc[[number]]
        began = time.perf_counter()
        loaded.predict(row)
        found.append(round((time.perf_counter() - began) * 1000, 4))
    return found


def main() -> None:
    """Answer the question on the standard input."""
    try:
        told: dict[str, Any] = {"answer": answer(json.loads(sys.stdin.read())).to_json()}
    except AirfoilError as error:
        told = {
            "error": {"kind": type(error).__name__, "message": error.message, "next_move": error.next_move}
        }
    print(f"{ANSWER}{json.dumps(told)}", flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
