"""Every attack meets its oracle at every level, and leaves the sandbox as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sca_envs.sandbox import Level, Sandbox, SandboxUnavailableError
from tests.sandbox.attacks import ATTACKS, some, stored_attacks
from tests.sandbox.conftest import LIMITS, Host, shared_attacks
from tests.sandbox.oracles import CANARY, judge, outcome, run

_shared = shared_attacks()
_all = [*_shared, *ATTACKS, *stored_attacks()]
_WITHOUT = {
    Level.FULL: [],
    Level.LANDLOCK: ["namespaces"],
    Level.SECCOMP: ["namespaces", "landlock"],
}


class Boxes:
    """Sandboxes by level, and whether `ctypes` is there; with what a canary gives in a new one."""

    def __init__(self) -> None:
        self._made: dict[tuple[Level, bool], tuple[Sandbox, list[Any]]] = {}

    def get(self, level: Level, attack: dict[str, Any]) -> tuple[Sandbox, list[Any]]:
        """Return the sandbox for an attack, and the canary's result in another one."""
        key = level, "ctypes" in attack["code"] and not attack.get("plain")
        if key not in self._made:
            with new(*key) as fresh:
                clean = fresh.run(CANARY).unwrap()
            self._made[key] = new(*key), clean
        return self._made[key]

    def close(self) -> None:
        for sandbox, _ in self._made.values():
            sandbox.close()


def new(level: Level, ctypes: bool) -> Sandbox:
    try:
        return Sandbox(limits=LIMITS, without=_WITHOUT[level], modules=["ctypes"] if ctypes else [])
    except SandboxUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def boxes() -> Iterator[Boxes]:
    made = Boxes()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SBX_SECRET", "SBX_SECRET_VALUE")
    monkeypatch.chdir(tmp_path)


def modes(attack: dict[str, Any]) -> list[str]:
    wanted = attack.get("mode", "both")
    return ["once", "session"] if wanted == "both" else [wanted]


def cases(attacks: list[dict[str, Any]], **options: Any) -> list[Any]:
    return [
        pytest.param(attack, mode, id=f"{attack['id']}-{mode}", **options)
        for attack in attacks
        for mode in modes(attack)
    ]


_every = cases(_all)
_few = [case for case in _every if case.values[1] == "once"] + cases(some(_all, 120))


def test_the_shared_attacks_are_there() -> None:
    if not _shared:
        pytest.skip("attacks.jsonl is not in SCA_DATA_DIR")
    assert len(_shared) >= 80


@pytest.mark.parametrize(("attack", "mode"), list({case.id: case for case in _few}.values()))
def test_an_attack_meets_its_oracle(
    boxes: Boxes, attack: dict[str, Any], mode: str, tmp_path: Path
) -> None:
    judge(*_arguments(boxes, Level.FULL, attack, mode, tmp_path))


@pytest.mark.parametrize("level", [Level.LANDLOCK, Level.SECCOMP])
@pytest.mark.parametrize(("attack", "mode"), cases(some(_all, 60)))
def test_an_attack_meets_its_oracle_at_lower_levels(
    boxes: Boxes, level: Level, attack: dict[str, Any], mode: str, tmp_path: Path
) -> None:
    judge(*_arguments(boxes, level, attack, mode, tmp_path))


@pytest.mark.nightly
@pytest.mark.parametrize("level", list(_WITHOUT))
@pytest.mark.parametrize(("attack", "mode"), _every)
def test_every_attack_at_every_level(
    boxes: Boxes, level: Level, attack: dict[str, Any], mode: str, tmp_path: Path
) -> None:
    judge(*_arguments(boxes, level, attack, mode, tmp_path))


def _arguments(
    boxes: Boxes, level: Level, attack: dict[str, Any], mode: str, folder: Path
) -> tuple[Sandbox, dict[str, Any], str, list[Any], Path]:
    sandbox, clean = boxes.get(level, attack)
    assert sandbox.isolation.level <= level
    return sandbox, attack, mode, clean, folder


_same = [
    attack for attack in _all if attack["oracle"] == "same" and attack.get("mode") != "session"
]


def test_equal_code_gives_equal_bytes_in_another_sandbox() -> None:
    """Whatever code reaches for: clocks, chance, addresses, the machine."""
    with new(Level.FULL, False) as one, new(Level.FULL, False) as other:
        if not one.isolation.still:
            pytest.skip("the clocks of the C library cannot be stopped on this platform")
        for attack in _same:
            if "ctypes" not in attack["code"]:
                first, second = (run(box, attack, "once", Host()).result for box in (one, other))
                assert outcome(first) == outcome(second), attack["id"]


def test_attacks_are_many() -> None:
    assert len(_all) - len(_shared) >= 390
    assert len({attack["id"] for attack in _all}) == len(_all)
