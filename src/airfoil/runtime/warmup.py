"""Builds Airflow's API before its server listens, so that nobody's first request pays for it.

The task API builds its versioned routes (some 2.5 s) on the first request it gets, which otherwise is the first task
of a day. One in-process request to its health address does it now, through the public ASGI interface. It is only a
warm-up: when anything about it fails, the server starts all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging

log = logging.getLogger(__name__)


def build_api() -> bool:
    """Create the application that the server will import, and wake its task API; False when that did not work."""
    collecting = gc.isenabled()
    gc.disable()  # nothing built here is garbage; looking for some takes a tenth of the time
    try:
        from airflow.api_fastapi.main import app

        asyncio.run(_ask(app))
    except Exception:
        log.warning("the API could not be warmed up; its first request will be slow", exc_info=True)
        return False
    finally:
        gc.collect()
        gc.freeze()
        _return_memory()
        if collecting:
            gc.enable()
    return True


def _return_memory() -> None:
    """Give the pages that building needed and nothing uses any more back to the system (glibc only)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


async def _ask(app: object) -> None:
    import httpx

    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        (await client.get("/execution/health")).raise_for_status()
