"""Keys and passwords, which reach no file, no log and no terminal.

Options are redacted by their names (``api_key``, ``token``, ``headers``, …), URLs by their form.
What was redacted once is remembered, in every form in which it travels, and taken out of texts that
come later: of an endpoint that quotes the key it was sent, say.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, unquote, unquote_plus

T = TypeVar("T")

REDACTED = "[redacted]"
"""What stands in the place of a secret."""

_SHORTEST, _SHORTEST_SPOKEN = 6, 8
"""Least characters of a secret that is looked for in errors, and in what is said in an episode."""
_PART, _LONG = 8, 16
"""Characters of a part that is a secret as well, and of the shortest secret that has such parts."""
_PLACEHOLDERS = frozenset(
    {
        "ollama",
        "lm-studio",
        "no-key",
        "no_key",
        "not-needed",
        "sk-test",
        "secret",
        "password",
        "api_key",
    }
)
"""Keys of endpoints that want none; they would black out words."""

_NAME = re.compile(
    r"(^|_)((api|access|auth|private|secret|subscription|session)_?keys?|key|token|secrets?"
    r"|passw(or)?d|passphrase|pwd|pass|credentials?|auth|authorization|bearer|cookies?|headers?"
    r"|signature|sig|jwt|dsn)$"
)
_NO_SECRET = re.compile(
    r"(^|_)((eos|bos|pad|unk|sep|cls|mask|stop|start|begin|end|image|special|next|last)_token"
    r"|(sort|primary|foreign|public|cache)_key)$"
)
_PLAIN_HEADERS = frozenset(
    {"accept", "accept_encoding", "content_type", "connection", "host", "user_agent"}
)
_USERINFO = re.compile(r"(?<=://)([^/?#\s\"'<>]*)@")
_FIELD = re.compile(  # name=value, name='value' or "name": "value", also escaped once more
    r"""(?<![\w.-])(?P<name>[\w.-]{1,80})(?P<is>=|\\?["']\s*:\s*)"""
    r"""(?:(?P<quote>\\?["'])(?P<quoted>.{0,4000}?)(?=(?P=quote))|(?P<bare>[^\s"'\\&;,<>)\]}]+))"""
)
_SCHEME = re.compile(r"\b(Bearer|Basic)(\s+|%20)(?=\S{0,200}[\d=])[\w.~+/=-]{8,}")
_SHAPES = re.compile(r"\b(sk|hf|ghp|gho|glpat|xox[abp]|AKIA|AIza)[-_]?[A-Za-z0-9][\w-]{15,}")

_known: dict[str, str] = {}
"""Form of a secret -> the secret; the longest form first."""
_lock = threading.Lock()


def is_secret(name: object) -> bool:
    """Return whether an option, a header or a field of a URL has a secret, by its name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name)).lower()
    words = re.sub(r"[^a-z0-9]+", "_", words)
    return bool(_NAME.search(words)) and not _NO_SECRET.search(words)


def keep_secret(*secrets: str) -> None:
    """Remember secrets, so that `redact` takes them out of texts."""
    global _known
    more: dict[str, str] = {}
    for secret in secrets:
        # Of `Bearer 12345678` and the like the word is a secret, too.
        for piece in {secret, secret.strip(), *filter(_is_random, secret.split())}:
            if len(piece) >= _SHORTEST and piece.lower() not in _PLACEHOLDERS:
                more |= dict.fromkeys(_forms(piece), piece)
    with _lock:  # a new dict, since other threads look through the old one
        _known = dict(sorted((_known | more).items(), key=lambda item: -len(item[0])))


def keep_environment_secrets() -> None:
    """Remember the secrets among the environment variables, such as ``OPENAI_API_KEY``."""
    known = os.environ.items()
    keep_secret(*(value for key, value in known if is_secret(key) and not os.path.exists(value)))


def _is_random(word: str) -> bool:
    return len(word) >= _SHORTEST_SPOKEN and any(map(str.isdigit, word))


def redact(value: T, *, spoken: bool = False) -> T:
    """Return a text, or options, without the secrets in it.

    Args:
        value: A text; or options in JSON, whose secrets are remembered for the texts to come.
        spoken: Whether the text is a turn of an episode. It only loses whole secrets that
            are known, for words that look like one may be part of a task.
    """
    if isinstance(value, str):
        return _without_known(value, spoken) if spoken else _redact_text(value)  # type: ignore[return-value]
    found: list[str] = []
    redacted = _redact_options(value, found)
    keep_secret(*found)
    return redacted  # type: ignore[no-any-return]


def _redact_options(value: Any, found: list[str], secret: bool = False) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _redact_options(
                item, found, (secret or is_secret(key)) and not _is_plain_header(key)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact_options(item, found, secret) for item in value]
    if value is None or isinstance(value, bool) or value in ("", REDACTED):
        return value
    if secret:
        found.extend(_in_secret(str(value)))
        return REDACTED
    if isinstance(value, str):
        found.extend(_in_text(value))
        return _redact_text(value)
    return value


def _is_plain_header(name: object) -> bool:
    return str(name).lower().replace("-", "_") in _PLAIN_HEADERS


def _in_secret(secret: str) -> Iterator[str]:
    if not is_secret(secret):  # a header's name, in a list of pairs
        yield secret
    for encoded in re.findall(r"\bBasic ([\w+/]+=*)", secret):
        with contextlib.suppress(ValueError):
            yield base64.b64decode(encoded).decode().partition(":")[2]


def _in_text(text: str) -> Iterator[str]:
    """Yield the secrets that a URL or an option has in it."""
    text = text.replace(REDACTED, "")
    for match in _USERINFO.finditer(text):
        user, colon, password = match[1].partition(":")
        yield from (password, unquote(password)) if colon else (user,)
        yield base64.b64encode(unquote(match[1]).encode()).decode()  # as Basic sends it
    for match in _FIELD.finditer(text):
        value = match["quoted"] or match["bare"]
        if value and is_secret(match["name"]):
            yield from (value, unquote_plus(value))


def _redact_text(text: str) -> str:
    return REDACTED.join(map(_redact_piece, text.split(REDACTED)))


def _redact_piece(text: str) -> str:
    text = _USERINFO.sub(f"{REDACTED}@", text)
    text = _FIELD.sub(_redact_field, text)
    text = _SCHEME.sub(rf"\1\2{REDACTED}", text)
    text = _SHAPES.sub(REDACTED, text)
    return _without_parts(_without_known(text, spoken=False))


def _redact_field(match: re.Match[str]) -> str:
    value = match["quoted"] or match["bare"]
    # `key=value` is how options are explained; in a URL it is one that Google's interfaces take.
    in_url = match.string[max(0, match.start() - 1) : match.start()] in ("?", "&")
    if not is_secret(match["name"]) or (match["name"].lower() == "key" and not in_url):
        return match[0]
    if value in (None, "None", "null", "True", "False", "true"):
        return match[0]
    return f"{match['name']}{match['is']}{match['quote'] or ''}{REDACTED}"


def _without_known(text: str, spoken: bool) -> str:
    least = _SHORTEST_SPOKEN if spoken else _SHORTEST
    for form in _known:
        if len(form) >= least and form in text:
            text = text.replace(form, REDACTED)
    return text


def _without_parts(text: str) -> str:
    """Return a text without longer parts of the secrets, as in ``sk-1234567890***``."""
    parts = set(_parts(set(_known.values())))
    if not parts:
        return text
    found = [i for i in range(len(text) - _PART + 1) if text[i : i + _PART] in parts]
    for start, end in reversed(_spans(found)):
        text = f"{text[:start]}{REDACTED}{text[end:]}"
    return text


def _parts(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        if len(secret) >= _LONG:
            yield from (secret[i : i + _PART] for i in range(len(secret) - _PART + 1))


def _spans(starts: list[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start in starts:
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], start + _PART
        else:
            spans.append((start, start + _PART))
    return spans


def _forms(secret: str) -> set[str]:
    """Return the forms in which a secret travels: in URLs, in JSON, in Python, in base64."""
    raw = secret.encode("utf-8", "replace")
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {repr(secret)[1:-1], raw.hex()}
    for shift in range(3):  # within a longer text, such as that of `user:key`
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = encoded[(0, 2, 3)[shift] : None if (shift + len(raw)) % 3 == 0 else -1]
        if len(inner) >= _SHORTEST_SPOKEN:
            forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms
