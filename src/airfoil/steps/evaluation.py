"""How good a classifier or a regressor is, from its predictions: scores, tables and curves, as one record.

Predictions in, a record out, whatever made them. It draws nothing (`evaluation_charts` does) and judges nothing
(`gates` does); how sure a difference between two models is, `measures` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from airfoil.errors import ConfigurationError
from airfoil.records import Record, Scores
from airfoil.steps.curves import (
    BinnedMeans,
    Histogram,
    RocCurve,
    bin_amounts,
    bin_probabilities,
    count_values,
    trace_roc,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

MOST_CLASSES = 200
MOST_CURVES = 20
"""Curves are drawn for the classes with most rows."""
_TWO = 2
_LEAST_PROBABILITY = 1e-15
_ONE = 1e-6


class ClassScores(Record):
    """How well one class is told from all others."""

    label: str
    precision: float = Field(ge=0, le=1)
    recall: float = Field(ge=0, le=1)
    f1: float = Field(ge=0, le=1)
    rows: int = Field(ge=0)
    """How many rows are truly of this class."""


class ClassifierEvaluation(Record):
    """How good a classifier is."""

    scores: Scores
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Truth downwards, prediction across, in the order of `labels`."""
    classes: tuple[ClassScores, ...]
    roc: tuple[RocCurve, ...] = ()
    """Of the second class where there are two; empty without probabilities, as is `calibration`."""
    calibration: tuple[BinnedMeans, ...] = ()


class RegressorEvaluation(Record):
    """How good a regressor is."""

    scores: Scores
    calibration: BinnedMeans
    residuals: Histogram
    """Truth minus prediction."""


def evaluate_classifier(
    truth: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike | None = None,
    *,
    labels: Sequence[Any] = (),
) -> ClassifierEvaluation:
    """Measure predicted classes, and probabilities where given: one column for each of `labels`, as a model has them.

    With two labels, one column with the probability of the second will do.
    """
    import numpy as np

    names, known, told = _coded(truth, predicted, labels)
    size = len(names)
    confusion = np.bincount(known * size + told, minlength=size * size).reshape(size, size)
    hits, true, claimed = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    classes = tuple(
        ClassScores(
            label=name,
            precision=_share(hit, said),
            recall=_share(hit, rows),
            f1=_share(2 * hit, said + rows),
            rows=int(rows),
        )
        for name, hit, rows, said in zip(names, hits, true, claimed, strict=True)
    )
    seen = [one for one, rows, said in zip(classes, true, claimed, strict=True) if rows + said]
    values = {"accuracy": float(hits.sum() / len(known))}
    for score in ("f1", "precision", "recall"):
        values[f"{score}_macro"] = float(np.mean([getattr(one, score) for one in seen]))
    roc: tuple[RocCurve, ...] = ()
    calibration: tuple[BinnedMeans, ...] = ()
    if probabilities is not None:
        shares = _probabilities(probabilities, len(known), len(labels), size)
        chosen = (
            [1] if size == _TWO else [int(code) for code in np.argsort(-true, kind="stable")[:MOST_CURVES]]
        )
        roc = tuple(trace_roc(known == code, shares[:, code], names[code]) for code in chosen)
        calibration = tuple(bin_probabilities(known == code, shares[:, code], names[code]) for code in chosen)
        values |= _probability_scores(known, shares, roc, calibration)
    return ClassifierEvaluation(
        scores=Scores(values=values, rows=len(known)),
        labels=names,
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
        classes=classes,
        roc=roc,
        calibration=calibration,
    )


def evaluate_regressor(truth: ArrayLike, predicted: ArrayLike) -> RegressorEvaluation:
    """Measure predicted amounts."""
    import numpy as np

    from airfoil.steps.measures import score

    known, told = (np.asarray(values, dtype=float).ravel() for values in (truth, predicted))
    _check_lengths(len(known), len(told))
    unusable = int((~np.isfinite(known) | ~np.isfinite(told)).sum())
    if unusable:
        raise ConfigurationError(
            f"{unusable} of {len(known)} rows have no finite truth or prediction",
            "Leave rows without a truth out, and look at the features of rows that cannot be predicted.",
        )
    residuals = known - told
    values = dict(score(known, told, task="regression").values)
    values |= {
        "median_absolute_error": float(np.median(np.abs(residuals))),
        "mean_residual": float(residuals.mean()),
    }
    return RegressorEvaluation(
        scores=Scores(values=values, rows=len(known)),
        calibration=bin_amounts(known, told, "predicted"),
        residuals=count_values(residuals),
    )


def _coded(
    truth: ArrayLike, predicted: ArrayLike, labels: Sequence[Any]
) -> tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.intp]]:
    """Number the classes, `labels` first and in their order; give truth and predictions as numbers."""
    import numpy as np

    parts = [np.asarray(values).ravel() for values in (list(labels), truth, predicted)]
    _check_lengths(len(parts[1]), len(parts[2]))
    if any(part.dtype.kind not in "biuf" for part in parts if len(part)):
        missing = sum(value is None for part in parts[1:] for value in part)
        parts = [part.astype(str) for part in parts]
    else:
        missing = sum(int(np.isnan(part.astype(float)).sum()) for part in parts[1:])
    if missing:
        raise ConfigurationError(
            f"{missing} classes are missing in truth and predictions", "Leave rows without a truth out."
        )
    found, codes = np.unique(np.concatenate([part for part in parts if len(part)]), return_inverse=True)
    if len(found) > MOST_CLASSES:
        raise ConfigurationError(
            f"There are {len(found)} classes, more than {MOST_CLASSES}", "Evaluate amounts as a regressor's."
        )
    given = codes[: len(labels)]
    order = [*dict.fromkeys(given.tolist()), *sorted(set(range(len(found))) - set(given.tolist()))]
    place = np.empty(len(found), np.intp)
    place[order] = np.arange(len(found))
    rows = place[codes[len(labels) :]]
    names = tuple(_name(found[code]) for code in order)
    return names, rows[: len(parts[1])], rows[len(parts[1]) :]


def _probabilities(given: ArrayLike, rows: int, labels: int, size: int) -> NDArray[np.float64]:
    """Return a column for each class; one that the model did not know has no probability."""
    import numpy as np

    shares = np.asarray(given, dtype=float)
    if shares.ndim == 1 or shares.shape[1:] == (1,):
        shares = shares.reshape(-1, 1)
        shares = np.hstack([1 - shares, shares])
    if shares.shape != (rows, labels):
        raise ConfigurationError(
            f"{shares.shape[0]} rows of {shares.shape[1]} probabilities do not fit {rows} rows of {labels} labels",
            "Give `labels` in the order of the columns, such as estimator.classes_.",
        )
    if not np.isfinite(shares).all() or shares.min() < -_ONE or shares.max() > 1 + _ONE:
        raise ConfigurationError(
            "Some probabilities do not lie between 0 and 1",
            "Give predict_proba's, not a decision function's.",
        )
    return np.hstack([shares.clip(0, 1), np.zeros((rows, size - labels))])


def _probability_scores(
    known: NDArray[np.intp],
    shares: NDArray[np.float64],
    roc: Sequence[RocCurve],
    calibration: Sequence[BinnedMeans],
) -> dict[str, float]:
    import numpy as np

    of_truth = shares[np.arange(len(known)), known]
    values = {
        "log_loss": float(-np.log(of_truth.clip(_LEAST_PROBABILITY, 1)).mean()),
        "calibration_error": float(np.mean([one.error for one in calibration])),
    }
    if shares.shape[1] == _TWO:
        values["brier"] = float(((shares[:, 1] - (known == 1)) ** 2).mean())
    areas = [one.auc for one in roc if one.auc is not None]
    if areas and len(areas) == len(roc):
        values["roc_auc"] = float(np.mean(areas))
    return values


def _check_lengths(known: int, told: int) -> None:
    if known != told or not known:
        raise ConfigurationError(
            f"{told} predictions cannot be compared with {known} true values",
            "Give one prediction for each row, and at least one row.",
        )


def _share(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else 0.0


def _name(label: Any) -> str:
    is_whole = label.dtype.kind == "f" and float(label).is_integer()
    return str(int(label)) if is_whole else str(label)
