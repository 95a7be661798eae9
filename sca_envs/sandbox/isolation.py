"""Which barriers stand between the code and the host, and whether they are enough."""

from __future__ import annotations

import enum
import os
import warnings
from dataclasses import dataclass
from typing import Any

from sca_envs.sandbox.errors import SandboxUnavailableError


class Level(enum.IntEnum):
    """How well code is confined. A higher level has every barrier of the lower ones."""

    UNSAFE = 0
    """A separate process, and nothing more."""
    SECCOMP = 1
    """System-call filter and resource limits."""
    LANDLOCK = 2
    """Also Landlock: no path can be opened, whatever the filter lets through."""
    FULL = 3
    """Also namespaces: no other process, no network, an empty file system."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What the kernel granted."""

    level: Level
    """The level that this amounts to."""
    seccomp: bool
    """Whether the filter is there; it was tried and denied what it should."""
    landlock: int
    """Version of the Landlock interface; 0 without."""
    namespaces: tuple[str, ...]
    """Names of the namespaces of its own."""
    empty_root: bool
    """Whether the file system is empty."""
    fixed_addresses: bool
    """Whether object addresses repeat; without, `id()` and default `repr` may differ."""
    user: int | None
    """User number that the code runs under, as the host sees it."""
    missing: tuple[str, ...]
    """Why something is missing, in the kernel's words."""

    @classmethod
    def from_report(cls, report: dict[str, Any]) -> Isolation:
        """Read what the worker reported before any code ran in it."""
        level = Level.UNSAFE
        if report["seccomp"]:
            level = Level.SECCOMP
            if report["landlock"]:
                level = Level.FULL if report["namespaces"] else Level.LANDLOCK
        return cls(
            level=level,
            seccomp=report["seccomp"],
            landlock=report.get("landlock", 0),
            namespaces=tuple(report.get("namespaces", ())),
            empty_root=report.get("empty_root", False),
            fixed_addresses=report["fixed_addresses"],
            user=report.get("user"),
            missing=tuple(report["missing"]),
        )

    def demand(self, minimum: Level) -> None:
        """Refuse to go on below a level.

        Raises:
            SandboxUnavailableError: If this is less than `minimum`.
        """
        if self.level >= minimum:
            return
        lacking = [
            name
            for name, there, needed in (
                ("seccomp", self.seccomp, Level.SECCOMP),
                ("Landlock (Linux 5.13 or later)", self.landlock > 0, Level.LANDLOCK),
                ("user namespaces", bool(self.namespaces), Level.FULL),
            )
            if not there and minimum >= needed
        ]
        reasons = f" ({'; '.join(self.missing)})" if self.missing else ""
        raise SandboxUnavailableError(
            f"the sandbox needs level {minimum.name}, and this platform gives "
            f"{self.level.name}: it lacks {', '.join(lacking)}{reasons}. {_WAY_OUT}"
        )


_WAY_OUT = (
    "Run on Linux (x86_64 or aarch64), in a container that allows seccomp; to debug elsewhere, "
    "without any protection from the code, set SCA_SANDBOX=unsafe."
)


def is_unsafe() -> bool:
    """Return whether SCA_SANDBOX lets code run unconfined; runs and tasks record it."""
    return os.environ.get("SCA_SANDBOX") == "unsafe"


def unsafe_requested() -> bool:
    """Return whether the environment asks for no protection, with a warning if so.

    Raises:
        SandboxUnavailableError: If SCA_SANDBOX has another value than `unsafe`, or the system is
            one on which not even that can run.
    """
    if not hasattr(os, "fork"):
        raise SandboxUnavailableError(
            f"the sandbox needs fork, which this system lacks. {_WAY_OUT}"
        )
    value = os.environ.get("SCA_SANDBOX", "")
    if value == "":
        return False
    if value != "unsafe":
        raise SandboxUnavailableError(f"SCA_SANDBOX: expected 'unsafe' or nothing, got {value!r}")
    warnings.warn(
        "SCA_SANDBOX=unsafe: code that a model wrote runs WITHOUT protection; it can read and "
        "change everything that you can. Use it for debugging only.",
        RuntimeWarning,
        stacklevel=4,
    )
    return True
