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
import sys
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sca_envs.core.errors import OptionError, shorten
from sca_envs.core.plugins import import_module, note_module, unavailable

if TYPE_CHECKING:
    from sca_envs.domains.spec import DomainSpec

GROUP = "sca_envs.domains"
"""Entry points of this group name modules that register domains and environments on import."""

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_loaders: dict[str, str | DomainSpec] = {}
_domains_of_id: dict[str, tuple[str, ...]] = {}
"""Environment id -> names of its domains; none where each task has its own."""


def register_domain(name: str, loader: str | DomainSpec) -> None:
    """Make a domain known by its name.

    Args:
        name: The domain's name: a letter, then letters, digits and underscores.
        loader: The domain's `DomainSpec`, or where it is as ``module:attribute``; then it is
            imported on first use. Registering it again does nothing.

    Raises:
        OptionError: If the name is no such text or taken by a domain of another package.
    """
    note_module(sys._getframe(1).f_globals.get("__name__"))
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

    Args:
        name: The domain's name, perhaps with the module that registers it as in
            ``my_library:library``, or the id of an environment that has one domain.

    Raises:
        OptionError: If there is no such domain, or it cannot be imported.
    """
    if isinstance(name, str) and "/" in name:
        name = domain_of(name)
    name = find_name(name, _loaders, lambda: _loaders, what="the name of a domain")
    loader = _loaders[name]
    spec = _import_spec(loader) if isinstance(loader, str) else loader
    if spec.name != name:
        raise OptionError(
            f"Expected the spec that is registered as {name!r} to have this name; got {spec.name!r}"
        )
    return spec


def _import_spec(target: str) -> DomainSpec:
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
        except (OptionError, AttributeError) as error:  # the latter where its value is no module
            problems[point.name] = str(error)
    return problems


def name_id(env_id: str, domains: Sequence[str]) -> None:
    """Note which domains an environment has."""
    _domains_of_id[env_id] = tuple(domains)


def domains_of(env_id: str) -> tuple[str, ...]:
    """Return the names of an environment's domains; none where each task has its own.

    Raises:
        OptionError: If there is no such environment.
    """
    known = _domains_of_id
    return known[find_name(env_id, known, lambda: known, what="an environment's id")]


def domain_of(env_id: str) -> str:
    """Return the name of the domain of an environment that has one.

    Raises:
        OptionError: If there is no such environment, or it has no domain of its own.
    """
    names = domains_of(env_id)
    if len(names) != 1:
        raise OptionError(
            f"Expected an environment of one domain, such as sca/TauRetail-v0; got {env_id!r}"
        )
    return names[0]


def find_name(
    name: str,
    known: Container[str],
    names: Callable[[], Iterable[str]],
    *,
    what: str,
    trusted: bool = True,
) -> str:
    """Return a registered name without the module that registers it, which is imported.

    Args:
        name: The name, perhaps with a module.
        known: The names that are registered.
        names: Gives what it may have been meant to be.
        what: What errors call it.
        trusted: Whether the module may be imported.

    Raises:
        OptionError: If the name is not known then, or the module cannot be imported.
    """
    module, _, bare = name.rpartition(":") if isinstance(name, str) else ("", "", "")
    if bare not in known:
        load_plugins()
    if bare not in known and module and trusted:
        import_module(module, repr(bare))
    if bare not in known:
        raise OptionError(
            f"Expected {what}; got {_unknown(name, names())}{_advise(module, trusted)}"
        )
    return bare


def _advise(module: str, trusted: bool) -> str:
    """Return what else to do about a name that is not known."""
    advice = ""
    if problems := load_plugins() | unavailable:
        reasons = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        advice = f" These plugins cannot be imported (see `sca list`): {reasons}."
    if not module:
        advice += " One that your own module registers is written module:name."
    elif not trusted:
        advice += (
            f" {shorten(module)} is not imported for a file from elsewhere; import it first, or "
            f"install a package that has an entry point in {GROUP}"
        )
    return advice


def _unknown(name: object, known: Iterable[str]) -> str:
    """Return a name that is not known and what it may have been meant to be, for an error."""
    names = list(known)
    by_core: dict[str, list[str]] = {}
    for one in names:
        by_core.setdefault(_core(one), []).append(one)
    matches = difflib.get_close_matches(_core(str(name)[:200]), by_core, n=3)
    hint = ", ".join(repr(one) for match in matches for one in by_core[match])
    ending = f"Did you mean {hint}?" if hint else f"There are {', '.join(names)}."
    return f"{shorten(name)}. {ending}"


def _core(name: str) -> str:
    """Return a name without what many have in common: module, namespace and version."""
    return re.sub(r"^.*[:/]|-v\d+$", "", name).lower()


def _package(loader: str | DomainSpec) -> str:
    module = loader.partition(":")[0] if isinstance(loader, str) else loader.package
    return module.partition(".")[0]
