"""The file that is run: makes the modules beside it importable, and nothing else, and starts.

An ordinary path entry would not do: it would let the names here hide those of the standard library.
"""

import importlib
import importlib.util
import os
import sys


def start() -> None:
    """Load this folder as the package `child` and run it."""
    # Bindings to large libraries, which every fork would pay for; hashlib and uuid do without.
    for name in ("_hashlib", "_uuid", "_ssl"):
        sys.modules[name] = None  # type: ignore[assignment]
    # What modules want done after a fork, every child would do; here it is done (random is seeded)
    # or not needed (locks, which no other thread can hold).
    os.register_at_fork = lambda **hooks: None
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        "child", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    sys.modules["child"] = importlib.util.module_from_spec(spec)
    fixed = importlib.import_module("child.addresses").fix(os.path.abspath(__file__))
    importlib.import_module("child.main").main(fixed)


if __name__ == "__main__":
    start()
