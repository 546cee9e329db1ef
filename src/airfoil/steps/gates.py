"""Decides whether a model is good enough: thresholds and direction stand here, measuring is done elsewhere.

A decision is a value with its numbers and its reason; whether it fails a task is the caller's business.
"""

from __future__ import annotations

import math

from airfoil.records import GateDecision, Scores

BETTER_WHEN_LOWER = frozenset({"rmse", "mae", "log_loss"})


def beat_baseline(scores: Scores, baseline: Scores, metric: str, *, min_gain: float) -> GateDecision:
    """Let a model through when it makes at least this share fewer errors than guessing does.

    The error of a share such as accuracy is what is missing to 1. A metric that was not measured, or is no number,
    lets nothing through.
    """
    value, guessed = scores.values.get(metric, math.nan), baseline.values.get(metric, math.nan)
    if math.isnan(value) or math.isnan(guessed):
        return GateDecision(passed=False, metric=metric, reason=f"{metric} was not measured on both sides")
    is_lower = metric in BETTER_WHEN_LOWER
    error, guess = (value, guessed) if is_lower else (1 - value, 1 - guessed)
    limit = (1 - min_gain) * guess
    needed = limit if is_lower else 1 - limit
    passed = error <= limit and error < guess
    comparison = "at most" if is_lower else "at least"
    reason = f"{metric} is {value:.6g}; {comparison} {needed:.6g} is needed, guessing gives {guessed:.6g}"
    return GateDecision(
        passed=passed, metric=metric, value=value, baseline=guessed, needed=needed, reason=reason
    )
