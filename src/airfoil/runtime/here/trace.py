"""A person's traceback: what they wrote and what they called, without the frames of the machinery around it. Pure."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

MACHINERY = ("/site-packages/airflow/", "/airfoil/runtime/here/")


def user_traceback(error: BaseException) -> str:
    """Format an error with its causes, as Python does, but without frames of Airflow and of ours."""
    whole = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    waiting: list[traceback.TracebackException | None] = [whole]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        kept = [frame for frame in one.stack if not is_machinery(frame.filename)]
        # An error of the machinery itself keeps the frame that raised it.
        one.stack = traceback.StackSummary.from_list(kept or list(one.stack)[-1:])
        waiting += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or [])]
    return "".join(whole.format()).rstrip()


def user_frames(error: BaseException) -> TracebackType | None:
    """Give the part of an error's traceback that begins in the person's code, for a debugger."""
    found = error.__traceback__
    while found is not None and is_machinery(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return found or error.__traceback__


def is_machinery(file: str) -> bool:
    """Tell whether a file belongs to Airflow or to this package."""
    path = file.replace("\\", "/")
    return any(part in path for part in MACHINERY)
