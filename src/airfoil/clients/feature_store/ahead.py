"""Make the next batches while the last one is still being sent.

One thread works ahead by a fixed number of items; whoever is slower is waited for, so memory stays bounded. An error of
the thread appears where its item would have been, and the thread ends when nobody asks any more.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextlib import closing
from typing import TypeVar

_Item = TypeVar("_Item")
_END = object()
_LOOK_SECONDS = 0.1


def ahead(items: Generator[_Item], depth: int = 2) -> Generator[_Item]:
    """Yield the items, made in a thread that is at most `depth` of them ahead."""
    waiting: queue.Queue[object] = queue.Queue(depth)
    is_over = threading.Event()
    failures: list[BaseException] = []

    def hand_over(item: object) -> bool:
        while not is_over.is_set():
            try:
                waiting.put(item, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            with closing(items):  # a generator that is left early lets go of its files
                for item in items:
                    if not hand_over(item):
                        return
        except BaseException as error:  # noqa: BLE001 - raised again, in the thread that asked
            failures.append(error)
        hand_over(_END)

    worker = threading.Thread(target=work, name="airfoil-ahead", daemon=True)
    worker.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]  # everything but the end is an item
        if failures:
            raise failures[0]
    finally:
        is_over.set()
        worker.join()
