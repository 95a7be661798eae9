"""A transcript as tokens, append-only: what a model wrote is never tokenised again.

Text that a model wrote does not always tokenise to the ids that it sampled, and a chat template may
render an earlier turn differently once a later one is there. Training on ids made either way is
training on what nobody sampled. So a transcript begins with the template's rendering of the first
messages; after that the sampled ids are appended as they are, and what the environment says is
appended as the template's delta: what follows an assistant's message up to the next one's
beginning. This is the only place that does it, for acting and for training, and it needs no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sca_envs.core.errors import OptionError, SCAError

Message = dict[str, Any]
"""A chat message with a string under ``role`` and ``content``."""

_TEMPLATES = Path(__file__).parent / "templates"
_SPOKEN = "spoken-by-the-assistant"
_PROBE_TOOL = {
    "type": "function",
    "function": {
        "name": "probe_tool",
        "description": "Probes.",
        "parameters": {"type": "object", "properties": {}},
    },
}


class TemplateError(SCAError):
    """A chat template is missing, or cannot be extended turn by turn."""


@dataclass(slots=True)
class Encoding:
    """A transcript as tokens; the three lists always have one length."""

    ids: list[int] = field(default_factory=list)
    """Token ids."""
    logprobs: list[float | None] = field(default_factory=list)
    """Log-probabilities, in nats, under the distribution that a token was sampled from; None for
    a token that was not sampled."""
    mask: list[int] = field(default_factory=list)
    """1 where the model wrote the token, else 0: the tokens that belong in a loss."""

    def spans(self) -> list[tuple[int, int]]:
        """Return the begin and end of each run of tokens that the model wrote, one a turn."""
        edges = [0, *self.mask, 0]
        changes = [i for i in range(len(edges) - 1) if edges[i] != edges[i + 1]]
        return list(zip(changes[::2], changes[1::2], strict=True))

    def _append(self, ids: Sequence[int], logprobs: Sequence[float | None], written: int) -> None:
        if len(ids) != len(logprobs):
            raise ValueError(f"Expected {len(ids)} log-probabilities, got {len(logprobs)}")
        self.ids += ids
        self.logprobs += logprobs
        self.mask += [written] * len(ids)


class TranscriptEncoder:
    """Encodes transcripts with a tokeniser and its chat template.

    Args:
        tokenizer: A tokeniser of transformers.
        template: ``None`` for the tokeniser's own chat template; ``chatml`` or ``compact`` for one
            of those in the folder ``templates``; or the text of a Jinja template.

    Raises:
        TemplateError: If there is no template, if it is broken, or if it renders a conversation's
            beginning differently once more is said, as templates do that strip thoughts.
    """

    def __init__(self, tokenizer: Any, template: str | None = None) -> None:
        self.tokenizer = tokenizer
        self.template = _find_template(tokenizer, template)
        """The text of the chat template."""
        self.has_system = self._shows(_conversation("system", "user"), "system-text")
        self.has_tool_role = self._shows(_conversation("user", "assistant", "tool"), "tool-text")
        self.has_tools = self._shows(_conversation("user"), "probe_tool", [_PROBE_TOOL])
        """Whether the template shows the schemas of tools; else the system message has to."""
        self._check_prefixes()
        ids = self._tokenise(self._after_assistant(None, None))
        special = set(tokenizer.all_special_ids)
        self.end_of_turn: int | None = ids[0] if ids and ids[0] in special else None
        """Id of the token that the template puts after an assistant's message."""
        stops = {self.end_of_turn, tokenizer.eos_token_id} - {None}
        if not stops:
            raise TemplateError(
                "Expected a chat template that ends an assistant's message with a special token, "
                "or a tokeniser with an end-of-sequence token; a model could not say that it is "
                'done. Give template="chatml" or "compact" and a tokeniser with an eos_token'
            )
        self.stop_ids: tuple[int, ...] = tuple(sorted(stops))
        """Ids that end a generation."""

    def begin(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None = None
    ) -> Encoding:
        """Return the encoding of a conversation's first messages, ready for the model to speak.

        Args:
            messages: What comes before the model's first turn: system and user messages.
            tools: Schemas in OpenAI's function format, for a template that shows them.
        """
        encoding = Encoding()
        text = self._render([self._clean(message) for message in messages], True, tools)
        self._append_text(encoding, text)
        return encoding

    def write(
        self, encoding: Encoding, ids: Sequence[int], logprobs: Sequence[float | None]
    ) -> str:
        """Append what the model wrote and return its text.

        Args:
            encoding: A transcript that waits for the model.
            ids: The sampled ids, the one that ended the generation included.
            logprobs: Their log-probabilities.

        Raises:
            ValueError: If the two have different lengths.
        """
        encoding._append(ids, logprobs, 1)
        spoken = list(ids)
        if spoken and spoken[-1] in self.stop_ids:
            spoken.pop()
        return self.decode(spoken)

    def demonstrate(self, encoding: Encoding, text: str) -> None:
        """Append a turn that is given as text, to be imitated; it counts as the model's.

        Args:
            encoding: A transcript that waits for the model.
            text: What the model should write.
        """
        ids = self._tokenise(self._clean({"content": text})["content"])
        if self.end_of_turn is not None:
            ids = [*ids, self.end_of_turn]
        self.write(encoding, ids, [None] * len(ids))

    def observe(
        self,
        encoding: Encoding,
        message: Message,
        tools: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """Append what the environment said after the model's turn, up to the model's next turn.

        Args:
            encoding: A transcript whose last tokens the model wrote.
            message: The user's or tool's message.
            tools: The schemas that `begin` was given.
        """
        text = self._after_assistant(self._clean(message), tools)
        ended = bool(encoding.ids) and encoding.mask[-1] == 1
        self._append_text(encoding, text, skip=encoding.ids[-1] if ended else None)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, the special ones included."""
        text: str = self.tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def _append_text(self, encoding: Encoding, text: str, skip: int | None = None) -> None:
        ids = self._tokenise(text)
        if ids and ids[0] == skip == self.end_of_turn:  # the model ended its turn by itself
            ids = ids[1:]
        encoding._append(ids, [None] * len(ids), 0)

    def _tokenise(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _clean(self, message: Message) -> Message:
        """Return a message whose text cannot pass for a piece of the template."""
        # JSON of a model can bring lone surrogates, which no tokeniser takes.
        content = str(message["content"]).encode("utf-8", "replace").decode("utf-8")
        for token in self.tokenizer.all_special_tokens:
            content = content.replace(token, f"{token[0]}\u200b{token[1:]}")
        return {**message, "content": content}

    def _render(
        self,
        messages: Sequence[Message],
        prompt: bool,
        tools: Sequence[dict[str, Any]] | None = None,
    ) -> str:
        text: str = self.tokenizer.apply_chat_template(
            self._adapt(messages),
            chat_template=self.template,
            tools=list(tools) if tools and self.has_tools else None,
            tokenize=False,
            add_generation_prompt=prompt,
        )
        return text

    def _adapt(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages in the roles that the template has."""
        adapted = list(messages)
        if not self.has_system and len(adapted) > 1 and adapted[0]["role"] == "system":
            first, second, *others = adapted
            both = f"{first['content']}\n\n{second['content']}"
            adapted = [{**second, "content": both}, *others]
        if not self.has_tool_role:
            adapted = [{**m, "role": "user"} if m["role"] == "tool" else m for m in adapted]
        return adapted

    def _after_assistant(
        self, message: Message | None, tools: Sequence[dict[str, Any]] | None
    ) -> str:
        """Return what the template puts after an assistant's words."""
        messages = _conversation("user", "assistant")
        if message is not None:
            messages.append(message)
        text = self._render(messages, message is not None, tools)
        return text.partition(_SPOKEN)[2]

    def _shows(
        self, messages: list[Message], text: str, tools: list[dict[str, Any]] | None = None
    ) -> bool:
        """Return whether the template takes messages and shows a text of theirs."""
        try:
            rendered: str = self.tokenizer.apply_chat_template(
                messages, chat_template=self.template, tools=tools, tokenize=False
            )
        except Exception:  # templates raise what they like about roles that they lack
            return False
        return text in rendered

    def _check_prefixes(self) -> None:
        """Refuse a template that would have to change what was said before."""
        other = "tool" if self.has_tool_role else "user"
        for spoken in (_SPOKEN, f"<think>\na thought\n</think>\n\n{_SPOKEN}"):
            roles = ("system", "user", "assistant", other, "assistant", "user")
            messages = _conversation(*roles, spoken=spoken)
            for end in (2, 4):  # before each assistant's turn
                steps = (end, True), (end + 1, False), (end + 2, True)
                try:
                    texts = [self._render(messages[:i], prompt) for i, prompt in steps]
                except Exception as error:
                    raise TemplateError(f"The chat template cannot be rendered: {error}") from error
                if not (texts[1].startswith(texts[0] + spoken) and texts[2].startswith(texts[1])):
                    raise TemplateError(
                        "Expected a chat template that only appends; this one renders the "
                        "beginning of a conversation differently once more is said (it may strip "
                        'thoughts). Give template="chatml" or "compact", or the text of one that '
                        "keeps them"
                    )


def _conversation(*roles: str, spoken: str = _SPOKEN) -> list[Message]:
    return [
        {"role": role, "content": spoken if role == "assistant" else f"{role}-text"}
        for role in roles
    ]


def _find_template(tokenizer: Any, template: str | None) -> str:
    if template is None:
        own = tokenizer.chat_template
        if isinstance(own, dict):
            own = own.get("default")
        if not own:
            raise TemplateError(
                "Expected a tokeniser with a chat template, got one without (a base model?). Give "
                'template="chatml" or "compact", or the text of a template'
            )
        return str(own)
    if "{" in template:
        return template
    names = sorted(path.stem for path in _TEMPLATES.glob("*.jinja"))
    if template not in names:
        raise OptionError(
            f"Expected template to be {' or '.join(names)}, or the text of a Jinja template; "
            f"got {template!r}"
        )
    return (_TEMPLATES / f"{template}.jinja").read_text("utf-8")
