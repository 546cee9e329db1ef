"""The trigger dialog's fields for a model type and its hyper-parameters, and the template that collects what was given.

`params={**model_form(), ...}` in a DAG, and `GIVEN_PARAMETERS` where an operator wants the hyper-parameters. An empty
field stands for the default; what the chosen type does not know is refused by `steps.model_zoo`. Must not read values.
"""

from __future__ import annotations

from airflow.sdk import Param

from airfoil.steps.model_fields import model_fields
from airfoil.steps.model_zoo import ZOO

SECTION = "Hyper-parameters"
GIVEN_PARAMETERS = "{{ {" + ", ".join(f"'{name}': params.{name}" for name in model_fields()) + "} | tojson }}"
"""Renders to a JSON object with all hyper-parameters of the form; those that nobody filled in are null."""
_EMPTY = {"null": "(default)"}
"""What a list of choices says for null."""


def model_form(*, default: str | None = None, description: str = "") -> dict[str, Param]:
    """Return `ml_model_type` and a field for each hyper-parameter; without a default the type may stay empty."""
    chosen = Param(
        default,
        type=["string", "null"] if default is None else "string",
        enum=[*([None] if default is None else []), *ZOO],
        title="Model type",
        values_display=_EMPTY,
        description=description or None,
    )
    fields = {
        name: Param(None, section=SECTION, values_display=_EMPTY, **field)
        for name, field in model_fields().items()
    }
    return {"ml_model_type": chosen, **fields}
