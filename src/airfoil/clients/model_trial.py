"""Loads a model from a folder and predicts its own input example: proof that a copy of it is a model still.

`python -m airfoil.clients.model_trial FOLDER` prints a line of JSON: `rows` and `predictions`, or `skipped` or `error`
with the reason. Code that comes with a model's files is never run. Must not write anything.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from airfoil.clients.model_loading import read_model
from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError

ANSWER = "airfoil-answer: "
_SHOWN = 5


def try_model(folder: Path) -> dict[str, Any]:
    """Load and predict; what keeps this model from being tried at all is `skipped`, what is wrong with it `error`."""
    try:
        described: Any = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        trusted = described.get("flavors", {}).get("sklearn", {}).get("skops_trusted_types") or ()
        example = described.get("saved_input_example_info") or {}
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        return {"error": f"its MLmodel cannot be read: {error}"}
    try:
        loaded = read_model(folder, "it", trusted_types=_of_airfoil(trusted))
    except AirfoilError as error:
        untried = isinstance(error, ConfigurationError) and not isinstance(error, NotFoundError)
        return {"skipped" if untried else "error": error.message}
    except Exception as error:  # noqa: BLE001 - a damaged file fails in whatever way its library has
        return {"error": f"it cannot be loaded: {type(error).__name__}: {str(error)[:200]}"}
    if example.get("type") != "dataframe" or example.get("pandas_orient") != "split":
        return {"rows": 0, "predictions": [], "note": "loaded; it has no input example that is a table"}
    return _predict(loaded, folder / str(example["artifact_path"]))


def _predict(loaded: Any, file: Path) -> dict[str, Any]:
    import pandas as pd

    try:
        given = json.loads(file.read_text(encoding="utf-8"))
        frame = pd.DataFrame(given["data"], columns=given["columns"])
        found = loaded.predict(frame)
    except Exception as error:  # noqa: BLE001 - as above
        return {"error": f"it cannot predict its input example: {type(error).__name__}: {str(error)[:200]}"}
    values = found.tolist() if hasattr(found, "tolist") else list(found)
    if len(values) != len(frame):
        return {"error": f"it predicts {len(values)} values for {len(frame)} rows"}
    return {"rows": len(frame), "predictions": values[:_SHOWN]}


def _of_airfoil(types: Any) -> tuple[str, ...]:
    """Trust of what the model's own file asks for nothing but names of libraries that hold data."""
    return tuple(one for one in types if str(one).startswith(("numpy.", "sklearn.", "airfoil.steps.")))


def main() -> None:
    """Entry point."""
    print(f"{ANSWER}{json.dumps(try_model(Path(sys.argv[1])), default=str)}", flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
