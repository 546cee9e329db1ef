"""Certificate authorities of a person's environment: none is lost because another one is named, too."""

from __future__ import annotations

import os
from pathlib import Path

import certifi
import pytest

from airfoil.stack import authorities
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch):
    for name in authorities.VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "shop")
    made.root.mkdir()
    made.prepare()
    return made


def test_each_place_counts_once():
    assert authorities.named({}) == {}
    assert authorities.named({"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/a"}) == {"SSL_CERT_FILE": "/a"}
    both = authorities.named({"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/b"})
    assert both == {"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/b"}


def test_one_is_used_where_it_lies(project, tmp_path, monkeypatch):
    assert authorities.one_file(project) == ""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ca.pem")
    assert authorities.one_file(project) == "/etc/ca.pem"


def test_two_are_joined_and_joined_again_when_one_changes(project, tmp_path, monkeypatch):
    own, company = tmp_path / "own.pem", tmp_path / "company.pem"
    own.write_text("OWN")
    company.write_text("COMPANY")
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(company))
    joined = project.run / "authorities.pem"
    assert authorities.one_file(project) == str(joined)
    assert joined.read_text() == "OWN\nCOMPANY"
    before = joined.stat().st_mtime_ns
    authorities.one_file(project)
    assert joined.stat().st_mtime_ns == before
    own.write_text("NEW")
    authorities.one_file(project)
    assert joined.read_text() == "NEW\nCOMPANY"


def test_one_more_is_trusted_beside_those_of_the_environment(tmp_path, monkeypatch):
    (tmp_path / "airfoil.toml").touch()
    usual, own = tmp_path / "usual.pem", tmp_path / "ca.crt"
    usual.write_text("usual\n", encoding="utf-8")
    own.write_text("own\n", encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(usual))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    authorities.trust(Project(tmp_path), own)
    joined = Path(os.environ["SSL_CERT_FILE"])
    assert joined.read_text(encoding="utf-8").split() == ["usual", "own"]
    before = joined.stat().st_mtime_ns
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(usual))
    authorities.trust(Project(tmp_path), own)
    assert joined.stat().st_mtime_ns == before, "what others read is not written anew for nothing"
    assert joined.read_text(encoding="utf-8").split() == ["usual", "own"]


def test_the_public_ones_stay_where_a_server_of_somebody_else_is_asked_too(tmp_path, monkeypatch):
    (tmp_path / "airfoil.toml").touch()
    own = tmp_path / "ca.crt"
    own.write_text("own\n", encoding="utf-8")
    for name in authorities.VARIABLES:
        monkeypatch.setenv(name, "")
    authorities.trust(Project(tmp_path), own)
    assert Path(os.environ["SSL_CERT_FILE"]).read_text(encoding="utf-8") == "own\n"
    for _ in range(2):
        authorities.trust(Project(tmp_path), own, and_public=True)
        text = Path(os.environ["SSL_CERT_FILE"]).read_text(encoding="utf-8")
        assert text == f"{Path(certifi.where()).read_text(encoding='utf-8')}\nown\n"
