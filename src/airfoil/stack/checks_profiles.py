"""Doctor's checks of [profiles.NAME], [pools] and [airflow.SECTION]: what is accepted and still cannot be meant.

Each check gets the case and returns its findings. Must not change anything.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from airfoil.stack import profiles
from airfoil.stack.airflow_catalog import likely_meant
from airfoil.stack.findings import Finding, error, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.settings import Settings
    from airfoil.stack.doctor import Case

_ELSEWHERE = "airflow.url names an Airflow that is configured elsewhere"


def check_airflow_options(case: Case) -> Iterator[Finding]:
    """Check that Airflow's options are spelled as Airflow spells them."""
    if case.settings is None:
        return
    if case.settings.airflow.url and case.settings.airflow_options:
        yield warn("airflow", f"[airflow.SECTION] has no effect: {_ELSEWHERE}.", "Set the options there.")
        return
    catalog = case.machine.airflow_catalog()
    count = 0
    sound = True
    for section, table in case.settings.airflow_options.items():
        for key in table:
            count += 1
            meant = likely_meant(catalog, section, key)
            if meant:
                sound = False
                yield warn(
                    "airflow",
                    f"Airflow has no option {key} in [airflow.{section}].",
                    f"Did you mean {meant}?",
                )
    if sound:
        yield ok("airflow", f"{count} options of Airflow's own are passed on.")


def check_profiles(case: Case) -> Iterator[Finding]:
    """Check that what profiles name exists: environments, pools with room, executors."""
    if case.project is None or case.settings is None:
        return
    settings = case.settings
    if settings.airflow.url and (settings.profiles or settings.pools):
        yield warn(
            "profiles",
            f"[profiles.NAME] and [pools] have no effect: {_ELSEWHERE}.",
            "Write the profiles into its airflow.cfg, `[airfoil] profiles`, and make the pools there.",
        )
        return
    yield from _pools(settings)
    configured = _executor_names(settings)
    for name, one in settings.profiles.items():
        if one.environment is not None:
            python = case.project.environment_python(one.environment)
            if not os.access(python, os.X_OK):
                yield error(
                    "profiles",
                    f"The profile {name} names the environment {one.environment}, and there is no {python}.",
                    f"`airfoil add --environment {one.environment} PACKAGE`; one that is locked, `airfoil up` makes.",
                )
        if one.executor is not None and one.executor not in configured:
            yield ok(
                "profiles",
                f"The executor {one.executor} of the profile {name} is not configured here: "
                "its tasks run on the default one.",
            )
    yield ok("profiles", f"Profiles: {', '.join(sorted({'default', *settings.profiles}))}.")


def _pools(settings: Settings) -> Iterator[Finding]:
    for name, pool in profiles.implied_pools(settings).items():
        if name != profiles.GPU_POOL:
            yield warn(
                "profiles",
                f"The pool {name} is named by a profile and not defined; it has {pool.slots} slots.",
                f"Write `{name} = {pool.slots}` below [pools].",
            )
    slots = {name: pool.slots for name, pool in profiles.pools(settings).items()}
    for name, one in settings.profiles.items():
        pool_name = profiles.pool_of(one)
        has, takes = slots.get(pool_name, -1), one.pool_slots or 1
        if 0 <= has < takes:
            yield error(
                "profiles",
                f"A task with the profile {name} takes {takes} slots of the pool {pool_name}, "
                f"which has {has}: it never starts.",
                f"Give the pool more slots below [pools], or set profiles.{name}.pool_slots.",
            )


def _executor_names(settings: Settings) -> set[str]:
    """Return every name that an executor has in [airflow.core] executor, class names included."""
    configured = settings.airflow_options.get("core", {}).get("executor", "LocalExecutor")
    names = {name.strip() for name in re.split(r"[,;:=]", configured)}
    return names | {name.rpartition(".")[2] for name in names}
