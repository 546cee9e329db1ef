"""What it takes to measure many sets of parameters on many prices: all at once, against a loop of pandas over the sets.

`python -m benchmarks.trading`, or `make bench NAME=trading`. Each side is a process of its own on the same prices and
leaves the table of all its numbers; imports are measured apart. No Airflow: that is `tests/system`'s and the guide's.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine, result
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.side import ask_python, peak_mib
from benchmarks.trial import hold, options_of

if TYPE_CHECKING:
    import pandas as pd

    from airfoil.steps.trading.momentum import MomentumParameters
    from airfoil.steps.trading.plan import SweepPlan
    from airfoil.steps.trading.walk_forward import Period

NAME = "trading"
SYMBOLS, YEARS, SETS, SEED = 50, 20, 500, 7
MOST_SECONDS, MOST_MIB = 30.0, 400.0
FIRST_DAY = date(2006, 1, 2)
PRICES = "prices.parquet"
_YEAR_DAYS = 252
_LEAST_SPREAD = 1e-12
_TOLERANCE = 1e-9
_QUIET_SECONDS = 180.0
_DISTRIBUTIONS = ("airfoil", "numpy", "pandas", "pyarrow")
FIGURES = (
    Figure("seconds", "All sets measured, reading included", "s", 2, is_plotted=True),
    Figure("import_seconds", "The imports", "s", 2),
    Figure("peak_mib", "Memory of the process at its largest", "MiB", 0, is_plotted=True),
)
LEAD = "A grid of momentum parameters is traded on daily prices, and measured on all days and in each fold."
NOTES = (
    f"{SETS} sets of parameters, {YEARS} years of {SYMBOLS} symbols, one process on one core on each side.",
    "pandas does it as it is mostly done: a function of a frame and a set of parameters, called in a loop.",
    "Equal: each number of each set, to 1e-9 of its size.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    if options.side:
        print(json.dumps(_SIDES[options.side](Path(options.data), options.sets)))
        return 0
    return hold(NAME, _compare, options)


def _compare(folder: Path, scale: float, say: Progress) -> Result:
    count = max(2, round(SETS * scale))
    rows = write_prices(folder, SYMBOLS, YEARS)
    say(f"wrote {rows} prices")
    machine.wait_for_quiet(_QUIET_SECONDS * scale, say)
    seen = {side: _measure(side, folder, count, say) for side in (result.OURS, result.PEER)}
    return assemble(seen, count, rows, equal=_agree(folder))


def assemble(seen: Mapping[str, Mapping[str, float]], sets: int, rows: int, *, equal: bool) -> Result:
    """The result of both sides."""
    return Result(
        name=NAME,
        title="A sweep of trading parameters",
        lead=LEAD,
        size={"sets": sets, "prices": rows, "symbols": SYMBOLS},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=1,
        sides=[
            Side(result.OURS, "airfoil.steps.trading", "run_sweep(prices, sets, rules, folds)"),
            Side(
                result.PEER,
                "pandas",
                "for parameters in sets:\n    ratio = close.shift(skip) / close.shift(lookback)\n"
                "    ...\n    returns = (held.shift(1) * close.pct_change()).sum(axis=1) - costs",
            ),
        ],
        figures=FIGURES,
        numbers=seen,
        equal=equal,
        goals=[
            Goal("Seconds", seen[result.OURS]["seconds"], MOST_SECONDS, "s"),
            Goal("Memory", seen[result.OURS]["peak_mib"], MOST_MIB, "MiB"),
        ],
        notes=NOTES,
        machine=machine.describe(),
    )


def write_prices(folder: Path, symbols: int, years: int) -> int:
    """Write the prices of both sides; how many there are."""
    import pyarrow.parquet as pq

    from airfoil.steps.trading.generated_prices import GeneratedMarket, generate_prices

    last = FIRST_DAY + timedelta(days=round(365.25 * years))
    market = GeneratedMarket(symbols=symbols, first_day=FIRST_DAY, last_day=last, seed=SEED)
    table = generate_prices(market).to_arrow()
    pq.write_table(table, folder / PRICES)
    return int(table.num_rows)


def plan_of(count: int) -> tuple[SweepPlan, tuple[MomentumParameters, ...]]:
    """The plan of both sides, and so many of its sets, spread over the grid."""
    from airfoil.steps.trading.plan import SweepPlan

    plan = SweepPlan()
    every = plan.sets
    return plan, tuple(every[number * len(every) // count] for number in range(min(count, len(every))))


def _measure(side: str, folder: Path, sets: int, say: Progress) -> dict[str, float]:
    arguments = ["-m", "benchmarks.trading", "--side", side, "--data", str(folder), "--sets", str(sets)]
    found = ask_python(arguments, f"{side} failed")
    say(f"{side}: {found['seconds']:.2f} s, {found['peak_mib']:.0f} MiB")
    return found


def _ours(folder: Path, count: int) -> dict[str, float]:
    """In the process of our side: from the file to the table of a sweep."""
    began = time.perf_counter()
    import numpy  # noqa: ICN001, F401 - loaded here, so that it counts as an import
    import pyarrow.parquet as pq

    from airfoil.steps.scans import Scan
    from airfoil.steps.trading.prices import read_prices
    from airfoil.steps.trading.sweep import run_sweep

    plan, sets = plan_of(count)
    imports = time.perf_counter() - began
    began = time.perf_counter()
    prices = read_prices(Scan.of_parquet([folder / PRICES], "prices"))
    measured = run_sweep(prices, sets, plan.rules, plan.folds(prices))
    seconds = time.perf_counter() - began
    pq.write_table(measured, folder / f"{result.OURS}.parquet")
    return {"import_seconds": imports, "seconds": seconds, "peak_mib": peak_mib()}


def _peer(folder: Path, count: int) -> dict[str, float]:
    """In the process of the peer's side: one set after the other, each from the whole frame."""
    began = time.perf_counter()
    import pandas as pd

    imports = time.perf_counter() - began
    from airfoil.steps.trading.prices import PriceTable

    plan, sets = plan_of(count)
    began = time.perf_counter()
    close = pd.read_parquet(folder / PRICES).pivot_table(index="date", columns="symbol", values="close")
    close.index = pd.to_datetime(close.index)
    table = PriceTable(
        "prices", close.index.to_numpy("datetime64[D]"), tuple(close.columns), close.to_numpy()
    )
    periods = plan.folds(table).periods
    rows = [_by_pandas(close, one, plan, periods) for one in sets]
    seconds = time.perf_counter() - began
    pd.DataFrame(rows).to_parquet(folder / f"{result.PEER}.parquet")
    return {"import_seconds": imports, "seconds": seconds, "peak_mib": peak_mib()}


def _by_pandas(
    close: pd.DataFrame, one: MomentumParameters, plan: SweepPlan, periods: Iterable[Period]
) -> dict[str, Any]:
    """One back-test as a notebook would have it: frames, shifts, and one line for each idea."""
    import numpy as np

    ratio = close.shift(one.skip_days) / close.shift(one.lookback_days)
    wanted = (ratio > 1 + one.threshold).astype(float)
    if not one.long_only:
        wanted -= (ratio < 1 - one.threshold).astype(float)
    period = (close.index - np.datetime64("1970-01-01")).days // one.rebalance_days
    is_decided = np.append(False, period[1:] != period[:-1])
    is_decided[: one.lookback_days] = False
    held = wanted[is_decided].reindex(close.index).ffill().fillna(0).shift(plan.rules.delay_days).fillna(0)
    weights = held / close.shape[1]
    traded = weights.diff().abs().sum(axis=1)
    net = (weights.shift(1) * close.pct_change(fill_method=None)).sum(axis=1) - plan.rules.cost_share * traded
    money = (1 + net).clip(lower=0).cumprod()
    losses = float(np.sqrt((net.clip(upper=0) ** 2).mean()))
    yearly = np.sqrt(_YEAR_DAYS)
    return {
        **one.model_dump(),
        "sharpe_ratio": _sharpe(net),
        "sortino_ratio": net.mean() / losses * yearly if losses > _LEAST_SPREAD else np.nan,
        "max_drawdown": (1 - money / money.cummax().clip(lower=1)).max(),
        "turnover_per_year": traded.mean() * _YEAR_DAYS,
        "profit": plan.rules.capital * (money.iloc[-1] - 1),
        **{one.name: _sharpe(net.iloc[one.first : one.last]) for one in periods},
    }


def _sharpe(net: pd.Series[float]) -> float:
    spread = float(net.std())
    return float(net.mean()) / spread * float(_YEAR_DAYS**0.5) if spread > _LEAST_SPREAD else float("nan")


_SIDES: Mapping[str, Callable[[Path, int], dict[str, float]]] = {result.OURS: _ours, result.PEER: _peer}


def _agree(folder: Path) -> bool:
    import numpy as np
    import pyarrow.parquet as pq

    ours, peer = (pq.read_table(folder / f"{side}.parquet") for side in (result.OURS, result.PEER))
    if ours.num_rows != peer.num_rows or set(ours.column_names) != set(peer.column_names):
        return False
    return all(
        np.allclose(
            ours[name].to_numpy().astype(float),
            peer[name].to_numpy().astype(float),
            rtol=_TOLERANCE,
            atol=_TOLERANCE,
            equal_nan=True,
        )
        for name in ours.column_names
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the prices are written, some 3 MiB")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    parser.add_argument("--sets", type=int, default=SETS, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
