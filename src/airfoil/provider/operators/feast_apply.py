"""The task that brings the registry of a feature store up to what the repository's Python files define."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airfoil.provider.hooks.feast import FeastHook
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.task_tracking import one_sentence

if TYPE_CHECKING:
    from airflow.sdk import Context


class FeastApplyOperator(ProfiledOperator):
    """Does what `feast apply` does, and returns the names of the views there are then. Twice is as good as once."""

    template_fields = ("feast_conn_id",)
    ui_color = "#e6e0f2"

    def __init__(self, *, feast_conn_id: str = FeastHook.default_conn_name, **kwargs: Any) -> None:
        """Name the connection of the repository."""
        super().__init__(**kwargs)
        self.feast_conn_id = feast_conn_id

    def execute(self, context: Context) -> list[str]:  # noqa: ARG002 - Airflow's signature
        """Apply, and list the views."""
        hook = FeastHook(self.feast_conn_id)
        with one_sentence():
            self.log.info("%s", hook.apply())
            return hook.get_conn().views()
