"""No key, token or password that is given on any road is in anything that a run leaves."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from chat_server import ChatServer, called
from werkzeug import Response

import sca_envs
from sca_envs.agents.endpoint import Endpoint, EndpointError
from sca_envs.core.secrets import REDACTED, is_secret

RETAIL = "sca/TauRetail-v0"
SECRETS = {
    "api_key": "sk-planted-Ab12Cd34Ef56Gh78",
    "environment": "env-planted-Zz98Yy76Xx54Ww",
    "token": "hf_plantedTokenQqWwEeRrTtYy11",
    "bearer": "bearer-planted-77aa88bb99cc",
    "cookie": "session=planted-cookie-5f5f5f",
    "basic": "planted-basic-pass-31415",
    "url": "planted/url pass:word-2718",
    "query": "planted-query-key-1618+033",
    "user": "planted-user-password-1414",
    "extra": "planted-extra-secret-1732",
}


def _forms(secret: str) -> set[str]:
    forms = {secret, quote(secret, safe=""), secret[:12], secret[4:14]}
    return forms | {base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]}


def _check(text: str, where: object) -> None:
    for name, secret in SECRETS.items():
        for form in _forms(secret):
            assert form not in text, f"{name} as {form!r} is in {where}"
    for encoded in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        encoded = encoded.rstrip("=")
        raw = base64.b64decode(encoded[: len(encoded) // 4 * 4])
        assert b"planted" not in raw, f"{raw!r} is in {where}"


def _check_all(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        _check(path.read_bytes().decode("utf-8", "replace"), path)


def _base_url(server: ChatServer) -> str:
    scheme, rest = server.url.split("://")
    password, key = quote(SECRETS["url"], safe=""), quote(SECRETS["query"], safe="")
    return f"{scheme}://joe:{password}@{rest}?api_key={key}&v=1"


def _options(server: ChatServer, key: str = SECRETS["api_key"]) -> dict[str, Any]:
    basic = base64.b64encode(f"joe:{SECRETS['basic']}".encode()).decode()
    return {
        "model": "toy",
        "base_url": _base_url(server),
        "api_key": key,
        "max_retries": 0,
        "extra": {"metadata": {"client_secret": SECRETS["extra"]}},
        "token": SECRETS["token"],
        "headers": {
            "Authorization": f"Bearer {SECRETS['bearer']}",
            "Proxy-Authorization": f"Basic {basic}",
            "Cookie": SECRETS["cookie"],
            "Accept": "application/json",
        },
        "url": f"https://{SECRETS['url'].replace('/', '%2F')}@host/?sig={SECRETS['query']}",
        "raising": True,
    }


def _echo(body: dict[str, Any], number: int) -> Any:
    """Repeat the secrets in every part of a reply."""
    everything = " ".join(
        [*SECRETS.values(), *(quote(secret, safe="") for secret in SECRETS.values())]
    )
    encoded = base64.b64encode(f"joe:{SECRETS['url']}".encode()).decode()
    said = f"{everything} Basic {encoded}"
    if number % 4 == 0:
        return called(("think", json.dumps({"thought": said})), content=said)
    if number % 4 == 1:
        return said
    error = json.dumps({"error": {"message": f"Incorrect key {said}; {SECRETS['api_key'][:14]}…"}})
    header = {"X-Key": quote(said)}
    status = 401 if number % 4 == 3 and number < 40 else 400
    return Response(error, status, header, content_type="application/json")


@pytest.fixture
def run(server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run with secrets on all roads."""
    monkeypatch.setenv("OTHER_API_KEY", SECRETS["environment"])
    numbers = iter(range(10_000))
    server.brain = lambda body: _echo(body, next(numbers))
    sys.path.insert(0, str(Path(__file__).parent))
    for _ in range(20):  # a refused key is an outage, after which it goes on
        try:
            done = sca_envs.evaluate(
                RETAIL,
                "keyed:Keyed",
                agent_options=_options(server),
                user="keyed:KeyedUser",
                user_options={"password": SECRETS["user"]},
                num_tasks=8,
                out=tmp_path / "run",
                resume=True,
            )
        except sca_envs.SCAError as error:
            _check(str(error), "an error")
            continue
        if not done.results.errors["infrastructure_error"]:
            return tmp_path / "run"
    return pytest.fail("the run does not come to its end")


def test_no_secret_is_in_what_a_run_leaves(run: Path, tmp_path: Path, server: ChatServer) -> None:
    _check_all(run)
    assert REDACTED in (run / "trajectories.jsonl").read_text()
    assert "ValueError: refused" in (run / "errors.log").read_text()
    sca_envs.write_viewer(run, tmp_path / "page.html")
    for to in ("openai", "sft"):
        sca_envs.export(sca_envs.read_trajectories(run), to, tmp_path / f"{to}.jsonl")
    sca_envs.add_submission(
        [run],
        name="x",
        model="y",
        organization="z",
        links=[f"https://host/?token={SECRETS['token']}"],
        notes=f"run with {SECRETS['api_key']}",
        out=tmp_path / "board",
    )
    sca_envs.build_site(tmp_path / "board", tmp_path / "site", verify=False)
    _check_all(tmp_path)


def test_a_run_goes_on_with_another_key(run: Path, server: ChatServer) -> None:
    file = run / "trajectories.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    server.brain = lambda body: "I cannot help with that."
    options = {"user": "keyed:KeyedUser", "user_options": {"password": SECRETS["user"]}}
    again = sca_envs.evaluate(
        RETAIL,
        "keyed:Keyed",
        agent_options=_options(server, "sk-another-key-000111222"),
        num_tasks=8,
        out=run,
        resume=True,
        **options,
    )
    assert again.results.episodes == 8
    _check_all(run)
    with pytest.raises(sca_envs.OptionError, match="agent_options was"):
        sca_envs.evaluate(
            RETAIL,
            "keyed:Keyed",
            agent_options=_options(server) | {"max_retries": 1},
            num_tasks=8,
            out=run,
            resume=True,
            **options,
        )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--agent-option", f"nope_key={SECRETS['api_key']}"),
        ("--agent-option", f"api-key={SECRETS['api_key']}"),
        ("--agent-option", f"base_url=http://joe:{SECRETS['basic']}@127.0.0.1:9/v1"),
        ("--base-url", f"http://joe:{SECRETS['basic']}@[::1"),
        ("--base-url", f"http://joe:{SECRETS['basic']}@127.0.0.1:9/v1", "--agent", "noop"),
        ("--user", "none", "--user-option", f"token={SECRETS['token']}"),
        ("--env-option", f"api_key={SECRETS['api_key']}"),
        ("--workers", "2", "--agent-option", f"base_url=http://h.invalid/?key={SECRETS['query']}"),
    ],
)
def test_no_secret_is_in_what_the_command_prints(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "sca_envs", "eval", RETAIL, "--model", "toy"]
    settings = ["--agent-option", "max_retries=0"]
    done = subprocess.run(
        [*command, *settings, "--num-tasks", "2", *arguments],
        env=os.environ | {"OPENAI_API_KEY": SECRETS["environment"]},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode
    _check(done.stdout + done.stderr, "the terminal")


@pytest.mark.parametrize("way", ["body", "header", "redirect", "partly", "basic", "content"])
def test_an_endpoint_that_repeats_the_key(
    server: ChatServer, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = SECRETS["api_key"]
    basic = base64.b64encode(f"joe:{key}".encode()).decode()
    body = {"partly": f"{key[:13]}***", "basic": f"Basic {basic}"}.get(way, key)
    if way == "redirect":
        where = {"Location": f"http://joe:{key}@127.0.0.1:9/?api_key={key}"}
        server.brain = lambda _: Response("", 307, where)
    elif way == "content":
        server.brain = lambda _: f"Your key is {key}."
    else:
        headers = {"X-Your-Key": key} if way == "header" else {}
        server.brain = lambda _: Response(f"wrong key: {body}", 401, headers)
    endpoint = Endpoint("toy", _base_url(server), key, max_retries=0)
    _check(endpoint.base_url, "the base URL")
    with caplog.at_level("DEBUG"):
        if way == "content":
            assert endpoint.complete([{"role": "user", "content": "?"}]).text == (
                f"Your key is {REDACTED}."
            )
        else:
            with pytest.raises(EndpointError) as error:
                endpoint.complete([{"role": "user", "content": "?"}])
            _check(str(error.value), "the error")
    log = [one for one in caplog.records if not one.name.startswith("werkzeug")]
    _check("\n".join(one.getMessage() for one in log), "the log")


def test_a_campaign_keeps_no_secret(tmp_path: Path) -> None:
    record = {"agent_options": [f"api_key={SECRETS['api_key']}"], "options": {"token": "t0ken-x"}}
    pipeline = sca_envs.Pipeline(sca_envs.standard_gates())

    def propose(number: int) -> None:
        raise ValueError(f"no luck with {SECRETS['api_key']}")

    for resume in (False, True):
        campaign = sca_envs.Campaign(
            tmp_path / "tasks.jsonl", record, 1, most=2 + resume, resume=resume
        )
        list(campaign.run(propose, pipeline))
        record["agent_options"] = ["api_key=sk-another-one-entirely"]
    _check_all(tmp_path)


NAMES = ["api_key", "apiKey", "X-Api-Key", "token", "HF_TOKEN", "password", "headers"]
PLAIN = ["max_tokens", "tokenizer", "eos_token", "token_ids", "sort_key", "author", "monkey"]


@pytest.mark.parametrize("name", NAMES + PLAIN)
def test_names(name: str) -> None:
    assert is_secret(name) is (name in NAMES)


def test_what_is_no_secret_stays() -> None:
    options = {
        "max_tokens": 5,
        "api_key": None,
        "use_auth_token": True,
        "base_url": "http://localhost:8000/v1?version=3",
        "extra": {"top_p": 0.9, "stop": ["</s>"], "eos_token": "<|im_end|>"},
    }
    assert sca_envs.redact(options) == options
    text = "Basic authentication is required, and the token is missing: see http://h/a?page=2"
    assert sca_envs.redact(text) == text


@pytest.mark.parametrize(
    "piece", ["1", "a.", "sk-", "key=", "a='", "://", "Bearer%20", '"a": ', "="]
)
def test_long_texts_take_no_long(piece: str) -> None:
    """A thousand times the time of a text a tenth as long would be minutes."""
    began = time.process_time()
    sca_envs.redact(piece * (100_000 // len(piece)))
    assert time.process_time() - began < 20


def test_redacting_twice_is_redacting_once() -> None:
    options = {"u": "http://a:bcdef@h/?api_key=planted-1&x=1", "headers": [["A", "b"]], "token": 7}
    once = sca_envs.redact(options)
    assert sca_envs.redact(once) == once == json.loads(json.dumps(once))
