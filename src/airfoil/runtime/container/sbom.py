"""Lists what an image consists of, as CycloneDX: Python, its packages, Debian's packages, and who needs whom.

`python -m airfoil.runtime.container.sbom --name IMAGE`, run inside the image; deploy/compose/sbom.sh does it for each
of ours. What is installed says it, no network and no library is needed. The same image gives the same bytes: there is
no time and no number of its own inside. Must not look into files of packages beyond their metadata.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DPKG = Path("/var/lib/dpkg")
RELEASE = Path("/etc/os-release")
LONGEST_LICENSE = 100
"""Some packages put the whole text where the name of their licence belongs."""
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(?:;(.*))?$", re.DOTALL)

Component = dict[str, Any]


def document(
    name: str, libraries: Iterable[metadata.Distribution], dpkg: Path, release: Path
) -> dict[str, Any]:
    """Return the bill of materials of an image."""
    python, needs = _python_packages(libraries)
    debian = _debian_packages(dpkg, _release(release))
    interpreter = {
        "type": "platform",
        "bom-ref": f"pkg:generic/python@{platform.python_version()}",
        "name": "python",
        "version": platform.python_version(),
        "purl": f"pkg:generic/python@{platform.python_version()}",
    }
    image, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [
                    {"type": "application", "name": "airfoil", "version": metadata.version("airfoil")}
                ]
            },
            "component": {"type": "container", "bom-ref": "image", "name": image, "version": tag},
        },
        "components": [interpreter, *python, *debian],
        "dependencies": [
            {"ref": "image", "dependsOn": sorted(one["bom-ref"] for one in [interpreter, *python, *debian])},
            *({"ref": ref, "dependsOn": sorted(others)} for ref, others in sorted(needs.items())),
        ],
    }


def _python_packages(
    libraries: Iterable[metadata.Distribution],
) -> tuple[list[Component], dict[str, set[str]]]:
    """Return what is installed, and which of it needs which."""
    # The first of a name is the one that an import finds.
    found = {
        _canonical(one.metadata["Name"]): one for one in reversed(list(libraries)) if one.metadata["Name"]
    }
    refs = {name: f"pkg:pypi/{name}@{quote(one.version, safe='')}" for name, one in found.items()}
    components, needs = [], {}
    for name, one in sorted(found.items()):
        component: Component = {
            "type": "library",
            "bom-ref": refs[name],
            "name": name,
            "version": one.version,
            "purl": refs[name],
        }
        if licenses := _licenses(one):
            component["licenses"] = licenses
        components.append(component)
        needs[refs[name]] = {refs[other] for other in _needed(one) if other in refs and other != name}
    return components, needs


def _needed(one: metadata.Distribution) -> set[str]:
    """Return the packages that another needs; those of its extras are not told: who asked for them is not known."""
    matches = (_REQUIREMENT.match(line) for line in one.requires or [])
    return {_canonical(match[1]) for match in matches if match and "extra" not in (match[2] or "")}


def _licenses(one: metadata.Distribution) -> list[dict[str, Any]]:
    """Return the licence as the package says it: an expression, or whatever words it has."""
    about: Any = one.metadata
    expression = about.get("License-Expression", "").strip()
    if expression:
        return [{"expression": expression}]
    words = about.get("License", "").strip()
    classified = [
        line.rpartition("::")[2].strip()
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    names = [words] if words and len(words) <= LONGEST_LICENSE and "\n" not in words else classified
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


def _debian_packages(dpkg: Path, release: Mapping[str, str]) -> list[Component]:
    """Return what dpkg has installed; nothing where there is no dpkg."""
    # Images without a package manager keep one file for each package.
    files = [dpkg / "status", *sorted((dpkg / "status.d").glob("*"))]
    found = []
    for path in files:
        if path.is_file() and path.suffix != ".md5sums":
            for block in path.read_text(encoding="utf-8", errors="replace").split("\n\n"):
                fields = HeaderParser().parsestr(block)
                if (
                    fields["Package"]
                    and "not-installed" not in (fields["Status"] or "")
                    and fields["Version"]
                ):
                    found.append(_debian_package(fields["Package"], fields["Version"], fields, release))
    return sorted(found, key=lambda one: str(one["bom-ref"]))


def _debian_package(name: str, version: str, fields: Any, release: Mapping[str, str]) -> Component:
    family = release.get("ID", "debian")
    about = f"arch={fields['Architecture'] or 'all'}&distro={family}-{release.get('VERSION_ID', '')}".rstrip(
        "-"
    )
    purl = f"pkg:deb/{family}/{quote(name, safe='')}@{quote(version, safe='')}?{about}"
    component: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    if fields["Source"]:
        # Advisories are about sources: one of these makes several packages.
        component["properties"] = [{"name": "debian:source", "value": fields["Source"]}]
    return component


def _release(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value.strip("\"'") for name, _, value in pairs}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Entry point: print the bill of the image that this runs in."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.container.sbom", description=__doc__)
    parser.add_argument("--name", required=True, help="the image, with its tag")
    options = parser.parse_args()
    found = document(options.name, metadata.distributions(), DPKG, RELEASE)
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
