"""The host's end of the channel: whatever arrives, it parses, or fails as an execution."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sca_envs.sandbox import Sandbox, SandboxError
from sca_envs.sandbox.cache import CodeCache
from sca_envs.sandbox.channel import parse
from tests.sandbox.conftest import Host


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"{'a': 1}",
        b'"\\ud800"',
        b'["\\uDFFF"]',
        b"\xff",
        "ü".encode(),
        b"[" * 101 + b"]" * 101,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b"1" * 5000,
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(SandboxError) as caught:
        parse(body)
    assert caught.value.reason == "protocol"


@pytest.mark.parametrize(
    "value", [None, True, -1.5, 10**40, "\\ud800 [[[[", "😀", {"a": [{}]}, [[]] * 200]
)
def test_strict_json_is_taken(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value


@given(body=st.binary(max_size=60) | st.text('[]{}",:\\ud8901eE.-NaInfty', max_size=40))
def test_nothing_but_a_sandbox_error_comes_out(body: bytes | str) -> None:
    with contextlib.suppress(SandboxError):
        parse(body.encode() if isinstance(body, str) else body)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from("CFPJRE\0"), body=st.binary(max_size=40), cut=st.booleans())
def test_forged_frames_fail(sandbox: Sandbox, kind: str, body: bytes, cut: bool) -> None:
    frame = (len(body) + 1 + 5 * cut).to_bytes(4, "little") + kind.encode() + body
    error = sandbox.run(f"import os\nos.write(3, {frame!r})\nos._exit(0)", Host().tools).error
    assert error is not None
    assert error.reason in ("protocol", "killed", "output")


def test_the_cache_forgets_what_was_used_longest_ago() -> None:
    cache = CodeCache(limit=10)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    assert cache.get("a") == b"1234"
    cache.put("c", b"1234")
    assert [cache.get(source) for source in "abc"] == [b"1234", None, b"1234"]
