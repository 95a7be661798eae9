"""Objects by name: ``module:name`` or ``path/to/file.py:name``, as the command line gives them.

A `Factory` is such a name with its options. It is plain data, so that a worker process makes its
own object from it.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from sca_envs.core.errors import OptionError
from sca_envs.core.secrets import redact

_OLD_NAMES = {
    f"agents.{name}": f"sca_envs.agents.{name}"
    for name in (
        "chat:ChatAgent",
        "endpoint:Endpoint",
        "hf:HFAgent",
        "users:CheckedUser",
        "users:LLMUser",
        "vllm_agent:VLLMAgent",
    )
}
"""What the records of older runs call objects that have moved -> their name today."""


@dataclass(frozen=True)
class Factory:
    """Makes an object, again in each worker.

    Args:
        what: What error messages call the object, such as ``agent``.
        target: ``module:name``, or something that can be called.
        options: Keyword arguments of the call.
    """

    what: str
    target: str | Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The target as text."""
        if isinstance(self.target, str):
            return self.target
        module = getattr(self.target, "__module__", type(self.target).__module__)
        return f"{module}:{getattr(self.target, '__qualname__', type(self.target).__qualname__)}"

    def make(self, **offered: Any) -> Any:
        """Return the object.

        Args:
            offered: Arguments that are passed on if the target has parameters of these names and
                the options do not have them.

        Raises:
            OptionError: If the target does not exist or does not take the options.
        """
        target, arguments = self._call(offered)
        return target(**arguments)

    def check(self, *offered: str) -> Callable[..., Any]:
        """Return the target after a look at its name and options, without making anything.

        Args:
            offered: Names of the arguments that `make` will be offered.

        Raises:
            OptionError: If the target does not exist or does not take the options.
        """
        return self._call(dict.fromkeys(offered))[0]

    def _call(self, offered: Mapping[str, Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
        target = load(self.target, self.what) if isinstance(self.target, str) else self.target
        try:
            signature = inspect.signature(target)
        except (TypeError, ValueError):  # some built-in classes have none
            return target, dict(self.options)
        arguments = {key: offered[key] for key in offered if key in signature.parameters}
        arguments |= self.options
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise OptionError(
                f"Expected options that {self.what} {self.name!r} takes "
                f"({', '.join(signature.parameters) or 'none'}); got {_list(self.options)}: {error}"
            ) from None
        return target, arguments


def load(name: str, what: str) -> Callable[..., Any]:
    """Return what a name stands for.

    Args:
        name: ``module:name`` or ``file.py:name``; modules of the present folder are found, too.
            A name that an object of this package had in older runs still means that object.
        what: What error messages call it.

    Raises:
        OptionError: If it does not exist, cannot be imported, or cannot be called.
    """
    module_name, _, attribute = _OLD_NAMES.get(name, name).rpartition(":")
    if not module_name or not attribute:
        raise OptionError(f"Expected {what} as module:name or file.py:name; got {name!r}")
    module = _import(module_name, what)
    found: Any = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if found is None:
        known = dict.fromkeys([*vars(module), *dir(module)])  # a lazy module's are in its dir only
        names = [name for name in known if name[0] != "_" and _is_class(module, name)]
        near = difflib.get_close_matches(attribute, names)
        raise OptionError(
            f"Expected {what} {attribute!r} in module {module_name}, which has no such name; its "
            f"classes are {', '.join(near or names[:10]) or 'none'}"
        )
    if not callable(found):
        raise OptionError(
            f"Expected {what} {name!r} to be a class or a function; got {type(found).__name__}"
        )
    made: Callable[..., Any] = found
    return made


def _is_class(module: ModuleType, name: str) -> bool:
    return inspect.isclass(getattr(module, name, None))


def search_here() -> None:
    """Let modules of the present folder be found, as `python -m` does and a console script not."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def _import(name: str, what: str) -> ModuleType:
    search_here()
    try:
        if name.endswith(".py"):
            return _import_file(Path(name), what)
        return importlib.import_module(name)
    except OptionError:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise OptionError(
                f"Expected {what} in module {name!r}, which does not exist; give module:name of "
                "an installed package or of the present folder, or file.py:name"
            ) from None
        raise OptionError(
            f"Expected to import {name!r} for {what}; it needs the module {missing!r}, which is "
            "not installed"
        ) from None
    except Exception as error:
        raise OptionError(
            f"Expected to import {name!r} for {what}; it raised {type(error).__name__}: "
            f"{redact(str(error))}"
        ) from error


def _import_file(path: Path, what: str) -> ModuleType:
    if not path.is_file():
        raise OptionError(f"Expected {what} in the file {path}, which does not exist")
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"_sca_file_{path.stem}_{digest}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _list(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in redact(dict(options)).items()) or "none"
