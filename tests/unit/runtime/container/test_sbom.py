"""An image's bill of materials: CycloneDX by its own schema, and everything that is installed is on it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata, resources

import pytest

from airfoil.runtime.container import sbom

pytestmark = pytest.mark.unit

STATUS = """\
Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.0.17-1~deb12u2
Description: Secure Sockets Layer toolkit
 - shared libraries

Package: gone
Status: deinstall ok config-files
Architecture: amd64

Package: purged
Status: unknown ok not-installed
Version: 1
"""
RELEASE = 'ID=debian\nVERSION_ID="12"\n'


class Package:
    """What is read of an installed one."""

    def __init__(self, name, version, *lines, requires=()):
        from email.message import Message

        self.metadata = Message()
        self.metadata["Name"] = name
        for line in lines:
            field, _, value = line.partition(": ")
            self.metadata[field] = value
        self.version, self.requires = version, list(requires)


def bill(tmp_path, *packages, name="airfoil/airflow:1.2"):
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "os-release").write_text(RELEASE)
    return sbom.document(name, packages, tmp_path, tmp_path / "os-release")


def components(found):
    return {one["name"]: one for one in found["components"]}


def validate(found):
    """By the schema that CycloneDX publishes."""
    import jsonschema
    from referencing import Registry, Resource

    folder = resources.files("cyclonedx.schema") / "_res"
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.name.endswith(".json")
    }
    schemas = {name: json.loads(text) for name, text in texts.items()}
    pairs = [
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values() if "$id" in schema
    ]
    schema = schemas["bom-1.6.SNAPSHOT.schema.json"]
    validator = jsonschema.validators.validator_for(schema)(schema, registry=Registry().with_resources(pairs))
    validator.validate(found)


def test_packages_of_python_and_debian_are_named_so_that_advisories_find_them(tmp_path):
    found = components(bill(tmp_path, Package("Flask_AppBuilder", "5.2.2"), Package("local", "1.0+g1")))
    assert found["flask-appbuilder"]["purl"] == "pkg:pypi/flask-appbuilder@5.2.2"
    assert found["local"]["purl"] == "pkg:pypi/local@1.0%2Bg1"
    assert found["libssl3"]["purl"] == "pkg:deb/debian/libssl3@3.0.17-1~deb12u2?arch=amd64&distro=debian-12"
    assert found["libssl3"]["properties"] == [{"name": "debian:source", "value": "openssl"}]
    assert found["python"]["version"].startswith("3.")
    assert not {"gone", "purged"} & set(found)


def test_a_licence_is_what_the_package_says(tmp_path):
    found = components(
        bill(
            tmp_path,
            Package("a", "1", "License-Expression: MIT OR Apache-2.0", "License: ignored"),
            Package("b", "1", "License: BSD"),
            Package(
                "c", "1", f"License: {'text ' * 100}", "Classifier: License :: OSI Approved :: MIT License"
            ),
            Package("d", "1"),
        )
    )
    assert found["a"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert found["b"]["licenses"] == [{"license": {"name": "BSD"}}]
    assert found["c"]["licenses"] == [{"license": {"name": "MIT License"}}]
    assert "licenses" not in found["d"]


def test_who_needs_whom_is_told_as_far_as_it_is_there(tmp_path):
    found = bill(
        tmp_path,
        Package("a", "1", requires=["B.b>=2", "missing", 'c; extra == "x"', "a[more]"]),
        Package("b-b", "2", requires=['c<3; python_version > "3"']),
        Package("c", "2"),
    )
    needs = {one["ref"]: one["dependsOn"] for one in found["dependencies"]}
    assert needs["pkg:pypi/a@1"] == ["pkg:pypi/b-b@2"]
    assert needs["pkg:pypi/b-b@2"] == ["pkg:pypi/c@2"]
    assert needs["pkg:pypi/c@2"] == []
    assert len(needs["image"]) == 5, "three packages, Python, libssl3"


def test_the_first_of_a_name_is_the_one_that_is_imported(tmp_path):
    assert components(bill(tmp_path, Package("a", "2"), Package("a", "1")))["a"]["version"] == "2"


@pytest.mark.parametrize(
    ("name", "image", "tag"),
    [
        ("airfoil/airflow:1.2", "airfoil/airflow", "1.2"),
        ("registry:5000/airfoil/airflow", "registry:5000/airfoil/airflow", ""),
        ("registry:5000/airfoil/airflow:1", "registry:5000/airfoil/airflow", "1"),
    ],
)
def test_an_image_is_called_as_docker_calls_it(tmp_path, name, image, tag):
    about = bill(tmp_path, name=name)["metadata"]["component"]
    assert (about["name"], about["version"]) == (image, tag)


def test_an_image_without_a_package_manager_has_one_file_for_each(tmp_path):
    (tmp_path / "status.d").mkdir()
    (tmp_path / "status.d" / "base").write_text("Package: base-files\nVersion: 12\nArchitecture: all\n")
    (tmp_path / "status.d" / "base.md5sums").write_text("Package: no\nVersion: 1\n")
    assert {"base-files", "libssl3"} < set(components(bill(tmp_path)))


def test_what_is_installed_here_is_a_valid_bill_without_a_gap():
    argv = [sys.executable, "-m", "airfoil.runtime.container.sbom", "--name", "this/machine:1"]
    said = [subprocess.run(argv, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert said[0] == said[1], "the same image gives the same bytes"
    found = json.loads(said[0])
    validate(found)
    listed = {(one["name"], one["version"]) for one in found["components"]}
    installed = {(sbom._canonical(one.metadata["Name"]), one.version) for one in metadata.distributions()}
    assert installed <= listed
    refs = [one["bom-ref"] for one in found["components"]]
    assert len(refs) == len(set(refs))


def test_the_schema_refuses_what_is_none(tmp_path):
    import jsonschema

    found = bill(tmp_path, Package("a", "1"))
    validate(found)
    with pytest.raises(jsonschema.ValidationError):
        validate(found | {"components": [{"type": "thing", "name": "a"}]})
