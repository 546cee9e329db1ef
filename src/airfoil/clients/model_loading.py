"""Load a logged or registered model for predicting, without running code that its files choose.

skops files are read with the types that are trusted, XGBoost files by XGBoost; a pickle is refused, because loading one
runs whatever it says. mlflow is not imported. Nothing is saved here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airfoil.clients.artifact_folders import fetch_folder
from airfoil.clients.exchange import API, Exchange, get
from airfoil.clients.model_files import TRUSTED_TYPES, name_homes_of_scipy_functions
from airfoil.clients.model_registry import LOGGED_MODEL, version, version_of
from airfoil.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    import pandas as pd

    from airfoil.clients.mlflow_http import MlflowHttp


@dataclass(frozen=True)
class LoadedModel:
    """An estimator, and the columns it wants, as far as it says so."""

    estimator: Any

    def predict(self, frame: pd.DataFrame) -> Any:
        """Predict for each row, from the columns that the model was fitted on."""
        if type(self.estimator).__name__ == "Booster":
            import xgboost

            names = self.estimator.feature_names
            return self.estimator.predict(xgboost.DMatrix(frame[list(names)] if names else frame))
        return self.estimator.predict(self._features(frame))

    def probabilities(self, frame: pd.DataFrame) -> tuple[list[Any], Any] | None:
        """Return the classes and how probable each is for each row; None from what gives no probabilities."""
        classes = getattr(self.estimator, "classes_", None)
        if classes is None or not hasattr(self.estimator, "predict_proba"):
            return None
        return list(classes), self.estimator.predict_proba(self._features(frame))

    def _features(self, frame: pd.DataFrame) -> pd.DataFrame:
        names = getattr(self.estimator, "feature_names_in_", None)
        return frame if names is None else frame[list(names)]


def load_model(http: MlflowHttp, uri: str, *, trusted_types: Sequence[str] = ()) -> LoadedModel:
    """Load what a `models:/...` or `runs:/...` address names."""
    address = http.do(artifact_address(uri))
    with tempfile.TemporaryDirectory(prefix="airfoil-model-") as scratch:
        folder = Path(scratch)
        fetch_folder(http, address, folder)
        return read_model(folder, uri, trusted_types=trusted_types)


def artifact_address(uri: str) -> Exchange[str]:
    """Return where the files of a model lie."""
    if uri.startswith(LOGGED_MODEL):
        model_id = uri.removeprefix("models:/")
        found = yield from get(f"{API}/logged-models/{model_id}")
        return str(found["model"]["info"]["artifact_uri"])
    if uri.startswith("models:/"):
        return (yield from artifact_address((yield from _source(uri))))
    if uri.startswith("runs:/"):
        run_id, _, path = uri.removeprefix("runs:/").partition("/")
        info = (yield from get(f"{API}/runs/get", run_id=run_id))["run"]["info"]
        return f"{info['artifact_uri']}/{path}"
    return uri


def read_model(folder: Path, shown: str, *, trusted_types: Sequence[str] = ()) -> LoadedModel:
    """Read a folder that MLflow calls a model; `shown` is what errors call it."""
    try:
        flavors = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise NotFoundError(f"{shown} is no model of MLflow: {error}", "Name a logged model.") from error
    if "xgboost" in flavors:
        return LoadedModel(_read_xgboost(folder, flavors["xgboost"]))
    if flavors.get("sklearn", {}).get("serialization_format") == "skops":
        file = folder / flavors["sklearn"]["pickled_model"]
        return LoadedModel(_read_skops(file, shown, trusted_types))
    raise ConfigurationError(
        f"{shown} is stored as {', '.join(sorted(flavors))}, which cannot be loaded without running code of its files",
        "Log it with `mlflow_run.log_model` (skops, XGBoost), or evaluate it in a task of your own.",
    )


def _source(uri: str) -> Exchange[str]:
    """Return the source of a registered version: `models:/wine/3` or `models:/wine@champion`."""
    named = uri.removeprefix("models:/")
    if "@" in named:
        name, _, alias = named.rpartition("@")
        found = yield from version_of(name, alias)
    else:
        name, _, number = named.rpartition("/")
        found = (yield from version(name, int(number))) if number.isdigit() else None
    if found is None:
        raise NotFoundError(f"There is no model {uri}", "See `airfoil models list`.")
    return found.source


def _read_xgboost(folder: Path, flavor: dict[str, Any]) -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise _missing("xgboost") from error
    # The name comes from a file: only classes of XGBoost itself are made.
    kind = getattr(xgboost, str(flavor.get("model_class", "Booster")).rpartition(".")[2], xgboost.Booster)
    estimator = kind()
    estimator.load_model(folder / flavor["data"])
    return estimator


def _read_skops(file: Path, shown: str, trusted_types: Sequence[str]) -> Any:
    if "skops.io" not in sys.modules:
        name_homes_of_scipy_functions()
    try:
        from skops import io
        from skops.io.exceptions import UntrustedTypesFoundException
    except ImportError as error:
        raise _missing("skops") from error
    try:
        return io.load(file, trusted=sorted({*TRUSTED_TYPES, *trusted_types}))
    except UntrustedTypesFoundException as error:
        raise ConfigurationError(
            f"{shown} holds types that are not trusted: {error}",
            "Name them in 'trusted_types', after reading what they do.",
        ) from error


def _missing(package: str) -> ConfigurationError:
    return ConfigurationError(
        f"The model needs '{package}', which is not installed here", f"Install it: `uv add {package}`."
    )
