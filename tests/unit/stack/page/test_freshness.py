from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from airfoil.stack.page.freshness import FileNews, Latest, WatchedFile

pytestmark = pytest.mark.unit


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_a_file_is_read_again_only_when_it_changed(tmp_path):
    path = tmp_path / "f"
    reads = []

    def read(where):
        reads.append(where)
        return where.read_text()

    watched = WatchedFile(path, read, "none")
    assert watched.value() == "none"
    path.write_text("one")
    assert [watched.value() for _ in range(3)] == ["one"] * 3
    assert len(reads) == 1
    fresh = tmp_path / "new"
    fresh.write_text("two")
    os.utime(
        fresh, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns)
    )  # same time, same size: another inode
    fresh.replace(path)
    assert watched.value() == "two"
    assert len(reads) == 2
    path.unlink()
    assert watched.value() == "none"


def test_a_written_file_is_news_until_it_is_marked_as_known(tmp_path):
    first, second = tmp_path / "a.db", tmp_path / "a.db-wal"
    news = FileNews(first, second)
    assert not news
    second.write_text("x")
    assert news
    assert news, "looking is not knowing"
    news.mark()
    assert not news
    second.unlink()
    assert news


def test_an_answer_is_kept_until_it_is_too_old(executor):
    now = [100.0]
    answers = iter(["a", "b"])

    async def scenario():
        latest = Latest("first", executor, lambda: now[0])
        assert latest.value == "first"
        assert await latest.ask(lambda: next(answers), 5, 2.0) == "a"
        now[0] = 101.9
        assert await latest.ask(lambda: next(answers), 5, 2.0) == "a"
        now[0] = 102.0
        assert await latest.ask(lambda: next(answers), 5, 2.0) == "b"

    asyncio.run(scenario())


def test_who_has_no_patience_gets_the_last_answer_and_the_next_is_on_its_way(executor):
    go = threading.Event()
    calls = []

    def slow():
        calls.append(1)
        go.wait(5)
        return "new"

    async def scenario():
        latest = Latest("old", executor, lambda: 0.0)
        assert await latest.ask(slow, 0, 2.0) == "old"
        assert await latest.ask(slow, 0, 2.0) == "old"  # still one question, not two
        go.set()
        assert await latest.ask(slow, 5, 2.0) == "new"

    asyncio.run(scenario())
    assert len(calls) == 1


def test_many_who_ask_at_once_share_one_question(executor):
    calls = []

    async def scenario():
        latest = Latest(0, executor, lambda: 0.0)
        return await asyncio.gather(*(latest.ask(lambda: calls.append(1) or 7, 5, 2.0) for _ in range(20)))

    assert asyncio.run(scenario()) == [7] * 20
    assert len(calls) == 1


def test_a_question_may_outlive_the_loop_it_was_asked_in(executor):
    go = threading.Event()
    latest = Latest("old", executor, lambda: 0.0)
    assert asyncio.run(latest.ask(lambda: go.wait(5) and "new", 0, 2.0)) == "old"
    go.set()
    assert asyncio.run(latest.ask(lambda: "another", 5, 2.0)) == "new"


def test_a_question_that_fails_keeps_the_last_answer_and_is_logged(executor, caplog):
    def broken():
        raise OSError("no such disk")

    latest = Latest("old", executor, lambda: 0.0)
    assert asyncio.run(latest.ask(broken, 5, 2.0)) == "old"
    assert "no such disk" in caplog.text
    assert asyncio.run(latest.ask(lambda: "new", 5, 0)) == "new"
