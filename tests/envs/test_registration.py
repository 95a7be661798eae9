"""Domains and environments of other packages: an id means the same everywhere."""

from __future__ import annotations

import copy
import importlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec

import sca_envs
from sca_envs.challenge.task import DataRef
from sca_envs.core.errors import OptionError
from sca_envs.domains.registry import find_spec
from sca_envs.envs.challenger import ChallengerEnv
from sca_envs.envs.registration import check_id, environment_ids
from sca_envs.envs.tool_use import ToolUseEnv
from tests.envs.strangers import announce, write_package


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder on the search path of this process and of those that it starts."""
    path = tmp_path_factory.mktemp("strangers")
    sys.path.insert(0, str(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(path), *sys.path[1:]]))
        yield path
    sys.path.remove(str(path))


@pytest.fixture(scope="module")
def env_id(folder: Path) -> str:
    """The id of a stranger's environment, whose module nobody has imported yet."""
    return write_package(folder, "stranger_library")


def _run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


def _sca(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return _run("-m", "sca_envs", *arguments, cwd=cwd)


class TestPaths:
    def test_gymnasium(self, env_id: str) -> None:
        env = gym.make(env_id, user="none")
        sca_envs.check_env(env)
        assert env.spec is not None
        again = gym.make(EnvSpec.from_json(env.spec.to_json()))
        assert again.reset(seed=3)[0] == env.reset(seed=3)[0]
        assert check_id("stranger_library/Library-v0") == check_id(env_id) == env_id

    def test_vector_environments(self, env_id: str) -> None:
        native = gym.make_vec(env_id, num_envs=2, user="none")
        sync = gym.make_vec(env_id, num_envs=2, vectorization_mode="sync", user="none")
        asynchronous = gym.make_vec(
            env_id,
            num_envs=2,
            vectorization_mode="async",
            vector_kwargs={"context": "spawn", "shared_memory": False},
            user="none",
        )
        first, *others = (envs.reset(seed=5)[0] for envs in (native, sync, asynchronous))
        assert all(tuple(other) == tuple(first) for other in others)
        asynchronous.close()

    @pytest.mark.parametrize("engine", ["local", "process", "thread"])
    def test_evaluate(self, env_id: str, engine: str, tmp_path: Path) -> None:
        run = sca_envs.evaluate(
            env_id,
            "reference",
            num_tasks=3,
            user="none",
            workers=1,
            engine=engine,
            out=tmp_path / "run",
        )
        assert run.results.success.mean == 1.0
        (one, *_) = sca_envs.read_trajectories(tmp_path / "run")
        assert one.env_id == env_id
        assert sca_envs.replay(one).ok

    def test_commands_in_another_process(self, env_id: str, tmp_path: Path) -> None:
        out = str(tmp_path / "run")
        done = _sca(
            "eval",
            env_id,
            "--agent",
            "reference",
            "--user",
            "none",
            "--num-tasks",
            "2",
            "--out",
            out,
        )
        assert done.returncode == 0, done.stderr
        done = _sca("replay", out)
        assert done.returncode == 0, done.stdout + done.stderr
        for command in (
            ["view", out, "--out", str(tmp_path / "a.html")],
            ["export", out, "--to", "sft"],
        ):
            done = _sca(*command)
            assert done.returncode == 0, done.stderr

    def test_tasks_of_another_version_are_no_forgeries(self, folder: Path, tmp_path: Path) -> None:
        env_id = write_package(folder, "growing_library")
        options = ["--agent", "reference", "--user", "none", "--num-tasks", "2"]
        assert _sca("eval", env_id, *options, "--out", str(tmp_path / "run")).returncode == 0
        write_package(folder, "growing_library", wish="would like")
        done = _sca("replay", str(tmp_path / "run"))
        assert done.returncode == 1
        assert done.stdout.count("task, made by another version") == 2
        assert "2 not compared: another version made their tasks" in done.stdout

    def test_a_module_of_the_present_folder(self, tmp_path: Path) -> None:
        env_id = write_package(tmp_path, "local_library")
        done = _sca(
            "eval", env_id, "--agent", "noop", "--user", "none", "--num-tasks", "1", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr

    def test_pettingzoo(self, env_id: str) -> None:
        pytest.importorskip("pettingzoo")
        from sca_envs.envs.pettingzoo import dialogue_v0, self_challenge_v0

        env = dialogue_v0.env(env_id)
        env.reset(seed=1)
        assert "member" in env.last()[0]
        challenger = self_challenge_v0.env("stranger_library/LibraryChallenger-v0", gates=())
        challenger.reset(seed=1)
        assert challenger.last()[0]

    def test_trl(self, env_id: str) -> None:
        from sca_envs.integrations.trl import Spec

        spec = Spec(env_id, num_tasks=2, user="none")
        assert [row["task_id"] for row in spec.rows(False)] == ["train-0", "train-1"]

    def test_challenger(self, env_id: str) -> None:
        challenger_id = env_id.replace("Library-v0", "LibraryChallenger-v0")
        env = gym.make(challenger_id, max_turns=5).unwrapped
        assert isinstance(env, ChallengerEnv)
        assert "stranger_library" in env.documentation
        env.reset(seed=1)
        submissions = [a for a in (env.action_space.sample() for _ in range(40)) if "verify" in a]
        assert submissions
        gym.make_vec(challenger_id, num_envs=2).reset(seed=1)

    def test_a_domain_without_a_challenger_ends_the_command(
        self, env_id: str, tmp_path: Path
    ) -> None:
        done = _sca("challenge", env_id, "--n", "5", "--out", str(tmp_path / "out"))
        assert done.returncode == 1
        assert "for the procedural challenger; 'stranger_library' has none" in done.stderr
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("engine", ["local", "process"])
    def test_gates(self, env_id: str, engine: str) -> None:
        pipeline = sca_envs.Pipeline(sca_envs.standard_gates(), engine=engine)
        (examination,) = pipeline.examine(iter([_code_task(env_id)]))
        assert examination.error is None
        assert examination.task is not None
        assert examination.task.provenance.verdicts[0].passed

    def test_one_task(self, env_id: str) -> None:
        task = sca_envs.domain(env_id).tasks("train")[4]
        assert sca_envs.make(task, user="none").reset(seed=0)[0] == task.instruction

    @pytest.mark.parametrize(
        "engine", ["local", "process", pytest.param("ray", marks=pytest.mark.slow)]
    )
    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    def test_a_worker_imports_what_registered_a_domain(
        self, env_id: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        """The ids of Code-as-Tasks say nothing of the package that their domain comes from."""
        if engine == "ray":
            request.getfixturevalue("cluster")
        sca_envs.save_code_tasks([_code_task(env_id)], tmp_path / "tasks.jsonl")
        run = sca_envs.evaluate(
            "sca/CodeAsTask-v0",
            "reference",
            tasks=tmp_path / "tasks.jsonl",
            workers=1,
            engine=engine,
        )
        assert run.results.success is not None
        assert run.results.success.mean == 1.0


def _code_task(env_id: str) -> sca_envs.CodeAsTask:
    domain = sca_envs.domain(env_id)
    attempts = ("answer('you')", "answer('')", "answer('nobody')")
    return sca_envs.CodeAsTask(
        id="one",
        domain=domain.name,
        data=DataRef.of(domain),
        instruction="Who am I?",
        verify="def verify(answer):\n    return answer == 'me'\n",
        solution="answer('me')",
        failures=attempts,
    )


class TestDomains:
    def test_by_name_and_by_id(self, env_id: str) -> None:
        domain = sca_envs.domain(env_id)
        assert "stranger_library" in sca_envs.list_domains()
        assert sca_envs.domain("stranger_library") is domain
        assert sca_envs.domain("stranger_library/LibraryChallenger-v0") is domain
        assert sca_envs.domain("sca/TauRetail-v0") is sca_envs.domain("tau_retail")

    @pytest.mark.parametrize("loader", ["'text_library:SPEC'", "SPEC"])
    def test_pickles_are_by_reference(self, folder: Path, loader: str) -> None:
        name = "text_library" if "text" in loader else "object_library"
        write_package(folder, name, loader=loader)
        domain = sca_envs.domain(f"{name}:{name}")
        assert pickle.loads(pickle.dumps(domain)) is domain
        assert pickle.loads(pickle.dumps(domain.base)) is domain.base
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(domain))
        code = (
            "import pickle, sys; d = pickle.load(open(sys.argv[1], 'rb'));"
            "print(d.tasks('train')[3].instruction)"
        )
        done = _run("-c", code, str(folder / f"{name}.pickle"))
        assert done.stdout.strip() == domain.tasks("train")[3].instruction, done.stderr

    def test_an_unregistered_domain_as_an_object(self, env_id: str) -> None:
        spec = find_spec(env_id)
        base = copy.deepcopy(spec.load().base.tables)
        domain = sca_envs.Domain(
            name="nowhere",
            data="mine",
            base=sca_envs.core.database.Base(base),
            tools=spec.tools,
            policy="None.",
            splits={"train": _Tasks(spec.load().tasks("train"))},
            sample_argument=spec.sample_argument,
        )
        env = ToolUseEnv(domain=domain, user="none")
        env.reset(seed=2)
        copied = pickle.loads(pickle.dumps(env))
        assert copied.episode.database.digest() == env.episode.database.digest()
        assert copied.step("{}") == env.step("{}")
        with pytest.raises(OptionError, match="which is loaded"):
            ToolUseEnv(domain=domain, data="generated:4")


class _Tasks:
    """Tasks of a domain as those of another one."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __call__(self) -> sca_envs.TaskSet:
        changes = {"domain": "nowhere", "data": "mine"}
        return sca_envs.TaskSet(self._source[i].model_copy(update=changes) for i in range(3))


class TestWrongNames:
    @pytest.mark.parametrize(
        ("use", "message"),
        [
            (lambda: sca_envs.domain("tau_retial"), "Did you mean 'tau_retail'"),
            (lambda: sca_envs.domain("sca/TauRetial-v0"), "Did you mean 'sca/TauRetail-v0'"),
            (lambda: sca_envs.domain("sca/M3Calculation-v0"), "of one domain"),
            (lambda: sca_envs.domain(3), "name of a domain; got 3"),  # type: ignore[arg-type]
            (lambda: sca_envs.evaluate("sca/TauRetail-v1", "noop"), "'sca/TauRetail-v0'"),
            (lambda: sca_envs.evaluate("CartPole-v1", "noop"), "an environment's id"),
            (lambda: sca_envs.evaluate("no_such_module:a/B-v0", "noop"), "no_such_module"),
            (lambda: ToolUseEnv(), "a domain or its name"),
            (lambda: gym.make("sca/TauRetail-v0", domain="tau_airline"), "no domain but"),
            (lambda: sca_envs.register_env("Library", domain="x"), "such as 'my/Library-v0'"),
            (lambda: sca_envs.register_env("sca/TauRetail-v0", domain="x"), "registered already"),
            (lambda: sca_envs.register_domain("two words", "m:SPEC"), "a letter, then"),
            (lambda: sca_envs.register_domain("tau_retail", "m:SPEC"), "a domain of sca_envs"),
        ],
    )
    def test_is_an_error_that_helps(self, use: Callable[[], object], message: str) -> None:
        with pytest.raises(OptionError, match=message):
            use()

    @pytest.mark.parametrize("command", [["eval"], ["play"], ["challenge"], ["demo"]])
    def test_ends_a_command(self, command: list[str]) -> None:
        done = _sca(*command, "sca/TauRetial-v0")
        assert done.returncode == 1
        assert "Did you mean 'sca/TauRetail-v0'" in done.stderr
        assert "Traceback" not in done.stderr

    def test_the_domain_belongs_to_the_id(self, env_id: str) -> None:
        with pytest.raises(OptionError, match="got domain"):
            sca_envs.evaluate(env_id, "noop", env_options={"domain": "tau_retail"})

    def test_a_spec_under_another_name(self, folder: Path) -> None:
        write_package(folder, "renamed_library")
        sca_envs.register_domain("other_name", "renamed_library:SPEC")
        try:
            with pytest.raises(OptionError, match="'renamed_library'"):
                sca_envs.domain("other_name")
        finally:
            del importlib.import_module("sca_envs.domains.registry")._loaders["other_name"]


class TestPlugins:
    @pytest.fixture
    def plugins(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_package(tmp_path, "plugin_library")
        announce(tmp_path, "plugin_library", "plugin_library")
        (tmp_path / "broken_library.py").write_text("raise RuntimeError('no luck')\n", "utf-8")
        announce(tmp_path, "broken_library", "broken_library")
        (tmp_path / "leaving_library.py").write_text("raise SystemExit(3)\n", "utf-8")
        announce(tmp_path, "leaving_library", "leaving_library")
        announce(tmp_path, "odd_library", "no module")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))

    @pytest.mark.usefixtures("plugins")
    def test_are_listed_with_what_is_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "200")
        done = _sca("list")
        assert done.returncode == 0, done.stderr
        assert "plugin_library/Library-v0" in done.stdout
        assert "plugin_library/LibraryChallenger-v0" in done.stdout
        assert "broken_library" in done.stdout
        assert "RuntimeError: no luck" in done.stdout
        assert "leaving_library" in done.stdout
        assert "odd_library" in done.stdout
        assert "sca/TauRetail-v0" in done.stdout

    @pytest.mark.usefixtures("plugins")
    def test_a_broken_one_is_named_where_its_id_is_not_known(self) -> None:
        done = _sca("eval", "broken_library/Library-v0")
        assert done.returncode == 1
        assert "cannot be imported (see `sca list`)" in done.stderr
        assert "broken_library" in done.stderr.partition("cannot be imported")[2]
        assert "RuntimeError: no luck" in done.stderr

    @pytest.mark.usefixtures("plugins")
    def test_need_no_import(self) -> None:
        bare = "plugin_library/Library-v0"
        done = _sca("eval", bare, "--agent", "noop", "--user", "none", "--num-tasks", "1")
        assert done.returncode == 0, done.stderr

    @pytest.mark.usefixtures("plugins")
    def test_leaderboard_imports_what_announces_itself_only(self, tmp_path: Path) -> None:
        """A submission is a stranger's file: what it names is not imported for it."""
        (tmp_path / "dropped_library.py").write_text("print('imported')\n", "utf-8")
        options = ["--agent", "reference", "--user", "none", "--num-tasks", "2"]
        run, board = str(tmp_path / "run"), tmp_path / "board"
        done = _sca("eval", "plugin_library/Library-v0", *options, "--out", run)
        assert done.returncode == 0, done.stderr
        about = ["--name", "us", "--model", "none", "--organization", "us"]
        done = _sca("leaderboard", "add", run, "--out", str(board), *about)
        assert done.returncode == 0, done.stderr
        (folder,) = [path.parent for path in board.rglob("submission.json")]
        assert _sca("leaderboard", "verify", str(folder)).returncode == 0
        text = (folder / "submission.json").read_text("utf-8")
        changed = text.replace("plugin_library:plugin_library/", "dropped_library:x/")
        assert changed != text
        (folder / "submission.json").write_text(changed, "utf-8")
        done = _sca("leaderboard", "verify", str(folder))
        assert done.returncode == 1
        assert "is not imported for a file from elsewhere" in done.stdout
        assert "\nimported" not in f"\n{done.stdout}"

    @pytest.mark.usefixtures("plugins")
    def test_are_imported_on_first_use_only(self) -> None:
        code = (
            "import sys, sca_envs; sca_envs.domain('message_decoder');"
            "assert 'plugin_library' not in sys.modules;"
            "sca_envs.domain('plugin_library'); print('plugin_library' in sys.modules)"
        )
        done = _run("-c", code)
        assert done.stdout.strip() == "True", done.stderr


def test_ours_are_all_registered() -> None:
    ours = [env_id for env_id in environment_ids() if env_id.startswith("sca/")]
    assert len(ours) == 16
    assert all(env_id in gym.registry for env_id in ours)
    for env_id in ours:
        spec = gym.spec(env_id)
        assert json.loads(spec.to_json())["kwargs"] == spec.kwargs
