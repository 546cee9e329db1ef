"""An LDAP directory with a few people: Debian's slapd on loopback, and the Python library that asks it.

slapd need not be installed: unpacked by tests/system_packages.sh it does as well, and nothing of the machine's is used.
The library has no wheel; it is built once, from the version in constraints.txt, for tests alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.servers import free_port, listening, missing, wait_until
from uv import find_uv_bin

from airfoil.stack.packages import constraints

UNPACKED = Path("/var/cache/airfoil-stand-ins/logins")
SUFFIX = "dc=airfoil,dc=test"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
READER = (f"cn=reader,{SUFFIX}", "reads-names-only")
_ROOT = (f"cn=root,{SUFFIX}", "of-this-test-alone")
CONFIGURATION = """\
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCACertificateFile {certificates[0]}
TLSCertificateFile {certificates[1]}
TLSCertificateKeyFile {certificates[2]}
# Whoever says a password in the clear is refused.
security simple_bind=128
database mdb
suffix {suffix}
rootdn {root}
rootpw {password}
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn={reader} read by * none
overlay memberof
"""


@dataclass(frozen=True)
class Directory:
    """A running one."""

    port: int
    secure_port: int
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Where StartTLS is spoken."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def secure_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.secure_port}"

    def change(self, ldif: str) -> None:
        """Do what is written; the entries of an LDIF without a verb are added."""
        argv = [tool("ldapmodify"), "-a", "-x", "-ZZ", "-H", self.url, "-D", _ROOT[0], "-w", _ROOT[1]]
        said = subprocess.run(
            argv, input=ldif, text=True, capture_output=True, env=self.environment, check=False
        )
        assert said.returncode == 0, said.stderr

    def add_person(self, name: str, password: str, *, has_mail: bool = True) -> None:
        mail = f"mail: {name}@airfoil.test\n" if has_mail else ""
        self.change(
            f"dn: uid={name},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: Of The Test\n"
            f"givenName: {name}\n{mail}userPassword: {password}\n"
        )

    def add_group(self, name: str, *members: str) -> None:
        who = "".join(f"member: uid={one},{PEOPLE}\n" for one in members)
        self.change(f"dn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n{who}")

    def remove(self, name: str) -> None:
        self.change(f"dn: uid={name},{PEOPLE}\nchangetype: delete\n")


def tool(name: str) -> str:
    """The path of a program of OpenLDAP."""
    beside = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    found = [Path(beside)] if beside else sorted(UNPACKED.glob(f"usr/*bin/{name}"))
    if not found:
        missing("LDAP directory", "slapd ldap-utils")
    return str(found[0])


@contextlib.contextmanager
def running_directory(folder: Path, certificates: tuple[Path, Path, Path]) -> Iterator[Directory]:
    """Start an empty one with its two branches."""
    program = Path(tool("slapd"))
    base = UNPACKED if program.is_relative_to(UNPACKED) else Path("/")
    (folder / "data").mkdir(parents=True)
    libraries = base / "usr" / "lib" / sysconfig.get_config_var("MULTIARCH")
    environment = os.environ | {"LD_LIBRARY_PATH": str(libraries), "LDAPTLS_CACERT": str(certificates[0])}
    configuration = folder / "slapd.conf"
    configuration.write_text(
        CONFIGURATION.format(
            schema=base / "etc/ldap/schema",
            modules=base / "usr/lib/ldap",
            folder=folder,
            certificates=certificates,
            suffix=SUFFIX,
            root=_ROOT[0],
            password=_ROOT[1],
            reader=READER[0],
        )
    )
    directory = Directory(free_port(), free_port(), environment)
    argv = [
        str(program),
        "-d",
        "0",
        "-f",
        str(configuration),
        "-h",
        f"{directory.url} {directory.secure_url}",
    ]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output, env=environment)
    try:
        wait_until(lambda: listening(directory.port), process, log)
        directory.change(
            f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: airfoil\no: Airfoil\n\n"
            f"dn: {PEOPLE}\nobjectClass: organizationalUnit\nou: people\n\n"
            f"dn: {GROUPS}\nobjectClass: organizationalUnit\nou: groups\n\n"
            f"dn: {READER[0]}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n"
            f"userPassword: {READER[1]}\n"
        )
        yield directory
    finally:
        process.terminate()
        process.wait(30)


def library_folder() -> str:
    """The folder in which `ldap` can be imported from; empty when it is installed anyway."""
    if importlib.util.find_spec("ldap"):
        return ""
    (version,) = constraints.pins()["python-ldap"]
    folder = UNPACKED.with_name(f"python-ldap-{version}-{sys.implementation.cache_tag}")
    if folder.is_dir():
        return str(folder)
    if not Path("/usr/include/ldap.h").exists():
        missing("header files of OpenLDAP", "libldap-dev libsasl2-dev")
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    argv = [find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(fresh)]
    said = subprocess.run([*argv, f"python-ldap=={version}"], capture_output=True, text=True, check=False)
    if said.returncode:
        missing(f"python-ldap, which did not build: {said.stderr[-500:]}", "gcc libldap-dev libsasl2-dev")
    with contextlib.suppress(OSError):  # another test process was faster
        fresh.rename(folder)
    return str(folder)
