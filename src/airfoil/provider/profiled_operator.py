"""The base of our operators that take `profile="training"`: the profile's arguments, beneath what the DAG says itself.

Works with default_args, in `partial` and under decorators. Must not keep the profile on the task: a task is serialized
as what its profile means, so the same profile gives the same DAG version.
"""

from __future__ import annotations

import inspect
from typing import Any

from airflow.sdk import BaseOperator

from airfoil.provider.profiles import with_profile


class ProfiledOperator(BaseOperator):
    """An operator with an argument `profile`. Stands first among the bases of a class that has several."""

    def __init__(self, *, profile: str | None = None, **kwargs: Any) -> None:
        """Hand on the arguments that the profile means; one that is given wins over the profile."""
        super().__init__(**with_profile(profile, kwargs, takes_python=takes_python(type(self))))

    @classmethod
    def partial(cls, *, profile: str | None = None, **kwargs: Any) -> Any:
        """Do the same for a mapped task: its pool and executor are needed before it is unmapped."""
        return super().partial(**with_profile(profile, kwargs, takes_python=takes_python(cls)))


def takes_python(operator: type) -> bool:
    """Tell whether an operator runs its function in another interpreter, given as `python`."""
    return any(
        "python" in inspect.signature(vars(part)["__init__"]).parameters
        for part in operator.__mro__
        if "__init__" in vars(part) and part is not object
    )
