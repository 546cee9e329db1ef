"""The whole life of a model, every day: crawl, clean, train, judge; deploy and watch, or ask people for a better one.

The Variable `crawl_url` says where data lies, `ml_model_type` what learns from it, `accuracy_threshold` how good it has
to be, `notification_email` who hears of it; the form of a run may say otherwise. A source that has not changed since a
run has worked it off is skipped in one task. Raw data, clean rows and models are kept by version in `data/`, below the
work area. For data of yours change `crawl_url`, the contract, and the three names below.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, Param, chain, dag, task, task_group

from airfoil import (
    DataRef,
    Model,
    ModelRef,
    alert,
    crawl,
    evaluate,
    finish,
    gate,
    monitor,
    promote,
    register,
    smoke_test,
    tell,
    within,
)
from airfoil.provider.model_form import GIVEN_PARAMETERS, model_form

if TYPE_CHECKING:
    from airfoil import MlflowRun, WorkArea

MODEL, TARGET, CONTRACT = "iris", "species", "contracts/iris.yaml"
CHAMPION = Model(MODEL).at("champion")
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""

CRAWL_URL = "{{ var.value.get('crawl_url', '') }}"
PEOPLE = "{{ var.value.get('notification_email', '') }}"
MODEL_TYPE = "{{ params.ml_model_type or var.value.get('ml_model_type', '') }}"
THRESHOLD = """{{ var.value.get('accuracy_threshold', '') if params.accuracy_threshold is none
                  else params.accuracy_threshold }}"""
SETTINGS = {
    "ml_model_type": MODEL_TYPE,
    "accuracy_threshold": THRESHOLD,
    "notification_email": PEOPLE,
    "parameters": GIVEN_PARAMETERS,
}
AS_THE_VARIABLE = "Empty: as the Variable says"
PARAMS = {
    **model_form(description=AS_THE_VARIABLE),  # ml_model_type, and a field for each hyper-parameter
    "accuracy_threshold": Param(
        None, type=["number", "null"], minimum=0, maximum=1, description=AS_THE_VARIABLE
    ),
    "search": Param(0, type="integer", minimum=0, maximum=50, description="So many others are tried as well"),
    "most_rejected": Param(0.1, type="number", minimum=0, maximum=1, description="A share of rows"),
    "held_out": Param(
        0.25, type="number", exclusiveMinimum=0, exclusiveMaximum=1, description="A share of rows"
    ),
    "force": Param(False, type="boolean", description="Train although nothing has changed"),
}


@task.mlflow
def etl(crawled: dict[str, Any], mlflow_run: MlflowRun, params: dict[str, Any]) -> dict[str, Any]:
    """Make typed rows of what was fetched, and keep aside what is none."""
    from airfoil.provider.cleaned_sources import clean_source

    cleaned = clean_source(
        crawled, CONTRACT, target=TARGET, dag_file=__file__, most_rejected=params["most_rejected"]
    )
    mlflow_run.log_dataset(MODEL, cleaned.rows)
    mlflow_run.log_metrics({"rows": cleaned.counted.rows, "rejected": cleaned.counted.rejected})
    return cleaned.to_json()


@task.mlflow
def split(
    rows: DataRef, classes: list[str], work: WorkArea, mlflow_run: MlflowRun, params: dict[str, Any]
) -> dict[str, DataRef]:
    """Hold rows out that no training sees."""
    from airfoil.steps.lifecycle.training import split_rows

    parts = split_rows(work.read(rows).to_pandas(), TARGET, classes, held_out_share=params["held_out"])
    mlflow_run.log_metrics({"incomplete_rows": parts.incomplete})
    return {"train": work.write("train", parts.train), "held_out": work.write("held_out", parts.held_out)}


@task
def draw_candidates(crawled: dict[str, Any], params: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the hyper-parameters that were asked for, and others when a search is wanted."""
    from airfoil.steps.lifecycle.search import draw_candidates

    asked = crawled["settings"]
    drawn = draw_candidates(asked["ml_model_type"], asked["parameters"], params["search"])
    return [one.to_json() for one in drawn]


@task.mlflow
def try_candidate(
    candidate: dict[str, Any],
    table: DataRef,
    crawled: dict[str, Any],
    work: WorkArea,
    mlflow_run: MlflowRun,
    params: dict[str, Any],
) -> dict[str, Any]:
    """Measure hyper-parameters by cross-validation; a single candidate needs no comparison."""
    from airfoil.steps.lifecycle.training import cross_validate
    from airfoil.steps.model_zoo import plan_model

    plan = plan_model(crawled["settings"]["ml_model_type"], candidate["parameters"])
    mlflow_run.log_params(plan.to_json())
    if not params["search"]:
        return candidate
    scores = cross_validate(work.read(table).to_pandas(), TARGET, plan)
    mlflow_run.log_metrics({"cross_validated_accuracy": scores["accuracy"]})
    return {**candidate, "accuracy": scores["accuracy"]}


@task.mlflow(profile="training")
def train(
    table: DataRef,
    candidates: list[dict[str, Any]],
    crawled: dict[str, Any],
    work: WorkArea,
    mlflow_run: MlflowRun,
) -> ModelRef:
    """Fit the best of the candidates, and keep the model."""
    from airfoil.provider.kept_models import keep_logged_model
    from airfoil.steps.lifecycle.search import Candidate, choose_best
    from airfoil.steps.lifecycle.training import train_model
    from airfoil.steps.model_zoo import plan_model

    kind = crawled["settings"]["ml_model_type"]
    best = choose_best([Candidate.from_json(one) for one in candidates])
    plan = plan_model(kind, best.parameters)
    mlflow_run.log_params({"ml_model_type": kind, "source_version": crawled["version"], **plan.to_json()})
    trained = train_model(work.read(table).to_pandas(), TARGET, plan)
    mlflow_run.log_metrics({"seen_accuracy": trained.seen["accuracy"]})
    model = mlflow_run.log_model(trained.estimator, name=MODEL, example=trained.example)
    keep_logged_model(model, crawled, {"ml_model_type": kind, "parameters": plan.to_json()})
    return model


@task_group
def deploy_model(model: Any, decision: Any, held_out: Any) -> Any:
    """Register, move the alias, and ask what is deployed: a model that does not answer is taken back."""
    version = register(model, name=MODEL, when=decision)
    deployed = promote(version, alias="champion", because=decision)
    answered = smoke_test(deployed, held_out, target=TARGET)
    return deployed, answered


@dag(
    dag_id="ml_pipeline",
    description="Crawl, clean, train and judge a model; deploy and watch it, or ask people for a better one",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 5 * * *", timezone="UTC", run_immediately=SOON),
    max_active_runs=1,
    on_failure_callback=alert(to=PEOPLE),
    deadline=within(minutes=60),
    params=PARAMS,
    default_args={"owner": "airfoil", "retries": 2, "retry_delay": timedelta(seconds=10)},
    tags=["lifecycle", "mlflow"],
)
def ml_pipeline() -> None:
    """Crawl, clean, train, judge; then deploy, watch and tell, or ask for a better model."""
    crawled: Any = crawl(
        CRAWL_URL, source=MODEL, settings=SETTINGS, force="{{ params.force }}", task_id="crawl_data"
    )
    cleaned: Any = etl(crawled)
    rows = cleaned["rows"]
    parts: Any = split(rows, cleaned["classes"])
    candidates: Any = try_candidate.partial(table=parts["train"], crawled=crawled).expand(
        candidate=draw_candidates(crawled)
    )
    model = train(parts["train"], candidates, crawled)
    comparison = evaluate(model, parts["held_out"], target=TARGET, against=CHAMPION)
    decision = gate(
        comparison,
        metric="accuracy",
        at_least=THRESHOLD,
        better_than=CHAMPION,
        ties="pass",
        candidate=model,
        task_id="validate_model",
        accepted_task_ids=["deploy_model.register"],
        rejected_task_ids=["retrain_alert"],
    )
    deployment: Any = deploy_model(model, decision, parts["held_out"])
    deployed, answered = deployment
    watched = monitor(
        deployed, parts["held_out"], target=TARGET, classes=cleaned["classes"], task_id="monitoring"
    )
    told = tell(
        f"a new {MODEL} model is deployed",
        about=[decision, deployed, watched, cleaned["counted"]],
        next_move=f"Nothing has to be done. To go back: airfoil models rollback {MODEL}",
        to=PEOPLE,
        task_id="send_success_email",
    )
    asked = tell(
        f"no new {MODEL} model, the champion stays",
        kind="rejected",
        about=[decision, cleaned["counted"]],
        next_move="Look at the rejected rows and the charts of evaluate, try another ml_model_type or a search, or "
        "lower accuracy_threshold; then run the pipeline again.",
        to=PEOPLE,
        task_id="retrain_alert",
    )
    chain(answered, watched)
    chain([told, asked], finish(crawled, task_id="end"))


ml_pipeline()
