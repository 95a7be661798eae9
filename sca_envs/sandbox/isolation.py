"""Which barriers stand between the code and the host, and whether they are enough."""

from __future__ import annotations

import enum
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sca_envs.core.code_runner import is_unsafe
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
    """Also namespaces: no other process, no network; and an empty file system."""


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
    still: bool
    """Whether the C library's clocks and chance repeat, whatever way code takes to them; without,
    only those of Python's modules do."""
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
                separate = report["namespaces"] and report["empty_root"]
                level = Level.FULL if separate else Level.LANDLOCK
        return cls(
            level=level,
            seccomp=report["seccomp"],
            landlock=report.get("landlock", 0),
            namespaces=tuple(report.get("namespaces", ())),
            empty_root=report.get("empty_root", False),
            fixed_addresses=report["fixed_addresses"],
            still=report["still"],
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
            mechanism.name
            for mechanism in self.mechanisms
            if not mechanism.present and mechanism.level is not None and minimum >= mechanism.level
        ]
        reasons = f" ({'; '.join(self.missing)})" if self.missing else ""
        raise SandboxUnavailableError(
            f"the sandbox needs level {minimum.name}, and this platform gives "
            f"{self.level.name}: it lacks {', '.join(lacking)}{reasons}. {_WAY_OUT}"
        )

    def without(self, failures: Sequence[str]) -> Isolation:
        """Return this with reasons for which higher levels were given up."""
        return replace(self, missing=(*failures, *self.missing)) if failures else self

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """What the levels are made of, and what makes results repeat."""
        return (
            Mechanism("seccomp", self.seccomp, Level.SECCOMP, _SECCOMP),
            Mechanism(
                "Landlock (Linux 5.13 or later)", self.landlock > 0, Level.LANDLOCK, _LANDLOCK
            ),
            Mechanism("user namespaces", bool(self.namespaces), Level.FULL, _NAMESPACES),
            Mechanism("an empty root directory", self.empty_root, Level.FULL, _NAMESPACES),
            Mechanism("fixed addresses", self.fixed_addresses, None, _PERSONALITY),
            Mechanism("still clocks below Python", self.still, None, _STILL),
        )


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One barrier, or one thing that makes results repeat."""

    name: str
    """What it is called."""
    present: bool
    """Whether it is there."""
    level: Level | None
    """The lowest level that needs it; None if no level does."""
    remedy: str
    """What brings it, where it is missing."""


_SECCOMP = (
    "Run on Linux, on x86_64 or aarch64, with CONFIG_SECCOMP_FILTER, and in a container whose "
    "runtime allows seccomp(2)."
)
_LANDLOCK = (
    "Use a kernel from 5.13 on that lists landlock in /sys/kernel/security/lsm (boot option lsm=), "
    "and in a container a seccomp profile that allows its system calls (Docker 23 or later)."
)
_NAMESPACES = (
    "Allow user namespaces to ordinary users: on Ubuntu 24.04 or later, "
    "`sysctl kernel.apparmor_restrict_unprivileged_userns=0` or an AppArmor profile with `userns,` "
    "for this Python; elsewhere `sysctl user.max_user_namespaces` above 0 (Debian: "
    "kernel.unprivileged_userns_clone=1); in a container, a profile that allows unshare(2), "
    "mount(2) and pivot_root(2), and /proc that is not mounted read-only."
)
_PERSONALITY = "Allow personality(2) with ADDR_NO_RANDOMIZE, in Docker by a seccomp profile."
_STILL = (
    "Run on Linux on x86_64 with /proc mounted, and where memory may be made executable before "
    "the confinement (SELinux: execmem)."
)


_WAY_OUT = (
    "Run on Linux (x86_64 or aarch64), in a container that allows seccomp (`sca doctor` says what "
    "this machine has); to debug elsewhere, "
    "without any protection from the code, set SCA_SANDBOX=unsafe."
)


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
    if not is_unsafe():
        if value := os.environ.get("SCA_SANDBOX", ""):
            raise SandboxUnavailableError(
                f"SCA_SANDBOX: expected 'unsafe' or nothing, got {value!r}"
            )
        return False
    warnings.warn(
        "SCA_SANDBOX=unsafe: code that a model wrote runs WITHOUT protection; it can read and "
        "change everything that you can. Use it for debugging only.",
        RuntimeWarning,
        stacklevel=4,
    )
    return True
