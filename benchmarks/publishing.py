"""How a benchmark ends: its goals told, a full-size result kept and published, the line printed."""

from __future__ import annotations

import json

from benchmarks import readme, report, result
from benchmarks.progress import Progress
from benchmarks.result import Result


def publish(found: Result, say: Progress, *, is_full: bool, is_checked: bool) -> int:
    """The exit code: 1 if it is checked and a goal is missed or the contenders did not do the same work."""
    for goal in found.goals:
        verdict = "met   " if goal.is_met else "MISSED"
        say(f"{verdict} {goal.text}: {goal.value:.3g} (at most {goal.limit:g}) {goal.unit}".rstrip())
    if not found.equal:
        say("MISSED the contenders did not do the same work")
    if is_full:
        say(f"kept {found.keep()}")
        say(f"wrote {report.write(result.load_all())} and {readme.write(result.load_all())}")
    print(json.dumps(found.line()), flush=True)
    is_good = found.equal and all(goal.is_met for goal in found.goals)
    return 1 if is_checked and not is_good else 0
