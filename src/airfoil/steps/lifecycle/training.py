"""Split a clean table, fit one classifier of the zoo, and measure candidates among its hyper-parameters.

Classes are numbers from 0 on here, in the order of the contract: all model types take them, and they mean the same in
every version. Must not log, store, or judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, TableError
from airfoil.records import Scores
from airfoil.steps.model_zoo import ModelPlan

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
EXAMPLE_ROWS = 3


@dataclass(frozen=True)
class SplitRows:
    """Rows to learn from, rows to be measured on, and how many could be used for neither."""

    train: pd.DataFrame
    held_out: pd.DataFrame
    incomplete: int


@dataclass(frozen=True)
class TrainedModel:
    """A fitted estimator, an example of what it takes, and how well it knows the rows that it has seen."""

    estimator: Any
    example: pd.DataFrame
    seen: Scores


def split_rows(
    frame: pd.DataFrame, target: str, classes: Sequence[str], *, held_out_share: float = 0.25, seed: int = 7
) -> SplitRows:
    """Part rows by chance, each class alike, with numbers in the place of classes."""
    from sklearn.model_selection import train_test_split

    if target not in frame:
        raise ConfigurationError(
            f"The table has no column '{target}' to predict", f"It has {', '.join(map(str, frame.columns))}."
        )
    _check_features(frame.drop(columns=target))
    whole = frame.dropna()
    codes = whole[target].astype(str).map({name: code for code, name in enumerate(classes)})
    if codes.isna().any():
        stranger = str(whole[target][codes.isna()].iloc[0])
        raise TableError(
            f"'{stranger:.60}' is no class of '{target}'", f"The contract knows {', '.join(classes)}."
        )
    numbered = whole.assign(**{target: codes.astype("int64")})
    counts = numbered[target].value_counts()
    rare = [name for code, name in enumerate(classes) if counts.get(code, 0) < 2]  # noqa: PLR2004 - one for each part
    if rare:
        raise TableError(
            f"Of the class '{rare[0]}' there are {counts.get(list(classes).index(rare[0]), 0)} rows, and both parts of "
            f"the table need one",
            "Wait for more rows, or take the class out of the contract.",
        )
    least = len(classes) / len(numbered)
    share = min(max(held_out_share, least), 1 - least)
    train, held_out = train_test_split(
        numbered, test_size=share, random_state=seed, stratify=numbered[target]
    )
    return SplitRows(train, held_out, len(frame) - len(whole))


def train_model(frame: pd.DataFrame, target: str, plan: ModelPlan) -> TrainedModel:
    """Fit a classifier to all rows."""
    features, labels = _parts(frame, target)
    estimator = _fit(plan, features, labels)
    accuracy = float((estimator.predict(features) == labels).mean())
    return TrainedModel(
        estimator, features.head(EXAMPLE_ROWS), Scores(values={"accuracy": accuracy}, rows=len(frame))
    )


def cross_validate(frame: pd.DataFrame, target: str, plan: ModelPlan, *, seed: int = 7) -> Scores:
    """Measure hyper-parameters on rows that each part of the training has not seen."""
    from sklearn.model_selection import StratifiedKFold

    features, labels = _parts(frame, target)
    folds = min(FOLDS, int(labels.value_counts().min()))
    if folds < 2:  # noqa: PLR2004 - one part to learn from, one to be measured on
        raise TableError(
            "A class has one row alone, so candidates cannot be compared", "Switch the search off (search 0)."
        )
    right = 0
    for seen, unseen in StratifiedKFold(folds, shuffle=True, random_state=seed).split(features, labels):
        estimator = _fit(plan, features.iloc[seen], labels.iloc[seen])
        right += int((estimator.predict(features.iloc[unseen]) == labels.iloc[unseen]).sum())
    return Scores(values={"accuracy": right / len(frame)}, rows=len(frame))


def _parts(frame: pd.DataFrame, target: str) -> tuple[pd.DataFrame, pd.Series[int]]:
    return frame.drop(columns=target), frame[target]


def _fit(plan: ModelPlan, features: pd.DataFrame, labels: pd.Series[int]) -> Any:
    try:
        return plan.build().fit(features, labels)
    except ValueError as error:  # what scikit-learn and XGBoost say about data and parameters
        said = " ".join(str(error).split())
        raise ConfigurationError(
            f"{type(plan).__name__} cannot learn from this table: {said[:300]}",
            "Change its hyper-parameters, or take another model type.",
        ) from error


def _check_features(features: pd.DataFrame) -> None:
    import pandas as pd

    if not len(features.columns):
        raise ConfigurationError(
            "The table has nothing to predict from", "Name more columns in the contract."
        )
    odd = [str(name) for name in features if not pd.api.types.is_numeric_dtype(features[name])]
    if odd:
        raise ConfigurationError(
            f"The models of this pipeline learn from numbers, and '{odd[0]}' holds none",
            "Leave it out of the contract, or make numbers of it in a task between etl and split.",
        )
