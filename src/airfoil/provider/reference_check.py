"""The base of operators that hold a table against a reference: by limits, and by a plan of what is measured.

Both may be values, plain JSON or templates. Must not know what is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airfoil.provider.check_inputs import plan_of, settled
from airfoil.provider.data_check import DataCheckOperator
from airfoil.provider.record_inputs import record
from airfoil.provider.table_inputs import assets_in, plain_data
from airfoil.records import Record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class ReferenceCheckOperator(DataCheckOperator):
    """Looks at a table beside a reference. A class of it says what its limits and its plan are."""

    template_fields = ("data", "reference", "limits", "plan", "dataset", "mlflow_conn_id")
    limits_kind: ClassVar[type[Record]]
    plan_kind: ClassVar[type[DataclassInstance]]

    def __init__(
        self,
        *,
        reference: Any,
        limits: Record | Mapping[str, Any] | None = None,
        plan: DataclassInstance | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the reference, the limits and the plan."""
        super().__init__(**kwargs)
        self.reference = plain_data(reference)
        self.limits = settled(limits, self._limits)
        self.plan = settled(plan, self._plan)
        self.add_inlets(assets_in(reference))

    def _tables(self) -> Mapping[str, Any]:
        return {"data": self.data, "reference": self.reference}

    def _settings(self) -> tuple[Any, Any]:
        return self._limits(self.limits), self._plan(self.plan)

    def _limits(self, given: Any) -> Record:
        return record(self.limits_kind, given, "limits")

    def _plan(self, given: Any) -> DataclassInstance:
        return plan_of(self.plan_kind, given)
