"""Save a fitted model as a folder that MLflow can load, with everything stated and nothing guessed.

Requirements are given, not inferred: inference starts a process that imports the model and takes 10 to 20 seconds.
The format is XGBoost's own (UBJSON, which holds numbers only), else skops, which loads data and known types only;
(cloud)pickle would run code chosen by whoever wrote the file, so it is not offered. This module must not talk to a
server.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

# Types that skops does not trust by itself: our own, and those of common estimators; loading them runs no code.
TRUSTED_TYPES = (
    "airfoil.steps.trading.model.MomentumModel",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
BASE_PACKAGES = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")
XGBOOST_PACKAGES = ("mlflow", "numpy", "pandas")
XGBOOST_NAMES = ("xgboost", "xgboost-cpu")
"""The distributions that bring the module xgboost; the second one without GPU libraries."""

# A worker may have the small one, which is the same module in the same release; who loads the model may have the other.
STAND_INS = {"mlflow": "mlflow-skinny"}


@dataclass(frozen=True)
class ModelIdentity:
    """What the MLmodel file says about where the model belongs."""

    model_id: str
    run_id: str
    artifact_uri: str


def pinned_requirements(packages: Iterable[str]) -> list[str]:
    """Return `name==version` as installed here, sorted; a package that is not installed is an error."""
    pins = []
    for package in sorted(set(packages)):
        try:
            pins.append(f"{package}=={_version(package)}")
        except metadata.PackageNotFoundError as error:
            move = f"Install it (`uv add {package}`), or take it from the model's packages."
            if package in BASE_PACKAGES:
                move = "Install what saving models needs: `pip install 'airfoil[models]'`."
            raise ConfigurationError(
                f"The model is said to need '{package}', which is not installed here", move
            ) from error
    return pins


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        if package not in STAND_INS:
            raise
        return metadata.version(STAND_INS[package])


def save_model(
    estimator: Any,
    folder: Path,
    *,
    example: pd.DataFrame,
    identity: ModelIdentity | None = None,
    packages: Sequence[str] = (),
    trusted_types: Sequence[str] = (),
) -> None:
    """Write an estimator in the format of its library: XGBoost, else scikit-learn and what behaves like it."""
    if is_xgboost(estimator):
        save_xgboost_model(estimator, folder, example=example, identity=identity, packages=packages)
    else:
        save_sklearn_model(
            estimator,
            folder,
            example=example,
            identity=identity,
            packages=packages,
            trusted_types=trusted_types,
        )


def is_xgboost(estimator: Any) -> bool:
    """Tell whether XGBoost itself can write this: a booster, or one of its classes in the manner of scikit-learn."""
    return any(kind.__module__.partition(".")[0] == "xgboost" for kind in type(estimator).__mro__)


def save_xgboost_model(
    estimator: Any,
    folder: Path,
    *,
    example: pd.DataFrame,
    identity: ModelIdentity | None = None,
    packages: Sequence[str] = (),
) -> None:
    """Write an XGBoost model as an MLflow model: UBJSON file, signature, example rows, pinned packages."""
    # Before the imports: what is missing is told in words, and at once.
    requirements = pinned_requirements((*XGBOOST_PACKAGES, _installed(XGBOOST_NAMES), *packages))

    import mlflow.xgboost

    mlflow.xgboost.save_model(
        estimator,
        str(folder),
        mlflow_model=_model(identity),
        model_format="ubj",
        signature=_signature(example, _predict(estimator, example)),
        input_example=example,
        pip_requirements=requirements,
    )


def save_sklearn_model(
    estimator: Any,
    folder: Path,
    *,
    example: pd.DataFrame,
    identity: ModelIdentity | None = None,
    packages: Sequence[str] = (),
    trusted_types: Sequence[str] = (),
) -> None:
    """Write a scikit-learn estimator as an MLflow model: skops file, signature, example rows, pinned packages."""
    requirements = pinned_requirements((*BASE_PACKAGES, *packages))

    import mlflow.sklearn
    from mlflow.exceptions import MlflowException

    if "skops.io" not in sys.modules:
        name_homes_of_scipy_functions()
    try:
        mlflow.sklearn.save_model(
            estimator,
            str(folder),
            mlflow_model=_model(identity),
            serialization_format="skops",
            signature=_signature(example, estimator.predict(example)),
            input_example=example,
            pip_requirements=requirements,
            skops_trusted_types=sorted({*TRUSTED_TYPES, *trusted_types}),
        )
    except MlflowException as error:
        raise ConfigurationError(
            f"The model cannot be saved safely: {error.message}",
            "Name the types you trust in 'trusted_types', after reading what they do.",
        ) from error


def _signature(example: pd.DataFrame, predictions: Any) -> Any:
    """Return which columns a model takes and gives; a column of whole numbers is meant as such."""
    from mlflow.models import infer_signature

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Hint: Inferred schema contains integer column")
        return infer_signature(example, predictions)


def _model(identity: ModelIdentity | None) -> Any:
    """Return the description that MLflow fills in."""
    from mlflow.models import Model

    if identity is None:
        return Model()
    return Model(
        artifact_path=identity.artifact_uri,
        model_id=identity.model_id,
        model_uuid=identity.model_id,
        run_id=identity.run_id,
    )


def _installed(names: Sequence[str]) -> str:
    """Return the first of several distributions that is installed here, else the first."""
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            metadata.version(name)
            return name
    return names[0]


def _predict(estimator: Any, example: pd.DataFrame) -> Any:
    """Predict with an XGBoost model of either kind; a bare booster takes a matrix of its own."""
    if type(estimator).__name__ != "Booster":
        return estimator.predict(example)
    import xgboost

    return estimator.predict(xgboost.DMatrix(example))


def name_homes_of_scipy_functions() -> None:
    """Say of each scipy function that carries no module name which module it lives in.

    When skops is imported it asks every loaded module for each of these 230 functions. Beside Airflow (4,400 modules,
    many of which answer with a deprecation warning) that takes 13 seconds and a thousand log lines; functions that name
    their home are not searched for. The names are those that the search would find.
    """
    import numpy as np
    import scipy.special  # noqa: F401 - what matters is that its modules are loaded

    homes = [(name, module) for name, module in sys.modules.items() if name.startswith("scipy.special")]
    for name, module in homes:
        for function in list(vars(module).values()):
            if isinstance(function, np.ufunc) and getattr(function, "__module__", None) is None:
                with suppress(
                    AttributeError
                ):  # before numpy 2.3 they cannot carry a name; the import is slow then
                    function.__module__ = name
