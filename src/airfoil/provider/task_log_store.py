"""Logs of tasks in a bucket, so that they stay readable when the worker that wrote them is gone.

Airflow loads this module where `[logging] logging_config_class` is `airfoil.provider.task_log_store.LOGGING`, and takes
`REMOTE_TASK_LOG` from it. `[airfoil] task_logs` names the bucket; keys and address come from the usual AWS_* variables.
Amazon's provider does it with 15 packages more. Must not fail a task: a log that cannot be sent stays where it is.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG

from airfoil.clients.bucket import Bucket
from airfoil.errors import AirfoilError, NotFoundError

log = logging.getLogger(__name__)

_BEGINNING_BYTES = 128
"""No log is sent before its first line is there, and each begins with a time of its own."""
_DIGITS = 12
LOGGING: dict[str, Any] = DEFAULT_LOGGING_CONFIG


class BucketLogs:
    """What Airflow asks of a place for logs: to take one that is complete, and to give those of a try."""

    processors: tuple[Any, ...] = ()

    def __init__(self, folder: Path, connect: Callable[[], Bucket]) -> None:
        """Know the folder that tasks write to; the bucket is asked for when there is something to do."""
        self._folder = folder
        self._connect = connect
        self._bucket: Bucket | None = None

    def upload(self, path: os.PathLike[str] | str, ti: Any = None) -> None:  # noqa: ARG002 - Airflow hands it in
        """Send a log, beside what another worker sent of the same try before it was deferred; then remove it here."""
        name = PurePosixPath(path).as_posix()
        file = self._folder / name
        try:
            written = file.read_bytes()
            self._place().put(part_of(name, written), io.BytesIO(written))
            file.unlink()
        except (AirfoilError, OSError) as error:
            log.warning("The log %s stays on this worker: %s", name, error)
            return
        # The folders of the try, the task and the run, as far as nobody else writes there.
        for folder in list(PurePosixPath(name).parents)[:-1]:
            with suppress(OSError):
                (self._folder / folder).rmdir()

    def read(self, relative_path: str, ti: Any) -> tuple[list[str], list[str] | None]:  # noqa: ARG002 - as above
        """Give the logs of a try: the task's own, and those of its triggers."""
        try:
            parts = sorted(self._place().items(relative_path), key=lambda item: (item.modified, item.name))
            names = [item.name for item in parts]
            texts = [self._content(name).decode("utf-8", "replace") for name in names]
        except AirfoilError as error:
            return [f"The log could not be read: {error.in_full}"], None
        title = self._place().title
        return [f"{title}/{name}" for name in names], texts or None

    def _content(self, name: str) -> bytes:
        try:
            with self._place().open(name) as stream:
                return stream.read()
        except NotFoundError:
            return b""

    def _place(self) -> Bucket:
        if self._bucket is None:
            self._bucket = self._connect()
        return self._bucket


def part_of(name: str, written: bytes) -> str:
    """Name an object by how its log begins: one that has grown replaces itself, one of another worker stands beside it.

    To ask first what is there already would be a second request for each task.
    """
    return f"{name}.{hashlib.sha256(written[:_BEGINNING_BYTES]).hexdigest()[:_DIGITS]}.log"


def _configured() -> BucketLogs | None:
    """Make what the configuration asks for; None when logs stay on the workers."""
    from airflow.sdk.configuration import conf

    place = str(conf.get("airfoil", "task_logs", fallback="") or "")
    if not place:
        return None
    folder = Path(conf.get("logging", "base_log_folder")).expanduser()
    return BucketLogs(folder, lambda: Bucket(place, os.environ))


REMOTE_TASK_LOG = _configured()
DEFAULT_REMOTE_CONN_ID: str | None = None
