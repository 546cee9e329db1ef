"""The ground floor: `airfoil up` against `airflow standalone` + `mlflow server`, plain and tuned by settings.

`python -m benchmarks.floor`, or `make bench NAME=floor`. Contenders run one after the other, each from a state in which
it was set up, started once and stopped. Takes about twenty minutes; nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import httpx

from benchmarks import chain, machine, result
from benchmarks.contender import BenchmarkError, Contender
from benchmarks.measurement import Measurement, initialise, measure
from benchmarks.ours import Ours
from benchmarks.peers import TUNED_IDLE_SLEEP_SECONDS, Peer, TunedPeer
from benchmarks.progress import Progress
from benchmarks.publishing import publish
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.size import Size, scale_from

NAME = "floor"
KEYS = (Ours.key, Peer.key, TunedPeer.key)
_DISTRIBUTIONS = ("airfoil", "apache-airflow-core", "mlflow")
_CPU_TOLERANCE = 1.25
"""Idle CPU counts as equal within a quarter."""

FIGURES = (
    Figure("seconds", "Until all is ready", "s", 1, is_plotted=True),
    Figure("peak_mib", "Memory at rest", "MiB", 0, is_plotted=True),
    Figure("after_tasks_mib", "Memory after the tasks", "MiB", 0, is_plotted=True),
    Figure("idle_cpu_percent", "CPU at rest, of one core", "%", 1, is_plotted=True),
    Figure("chain_seconds", "Chain of 10 empty tasks", "s", 2, is_plotted=True),
    Figure("first_chain_seconds", "The first such chain after the start", "s", 2),
    Figure("mapped_seconds", "Two runs of 100 empty tasks at once", "s", 1),
    Figure("unfinished_runs", "Runs of these that had not ended after 10 minutes", "", 0),
    Figure("server_errors", "Requests that failed meanwhile", "", 0),
    Figure("processes", "Processes at rest", "", 0),
    Figure("stop_seconds", "Until stopped", "s", 1),
    Figure("left_processes", "Processes left after the stop", "", 0),
    Figure("left_ports", "Ports left open after the stop", "", 0),
)
LEAD = (
    "From a set-up project to a platform that works: how long it takes until everything is truly ready, what it costs "
    "while nobody uses it, and how quickly small tasks follow each other."
)
NOTES = (
    "Each contender was set up, started once and stopped; then they ran one after the other on a quiet machine.",
    "Before each start all installed files and the contender's own were read once: nobody starts from a cold disk.",
    (
        "Ready: Airflow says that its database, scheduler, triggerer and DAG processor are healthy, with heartbeats of "
        "this start; the chain DAG is there over REST; MLflow is healthy and answers a search; our page is healthy."
    ),
    (
        "Memory: proportional set size of all processes after 30 s of rest, ours with its manager and status page; "
        "again 30 s after all chains and two runs of 100 tasks."
    ),
    "CPU: all processes over 60 s at rest, nobody looking.",
    (
        "Chain: from the request over REST to the end of the run, median of 10, requested at moments spread over the "
        "phase of a second. The tasks are really executed."
    ),
    "Stopped: `airfoil down`; Ctrl-C for the peers. Left: 10 s later.",
    "The tuned peer's `scheduler_idle_sleep_time` is chosen so that its CPU at rest is about ours.",
    "Telemetry is off everywhere; ports are the documented defaults where those are free.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    try:
        size = Size.of(scale_from())
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # so that everything is cleaned up as after Ctrl-C
    # A shell starts background jobs with Ctrl-C ignored; the contenders must not inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="airfoil-bench-"))
    say = Progress(NAME)
    try:
        contenders = _contenders(folder, options)
        measured = _run(contenders, size, options.repeats, folder, say)
    except (BenchmarkError, httpx.HTTPError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; everything that was started has been ended.", file=sys.stderr)
        return 130
    finally:
        if options.keep:
            say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if set(measured) != set(KEYS):
        seen = {key: [one.figures() | one.details() for one in found] for key, found in measured.items()}
        print(json.dumps(seen, indent=2))
        return 0
    found = assemble(contenders, measured, size)
    return publish(found, say, is_full=size.is_full, is_checked=options.check)


def assemble(
    contenders: Sequence[Contender], measured: Mapping[str, Sequence[Measurement]], size: Size
) -> Result:
    """The result of all measurements."""
    numbers = {key: result.medians([one.figures() for one in found]) for key, found in measured.items()}
    details = {key: [one.details() for one in found] for key, found in measured.items()}
    return Result(
        name=NAME,
        title="The ground floor",
        lead=LEAD,
        size=size.to_dict(),
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=min(len(found) for found in measured.values()),
        sides=[Side(contender.key, contender.label, contender.described) for contender in contenders],
        figures=FIGURES,
        numbers=numbers,
        equal=all(_did_all(one, size) for found in measured.values() for one in found),
        goals=goals(numbers),
        notes=NOTES,
        machine=machine.describe(),
        details=details,
    )


def goals(numbers: Mapping[str, Mapping[str, float]]) -> list[Goal]:
    """What the ground floor promises."""
    ours, peer, tuned = (numbers[key] for key in KEYS)
    return [
        Goal("Time until ready, against the peer", ours["seconds"] / peer["seconds"], 0.7),
        Goal("Memory at rest, against the peer", ours["peak_mib"] / peer["peak_mib"], 0.3),
        Goal("Memory at rest", ours["peak_mib"], 1024, "MiB"),
        Goal("Memory after 200 tasks", ours["after_tasks_mib"], 1.2 * 1024, "MiB"),
        Goal("CPU at rest, of one core", ours["idle_cpu_percent"], 5, "%"),
        Goal("Chain of 10 empty tasks, against the peer", ours["chain_seconds"] / peer["chain_seconds"], 0.3),
        Goal("Memory at rest, against the tuned peer", ours["peak_mib"] / tuned["peak_mib"], 1),
        Goal("Chain of 10, against the tuned peer", ours["chain_seconds"] / tuned["chain_seconds"], 1),
        Goal(
            "CPU at rest, against the tuned peer (equal within a quarter)",
            ours["idle_cpu_percent"] / max(tuned["idle_cpu_percent"], 0.1),
            _CPU_TOLERANCE,
        ),
        Goal("Processes and ports left after the stop", ours["left_processes"] + ours["left_ports"], 0),
    ]


def _did_all(one: Measurement, size: Size) -> bool:
    chains = (size.chain_runs + 1) * chain.CHAIN_TASKS
    return one.chains.successes == chains and one.mapped.successes == size.mapped_runs * size.mapped_tasks


def _contenders(folder: Path, options: argparse.Namespace) -> list[Contender]:
    every = [
        Ours(folder / Ours.key),
        Peer(folder / Peer.key, on_other_ports=options.other_ports),
        TunedPeer(
            folder / TunedPeer.key, on_other_ports=options.other_ports, idle_sleep_seconds=options.idle_sleep
        ),
    ]
    return [contender for contender in every if contender.key in options.only]


def _run(
    contenders: Sequence[Contender], size: Size, repeats: int, folder: Path, say: Progress
) -> dict[str, list[Measurement]]:
    measured: dict[str, list[Measurement]] = {contender.key: [] for contender in contenders}
    for contender in contenders:
        say.subject = contender.key
        initialise(contender, folder / "logs" / contender.key, size, say)
    for _ in range(repeats):
        for contender in contenders:
            say.subject = contender.key
            measured[contender.key].append(measure(contender, folder / "logs" / contender.key, size, say))
    say.subject = NAME
    return measured


def _leave(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--repeats", type=int, default=1, help="measure all contenders so often, in turn")
    parser.add_argument(
        "--only", nargs="+", choices=KEYS, default=KEYS, help="some contenders; nothing is kept"
    )
    parser.add_argument(
        "--idle-sleep",
        type=float,
        default=TUNED_IDLE_SLEEP_SECONDS,
        help="of the tuned peer's scheduler, seconds",
    )
    parser.add_argument(
        "--other-ports",
        action="store_true",
        help="the peers leave their default ports alone; for a machine where others may take them meanwhile",
    )
    parser.add_argument("--keep", action="store_true", help="keep the working folder with all logs")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
