"""Ray: how to get at a cluster, and what a worker takes of it."""

from __future__ import annotations

import socket
from typing import Any

from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.extras import import_extra

_RESOURCES = {"num_cpus": "CPU", "num_gpus": "GPU"}
_KINDS = tuple(_RESOURCES.values())
_DIAL = 5.0
"""Seconds to reach a cluster's head."""


class Cluster:
    """A connection to a Ray cluster, and what a worker takes of it.

    Args:
        workers: How many workers there will be, from 1.
        address: Address of the cluster, such as ``auto``; by default that of the running Ray, or
            else Ray is started on this machine.
        num_cpus: Processors that a worker takes.
        num_gpus: Graphics processors that a worker takes.
        autoscaling: Whether machines may come that a worker finds room on. Without, a worker that
            fits on none of those that are there is an error at once.

    Raises:
        OptionError: If one of them cannot be that, or a worker fits on no machine.
        SCAError: If the extra ``ray`` is not installed, or there is no cluster at the address.
    """

    def __init__(
        self,
        workers: int,
        address: str | None = None,
        num_cpus: float = 1,
        num_gpus: float = 0,
        autoscaling: bool = False,
    ) -> None:
        for name, value in (("num_cpus", num_cpus), ("num_gpus", num_gpus)):
            _check_share(name, value)
        if not isinstance(autoscaling, bool):
            raise OptionError(f"Expected autoscaling to be true or false; got {autoscaling!r}")
        if address is not None and not isinstance(address, str):
            raise OptionError(f"Expected the address of a Ray cluster as text; got {address!r}")
        self.ray = import_extra("ray", "ray")
        """The package."""
        self._share = {"num_cpus": num_cpus, "num_gpus": num_gpus}
        if not self.ray.is_initialized():
            self._connect(address, workers)
        if not autoscaling:
            self._check_room()

    def _check_room(self) -> None:
        machines = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        wanted = [(share, _RESOURCES[name]) for name, share in self._share.items()]
        for machine in machines:
            if all(machine.get(kind, 0) >= share for share, kind in wanted):
                return
        largest = [
            max((machine.get(kind, 0) for machine in machines), default=0) for kind in _KINDS
        ]
        raise OptionError(
            f"Expected a machine with room for a worker of {self._describe_share()}; the cluster "
            f"has {len(machines)}, the largest of {largest[0]:g} CPUs and {largest[1]:g} GPUs. Ask "
            "for less by num_cpus and num_gpus, or give autoscaling=true if machines will come"
        )

    def describe_wait(self, workers: int) -> str:
        """Return what is asked for and what there is, for whoever waits.

        Args:
            workers: How many workers have not started.
        """
        free, total = self.ray.available_resources(), self.ray.cluster_resources()
        room = " and ".join(
            f"{free.get(kind, 0):g} of {total.get(kind, 0):g} {kind}s free"
            for name, kind in _RESOURCES.items()
            if self._share[name] or kind == "CPU"
        )
        plural = "" if workers == 1 else "s"
        return (
            f"waiting for {workers} worker{plural} of {self._describe_share()} each; the cluster "
            f"has {room}"
        )

    def _describe_share(self) -> str:
        shares = ((self._share[name], kind) for name, kind in _RESOURCES.items())
        return " and ".join(
            f"{share:g} {kind}{'' if share == 1 else 's'}"
            for share, kind in shares
            if share or kind == "CPU"
        )

    def _connect(self, address: str | None, workers: int) -> None:
        options: dict[str, Any] = {"address": address} if address else {}
        if address:
            _dial(address)
        else:
            options["num_cpus"] = max(1, round(workers * self._share["num_cpus"]))
            options["include_dashboard"] = False
        try:
            self.ray.init(log_to_driver=False, logging_level="error", **options)
        except (ConnectionError, ValueError) as error:
            raise _nobody(address, error) from None

    def actor(self, kind: type) -> Any:
        """Return a class as one whose objects live on the cluster, two of their calls at a time.

        An object that is lost is not made again: what it had to do goes to another one.
        """
        options = {"max_restarts": 0, "max_task_retries": 0, "max_concurrency": 2}
        return self.ray.remote(**options, **self._share)(kind)


def _check_share(name: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not value >= 0 or (value > 1 and value % 1 != 0):
        raise OptionError(
            f"Expected {name} of a worker to be a share up to 1 or a whole number; got {value!r}"
        )


def _dial(address: str) -> None:
    """Look whether somebody listens at ``host:port``; Ray itself would try for minutes.

    Raises:
        SCAError: If nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # a name that Ray knows, or one that it refuses at once
    try:
        socket.create_connection((host.strip("[]"), int(port)), _DIAL).close()
    except (OSError, OverflowError) as error:
        raise _nobody(address, error) from None


def _nobody(address: str | None, error: Exception) -> SCAError:
    return SCAError(
        f"Expected a Ray cluster at {address!r}; {error}. Start one with `ray start --head`, or "
        "leave the address out"
    )
