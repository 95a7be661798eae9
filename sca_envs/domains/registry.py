"""The domains by name, ours and those of other packages.

A domain is registered as the text ``module:attribute``, so that no domain is imported before its
first use, or as the spec itself. An installed package announces a module that registers its domains
by an entry point in the group `GROUP`.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sca_envs.core.errors import OptionError, shorten

if TYPE_CHECKING:
    from sca_envs.domains.spec import DomainSpec

GROUP = "sca_envs.domains"
"""Entry points of this group name modules that register domains and environments on import."""

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_loaders: dict[str, str | DomainSpec] = {}


def register_domain(name: str, loader: str | DomainSpec) -> None:
    """Make a domain known by its name.

    Args:
        name: The domain's name: a letter, then letters, digits and underscores.
        loader: The domain's `DomainSpec`, or where it is as ``module:attribute``; then it is
            imported on first use. Registering it again does nothing.

    Raises:
        OptionError: If the name is no such text or taken by a domain of another package.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OptionError(
            "Expected a domain's name of a letter, then letters, digits and underscores; "
            f"got {shorten(name)}"
        )
    known = _loaders.get(name)
    if known is not None and _package(known) != _package(loader):
        raise OptionError(
            f"Expected a domain's name that is free; {name!r} is a domain of {_package(known)}. "
            "Give yours another name"
        )
    _loaders[name] = loader


def list_domains() -> tuple[str, ...]:
    """Return the names of all domains, those of installed packages included."""
    load_plugins()
    return tuple(_loaders)


def find_spec(name: str) -> DomainSpec:
    """Return the spec of a domain.

    Raises:
        OptionError: If there is no such domain, or it cannot be imported.
    """
    if name not in _loaders:
        load_plugins()
    if not isinstance(name, str) or name not in _loaders:
        raise OptionError(f"Expected the name of a domain; got {unknown(name, _loaders)}")
    loader = _loaders[name]
    spec = import_spec(loader) if isinstance(loader, str) else loader
    if spec.name != name:
        raise OptionError(
            f"Expected the spec that is registered as {name!r} to have this name; got {spec.name!r}"
        )
    return spec


def target_of(spec: DomainSpec) -> str | None:
    """Return the ``module:attribute`` that a spec is registered as, if it is."""
    loader = _loaders.get(spec.name)
    return loader if isinstance(loader, str) and import_spec(loader) is spec else None


def import_spec(target: str) -> DomainSpec:
    """Return the spec at ``module:attribute``.

    Raises:
        OptionError: If there is none.
    """
    module, _, attribute = target.partition(":")
    found: Any = getattr(import_module(module, "a domain"), attribute or "SPEC", None)
    if not hasattr(found, "parse_data"):
        raise OptionError(
            f"Expected a DomainSpec at {target!r}; got {type(found).__name__}. Register the domain "
            "as module:attribute, where the module has the attribute"
        )
    spec: DomainSpec = found
    return spec


def import_module(name: str, what: str) -> Any:
    """Return a module by its name.

    Args:
        name: Its name.
        what: What it should have, for the error.

    Raises:
        OptionError: If importing it raises anything.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise OptionError(
            f"Expected to import {name!r} for {what}; it raised {type(error).__name__}: {error}"
        ) from error


@functools.cache
def load_plugins() -> dict[str, str]:
    """Import what installed packages announce, once.

    Returns:
        Name of an entry point -> why it could not be imported; none where all went well.
    """
    problems: dict[str, str] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            import_module(point.module, f"the plugin {point.name}")
        except OptionError as error:
            problems[point.name] = str(error)
    return problems


def unknown(name: object, known: Iterable[str]) -> str:
    """Return a name that is not known and what it may have been meant to be, for an error."""
    names = list(known)
    text = str(name)[:200]
    lowered = {one.lower(): one for one in names}
    matches = difflib.get_close_matches(text.lower(), lowered, n=3, cutoff=0.5)
    hint = ", ".join(repr(lowered[match]) for match in matches)
    ending = f"Did you mean {hint}?" if hint else f"There are {', '.join(names)}"
    return f"{shorten(name)}. {ending}"


def _package(loader: str | DomainSpec) -> str:
    module = loader.partition(":")[0] if isinstance(loader, str) else loader.package
    return module.partition(".")[0]
