from __future__ import annotations

import asyncio
import signal

import pytest

from airfoil.stack.page.app import Page
from airfoil.stack.page.server import PageServer

pytestmark = pytest.mark.unit


def make():
    return PageServer(Page(None, "127.0.0.1"), "127.0.0.1", 0)


def test_it_listens_where_it_is_told_and_names_no_software():
    async def scenario():
        return make().config

    config = asyncio.run(scenario())
    assert (config.host, config.server_header, config.access_log) == ("127.0.0.1", False, False)


def test_a_signal_wakes_the_main_loop_and_the_streams():
    async def scenario():
        server = make()
        waiting = asyncio.create_task(server.main_loop())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.wait_for(waiting, 5)
        assert server.should_exit
        assert server._page.leaving.is_set()

    asyncio.run(scenario())


def test_a_signal_before_the_main_loop_is_not_lost():
    async def scenario():
        server = make()
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.wait_for(server.main_loop(), 5)
        assert server._page.leaving.is_set()

    asyncio.run(scenario())
