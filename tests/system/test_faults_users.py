"""Root and normal users: each can work, and neither spoils what the other made.

A normal user needs a Python that everybody may run; where the interpreter lies in a closed folder, such as root's
home, that folder is opened for the test alone: in a mount name space of its own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from tests.system.faults import Command, assert_nothing_started, files, refusal
from tests.system.platforms import Platform, lent

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).parents[2]
USER = "nobody"


def closed_folder():
    """The folder on the way to the interpreter or to Airfoil that others may not enter."""
    for path in (Path(sys.base_prefix), Path(sys.prefix), REPOSITORY):
        for folder in reversed((path, *path.parents)):
            if not folder.stat().st_mode & stat.S_IXOTH:
                return folder
    return None


def needed_below(folder):
    """What of it a user needs."""
    return [
        path for path in {Path(sys.base_prefix), Path(sys.prefix), REPOSITORY} if path.is_relative_to(folder)
    ]


def script(holder):
    """Open what is closed, become the user, run the arguments."""
    closed = closed_folder()
    lines = ["set -e"]
    if closed is not None:
        lines += [
            f"mount --bind '{closed}' '{holder}'",
            f"mount -t tmpfs -o mode=755 airfoil-test '{closed}'",
        ]
        for path in needed_below(closed):
            inside = path.relative_to(closed)
            lines += [f"mkdir -p '{path}'", f"mount --bind '{holder}/{inside}' '{path}'"]
        lines.append(f"umount '{holder}'")
    lines.append(f'exec setpriv --reuid {USER} --regid {pwd.getpwnam(USER).pw_gid} --clear-groups "$@"')
    return "\n".join(lines)


class UsersPlatform(Platform):
    """A platform whose commands are run by a normal user."""

    def run(self, *arguments, inside=None, environment=None):
        it = Platform(inside or self.root)
        it.environment = {**(environment or self.environment), "HOME": "/nonexistent"}
        return Command(it, *arguments, prefix=as_user()).done()


def as_user():
    return ("unshare", "--mount", "sh", "-c", script(holder()), "sh")


def holder():
    path = Path(tempfile.gettempdir(), f"airfoil-test-holder-{os.getpid()}")
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture(scope="module")
def place():
    """Lend a folder that belongs to the user, where every user can get at."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("unshare and setpriv (util-linux) are not installed")
    folder = Path(tempfile.mkdtemp(prefix="airfoil-test-"))
    folder.chmod(0o755)
    trial = [*as_user(), sys.executable, "-c", "import airfoil"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a normal user cannot run this Python: {done.stderr.strip()}")
    yield folder
    shutil.rmtree(folder)
    with suppress(OSError):
        holder().rmdir()


@pytest.fixture
def users_place(place, request):
    folder = place / request.node.name[:40]
    folder.mkdir()
    shutil.chown(folder, USER)
    return folder


def test_a_normal_user(users_place):
    """The whole life of a platform, every file the user's, every process too."""
    for platform in lent(UsersPlatform.make(users_place)):
        platform.up()
        owners = {Path(f"/proc/{pid}").owner() for pid in platform.processes()}
        assert owners == {USER}
        assert "A normal user." in platform.run("doctor").out
        said = refusal(Platform(platform.root).run("up"))  # root comes along
        assert said.sentence == (
            f"{platform.project.state} belongs to {USER}, and root would leave files in it that {USER} cannot change."
        )
        assert said.move.startswith(f"Run the command as {USER}, or hand the folder to root:")
        platform.down()
        assert platform.leftovers() == []
        assert {path.owner() for path in platform.project.state.rglob("*")} == {USER}
        assert stat.S_IMODE(platform.project.secrets.stat().st_mode) == 0o600


def test_what_root_made_is_handed_over_on_request(place):
    made = Platform.make(place)
    made.project.prepare()
    before = files(made.root)
    users = UsersPlatform(made.root)
    said = refusal(users.run("up"))
    assert said.sentence == f"{made.project.state} belongs to root, not to you ({USER})."
    assert said.move == f"`sudo chown -R {USER} '{made.project.state}'`, or run the command as root."
    for command in ("status", "down", "doctor"):
        assert "Traceback" not in users.run(command).said
    assert files(made.root) == before
    assert_nothing_started(made)


def test_root_is_told_once_what_that_means(new_platform):
    if os.geteuid() != 0:
        pytest.skip("only root is root")
    doctor = new_platform.run("doctor")
    assert doctor.code == 0
    assert "You are root: every task may do anything on this machine" in doctor.out


def test_settings_that_the_user_may_not_read(users_place):
    platform = UsersPlatform.make(users_place)
    platform.project.toml.chmod(0)
    said = refusal(platform.run("up"))
    assert said.sentence == f"You may not read {platform.project.toml}."
    assert said.move.startswith(f"`chmod u+r '{platform.project.toml}'`")
    assert platform.run("down").out == "Not running.\n"
    assert_nothing_started(platform)
