"""Several environments in one training run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sca_envs.core.errors import OptionError
from sca_envs.core.extras import import_extra
from sca_envs.integrations.trl.episodes import Rollout
from sca_envs.integrations.trl.rewards import verdict
from sca_envs.integrations.trl.spec import Spec


class Joined:
    """Several specs as one; see `join`."""

    def __init__(self, specs: tuple[Spec, ...]) -> None:
        self._specs = specs
        self.mode = specs[0].mode

    @property
    def train_dataset(self) -> Any:
        """The rows of all specs, each with its ``environment``; the trainer shuffles them."""
        datasets = import_extra("datasets", "trl")
        return datasets.Dataset.from_list([row for spec in self._specs for row in spec.rows(True)])

    @property
    def environment_factory(self) -> dict[str, type[Rollout]]:
        """Label -> environment class."""
        return {
            label: factory for spec in self._specs for label, factory in spec._factories.items()
        }

    @property
    def reward_funcs(self) -> list[Callable[..., list[float | None]]]:
        """The verifiers' reward, see `verdict`."""
        return [verdict]

    @property
    def rollout_func(self) -> Callable[[list[Any], Any], dict[str, Any]] | None:
        """What plays the episodes in mode ``dialogue``: that of the first spec."""
        return self._specs[0].rollout_func

    prepare = Spec.prepare
    trainer_arguments = Spec.trainer_arguments


def join(*specs: Spec) -> Joined:
    """Return several specs as one, for one training run.

    Args:
        specs: Specs of one mode and of different environments.

    Raises:
        OptionError: If there are none, or if they differ in mode or have an environment in common.
    """
    modes = {spec.mode for spec in specs}
    if len(modes) != 1:
        raise OptionError(f"Expected specs of one mode; got {sorted(modes) or 'none'}")
    labels = [label for spec in specs for label in spec._factories]
    if len(set(labels)) != len(labels):
        raise OptionError(f"Expected specs of different environments; got {', '.join(labels)}")
    return Joined(specs)
