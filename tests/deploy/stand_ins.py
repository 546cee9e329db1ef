"""Builds the images that stand in for those of registries, under the very tags that compose.yaml names.

`python -m tests.deploy.stand_ins TAG...` from the root of the checkout. What a base consists of comes from debootstrap,
once; it carries this machine's certificates and pip settings as well: builds inside it reach what the machine does.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.deploy import engine

HERE = Path(__file__).parent
TESTS = HERE.parent
MIRROR = "http://deb.debian.org/debian"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
# Of the machine's own apt: a clock that is ahead of the mirror.
APT_SETTINGS = 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n'
# Nobody reads manuals there, and what a power cut leaves half written is built anew.
DPKG_SETTINGS = "force-unsafe-io\n" + "".join(
    f"path-exclude=/usr/share/{name}/*\n" for name in ("doc", "man", "locale")
)
NOT_NEEDED = (
    "var/cache/apt/archives",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
)
SUITES = ("bookworm", "trixie")
LABEL = "airfoil.stand-in=yes"
# Repository of an image -> the target of stand_ins/Dockerfile that stands in for it.
TARGETS = {
    "python": "python",
    "postgres": "postgres",
    "redis": "redis",
    "chrislusf/seaweedfs": "seaweedfs",
    "caddy": "caddy",
    "prom/prometheus": "prometheus",
    "prom/alertmanager": "alertmanager",
    "prom/statsd-exporter": "statsd-exporter",
    "prometheuscommunity/postgres-exporter": "postgres-exporter",
    "oliver006/redis_exporter": "redis_exporter",
}


def suite_tag(suite: str) -> str:
    """The image that a Debian release is imported as."""
    return f"airfoil-stand-in/{suite}"


def exists(tag: str) -> bool:
    """Is there such an image?"""
    return bool(engine.docker("images", "--quiet", tag))


def import_suite(suite: str) -> None:
    """Make the smallest Debian of that name, once, and import it."""
    if exists(suite_tag(suite)):
        return
    archive = engine.CACHE / f"{suite}.tar"
    if not archive.exists():
        _bootstrap(suite, archive)
    changes = [f"--change=ENV {name}={BUNDLE}" for name in CERTIFICATE_VARIABLES if os.environ.get(name)]
    engine.docker("import", *changes, "--change=ENV LANG=C.UTF-8", str(archive), suite_tag(suite))


def import_suites() -> None:
    """Make and import all of them at once: each waits for its mirror and its disk most of the time."""
    with ThreadPoolExecutor(len(SUITES)) as pool:
        list(pool.map(import_suite, SUITES))


def _bootstrap(suite: str, archive: Path) -> None:
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        engine.missing(
            "no debootstrap on this machine, or not its administrator (`apt-get install debootstrap`)"
        )
    engine.CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="airfoil-bootstrap-", dir="/var/tmp"))
    try:
        engine.run(
            "debootstrap", "--variant=minbase", "--include=ca-certificates", suite, str(folder), MIRROR
        )
        for path in (BUNDLE, Path("/etc/pip.conf")):
            if path.exists():
                shutil.copy(path, folder / path.relative_to("/"))
        (folder / "etc/apt/apt.conf.d/99stand-in").write_text(APT_SETTINGS)
        (folder / "etc/dpkg/dpkg.cfg.d/99stand-in").write_text(DPKG_SETTINGS)
        for name in NOT_NEEDED:
            shutil.rmtree(folder / name)
            (folder / name).mkdir()
        half = archive.with_suffix(".part")
        engine.run("tar", "-C", str(folder), "--numeric-owner", "-cf", str(half), ".")
        half.rename(archive)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def target_of(tag: str) -> str | None:
    """Which stand-in an image has, or None when it has none."""
    return TARGETS.get(tag.rpartition(":")[0].removeprefix("docker.io/").removeprefix("library/"))


def is_real(tag: str) -> bool:
    """Is there such an image, and not one of ours? Somebody who has the real one tests with it."""
    return exists(tag) and not engine.docker("images", "--quiet", "--filter", f"label={LABEL}", tag)


def build(*tags: str) -> None:
    """Build the stand-ins for some images, anew where their files have changed."""
    wanted = [tag for tag in tags if not is_real(tag)]
    if not wanted:
        return
    targets = [target_of(tag) or engine.missing(f"nothing stands in for the image {tag}") for tag in wanted]
    import_suites()
    with ThreadPoolExecutor(len(SUITES)) as pool:
        list(pool.map(_build, targets, wanted))


def _build(target: str, tag: str) -> None:
    file = ("--file", str(HERE / "stand_ins" / "Dockerfile"))
    engine.docker(
        "build", "--quiet", "--network", "host", *file, "--target", target, "--tag", tag, str(TESTS)
    )


if __name__ == "__main__":
    build(*sys.argv[1:])
