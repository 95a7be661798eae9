"""Views for several agents, in PettingZoo's interface.

Importing this package registers them with PettingZoo, where its version has a registry::

    import pettingzoo
    import sca_envs.envs.pettingzoo

    env = pettingzoo.make("aec", "sca/dialogue_v0")

It needs the extra ``pettingzoo``.
"""

from __future__ import annotations

from sca_envs.core.extras import import_extra

VIEWS = ("dialogue_v0", "self_challenge_v0")
"""The modules of this package that are environments, as in PettingZoo's own families."""

_pettingzoo = import_extra("pettingzoo", "pettingzoo")


def register_all() -> None:
    """Register every view with PettingZoo, each as AEC and as parallel environment."""
    if not hasattr(_pettingzoo, "register"):  # an older version
        return
    for view in VIEWS:
        module = f"{__name__}.{view}"
        known = view.replace("_v", "-v")  # as the registry writes it
        if f"sca/{known}" not in _pettingzoo.aec_registry:
            _pettingzoo.register("aec", f"sca/{view}", entry_point=f"{module}:env")
            _pettingzoo.register("parallel", f"sca/{view}", entry_point=f"{module}:parallel_env")


register_all()
