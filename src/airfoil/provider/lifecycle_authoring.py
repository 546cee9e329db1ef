"""Crawl, try, watch, tell, finish: the life cycle's operators as functions for DAG files.

Each makes a task and returns its result. What a function does not name itself goes to the operator.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import TriggerRule, XComArg

from airfoil.provider.operators.crawl import CrawlOperator
from airfoil.provider.operators.finish_source import FinishSourceOperator
from airfoil.provider.operators.monitor_model import MonitorModelOperator
from airfoil.provider.operators.smoke_test import SmokeTestOperator
from airfoil.provider.operators.tell_people import TellPeopleOperator
from airfoil.provider.task_results import result_of


def crawl(url: str, *, source: str, task_id: str = "crawl", **given: Any) -> XComArg:
    """Fetch a source; everything after it is skipped when there is nothing new to learn from it."""
    return result_of(CrawlOperator, task_id, url=url, source=source, **given)


def smoke_test(
    deployed: Any, data: Any, *, target: str, task_id: str = "smoke_test", **given: Any
) -> XComArg:
    """Ask a model that was just promoted about a few rows, in a fresh process; it goes back if it cannot answer."""
    return result_of(SmokeTestOperator, task_id, deployed=deployed, data=data, target=target, **given)


def monitor(deployed: Any, data: Any, *, target: str, task_id: str = "monitor", **given: Any) -> XComArg:
    """Write down how a deployed model does on rows it has not seen, and how its surroundings are."""
    return result_of(MonitorModelOperator, task_id, deployed=deployed, data=data, target=target, **given)


def tell(title: str, *, task_id: str = "tell", **given: Any) -> XComArg:
    """Tell people what happened, with the numbers of what it is `about`; never fails a run."""
    return result_of(TellPeopleOperator, task_id, title=title, **given)


def finish(crawled: Any, *, task_id: str = "finish", **given: Any) -> XComArg:
    """End a run over a crawled source: unless something failed, its version is nothing new from now on."""
    given.setdefault("trigger_rule", TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    return result_of(FinishSourceOperator, task_id, crawled=crawled, **given)
