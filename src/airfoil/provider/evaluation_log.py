"""What an evaluation leaves in the MLflow run of its task: the record, and charts of it where matplotlib is installed.

Must not measure or judge.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airfoil.steps.evaluation import ClassifierEvaluation, RegressorEvaluation

if TYPE_CHECKING:
    from airfoil.clients.task_run import MlflowRun

Evaluation = ClassifierEvaluation | RegressorEvaluation

log = logging.getLogger(__name__)
MOST_DRAWN = 30
"""Classes of a confusion matrix that can still be read."""


def log_evaluation(run: MlflowRun, evaluation: Evaluation) -> None:
    """Store the record as evaluation.json, and each chart as a picture beside it."""
    run.log_json(evaluation.to_json(), "evaluation.json")
    try:
        for name, figure in _charts(evaluation):
            run.log_figure(figure, name)
    except ImportError:
        log.info("No charts: matplotlib is not installed here. The numbers are in evaluation.json.")


def _charts(evaluation: Evaluation) -> Iterator[tuple[str, Any]]:
    from airfoil.steps import charts, evaluation_charts

    if isinstance(evaluation, RegressorEvaluation):
        yield "calibration.png", evaluation_charts.draw_amounts(evaluation.calibration)
        yield "residuals.png", evaluation_charts.draw_residuals(evaluation.residuals)
        return
    if len(evaluation.labels) <= MOST_DRAWN:
        yield "confusion.png", charts.draw_confusion(evaluation.confusion, evaluation.labels)
    if evaluation.roc:
        yield "roc.png", evaluation_charts.draw_roc(evaluation.roc)
        yield "calibration.png", evaluation_charts.draw_calibration(evaluation.calibration)
