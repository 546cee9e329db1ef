"""Whether more of a metric is better: told by the words in its name, and refused where they do not tell.

A gate with the wrong direction lets the worst model through, so nothing is guessed here.
"""

from __future__ import annotations

import re

HIGHER = frozenset(
    {
        "acc",
        "accuracy",
        "ap",
        "auc",
        "auroc",
        "f1",
        "gini",
        "kappa",
        "lift",
        "mcc",
        "ndcg",
        "precision",
        "r2",
        "recall",
        "sensitivity",
        "sharpe",
        "specificity",
    }
)
LOWER = frozenset(
    {
        "brier",
        "crps",
        "deviance",
        "ece",
        "error",
        "logloss",
        "loss",
        "mae",
        "mape",
        "mse",
        "msle",
        "nll",
        "pinball",
        "rmse",
        "rmsle",
        "smape",
        "wape",
    }
)


def higher_is_better(metric: str) -> bool | None:
    """Tell the direction of a metric; None when its name says nothing, or two things."""
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    is_higher, is_lower = bool(words & HIGHER), bool(words & LOWER)
    if is_higher == is_lower:
        return None
    # scikit-learn turns errors around so that higher is better: neg_mean_squared_error.
    return is_higher != ("neg" in words)
