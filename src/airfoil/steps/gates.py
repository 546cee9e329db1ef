"""Decides whether a model is good enough: thresholds and direction stand here, measuring is done elsewhere.

A decision is a value with its numbers and its reason; whether it fails, skips or branches is the caller's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from airfoil.records import GainInterval, GateDecision, GateOutcome, Record, Scores
from airfoil.steps.directions import higher_is_better

ROUNDING = 1e-9
"""Relative: 0.2 + 0.1 is more than 0.3 to a computer, and not to the person who wrote 0.1 into a gate."""
GAINS = ("min_gain", "min_relative_gain", "fewer_errors", "confidence")
"""The conditions that compare with a champion."""


class Gate(Record):
    """What is asked of one metric. A gain is a comparison with the champion; without any, nobody is compared.

    The direction follows from the metric's name, else from the only bound, else `higher_is_better` has to say it.
    """

    metric: str = Field(min_length=1)
    higher_is_better: bool | None = None
    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    min_gain: FiniteFloat | None = None
    """In the metric's own unit. 0 asks for any gain; below 0 it says how much worse the model may be."""
    min_relative_gain: FiniteFloat | None = Field(default=None, ge=0)
    """As a share of the champion's value."""
    fewer_errors: FiniteFloat | None = Field(default=None, ge=0, le=1)
    """As a share of the champion's errors; the error of a share such as accuracy is what is missing to 1."""
    confidence: float | None = Field(default=None, gt=0, lt=1)
    """How sure the gain must be: the lower end of its interval has to reach it."""
    min_rows: int = Field(default=1, ge=1)
    without_champion: Literal["pass", "fail"] = "pass"
    ties: Literal["pass", "fail"] = "fail"
    """Where any gain is asked for: whether being just as good is enough."""

    @property
    def compares(self) -> bool:
        """Whether a champion is asked for."""
        return any(getattr(self, gain) is not None for gain in GAINS)

    @property
    def is_higher_better(self) -> bool:
        """The direction, from wherever it is known."""
        known = higher_is_better(self.metric) if self.higher_is_better is None else self.higher_is_better
        return self.at_least is not None if known is None else known

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        floor, ceiling = self.at_least, self.at_most
        if floor is None and ceiling is None and not self.compares:
            message = f"the gate asks nothing of {self.metric}: give a bound or a gain"
            raise ValueError(message)
        if floor is not None and ceiling is not None and floor > ceiling:
            message = f"no {self.metric} is at least {floor:g} and at most {ceiling:g}"
            raise ValueError(message)
        is_known = self.higher_is_better is not None or higher_is_better(self.metric) is not None
        if not is_known and (floor is None) == (ceiling is None):
            message = f"whether more {self.metric} is better is not known: say higher_is_better=True or False"
            raise ValueError(message)
        return self


@dataclass(frozen=True)
class _Demand:
    """One condition, whether it holds, and how to say what it asks."""

    is_met: bool
    words: str


def judge(
    gate: Gate,
    scores: Scores,
    champion: Scores | None = None,
    *,
    interval: GainInterval | None = None,
    against: str = "the champion",
    against_version: int | None = None,
) -> GateDecision:
    """Decide by one gate; what was not measured lets nothing through."""
    value = scores.values.get(gate.metric)
    if value is None:
        known = ", ".join(sorted(scores.values)) or "nothing"
        return _refused(gate, "metric_missing", f"{gate.metric} was not measured, only {known}")
    is_higher = gate.is_higher_better
    numbers: dict[str, Any] = {"value": value, "rows": scores.rows, "higher_is_better": is_higher}
    head = f"{gate.metric} is {value:.6g} on {scores.rows} rows"
    if scores.rows < gate.min_rows:
        return _refused(gate, "too_few_rows", f"{head}, and {gate.min_rows} are needed", **numbers)
    demands = _bounds(gate, value)
    is_within = all(demand.is_met for demand in demands)
    if gate.compares:
        numbers |= {"against": against, "against_version": against_version}
        shown = against if against_version is None else f"{against} (version {against_version})"
        if champion is None:
            demands.append(_Demand(gate.without_champion == "pass", f"there is no {shown} to beat"))
        else:
            base = champion.values.get(gate.metric)
            lack = _lack(gate, base, interval, shown)
            if base is None or lack:
                return _refused(gate, "metric_missing", f"{head}, and {lack}", **numbers)
            gain = value - base if is_higher else base - value
            numbers |= {"baseline": base, "gain": gain, "interval": interval}
            demands += _gains(gate, value, base, interval, shown)
    unmet = [demand for demand in demands if not demand.is_met]
    numbers["needed"] = _needed(gate, numbers.get("baseline"))
    nobody = gate.compares and champion is None and is_within
    outcome: GateOutcome = "no_champion" if nobody else "failed" if unmet else "passed"
    reason = f"{head}; {', and '.join(demand.words for demand in unmet or demands)}"
    return GateDecision(passed=not unmet, metric=gate.metric, outcome=outcome, reason=reason, **numbers)


def judge_all(decisions: Sequence[GateDecision]) -> GateDecision:
    """Join the decisions of several gates: all must pass."""
    if not decisions:
        message = "a decision needs at least one gate"
        raise ValueError(message)
    if len(decisions) == 1:
        return decisions[0]
    refused = [one for one in decisions if not one.passed]
    told = refused or decisions
    outcomes = {one.outcome for one in told}
    return GateDecision(
        passed=not refused,
        metric=", ".join(dict.fromkeys(one.metric for one in decisions)),
        outcome=outcomes.pop() if len(outcomes) == 1 else "failed" if refused else "passed",
        reason=". ".join(one.reason for one in told),
        parts=tuple(decisions),
    )


def _bounds(gate: Gate, value: float) -> list[_Demand]:
    demands = []
    if (floor := gate.at_least) is not None:
        demands.append(_Demand(_reaches(value, floor), f"at least {floor:.6g} is needed"))
    if (ceiling := gate.at_most) is not None:
        demands.append(_Demand(_reaches(-value, -ceiling), f"at most {ceiling:.6g} is allowed"))
    return demands


def _gains(
    gate: Gate, value: float, base: float, interval: GainInterval | None, against: str
) -> list[_Demand]:
    sign = 1 if gate.is_higher_better else -1
    wanted = _wanted_gain(gate, base)
    needed = base + sign * wanted
    is_strict = wanted > 0 or (wanted == 0 and gate.ties == "fail")
    side = "least" if sign > 0 else "most"
    more = "more" if sign > 0 else "less"
    ask = f"at {side} {needed:.6g}" if wanted or not is_strict else f"{more} than {needed:.6g}"
    is_met = _reaches(sign * value, sign * needed) and not (is_strict and _reaches(sign * base, sign * value))
    demands = [_Demand(is_met, f"{ask} is needed, for {against} has {base:.6g}")]
    if gate.confidence and interval is not None:
        is_sure = interval.low >= wanted and (interval.low > 0 or not is_strict)
        least = f"{'at least' if wanted or not is_strict else 'more than'} {wanted:.6g}"
        words = (
            f"with {interval.confidence * 100:.4g} % confidence its gain lies between {interval.low:.6g} and "
            f"{interval.high:.6g}, {least} is needed"
        )
        demands.append(_Demand(is_sure, words))
    return demands


def _lack(gate: Gate, base: float | None, interval: GainInterval | None, against: str) -> str:
    """Say what the comparison needs and nobody measured; nothing when it is all there."""
    if base is None:
        return f"that of {against} is not known"
    if gate.confidence and (interval is None or interval.confidence < gate.confidence - ROUNDING):
        asked = f"{gate.confidence * 100:.4g} %"
        return f"how sure its gain over {against} is was not measured with {asked} confidence"
    return ""


def _wanted_gain(gate: Gate, base: float) -> float:
    """Return the largest gain that is asked for, in the metric's own unit."""
    wanted = []
    if gate.min_gain is not None:
        wanted.append(gate.min_gain)
    if gate.min_relative_gain is not None:
        wanted.append(gate.min_relative_gain * abs(base))
    if gate.fewer_errors is not None:
        wanted.append(gate.fewer_errors * ((1 - base) if gate.is_higher_better else base))
    return max(wanted, default=0.0)


def _needed(gate: Gate, base: float | None) -> float | None:
    """Return the value that would have passed every bound on the good side."""
    is_higher = gate.is_higher_better
    bounds = [gate.at_least if is_higher else gate.at_most]
    if base is not None:
        wanted = _wanted_gain(gate, base)
        bounds.append(base + wanted if is_higher else base - wanted)
    known = [bound for bound in bounds if bound is not None]
    return (max(known) if is_higher else min(known)) if known else None


def _reaches(value: float, needed: float) -> bool:
    return value >= needed - ROUNDING * max(abs(value), abs(needed))


def _refused(gate: Gate, outcome: GateOutcome, reason: str, **numbers: Any) -> GateDecision:
    return GateDecision(passed=False, metric=gate.metric, outcome=outcome, reason=reason, **numbers)
