"""Wordings: files that are not as they must be are refused, with the place."""

from __future__ import annotations

import contextlib
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sca_envs.core.errors import OptionError
from sca_envs.core.wishes import Wordings

GOOD = r"""
[cues]
reason = ['reason', '\bwhy\b']

[shared]
greeting = ["Hello {name}."]

[renew.train]
opening = ["Renew {book}, {{please}}.", "{book} again."]

[renew.test]
opening = ["I want {book} for {days:>3} more days.", "Longer: {book}!"]

[ask]
opening = ["It costs {amount:.2f}?"]
"""


def test_what_a_file_says() -> None:
    wordings = Wordings.parse(GOOD.replace(" for {days:>3} more days", ""))
    assert wordings.cues == {"reason": ("reason", r"\bwhy\b")}
    assert wordings.of("train", "renew", "opening") == [
        "Renew {book}, {{please}}.",
        "{book} again.",
    ]
    assert wordings.of("test", "renew", "opening")[1] == "Longer: {book}!"
    assert wordings.of("train", "ask", "opening") == wordings.of("test", "ask", "opening")
    for wish in ("renew", "ask", "whatever"):
        assert wordings.of("test", wish, "greeting") == ["Hello {name}."]
    assert wordings.of("train", "ask", "opening")[0].format(amount=2) == "It costs 2.00?"


def test_the_wish_comes_before_what_is_shared() -> None:
    wordings = Wordings.parse('[shared]\na = ["x"]\nb = ["y"]\n[renew]\na = ["z"]')
    assert wordings.of("train", "renew", "a") == ["z"]
    assert wordings.of("train", "renew", "b") == ["y"]


def test_a_missing_key_names_the_wish_and_where_to_write_it() -> None:
    with pytest.raises(OptionError, match=r"wordings for 'opening' in \[renew\] or \[shared\]"):
        Wordings.parse("").of("train", "renew", "opening")


POOLS = "[renew.train]\nopening = [{}]\n[renew.test]\nopening = [{}]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("renew", r"Expected '='|expected"),
        ("[renew", "Expected"),
        ('[renew]\nopening = ["a"]\n[renew]', "twice|overwrite|declare"),
        ("renew = 5", r"\[renew\]: expected a table of lists of texts, got 5"),
        ("[[renew]]\nopening = ['a']", r"\[renew\]: expected a table"),
        ("[renew]\nopening = 'a'", r"\[renew\] opening: expected a list of texts"),
        ("[renew]\nopening = []", r"\[renew\] opening: expected a list of texts"),
        ("[renew]\nopening = ['a', 1]", r"\[renew\] opening: expected a list of texts"),
        ("[renew]\nopening = [['a']]", r"\[renew\] opening: expected a list of texts"),
        ("[renew.train]\nopening = ['a']", r"\[renew\] train: expected .* both train and test"),
        ("[renew.test]\nopening = ['a']", r"\[renew\] test: expected .* both train and test"),
        ("[renew.train]\na=['a']\n[renew.test]\na=['a']\n[renew.more]\na=['a']", "both train and"),
        ("[renew]\ntrain = ['a']\ntest = ['b']", r"\[renew.train\]: expected a table of lists"),
        (POOLS.format("'{a}'", "'{b}'"), r"the same slots; got \['a'\] in train and \['b'\]"),
        (POOLS.format("'{a} {b}'", "'{b}'"), r"got \['a', 'b'\] in train and \['b'\] in test"),
        ("[renew.train]\na=['x']\n[renew.test]\nb=['x']", "expected both pools to have it"),
        ("cues = 5", r"\[cues\]: expected a table of lists of texts, got 5"),
        ("[cues]\nreason = 'why'", r"\[cues\] reason: expected a list of texts"),
        ("[cues]\nreason = [1]", r"\[cues\] reason: expected a list of texts"),
        ("[cues]\nreason = []", r"\[cues\] reason: expected a list of texts"),
        ("[cues]\nreason = ['(']", r"\[cues\] reason: expected a regular expression"),
        ("[cues]\nreason = ['(a+)+b']", r"\[cues\] reason: .*too long"),
        ("[renew]\nopening = ['{']", r"\[renew\] opening: .*write {{ and }} for braces"),
        ("[renew]\nopening = ['a}']", r"\[renew\] opening: .*write {{ and }} for braces"),
        ("[renew]\nopening = ['{a']", r"\[renew\] opening: .*write {{ and }} for braces"),
        ("[renew]\nopening = ['{}']", r"expected slots such as {order}"),
        ("[renew]\nopening = ['{0}']", r"expected slots such as {order}"),
        ("[renew]\nopening = ['{a.__class__}']", r"expected slots such as {order}"),
        ("[renew]\nopening = ['{a[0]}']", r"expected slots such as {order}"),
        ("[renew]\nopening = ['{a!r}']", r"expected slots such as {order}"),
        ("[renew]\nopening = ['{a:{b}}']", r"expected slots such as {order}"),
        ("[renew]\nopening = ['{a b}']", r"expected slots such as {order}"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        Wordings.parse(text, "here.toml")
    assert "here.toml" in str(caught.value)


@given(st.text(st.sampled_from("{}a.[]!:0_ \"'\\"), max_size=10))
def test_a_text_that_is_accepted_can_be_filled_in(text: str) -> None:
    """Whatever is not refused takes each of its slots by name, and nothing else of it."""
    quoted = "".join(f"\\u{ord(character):04x}" for character in text)
    try:
        Wordings.parse(f'[renew]\nopening = ["{quoted}"]')
    except OptionError:
        return
    slots = {slot: "v" for _, slot, _, _ in string.Formatter().parse(text) if slot}
    with contextlib.suppress(ValueError):  # a form that texts do not have, such as ``{a:d}``
        text.format(**slots)


class TestRead:
    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        name = f"wordings_{tmp_path.name}".replace("-", "_")
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / f"{name}_single.py").write_text("")
        monkeypatch.syspath_prepend(str(tmp_path))
        yield name
        for module in [module for module in sys.modules if module.startswith(name)]:
            del sys.modules[module]

    def test_a_file_beside_the_code(self, package: str, tmp_path: Path) -> None:
        (tmp_path / package / "wordings.toml").write_text(
            '[renew]\nopening = ["Verlängern: {book} ☃"]', encoding="utf-8"
        )
        wordings = Wordings.read(package)
        assert wordings.of("test", "renew", "opening") == ["Verlängern: {book} ☃"]
        assert Wordings.read(package) is wordings

    def test_no_such_file(self, package: str) -> None:
        with pytest.raises(OptionError, match=rf"a file wordings\.toml .*package '{package}'"):
            Wordings.read(package)

    def test_a_file_in_another_encoding(self, package: str, tmp_path: Path) -> None:
        (tmp_path / package / "wordings.toml").write_bytes('[a]\nb = ["ä"]'.encode("latin-1"))
        with pytest.raises(OptionError, match="in UTF-8"):
            Wordings.read(package)

    @pytest.mark.parametrize("suffix", ["_not_there", "_single"])
    def test_no_such_package(self, package: str, suffix: str) -> None:
        with pytest.raises(OptionError, match="Expected a file"):
            Wordings.read(package + suffix, "other.toml")

    def test_an_error_names_the_file(self, package: str, tmp_path: Path) -> None:
        (tmp_path / package / "wordings.toml").write_text("renew = 1")
        with pytest.raises(OptionError, match=rf"^{package}/wordings\.toml: \[renew\]"):
            Wordings.read(package)
