"""What Flower looks at: the broker, and the prefix of its keys where others use the same Redis.

Started by Celery's own command (`celery --app airfoil.runtime.container.flower flower`). Must not know Airflow.
"""

from __future__ import annotations

import os

from celery import Celery

PREFIX_VARIABLE = "REDIS_PREFIX"


def application(broker: str, prefix: str) -> Celery:
    """Return a Celery application that reads and sends nothing but what bears the prefix."""
    found = Celery("airfoil", broker=broker, set_as_current=False)
    if prefix:
        found.conf.broker_transport_options = {"global_keyprefix": prefix}
    return found


app = application(os.environ.get("BROKER_URL", ""), os.environ.get(PREFIX_VARIABLE, ""))
