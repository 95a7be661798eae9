"""Chat models, and the one behind any OpenAI-compatible endpoint.

Agents and user simulators speak to a `ChatModel`. Whatever a model says comes back as a
`Completion`; an endpoint that cannot be reached, or does not speak the protocol even when asked
again, is an `EndpointError`. Where that is not the fault of the request, it is an
`EndpointDownError`, by which an evaluation knows a trial that is missing from one that failed.
"""

from __future__ import annotations

import inspect
import json
import os
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sca_envs import InfrastructureError, OptionError, SCAError, Usage

Message = dict[str, Any]

FIRST_DELAY = 0.5
"""Seconds before the second try of a request whose reply was nonsense; twice as long each time."""


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
    and errors of the server, waiting as long as the server says or twice as long each time. A
    reply that is no JSON or no chat completion is tried again in the same way.

    Args:
        model: The model's name; by default the environment variable ``SCA_MODEL``.
        base_url: The endpoint, such as ``http://localhost:8000/v1``; by default
            ``OPENAI_BASE_URL``, else OpenAI's.
        api_key: The key; by default ``OPENAI_API_KEY``. A base URL alone may do without one.
        temperature: Sampling temperature; None leaves it to the endpoint.
        max_tokens: Most tokens of a reply; None leaves it to the endpoint.
        timeout: Most seconds that one try may take.
        max_retries: How often a failed request is tried again.
        input_price: US dollars per million tokens read.
        output_price: US dollars per million tokens written.
        extra: Further fields of the request, such as ``{"top_p": 0.9}``.

    Raises:
        OptionError: If there is no model or no key.
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
        input_price: float | None = None,
        output_price: float | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        try:
            import openai
        except ImportError:
            raise SCAError("Endpoints need openai: pip install 'sca-envs[agents]'") from None
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
        self._client = openai.OpenAI(
            api_key=api_key, base_url=base_url, timeout=timeout, max_retries=max_retries
        )
        self.base_url = str(self._client.base_url)
        self._max_retries = max_retries
        self._prices = (input_price, output_price)
        self._options: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens}
        self._options = {k: v for k, v in self._options.items() if v is not None} | (extra or {})

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
        began, errors, problem = time.monotonic(), 0, ""
        for attempt in range(self._max_retries + 1):
            reply, retries, problem = self._request(body)
            errors += retries
            if not problem:
                try:
                    usage = self._usage(reply, time.monotonic() - began, errors)
                    return Completion(*_read(reply), usage)
                except _BadReplyError as error:
                    problem = str(error)
            errors += 1
            if attempt < self._max_retries:
                time.sleep(min(FIRST_DELAY * 2**attempt, 8.0))
        raise EndpointDownError(
            f"{self.base_url} does not speak OpenAI's chat protocol: {problem}. Check the base URL "
            "(it mostly ends in /v1) and that the server offers chat completions"
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, body: dict[str, Any]) -> tuple[Any, int, str]:
        """Return the reply in JSON, how often the client tried again, and what is wrong with it."""
        import openai

        try:
            raw = self._client.chat.completions.with_raw_response.create(**body)
        except openai.APITimeoutError:
            raise EndpointDownError(
                f"{self.base_url} did not answer within {self._client.timeout} s, in "
                f"{self._max_retries + 1} tries. Give a larger `timeout`, or fewer workers"
            ) from None
        except openai.APIConnectionError as error:
            raise EndpointDownError(
                f"{self.base_url} cannot be reached ({error.__cause__ or error}). Is the server "
                "running, and is the base URL (`base_url` or OPENAI_BASE_URL) right?"
            ) from None
        except openai.APIStatusError as error:
            kind = EndpointError if error.status_code in _REFUSALS else EndpointDownError
            raise kind(_explain(self, error.status_code, str(error))) from None
        try:
            return json.loads(raw.content), raw.retries_taken, ""
        except (ValueError, RecursionError) as error:
            return None, raw.retries_taken, f"a reply is no JSON ({error})"

    def _usage(self, reply: Any, seconds: float, errors: int) -> Usage:
        counts = reply.get("usage") if isinstance(reply, dict) else None
        counts = counts if isinstance(counts, dict) else {}
        read, written = _count(counts, "prompt_tokens"), _count(counts, "completion_tokens")
        cost = None
        if any(price is not None for price in self._prices):
            price_in, price_out = (price or 0.0 for price in self._prices)
            cost = (read * price_in + written * price_out) / 1e6
        return Usage(
            prompt_tokens=read,
            completion_tokens=written,
            cost=cost,
            seconds=seconds,
            requests=1,
            errors=errors,
        )


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


class _BadReplyError(Exception):
    """A reply is no chat completion."""


def _read(reply: Any) -> tuple[str, tuple[CalledTool, ...]]:
    """Return the text and tool calls of a chat completion; what a model says may be anything."""
    try:
        message = reply["choices"][0]["message"]
        content, calls = message.get("content"), message.get("tool_calls")
    except (AttributeError, IndexError, KeyError, TypeError):
        raise _BadReplyError(f"a reply has no message ({_shorten(json.dumps(reply))})") from None
    if isinstance(content, list):  # parts, as some servers send them
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    found: dict[str, CalledTool] = {}
    for number, call in enumerate(calls if isinstance(calls, list) else []):
        call = call if isinstance(call, dict) else {}
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        arguments = function.get("arguments")
        if not isinstance(arguments, str):  # some servers send the object, not its JSON
            arguments = "{}" if arguments is None else json.dumps(arguments)
        key = str(call.get("id") or "")
        if not key or key in found:
            key = f"call_{number}"
        found[key] = CalledTool(key, str(function.get("name") or ""), arguments)
    return content if isinstance(content, str) else "", tuple(found.values())


def _count(counts: dict[str, Any], key: str) -> int:
    value = counts.get(key)
    return value if isinstance(value, int) else 0


def _sendable(value: Any) -> Any:
    """Return messages without lone surrogates, which UTF-8 cannot say."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    return [_sendable(item) for item in value] if isinstance(value, list) else value


def _explain(endpoint: Endpoint, status: int, message: str) -> str:
    advice = {
        401: "Check the key (`api_key` or OPENAI_API_KEY)",
        403: "Check what the key (`api_key` or OPENAI_API_KEY) may do",
        404: f"Check the base URL and that it serves the model {endpoint.model!r}",
        429: "It limits the rate: use fewer workers or a larger `max_retries`",
    }.get(status, "The server's log may say more" if status >= 500 else "Check the options")
    return f"{endpoint.base_url} answered {status}: {_shorten(message, 500)}. {advice}"


def _shorten(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
