"""Dashboards show what there is: names that are recorded or documented, one source, nothing outside of a grid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in (MONITORING / "dashboards").glob("*.json")}
PANELS = [(name, panel) for name, board in DASHBOARDS.items() for panel in board["panels"]]
# Of exporters that are not ours, by what they begin with.
FOREIGN = re.compile(r"(flower|pg|redis|mlflow_http)_\w+|up|ALERTS")
OF_THE_LANGUAGE = {"by", "sum", "max", "rate", "increase", "topk", "histogram_quantile"}


def recorded():
    for path in (MONITORING / "rules").glob("*.yml"):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from (rule["record"] for rule in group["rules"] if "record" in rule)


def documented():
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").replace("`..._not_after_...`", "")
    yield from re.findall(r"`(airfoil_\w+)`", text)
    yield from ("airfoil_certificate_not_after_timestamp_seconds", "airfoil_service_answer_seconds")


def names(expr):
    """The metrics of an expression: what is left without strings, labels, durations and the language's words."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", "", expr)
    return set(re.findall(r"[a-zA-Z_][\w:]*", bare)) - OF_THE_LANGUAGE


def test_there_are_dashboards():
    assert set(DASHBOARDS) == {"airfoil-airflow", "airfoil-models", "airfoil-server"}
    assert {name: board["uid"] for name, board in DASHBOARDS.items()} == {name: name for name in DASHBOARDS}


@pytest.mark.parametrize(
    ("name", "panel"), PANELS, ids=lambda one: one if isinstance(one, str) else one["title"]
)
def test_a_panel_asks_for_what_there_is(name, panel):
    used = {metric for target in panel["targets"] for metric in names(target["expr"])}
    assert used, name
    known = {*recorded(), *documented()}
    assert {metric for metric in used if metric not in known and not FOREIGN.fullmatch(metric)} == set()


def test_the_search_for_names_finds_one_that_is_not_there():
    assert names('rate(airflow_nonsense{dag_id="up"}[5m])') == {"airflow_nonsense"}


@pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS)
def test_panels_lie_beside_each_other(board):
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_every_panel_has_the_one_source():
    (source,) = yaml.safe_load((MONITORING / "grafana" / "datasources.yml").read_text())["datasources"]
    asked = {target["datasource"]["uid"] for _, panel in PANELS for target in [panel, *panel["targets"]]}
    assert asked == {source["uid"]}
