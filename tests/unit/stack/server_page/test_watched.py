"""The services of a server: each once, each with a question, and what a list of names chooses."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from airfoil.stack.server_page import watched

pytestmark = pytest.mark.unit


def test_each_service_is_there_once_and_has_an_address_to_ask():
    names = [one.name for one in watched.SERVICES]
    assert len(set(names)) == len(names)
    for one in watched.SERVICES:
        parts = urlsplit(one.probe.url)
        assert parts.scheme in {"http", "tcp"}, one.name
        assert parts.hostname in names, "a host of the private network is a service of it"
        assert parts.port, one.name


def test_links_are_relative_so_that_the_proxy_may_stand_anywhere():
    links = [one.link for one in watched.SERVICES if one.link]
    assert links
    assert all(link.startswith("../") for link in links)


def test_without_a_list_all_but_the_optional_are_watched():
    found = {one.name for one in watched.chosen("")}
    assert found == {one.name for one in watched.SERVICES} - watched.OPTIONAL


def test_a_list_chooses_and_keeps_our_order():
    assert [one.name for one in watched.chosen(" redis, mlflow,grafana,")] == ["mlflow", "redis", "grafana"]


def test_a_name_that_is_none_of_ours_is_found_out():
    assert watched.unknown("redis, valkey ,mlflow,status") == ["valkey"]
