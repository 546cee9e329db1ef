"""The platform looks after itself: the shipped DAGs that back it up and tidy it up, on the embedded stack."""

from __future__ import annotations

import json
import os

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def platform(make_platform, tmp_path_factory):
    found = make_platform(template="all")
    passphrase = tmp_path_factory.mktemp("secret") / "passphrase"
    passphrase.write_text("words that nobody guesses\n")
    passphrase.chmod(0o600)
    made = found.run("backup", "schedule", "--at", "01:30", "--passphrase-file", str(passphrase))
    assert made.code == 0, made.said
    found.up()
    return found


def test_the_scheduled_dag_takes_a_backup_and_tries_it_out(platform):
    done = platform.run("run", "platform_backup")
    assert done.code == 0, f"{done.said}\n{platform.last_words()}"
    (found,) = json.loads(platform.run("backup", "list", "--json").out)["backups"]
    assert found["counts"]["dag runs"] >= 1
    assert "is whole" in platform.run("logs", "platform_backup.verify").out


def test_old_data_goes_and_the_work_of_others_stays(platform):
    old, new = (platform.project.work / "somebody" / name / "rows.parquet" for name in ("old", "new"))
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"1234")
    for path in (old, old.parent):
        os.utime(path, (1, 1))
    done = platform.run("run", "database_cleanup")
    assert done.code == 0, f"{done.said}\n{platform.last_words()}"
    assert not old.parent.exists()
    assert new.exists()
    assert "1 run folders, 4 bytes removed" in platform.run("logs", "database_cleanup.work").out
