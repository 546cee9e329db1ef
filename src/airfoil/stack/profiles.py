"""What follows from [profiles.NAME] and [pools]: the table that Airflow's configuration carries, and Airflow's pools.

Pure. Must not resolve a profile: `airfoil.provider` does, where the task is defined.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airfoil.settings import PoolSettings

if TYPE_CHECKING:
    from airfoil.settings import ProfileSettings, Settings
    from airfoil.stack.project import Project

GPU_POOL = "gpu"
"""The pool of tasks that ask for a GPU of this machine: one slot, so that two of them never share its memory."""
AIRFLOWS_POOL = "default_pool"


def tables_json(settings: Settings, project: Project) -> str:
    """Return the profiles as `[airfoil] profiles` holds them: keys sorted, an environment as its interpreter."""
    tables: dict[str, dict[str, Any]] = {}
    for name, one in settings.profiles.items():
        table = one.model_dump(exclude_none=True)
        if one.environment is not None:
            table["environment"] = str(project.environment_python(one.environment))
        tables[name] = table
    return json.dumps(tables, sort_keys=True)


def pool_of(profile: ProfileSettings) -> str:
    """Return the pool in which tasks of a profile take their turn on this machine; empty: Airflow's own."""
    return profile.pool or (GPU_POOL if profile.gpu else "")


def implied_pools(settings: Settings) -> dict[str, PoolSettings]:
    """Return the pools that profiles name or need and that [pools] does not hold."""
    found: dict[str, PoolSettings] = {}
    for name, one in settings.profiles.items():
        pool = pool_of(one)
        if not pool or pool == AIRFLOWS_POOL or pool in settings.pools:
            continue
        # A GPU is one; anything else limits nothing until somebody says what.
        slots = 1 if pool == GPU_POOL else settings.airflow.parallelism
        before = found.get(pool)
        found[pool] = PoolSettings(
            slots=max(slots, one.pool_slots or 1, before.slots if before else 1),
            description=f"Made for the profile {name} of airfoil.toml",
        )
    return found


def pools(settings: Settings) -> dict[str, PoolSettings]:
    """Return every pool of the project: those of [pools], those that profiles imply."""
    return {**implied_pools(settings), **settings.pools}


def pools_json(settings: Settings) -> str:
    """Return the pools as `airflow pools import` reads them."""
    return json.dumps({name: pool.model_dump() for name, pool in pools(settings).items()}, sort_keys=True)
