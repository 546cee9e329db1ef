"""Judge, register, promote: the operators as functions for DAG files. Each makes a task and returns its result.

`register(model, name="wine", when=decision)` reads as what it does. Nothing is decided here; what a function does not
name itself goes to the operator, so `retries` or `profile` work as anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import XComArg
from airflow.sdk.bases.decorator import get_unique_task_id

from airfoil.provider.operators.evaluate_model import EvaluateModelOperator
from airfoil.provider.operators.gate import GateOperator
from airfoil.provider.operators.promote_model import PromoteModelOperator
from airfoil.provider.operators.register_model import RegisterModelOperator
from airfoil.provider.operators.rollback_model import RollbackModelOperator
from airfoil.provider.task_results import result_of
from airfoil.steps.gates import GAINS, Gate

_CONDITIONS = frozenset(Gate.model_fields)


def gate(
    scores: Any,
    *,
    better_than: Any = None,
    gates: Sequence[Gate] = (),
    task_id: str = "gate",
    **given: Any,
) -> XComArg:
    """Decide whether a model may go on; returns a GateDecision.

    Conditions of one gate are named here (`metric="accuracy", at_least=0.9`), those of several given as
    `gates=[Gate(...), Gate(...)]`. `better_than` asks for a gain: any, unless the conditions say how much.
    """
    conditions = {name: given.pop(name) for name in tuple(given) if name in _CONDITIONS}
    wanted: list[Any] = [conditions] if conditions else []
    wanted += [one.model_dump(exclude_defaults=True) for one in gates]
    if better_than is not None and not any(_compares(one) for one in wanted):
        wanted = [{"min_gain": 0.0, **one} for one in wanted]
    return result_of(GateOperator, task_id, scores=scores, gates=wanted, better_than=better_than, **given)


def evaluate(model: Any, data: Any, *, target: str, task_id: str = "evaluate", **given: Any) -> XComArg:
    """Measure a logged model on a table, and beside it the holder of an alias (`against=`); returns a Comparison."""
    return result_of(EvaluateModelOperator, task_id, model=model, data=data, target=target, **given)


def register(model: Any, *, name: str, when: Any = None, task_id: str = "register", **given: Any) -> XComArg:
    """Make a version of a registered model out of a logged one, once; returns it as a ModelRef."""
    return result_of(RegisterModelOperator, task_id, model=model, name=name, when=when, **given)


def promote(
    version: Any, *, alias: str = "champion", because: Any = None, task_id: str = "promote", **given: Any
) -> XComArg:
    """Point an alias to a version; returns the entry of the ledger."""
    return result_of(PromoteModelOperator, task_id, version=version, alias=alias, because=because, **given)


def rollback(
    model: str, *, alias: str = "champion", reason: str, task_id: str = "rollback", **given: Any
) -> XComArg:
    """Point an alias back to the version that held it before; returns the entry of the ledger."""
    return result_of(RollbackModelOperator, task_id, model=model, alias=alias, reason=reason, **given)


def approve(
    version: Any, *, because: Any = None, subject: str = "", task_id: str = "approve", **given: Any
) -> XComArg:
    """Ask a person before what follows; returns the answer, whose author the ledger names (`approval=`).

    A no skips what comes next. `assigned_users`, `notifiers`, `response_timeout` and `defaults` are Airflow's own.
    """
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    made = ApprovalOperator(
        task_id=get_unique_task_id(task_id),
        subject=subject or f"Promote {_field(version, 'name')} version {_field(version, 'version')}?",
        body=None if because is None else _field(because, "reason"),
        **given,
    )
    for one in (version, because):
        if isinstance(one, XComArg):
            made.set_upstream(one)
    return made.output


def _compares(gate: Mapping[str, Any]) -> bool:
    return any(gate.get(gain) is not None for gain in GAINS)


def _field(value: Any, name: str) -> str:
    """Return a field of a record; of one that is yet to come, the template that reads it."""
    if isinstance(value, XComArg):
        task_ids = [operator.task_id for operator, _ in value.iter_references()]
        return f"{{{{ ti.xcom_pull(task_ids={task_ids[0]!r})[{name!r}] }}}}"
    return str(getattr(value, name))
