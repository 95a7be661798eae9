"""Chat models, and the one behind any OpenAI-compatible endpoint.

Agents and user simulators speak to a `ChatModel`. Whatever a model says comes back as a
`Completion`; an endpoint that cannot be reached, or does not speak the protocol even when asked
again, is an `EndpointError`. Where that is not the fault of the request, it is an
`EndpointDownError`, by which an evaluation knows a trial that is missing from one that failed.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import time
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from sca_envs.bench.trajectories.trajectory import Usage
from sca_envs.core.errors import InfrastructureError, OptionError, SCAError
from sca_envs.core.extras import import_extra
from sca_envs.core.secrets import keep_secret, redact

Message = dict[str, Any]

MAX_REPLY_BYTES = 2**21
"""Most bytes of a reply unless an endpoint's option says otherwise; some 100,000 tokens of text."""
_MOST_CALLS = 1000
"""Most tool calls of a reply."""
_DIGITS = 1000
"""Most digits of an integer in a reply; a longer one, which Python may not print, stays text."""


class EndpointError(SCAError):
    """There is no answer of an endpoint."""


class EndpointDownError(EndpointError, InfrastructureError):
    """It would be the same for any request: nobody is there, answers, or lets us in.

    What is wrong with one request, such as a conversation that is too long for the model, is a
    plain `EndpointError`, and a failure of whoever asks.
    """


_REFUSALS = (400, 413, 422)
"""Statuses that find fault with one request."""


class CalledTool(NamedTuple):
    """A tool call as a model wrote it: its arguments may be anything."""

    id: str
    name: str
    arguments: str


def add_usage(total: Usage, more: Usage) -> None:
    """Add what requests cost to a total."""
    total.prompt_tokens += more.prompt_tokens
    total.completion_tokens += more.completion_tokens
    total.requests += more.requests
    total.errors += more.errors
    if more.cost is not None:
        total.cost = (total.cost or 0.0) + more.cost
    if more.seconds is not None:
        total.seconds = (total.seconds or 0.0) + more.seconds


class Completion(NamedTuple):
    """What a model said."""

    text: str
    calls: tuple[CalledTool, ...]
    usage: Usage


class ChatModel(Protocol):
    """Continues conversations; several threads may ask at once."""

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]] | None = None,
        seed: int | None = None,
    ) -> Completion:
        """Return the assistant's next message.

        Args:
            messages: The conversation in OpenAI's chat format.
            tools: Schemas in OpenAI's function format that the model may call.
            seed: Seed of the sampling, for models that take one.

        Raises:
            EndpointError: If there is no answer.
        """
        ...


class Endpoint:
    """A model behind an OpenAI-compatible endpoint.

    The client of the package `openai` tries again after timeouts, lost connections, rate limits
    and errors of the server, waiting twice as long each time up to 8 s, or as long as the server
    says up to two minutes. A reply that is too large, no JSON or no chat completion is tried again
    in the same way. So a request takes at most ``(max_retries + 1) * timeout`` seconds and these
    waits, whatever the server does.

    Neither the key nor a password in the base URL is in any error or log.

    Args:
        model: The model's name; by default the environment variable ``SCA_MODEL``.
        base_url: The endpoint, such as ``http://localhost:8000/v1``; by default
            ``OPENAI_BASE_URL``, else OpenAI's.
        api_key: The key; by default ``OPENAI_API_KEY``. A base URL alone may do without one.
        temperature: Sampling temperature; None leaves it to the endpoint.
        max_tokens: Most tokens of a reply; None leaves it to the endpoint.
        timeout: Most seconds that one try may take, up to the last byte of the reply.
        max_retries: How often a failed request is tried again.
        max_reply_bytes: Most bytes of a reply, as sent and when unpacked.
        input_price: US dollars per million tokens read.
        output_price: US dollars per million tokens written.
        extra: Further fields of the request, such as ``{"top_p": 0.9}``.

    Raises:
        OptionError: If there is no model or no key, or an option has a wrong value.
        SCAError: If the package `openai` is missing.
    """

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        temperature: float | None = 0.0,
        max_tokens: int | None = None,
        timeout: float = 120.0,
        max_retries: int = 5,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        input_price: float | None = None,
        output_price: float | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        import_extra("openai", "agents")  # raises if it is missing
        import openai

        from sca_envs.agents.connection import BoundedClient, close_later

        self.model = model or os.environ.get("SCA_MODEL") or ""
        if not self.model:
            raise OptionError("Expected the name of a model as `model` or in SCA_MODEL, got none")
        base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        api_key = api_key or os.environ.get("OPENAI_API_KEY") or ("none" if base_url else None)
        if api_key is None:
            raise OptionError(
                "Expected a key as `api_key` or in OPENAI_API_KEY, or the base URL of an endpoint "
                "that wants none as `base_url` or in OPENAI_BASE_URL; got neither"
            )
        shown: str = redact({"base_url": str(base_url)})["base_url"]
        _check_key(api_key)
        keep_secret(api_key)
        _check_number("timeout", timeout, 0.001, 86_400)
        _check_number("max_retries", max_retries, 0, 100, int)
        _check_number("max_reply_bytes", max_reply_bytes, 1024, 2**30, int)
        for name, price in (("input_price", input_price), ("output_price", output_price)):
            if price is not None:
                _check_number(name, price, 0, 1e6)
        read = functools.partial(_read, max_reply_bytes, (input_price, output_price))
        self._options: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens}
        self._options = {k: v for k, v in self._options.items() if v is not None} | (extra or {})
        _check_fields(self._options)
        self._timeout, self._max_retries = timeout, max_retries
        try:
            parts = urlsplit(base_url or "")  # openai would write its path behind the query
            self._client = openai.AsyncOpenAI(
                api_key=api_key,
                base_url=urlunsplit(parts._replace(query="", fragment="")) or None,
                default_query=dict(parse_qsl(parts.query)) or None,
                timeout=timeout,
                max_retries=max_retries,
                http_client=BoundedClient(timeout, max_reply_bytes, read),
            )
        except Exception as error:  # a URL that is none makes the client raise anything
            raise OptionError(
                f"Expected the URL of an endpoint as `base_url`, such as http://localhost:8000/v1; "
                f"got {shown!r} ({redact(str(error))})"
            ) from None
        self._close = weakref.finalize(self, close_later, self._client)
        self._close.atexit = False
        self.base_url: str = redact(str(self._client.base_url))
        """The endpoint, without a password or a key in its URL."""

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]] | None = None,
        seed: int | None = None,
    ) -> Completion:
        """Return the assistant's next message; see `ChatModel.complete`."""
        body: dict[str, Any] = {"model": self.model, "messages": _sendable(list(messages))}
        body |= self._options | ({"tools": list(tools)} if tools else {})
        if seed is not None:
            body.setdefault("seed", seed)
        began = time.monotonic()
        completion, errors = self._request(body)
        usage = completion.usage
        usage.seconds, usage.errors = time.monotonic() - began, errors
        return completion

    def close(self) -> None:
        """Close the connections, which also happens when the endpoint is forgotten."""
        self._close()

    def _request(self, body: dict[str, Any]) -> tuple[Completion, int]:
        """Return the reply, and how often the client tried again."""
        import openai

        from sca_envs.agents.connection import BadReplyError, wait_for

        create = self._client.chat.completions.with_raw_response.create
        try:
            raw = wait_for(lambda: create(**body))
        except openai.APITimeoutError:
            raise EndpointDownError(
                f"{self.base_url} did not answer within {self._timeout} s, in "
                f"{self._max_retries + 1} tries. Give a larger `timeout`, or fewer workers"
            ) from None
        except openai.APIConnectionError as error:
            problem = redact(str(error.__cause__ or error))
            if isinstance(error.__cause__, BadReplyError):
                raise EndpointDownError(
                    f"{self.base_url} does not speak OpenAI's chat protocol: {problem}. Check the "
                    "base URL (it mostly ends in /v1) and that the server offers chat completions"
                ) from None
            raise EndpointDownError(
                f"{self.base_url} cannot be reached ({problem}). Is the server running, and is the "
                "base URL (`base_url` or OPENAI_BASE_URL) right?"
            ) from None
        except openai.APIStatusError as error:
            kind = EndpointError if error.status_code in _REFUSALS else EndpointDownError
            complaint = redact(str(error.response.extensions.get("complaint") or "nothing more"))
            raise kind(_explain(self, error.status_code, complaint)) from None
        return raw.http_response.extensions["reply"], raw.retries_taken


def chat_model(model: ChatModel | str | None, options: dict[str, Any]) -> ChatModel:
    """Return a chat model: the given one, or an endpoint with the model of a name.

    Raises:
        OptionError: If the options are not those of an endpoint, or come with a chat model.
    """
    if model is not None and not isinstance(model, str):
        if options:
            raise OptionError(
                f"Expected options of an endpoint ({', '.join(options)}) with a model's name only; "
                f"got a {type(model).__name__}"
            )
        return model
    known = list(inspect.signature(Endpoint).parameters)[1:]
    if unknown := sorted(options.keys() - set(known)):
        raise OptionError(
            f"Expected further options to be those of an endpoint ({', '.join(known)}); got "
            f"{', '.join(unknown)}"
        )
    return Endpoint(model, **options)


def _read(max_bytes: int, prices: tuple[float | None, float | None], content: bytes) -> Completion:
    """Return the chat completion in a reply's body.

    Raises:
        ValueError: If there is none.
    """
    # Each list and object costs far more memory than its two characters of JSON.
    if content.count(b"[") + content.count(b"{") > max_bytes // 20:
        raise ValueError("a reply has too many values")
    try:
        reply = json.loads(content, parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a reply is no JSON ({_shorten(str(error))})") from None
    text, calls = _read_message(reply)
    return Completion(text, calls, _read_usage(reply.get("usage"), prices))


def _read_usage(counts: Any, prices: tuple[float | None, float | None]) -> Usage:
    counts = counts if isinstance(counts, dict) else {}
    keys = ("prompt_tokens", "completion_tokens")
    usage = Usage(requests=1, **{key: counts[key] for key in keys if key in counts})
    if prices != (None, None):
        price_in, price_out = (price or 0.0 for price in prices)
        usage.cost = (usage.prompt_tokens * price_in + usage.completion_tokens * price_out) / 1e6
    return usage


def _read_message(reply: Any) -> tuple[str, tuple[CalledTool, ...]]:
    """Return the text and tool calls of a chat completion; what a model says may be anything.

    A key that the model or the endpoint repeats is taken out.
    """
    try:
        message = reply["choices"][0]["message"]
        content, calls = message.get("content"), message.get("tool_calls")
    except (AttributeError, IndexError, KeyError, TypeError):
        raise ValueError(f"a reply has no message ({_shorten(repr(reply))})") from None
    if isinstance(content, list):  # parts, as some servers send them
        texts = (part.get("text") for part in content if isinstance(part, dict))
        content = "".join(text for text in texts if isinstance(text, str))
    if isinstance(calls, list) and len(calls) > _MOST_CALLS:
        raise ValueError(f"a reply has {len(calls):,} tool calls, more than {_MOST_CALLS:,}")
    found: dict[str, CalledTool] = {}
    for number, call in enumerate(calls if isinstance(calls, list) else []):
        call = call if isinstance(call, dict) else {}
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        arguments = function.get("arguments")
        if not isinstance(arguments, str):  # some servers send the object, not its JSON
            arguments = "{}" if arguments is None else json.dumps(arguments)
        key, name = _text(call.get("id")), _text(function.get("name"))
        if not key or key in found:
            key = f"call_{number}"
        found[key] = CalledTool(key, redact(name, spoken=True), redact(arguments, spoken=True))
    content = content if isinstance(content, str) else ""
    return redact(content, spoken=True), tuple(found.values())


def _text(value: Any) -> str:
    """Return a text or a number as text, and nothing for anything else."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value if isinstance(value, str) else ""


def _parse_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits


def _check_key(key: Any) -> None:
    if not (isinstance(key, str) and key.isascii() and key.isprintable() and key.strip() == key):
        raise OptionError(
            "Expected the key (`api_key` or OPENAI_API_KEY) in printable ASCII without spaces "
            "around it; got one with other characters, which no header can hold"
        )


def _check_number(
    name: str, value: Any, least: float, most: float, kind: type[int] | type[float] = float
) -> None:
    allowed = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not least <= value <= most:
        what = "an integer" if kind is int else "a number"
        raise OptionError(
            f"Expected {name} to be {what} from {least} to {most:,}; got {_shorten(repr(value))}"
        )


def _check_fields(fields: dict[str, Any]) -> None:
    """Refuse fields of a request that no request can have."""
    try:
        json.dumps(fields, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise OptionError(f"Expected `extra` and the sampling options in JSON: {error}") from None
    if fields.get("stream"):
        raise OptionError("Expected no `stream` in `extra`: a reply is read as a whole")


def _sendable(value: Any) -> Any:
    """Return messages without lone surrogates, which UTF-8 cannot say."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    return [_sendable(item) for item in value] if isinstance(value, list) else value


def _explain(endpoint: Endpoint, status: int, complaint: str) -> str:
    advice = {
        401: "Check the key (`api_key` or OPENAI_API_KEY)",
        403: "Check what the key (`api_key` or OPENAI_API_KEY) may do",
        404: f"Check the base URL and that it serves the model {endpoint.model!r}",
        429: "It limits the rate: use fewer workers or a larger `max_retries`",
    }.get(status, "The server's log may say more" if status >= 500 else "Check the options")
    said = _shorten(" ".join(complaint.split()), 500)
    return f"{endpoint.base_url} answered {status}: {said}. {advice}"


def _shorten(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
