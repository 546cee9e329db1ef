"""Every error Airfoil raises on purpose, so that one place decides how a failure is told.

    AirfoilError                   one sentence, and the next move
    +- ConfigurationError          YOU MISCONFIGURED: change a file, a flag or a variable, then try again
    |  +- SettingsError            airfoil.toml or an AIRFOIL_* variable is wrong (file, line, nearest key)
    |  +- ProjectError             no project here, or a project that is not one
    |  +- SecretsError             secrets.json is unreadable or damaged; it is never replaced silently
    |  +- PortTakenError           a port you set is in use
    |  +- NotFoundError            a DAG, run, service or model you named does not exist
    |  +- AlreadyExistsError       what you asked to be made is there
    |  +- MovedMeanwhileError      an alias is not where you thought: somebody else moved it
    |  +- TableError               a table you named cannot be read as one: damaged, ragged, ambiguous
    +- NeighbourError              A NEIGHBOUR FAILED: disk, network or another server; waiting may help
    |  +- StorageError             read-only or full disk, a folder that belongs to another user
    |  +- ServiceFailed            a service of the stack ended, or never became ready
    |  +- ServiceUnreachableError  nothing answers at this address, or not in time
    |  +- ServiceRefusedError      it answered, and does not let us in
    |  +- ServiceAnswerError       it answered something that makes no sense to us
    +- InternalError               WE HAVE A BUG: please report it; nothing you changed explains it

Edges translate foreign errors into the leaves above and keep the cause (`raise ... from error`). This module
must import nothing of Airfoil and nothing foreign: every process of a stack loads it.
"""

import re
from collections.abc import Sequence

# A password ends at the last "@" before white space or a quote: people forget to escape "/" and "@" in it, and
# hiding a bit too much of an address is better than showing half a password.
_URL_PASSWORD = re.compile(r"(?P<before>[A-Za-z][\w+.-]*://[^:/@\s\"']*):[^\s\"']*@")
_QUERY_SECRET = re.compile(
    r"(?P<before>[?&;][\w.-]*(?:password|passwd|secret|token|signature|credential|key)[\w.-]*=)[^&;\s\"'#]+",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return `text` with the passwords of all addresses in it replaced by `***`."""
    without_password = _URL_PASSWORD.sub(r"\g<before>:***@", text)
    return _QUERY_SECRET.sub(r"\g<before>***", without_password)


class AirfoilError(Exception):
    """Anything that went wrong in a way we understand. Catch it at the outermost edge only.

    `message` is one sentence, `next_move` the command or action that helps, `details` lines of evidence such as
    the end of a log. Passwords inside addresses are taken out of all three.
    """

    def __init__(self, message: str, next_move: str = "", *, details: Sequence[str] = ()) -> None:
        """Keep the redacted texts; `str(error)` is the sentence alone."""
        self.message = redact(message)
        self.next_move = redact(next_move)
        self.details = tuple(redact(line) for line in details)
        super().__init__(self.message, self.next_move)

    def __str__(self) -> str:
        """Return the sentence."""
        return self.message

    @property
    def in_full(self) -> str:
        """The sentence and the next move, for places that show one line."""
        return self.message.rstrip(".") + (f". {self.next_move}" if self.next_move else ".")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive a trip between processes, details included."""
        return type(self), (self.message, self.next_move), {"details": self.details}


class ConfigurationError(AirfoilError):
    """You misconfigured something; trying again without a change fails the same way."""


class SettingsError(ConfigurationError):
    """airfoil.toml or an AIRFOIL_* variable holds something we cannot use."""


class ProjectError(ConfigurationError):
    """There is no Airfoil project here, or what is here is not one."""


class SecretsError(ConfigurationError):
    """The secrets file cannot be used as it is; only a person may decide to give up what it protects."""


class PortTakenError(ConfigurationError):
    """A port that you asked for is in use, or may not be opened."""


class NotFoundError(ConfigurationError):
    """What you named (a DAG, a run, a service) does not exist."""


class AlreadyExistsError(ConfigurationError):
    """What was to be made exists already; in a race, somebody else was first."""


class MovedMeanwhileError(ConfigurationError):
    """An alias was to be moved from one version, and is at another: somebody moved it in between."""


class TableError(ConfigurationError):
    """A table you named cannot be read as one; reading it again gives the same."""


class NeighbourError(AirfoilError):
    """Something outside this process failed; it may work later without a change of yours."""


class StorageError(NeighbourError):
    """The disk or the permissions on it do not let us write or read."""


class ServiceFailed(NeighbourError):  # noqa: N818 - reads as the event it reports: a service failed
    """A service of the stack ended or did not become ready in time; `details` holds its last log lines."""


class ServiceUnreachableError(NeighbourError):
    """Nothing answers at this address, or not in time."""


class ServiceRefusedError(NeighbourError):
    """The service answered, and did not accept who we are."""


class ServiceAnswerError(NeighbourError):
    """The service answered something we cannot use: an error of its own, or not the format it promises."""


class InternalError(AirfoilError):
    """A rule of our own code is broken; this is a bug in Airfoil, not in a project."""
