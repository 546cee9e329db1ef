"""How a secret comes in, and that it never has to be an argument."""

from __future__ import annotations

import getpass
import io

import pytest

from airfoil.cli.secret_input import is_given, read_secret
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_named_variable_and_the_usual_ones(monkeypatch):
    monkeypatch.setenv("SHOP_URL", "http://u")
    assert read_secret("shop", "SHOP_URL", None, ()) == "http://u"
    assert read_secret("shop", "", None, ("AIRFLOW_CONN_SHOP", "SHOP_URL")) == "http://u"
    with pytest.raises(ConfigurationError, match="no OTHER"):
        read_secret("shop", "OTHER", None, ("SHOP_URL",))


def test_a_file_keeps_all_but_its_last_line_end(tmp_path):
    file = tmp_path / "secret"
    file.write_text(" a\nb \n\n", encoding="utf-8")
    assert read_secret("x", None, file, ()) == " a\nb \n"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff"])
def test_a_file_that_holds_nothing_readable_is_refused(tmp_path, content):
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ConfigurationError):
        read_secret("x", None, tmp_path / "secret", ())


def test_a_file_that_is_not_there_and_two_sources(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_secret("x", None, tmp_path / "no", ())
    with pytest.raises(ConfigurationError, match="exclude each other"):
        read_secret("x", "A", tmp_path, ())


def test_a_pipe(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\r\n"))
    assert is_given(None, None)
    assert read_secret("x", None, None, ()) == "s3cret"


def test_a_person_is_asked_without_echo(monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: f"typed at {prompt}")
    assert not is_given(None, None)
    assert read_secret("Password", None, None, ()) == "typed at Password: "


def test_from_env_may_stand_alone_or_name_a_variable(airfoil, project, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal())
    alone = airfoil("connections", "set", "shop", "--from-env")
    assert "no AIRFLOW_CONN_SHOP and no SHOP_URL" in alone.err
    assert "no OTHER" in airfoil("connections", "set", "shop", "--from-env", "OTHER").err
    assert "no AIRFLOW_CONN_SHOP" in airfoil("connections", "set", "--from-env", "--type", "x", "shop").err
