"""Packages of a project: named, locked, installed and taken away by the real uv, from an index of our own."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest
from tests.integration.shops import PYPROJECT, Shop, make_python

from airfoil.stack.packages.uv import Uv

pytestmark = pytest.mark.integration

NOTHING_TO_DO_SECONDS = 0.2


def test_a_package_is_named_locked_and_installed(shop, index):
    done = shop.add("zz-van")

    assert (done.code, done.out) == (0, "Added zz-van 1.5.\n"), done.err
    assert '  "airfoil[stack]",  # the platform\n  "zz-van>=1.5",\n' in shop.pyproject
    assert shop.pyproject.startswith("# Mine, with comments.\n")
    lock = (shop.root / "airfoil.lock").read_text()
    assert "zz-parcel==1.0 \\\n    --hash=sha256:" in lock
    assert str(shop.root) not in lock
    assert index.url not in lock
    assert (shop.version("zz_van"), shop.version("zz_parcel")) == ("1.5", "1.0")


def test_what_was_locked_stays_until_an_upgrade_is_asked_for(shop, index):
    assert shop.add("zz-parcel").code == 0
    index.offer("zz-parcel", "1.9")

    assert shop.add("zz-van").code == 0
    assert shop.version("zz_parcel") == "1.0"

    assert shop.add("--upgrade").code == 0
    assert shop.version("zz_parcel") == "1.9"


def test_a_colleague_gets_exactly_the_lock_and_then_nothing_is_done(shop, index, tmp_path):
    assert shop.add("zz-van").code == 0
    index.offer("zz-parcel", "1.9")
    colleague = Shop(shop.root, make_python(tmp_path / "other"), shop.environment)
    assert colleague.version("zz_van") is None

    installed, removed, restart, problem, _ = colleague.up_to_date()
    assert (installed, removed, restart, problem) == (["zz-parcel 1.0", "zz-van 1.5"], [], False, "")
    assert colleague.version("zz_parcel") == "1.0"

    looks = [colleague.up_to_date() for _ in range(3)]
    assert [look[:4] for look in looks] == [[[], [], False, ""]] * 3
    print(f"nothing to do: {min(look[4] for look in looks):.3f} s")
    assert min(look[4] for look in looks) < NOTHING_TO_DO_SECONDS


def test_an_edit_by_hand_is_followed_and_what_nobody_names_goes(shop):
    assert shop.add("zz-van", "zz-plugin").code == 0
    shop.name("zz-parcel")

    installed, removed, restart, _, _ = shop.up_to_date()

    assert (installed, removed, restart) == ([], ["zz-plugin", "zz-van"], True)
    assert (shop.version("zz_van"), shop.version("zz_parcel")) == (None, "1.0")
    assert shop.up_to_date()[:2] == [[], []]


def test_what_is_removed_goes_unless_somebody_needs_it(shop):
    assert shop.add("zz-parcel", "zz-van").code == 0

    done = shop.add("--remove", "ZZ_Parcel")
    assert (done.code, done.out) == (0, "Removed ZZ_Parcel.\n"), done.err
    assert shop.version("zz_parcel") == "1.0", "the van carries it"

    assert shop.add("--remove", "zz-van").code == 0
    assert (shop.version("zz_van"), shop.version("zz_parcel")) == (None, None)
    assert shop.pyproject == PYPROJECT


def test_only_what_we_installed_is_ever_removed(shop, index):
    Uv.find(shop.root)._run(
        (
            "pip",
            "install",
            "--python",
            str(shop.python),
            "--default-index",
            index.url,
            "--no-cache",
            "zz-parcel",
        )
    )
    assert shop.add("zz-parcel").code == 0
    assert shop.add("--remove", "zz-parcel").code == 0
    assert shop.version("zz_parcel") == "1.0"


def test_a_replaced_package_or_a_plugin_needs_a_restart_a_new_one_does_not(shop, index):
    def generation() -> int:
        return json.loads((shop.root / ".airfoil/packages.json").read_text())["generation"]

    assert shop.add("zz-parcel").code == 0
    assert generation() == 0
    assert shop.add("zz-plugin").code == 0
    assert generation() == 1
    index.offer("zz-parcel", "3.0")
    assert shop.add("zz-parcel>=3").code == 0
    assert (shop.version("zz_parcel"), generation()) == ("3.0", 2)


def test_an_environment_apart_holds_what_does_not_fit(shop, index):
    index.offer("pydantic", "1.10")
    done = shop.add("--environment", "relics", "zz-relic")

    assert done.code == 0, done.err
    assert (
        done.out
        == "Added zz-relic 0.3 in the environment relics.\nIts Python is .airfoil/environments/relics/bin/python.\n"
    )
    assert shop.pyproject.endswith('[tool.airfoil.environments]\nrelics = ["zz-relic>=0.3"]\n')
    python = shop.root / ".airfoil/environments/relics/bin/python"
    assert (shop.version("zz_relic", python), shop.version("pydantic", python)) == ("0.3", "1.10")
    assert shop.version("zz_relic") is None, "it is apart"
    assert not (shop.root / "airfoil.lock").exists()
    assert shop.up_to_date()[:2] == [[], []]

    subprocess.run(["rm", "-r", str(shop.root / ".airfoil/environments")], check=True)
    assert shop.up_to_date()[0] == ["environment relics"]
    assert shop.version("zz_relic", python) == "0.3"

    python.unlink()  # as after an upgrade of the Python it came from
    assert shop.up_to_date()[0] == ["environment relics"]
    assert shop.version("zz_relic", python) == "0.3"

    assert shop.add("--environment", "relics", "--remove", "zz-relic").code == 0
    assert not python.exists()
    assert shop.pyproject == PYPROJECT
    assert list(shop.root.glob("*.lock")) == []


def test_offline_says_so_once_and_the_platform_can_start(shop, tmp_path):
    assert shop.add("zz-parcel").code == 0
    before = shop.files()
    shop.environment["UV_DEFAULT_INDEX"] = "http://127.0.0.1:9/simple/"
    began = time.monotonic()

    done = shop.add("zz-van")

    print(f"offline, said after {time.monotonic() - began:.1f} s")
    assert done.code == 1
    assert (
        "Error: The package index 127.0.0.1:9 cannot be reached.\nCheck the network, then try again.\n"
        in done.err
    )
    assert shop.files() == before

    colleague = Shop(shop.root, make_python(tmp_path / "other"), shop.environment)
    installed, _, _, problem, _ = colleague.up_to_date()
    assert installed == []
    assert problem == (
        "The package index 127.0.0.1:9 cannot be reached. "
        "What airfoil.lock adds is not installed; `airfoil up` tries again."
    )


def test_two_at_once_both_count(shop):
    both = [
        subprocess.Popen(
            [shop.python, "-m", "airfoil", "add", package],
            cwd=shop.root,
            env={**os.environ, **shop.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for package in ("zz-parcel", "zz-van")
    ]
    for one in both:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said
    assert ('"zz-parcel>=1.0"' in shop.pyproject, '"zz-van>=1.5"' in shop.pyproject) == (True, True)
    assert (shop.version("zz_parcel"), shop.version("zz_van")) == ("1.0", "1.5")


def test_a_project_without_a_lock_is_left_alone(shop):
    shop.name("zz-van")

    assert shop.up_to_date()[:4] == [[], [], False, ""]
    assert shop.version("zz_van") is None
    done = shop.add()
    assert (done.code, shop.version("zz_van")) == (0, "1.5")


def test_without_a_pyproject_one_is_begun(shop):
    (shop.root / "pyproject.toml").unlink()

    assert shop.add("zz-parcel").code == 0
    assert 'name = "shop"' in shop.pyproject
    assert 'dependencies = ["zz-parcel>=1.0"]' in shop.pyproject
