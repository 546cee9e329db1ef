"""A feature store as a repository: its registry, its views, the page about it. SQLite is enough for all of that."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from tests.integration import feature_repos
from tests.integration.feature_repos import END, START, keys_of, write_repository, write_rows

from airfoil.clients.feature_store.store import FeatureStore
from airfoil.errors import ConfigurationError, NotFoundError

# Warnings of Feast's own code, its libraries and what it leaves open are not ours.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("default")]

VIEW = "habits"


def test_side_by_side_needs_a_registry_in_sql(tmp_path):
    for kind in ("file", "sql"):
        write_rows(tmp_path / kind, feature_repos.table(10))
        write_repository(
            tmp_path / kind, {"type": "sqlite", "path": str(tmp_path / f"{kind}.db")}, registry=kind
        )
    FeatureStore(tmp_path / "sql").require_parallel(2)
    FeatureStore(tmp_path / "file").require_parallel(1)
    with pytest.raises(
        ConfigurationError, match="views that are brought online side by side would undo"
    ) as caught:
        FeatureStore(tmp_path / "file").require_parallel(2)
    assert "registry_type: sql" in caught.value.next_move


def test_what_is_not_there_is_one_clear_error(tmp_path):
    write_rows(tmp_path / "repo", feature_repos.table(10))
    write_repository(tmp_path / "repo", {"type": "sqlite", "path": str(tmp_path / "online.db")})
    store = FeatureStore(tmp_path / "repo")
    assert store.views() == [VIEW]
    with pytest.raises(NotFoundError, match="no feature view 'nope'"):
        store.materialize(START, END, ["nope"])
    (tmp_path / "repo" / "rows.parquet").unlink()
    with pytest.raises(NotFoundError, match="no Parquet file"):
        store.materialize(START, END)
    with pytest.raises(ConfigurationError, match="There is no feature repository at"):
        FeatureStore(tmp_path / "nowhere")


def test_a_view_without_entities_and_a_view_of_feasts_own_way(tmp_path, caplog):
    from feast import FeatureView, Field, FileSource
    from feast.types import Int32

    rows = feature_repos.table(50)
    write_rows(tmp_path / "repo", rows)
    store = write_repository(tmp_path / "repo", {"type": "sqlite", "path": str(tmp_path / "online.db")})
    source = FileSource(path=str(tmp_path / "repo" / "rows.parquet"), timestamp_field="at")
    both = {
        name: FeatureView(
            name=name,
            entities=[],
            schema=[Field(name="small", dtype=Int32)],
            source=source,
            enable_validation=is_checked,
        )
        for name, is_checked in (("alone", False), ("checked", True))
    }
    store.apply(list(both.values()))
    with caplog.at_level(logging.INFO):
        store.materialize(START, END)
    names = ["alone:small", "checked:small", "habits:flag"]
    seen = store.get_online_features(names, keys_of(rows)[:1], full_feature_names=True).to_dict()
    frame = rows.to_pandas()
    newest = frame[(frame["at"] >= START) & (frame["at"] <= END)].sort_values("at").iloc[-1]["small"]
    assert seen["alone__small"] == seen["checked__small"] == [int(newest)]
    assert "View checked goes Feast's own way: Feast validates its rows." in caplog.text
    assert "View alone goes" not in caplog.text


def test_the_page_about_features_runs_as_printed(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    settings, *_ = re.findall(r"^```yaml\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```python\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "feature_store.yaml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks), "features.md", "exec"), {})  # noqa: S102 - our own words
