"""What can be set in airfoil.toml, and what holds when nothing is set.

One frozen model per section. Must not read a file or the environment.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from airfoil.errors import redact
from airfoil.settings.values import (
    ArtifactsPlace,
    Cpu,
    DatabaseUrl,
    Folder,
    Host,
    MailAddress,
    MailAddresses,
    MailServerUrl,
    Mebibytes,
    Memory,
    Modules,
    Name,
    PlainName,
    Pod,
    Port,
    Seconds,
    ServerUrl,
    Username,
    WebhookUrl,
)

DEFAULT_PRELOAD: tuple[str, ...] = ()
"""Further modules that the pre-loaded parent imports, for a user's heavy libraries."""

Flag = Annotated[bool, Field(description="true or false")]
Engine = Annotated[Literal["auto", "preloaded", "plain"], Field(description='"auto", "preloaded" or "plain"')]


class Section(BaseModel):
    """One table of airfoil.toml: frozen, strict about types, without passwords when printed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, validate_default=True
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Print addresses without their passwords."""
        for name, value in super().__repr_args__():
            yield name, redact(value) if isinstance(value, str) else value


class ProjectSettings(Section):
    """[project]: who we are."""

    name: Name = "airfoil"
    """The project's name; the folder's name while it is not set."""


class AirflowSettings(Section):
    """[airflow]: the api-server's address, where DAGs are, how much runs at once."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    database: DatabaseUrl = ""
    """Empty: SQLite in .airfoil."""
    parallelism: Annotated[int, Field(ge=1, le=64, description="a whole number from 1 to 64")] = 4
    """How many tasks run at once."""
    dags: Folder = Path("dags")
    plugins: Folder = Path("plugins")
    url: ServerUrl = ""
    """Of an Airflow that exists; then none is started."""
    username: Username = ""
    """Our login there."""


class MlflowSettings(Section):
    """[mlflow]: the tracking server's address and stores."""

    host: Host = "127.0.0.1"
    port: Port = 5000
    database: DatabaseUrl = ""
    """Empty: SQLite in .airfoil."""
    artifacts: ArtifactsPlace = ""
    """Empty: a folder in .airfoil."""
    auth: Flag = False
    """Ask for a login, with a generated administrator."""
    auth_database: DatabaseUrl = ""
    """Of the logins; empty: SQLite in .airfoil."""
    url: ServerUrl = ""
    """Of an MLflow that exists; then none is started."""
    username: Username = ""
    """Our login there; empty when it asks for none."""
    experiment: Annotated[str, Field(description="the name of an experiment, in quotes")] = ""
    """Of tasks that name none; empty: each DAG has its own."""


class PageSettings(Section):
    """[page]: the status page's address."""

    host: Host = "127.0.0.1"
    port: Port = 8081


class StackSettings(Section):
    """[stack]: how services are started, watched and logged."""

    engine: Engine = "auto"
    """`preloaded` forks services from one parent (Linux), `plain` starts each by itself, `auto` picks."""
    preload: Modules = DEFAULT_PRELOAD
    log_max_mib: Mebibytes = 10
    log_backups: Annotated[int, Field(ge=0, le=100, description="a whole number from 0 to 100")] = 3
    start_timeout_seconds: Seconds = 120
    stop_timeout_seconds: Seconds = 30


class BudgetSettings(Section):
    """[budgets]: what the platform may use; doctor and the status page compare it with what it does use."""

    memory_mib: Mebibytes = 1200
    """All services together."""
    start_seconds: Seconds = 60
    disk_free_mib: Mebibytes = 500
    """Doctor and `up` warn below this."""
    setup_mib: Mebibytes = 300
    preload_mib: Mebibytes = 270
    api_server_mib: Mebibytes = 230
    scheduler_mib: Mebibytes = 320
    dag_processor_mib: Mebibytes = 110
    triggerer_mib: Mebibytes = 170
    mlflow_mib: Mebibytes = 180
    page_mib: Mebibytes = 48
    feature_server_mib: Mebibytes = 320

    @property
    def services(self) -> dict[str, int]:
        """The memory budget of each service by its name. `setup` is over before the others count together."""
        return {
            "setup": self.setup_mib,
            "preload": self.preload_mib,
            "api-server": self.api_server_mib,
            "scheduler": self.scheduler_mib,
            "dag-processor": self.dag_processor_mib,
            "triggerer": self.triggerer_mib,
            "mlflow": self.mlflow_mib,
            "page": self.page_mib,
            "feature-server": self.feature_server_mib,
        }


class FeastSettings(Section):
    """[feast]: where the feature repository is, and whether its features are served over HTTP."""

    repo: Folder = Path("features")
    server: Flag = False
    """Start Feast's feature server; it costs memory, and tasks do without it."""
    host: Host = "127.0.0.1"
    port: Port = 6566


class AlertSettings(Section):
    """[alerts]: who is told of runs that fail or are late, and over what."""

    mail_to: MailAddresses = ()
    """Empty: nobody gets mail."""
    mail_from: MailAddress = ""
    """Empty: airfoil@ and the mail server's name."""
    smtp: MailServerUrl = ""
    """Empty: a mail server on this machine."""
    webhook: Annotated[WebhookUrl, Field(repr=False)] = ""
    """Of a chat; whoever knows it can write there."""
    most_an_hour: Annotated[int, Field(ge=1, le=10_000, description="a whole number from 1 to 10000")] = 12
    """Of one DAG; what is held back is counted."""


class BackupSettings(Section):
    """[backup]: where backups go, and how many stay."""

    place: ArtifactsPlace = ""
    """Empty: the folder `backups` of the project."""
    passphrase_file: Annotated[str, Field(description="a file in quotes")] = ""
    """Which holds the passphrase; empty: it is asked for, or comes from a variable."""
    schedule: Annotated[
        str,
        Field(
            pattern=r"^$|^@(hourly|daily|weekly)$|^\S+( \S+){4}$",
            description='a cron line in quotes, such as "30 1 * * *", or nothing',
        ),
    ] = ""
    """When the DAG platform_backup takes one, in UTC; empty: never by itself."""
    keep: Annotated[int, Field(ge=1, le=1000, description="a whole number from 1 to 1000")] = 3
    """How many of the latest stay."""
    keep_daily: Annotated[int, Field(ge=0, le=1000, description="a whole number from 0 to 1000")] = 7
    """For how many days the last one of each day stays, too."""
    keep_weekly: Annotated[int, Field(ge=0, le=1000, description="a whole number from 0 to 1000")] = 4
    """And for how many weeks."""


class ProfileSettings(Section):
    """[profiles.NAME]: where a task runs and what it may use; what is not given is left to Airflow."""

    executor: Annotated[Name | None, Field(description="the name of an executor, in quotes")] = None
    queue: Annotated[Name | None, Field(description="the name of a queue, in quotes")] = None
    pool: Annotated[Name | None, Field(description="the name of a pool, in quotes")] = None
    pool_slots: Annotated[int | None, Field(ge=1, le=10_000, description="a whole number from 1")] = None
    cpu: Annotated[Cpu | None, Field(description='a number of processors, or thousandths such as "500m"')] = (
        None
    )
    memory: Annotated[Memory | None, Field(description='an amount in quotes, such as "512Mi" or "4Gi"')] = (
        None
    )
    gpu: Annotated[int | None, Field(ge=0, le=64, description="a whole number from 0 to 64")] = None
    timeout_seconds: Annotated[
        float | None,
        Field(gt=0, le=31_536_000, allow_inf_nan=False, description="a number of seconds up to a year"),
    ] = None
    retries: Annotated[int | None, Field(ge=0, le=1000, description="a whole number from 0 to 1000")] = None
    environment: Annotated[
        PlainName | None, Field(description='the name of an environment: letters, digits, "-" and "_"')
    ] = None
    pod: Annotated[
        Pod | None, Field(description="a table with metadata and spec, as in a pod's manifest")
    ] = None


class PoolSettings(Section):
    """An entry of [pools]: how many tasks of a kind may run at once."""

    slots: Annotated[int, Field(ge=-1, le=1_000_000, description="a whole number, -1 for no limit")]
    description: Annotated[str, Field(max_length=1000, description="text in quotes")] = ""
    include_deferred: Flag = False
    """Whether tasks that wait without a process count as well."""


class Settings(Section):
    """What a project sets, with defaults for the rest; `load` makes folders and SQLite files absolute."""

    project: ProjectSettings = ProjectSettings()
    airflow: AirflowSettings = AirflowSettings()
    mlflow: MlflowSettings = MlflowSettings()
    page: PageSettings = PageSettings()
    stack: StackSettings = StackSettings()
    budgets: BudgetSettings = BudgetSettings()
    feast: FeastSettings = FeastSettings()
    alerts: AlertSettings = AlertSettings()
    backup: BackupSettings = BackupSettings()
    profiles: Mapping[str, ProfileSettings] = Field(default={})
    pools: Mapping[str, PoolSettings] = Field(default={})
    airflow_options: Mapping[str, Mapping[str, str]] = Field(default={})
    """[airflow.SECTION]: Airflow's own options by section and key, as Airflow reads them."""
    given: frozenset[str] = Field(default=frozenset(), exclude=True, repr=False)
    """Dotted names of all values that the file or the environment set."""

    def user_set(self, dotted: str) -> bool:
        """Tell whether a value such as `airflow.port` was set by the user, even to its default."""
        return dotted in self.given

    def digest(self) -> str:
        """Return 16 hexadecimal digits that change when any value does, to compare with a running stack."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


SECTIONS: dict[str, type[Section]] = {
    "project": ProjectSettings,
    "airflow": AirflowSettings,
    "mlflow": MlflowSettings,
    "page": PageSettings,
    "stack": StackSettings,
    "budgets": BudgetSettings,
    "feast": FeastSettings,
    "alerts": AlertSettings,
    "backup": BackupSettings,
}

NAMED_TABLES = ("profiles", "pools")
"""Sections below which the user chooses the names."""

KEYS: dict[str, tuple[str, ...]] = {name: tuple(section.model_fields) for name, section in SECTIONS.items()}
DOTTED_KEYS: tuple[str, ...] = tuple(f"{section}.{key}" for section, keys in KEYS.items() for key in keys)
