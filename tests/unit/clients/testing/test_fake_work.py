"""The injected work area for users' tests: the real one's surface, and what was written in view."""

from __future__ import annotations

import inspect

import pandas as pd
import pytest

from airfoil.clients.testing import FakeWork, fake_work
from airfoil.errors import ConfigurationError
from airfoil.provider.work_area import WorkArea

pytestmark = pytest.mark.unit


def methods(kind):
    return {
        name: one for name, one in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")
    }


@pytest.mark.parametrize("name", sorted(methods(WorkArea)))
def test_what_a_task_can_call_is_called_the_same_way(name):
    assert inspect.signature(methods(FakeWork)[name]) == inspect.signature(methods(WorkArea)[name])


def test_what_a_body_writes_can_be_read_and_is_known_by_name(tmp_path):
    work = fake_work(tmp_path)
    ref = work.write("train", pd.DataFrame({"a": [1, 2]}))
    assert work.written == {"train": ref}
    assert work.read(ref).num_rows == ref.rows == 2
    assert work.path("notes.txt").parent == work.root


def test_it_refuses_what_the_real_one_refuses(tmp_path):
    with pytest.raises(ConfigurationError):
        fake_work(tmp_path).write("../elsewhere", pd.DataFrame({"a": [1]}))
