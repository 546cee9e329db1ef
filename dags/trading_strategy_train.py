"""Find the parameters of a momentum strategy every day, and register them with the evidence.

Five hundred sets of parameters are traded on twenty years of prices, in a few tasks side by side. What counts is the
walk-forward: parameters are chosen on the past, traded on the days that follow, and chosen again. What is good enough
there, and better than the champion, gets the alias. Prices are made up until you say where yours lie:
`airfoil run trading_strategy_train --conf '{"prices": "https://.../prices.csv"}'` with columns date, symbol and close.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, Param, dag, task

from airfoil import DataRef, Model, alert, gate, promote, register, within

if TYPE_CHECKING:
    from airfoil import MlflowRun, WorkArea

MODEL = "momentum"
CHAMPION = Model(MODEL).at("champion")
EXPERIMENT = "trading_models"
MOST_PARTS = 16  # a task costs about a second, and a set a few thousandths of one
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""


@task.mlflow(experiment=EXPERIMENT)
def load_prices(
    work: WorkArea, mlflow_run: MlflowRun, params: dict[str, Any], dag_run: Any = None
) -> DataRef:
    """Read the prices, or make them up to yesterday; refuse what cannot be traded on."""
    from airfoil.clients.table_sources import open_table
    from airfoil.provider.table_inputs import table_source
    from airfoil.steps.scans import Scan
    from airfoil.steps.trading.generated_prices import GeneratedMarket, generate_prices
    from airfoil.steps.trading.plan import SweepPlan
    from airfoil.steps.trading.price_faults import check_prices
    from airfoil.steps.trading.prices import PriceColumns, read_prices

    if params["prices"]:
        source = table_source(params["prices"], "prices", dag_file=__file__)
        with open_table(source, folder=work.path("download")) as files:
            scan = Scan.of_parquet(files.paths, files.name)
            prices = read_prices(scan, PriceColumns(close=params["close_column"]))
    else:
        yesterday = ((dag_run.logical_date or dag_run.run_after) - timedelta(days=1)).date()
        prices = generate_prices(
            GeneratedMarket(symbols=params["symbols"], first_day=params["first_day"], last_day=yesterday)
        )
    check_prices(prices, days_needed=SweepPlan.of_params(params).days_needed)
    kept = work.write("prices", prices.to_arrow())
    mlflow_run.log_dataset("prices", kept)
    mlflow_run.log_metrics({"days": len(prices.days), "symbols": len(prices.symbols)})
    return kept


@task
def split_grid(params: dict[str, Any]) -> list[list[int]]:
    """Split the sets of parameters into about two parts for each core, each as first and last."""
    import os

    from airfoil.steps.trading.plan import SweepPlan
    from airfoil.steps.trading.sweep import split_sets

    parts = split_sets(len(SweepPlan.of_params(params).sets), min(2 * (os.cpu_count() or 1), MOST_PARTS))
    return [list(part) for part in parts]


@task.mlflow(experiment=EXPERIMENT)
def sweep(
    part: list[int], prices: DataRef, work: WorkArea, mlflow_run: MlflowRun, params: dict[str, Any]
) -> DataRef:
    """Trade each set of one part on all prices."""
    from airfoil.steps.scans import Scan
    from airfoil.steps.trading.plan import SweepPlan
    from airfoil.steps.trading.prices import read_prices
    from airfoil.steps.trading.sweep import run_sweep

    plan, table = SweepPlan.of_params(params), read_prices(Scan.of_dataset(work.open(prices)))
    measured = run_sweep(table, plan.sets[part[0] : part[1]], plan.rules, plan.folds(table))
    mlflow_run.log_params({"first_set": part[0], "last_set": part[1] - 1})
    mlflow_run.log_metrics({"sets": measured.num_rows})
    return work.write("measured", measured)


@task.mlflow(experiment=EXPERIMENT)
def select(
    parts: list[DataRef],
    prices: DataRef,
    work: WorkArea,
    mlflow_run: MlflowRun,
    params: dict[str, Any],
) -> dict[str, Any]:
    """Walk forward over the whole grid, and keep the best parameters for tomorrow with the evidence."""
    import pyarrow.csv

    from airfoil.steps.scans import Scan
    from airfoil.steps.trading.model import MomentumModel, example_prices
    from airfoil.steps.trading.plan import SweepPlan
    from airfoil.steps.trading.prices import read_prices
    from airfoil.steps.trading.selection import join_grid, select_parameters

    plan, table = SweepPlan.of_params(params), read_prices(Scan.of_dataset(work.open(prices)))
    grid = join_grid([work.read(part) for part in parts])
    found = select_parameters(table, grid, plan)
    mlflow_run.log_params({"strategy": "momentum", **found.parameters.to_json(), **plan.rules.to_json()})
    mlflow_run.log_metrics(found.scores.values)
    mlflow_run.log_metrics({f"held_{name}": one for name, one in found.held.to_scores().values.items()})
    mlflow_run.log_metrics({"look_ahead_cuts": found.look_ahead_cuts})
    for name, figure in found.figures().items():
        mlflow_run.log_figure(figure, name)
    mlflow_run.log_json(found.steps, "walk_forward.json")
    pyarrow.csv.write_csv(grid, work.path("grid.csv"))
    mlflow_run.log_artifact(work.path("grid.csv"))
    model = mlflow_run.log_model(
        MomentumModel.of(found.parameters),
        name=MODEL,
        example=example_prices(table),
        packages=["airfoil"],
    )
    return {"model": model, "scores": found.scores}


def numbers(values: list[float], description: str, kind: str = "integer") -> Param:
    """A list of numbers in the trigger's form."""
    return Param(
        values, type="array", items={"type": kind, "minimum": 0}, minItems=1, description=description
    )


@dag(
    dag_id="trading_strategy_train",
    description="Sweep a momentum strategy, validate it walk-forward, register the best parameters",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 5 * * *", timezone="UTC", run_immediately=SOON),
    catchup=False,
    max_active_runs=1,
    deadline=within(minutes=30),
    on_failure_callback=alert("No parameters were chosen today."),
    params={
        "prices": Param(
            None,
            type=["null", "string", "object"],
            description="Where prices lie: a path, an address, or {location, query, conn_id}; made up without",
        ),
        "close_column": Param("close", type="string", minLength=1, description="Adjusted for splits"),
        "symbols": Param(50, type="integer", minimum=1, maximum=5000, description="Of made-up prices"),
        "first_day": Param("2006-01-02", type="string", format="date", description="Of made-up prices"),
        "lookback_days": numbers([10, 21, 42, 63, 84, 105, 126, 168, 210, 252], "Momentum over so many days"),
        "skip_days": numbers([0, 5], "Without the last ones"),
        "threshold": numbers([0.0, 0.02, 0.05, 0.1, 0.2], "How far a price must have moved", "number"),
        "rebalance_days": numbers([1, 7, 14, 28, 91], "How often positions change, in calendar days"),
        "cost_bps": Param(5.0, type="number", minimum=0, description="Of what is traded, in 0.01 %"),
        "slippage_bps": Param(5.0, type="number", minimum=0, description="Likewise"),
        "delay_days": Param(1, type="integer", minimum=1, description="From a decision to its trade"),
        "train_days": Param(1260, type="integer", minimum=2, description="What a choice looks at"),
        "test_days": Param(252, type="integer", minimum=2, description="For how long it counts"),
        "least_sharpe_ratio": Param(0.3, type="number", description="What the walk-forward has to reach"),
    },
    default_args={"owner": "airfoil", "retries": 2, "retry_delay": timedelta(seconds=10)},
    tags=["trading", "mlflow"],
)
def trading_strategy_train() -> None:
    """Prices, a sweep in parts, a walk-forward, a verdict."""
    prices = load_prices()
    parts = sweep.partial(prices=prices).expand(part=split_grid())
    selected: Any = select(parts, prices)
    decision = gate(
        selected["scores"],
        metric="sharpe_ratio",
        at_least="{{ params.least_sharpe_ratio }}",
        better_than=CHAMPION,
        candidate=selected["model"],
    )
    version = register(selected["model"], name=MODEL, when=decision)
    promote(version, alias="champion", because=decision)


trading_strategy_train()
