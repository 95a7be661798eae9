"""The tools of the message decoder; they keep no state."""

from __future__ import annotations

from typing import Any

from sca_envs.core.database import Database


def convert_hex_to_ascii(db: Database, hex_string: str) -> str:
    """Turn a text in hexadecimal notation, two digits a character, into the text itself.

    Args:
        hex_string: The hexadecimal digits, such as '6f776c'.
    """
    return bytes.fromhex(str(hex_string)).decode("utf-8")


def reverse_string(db: Database, string: str) -> str:
    """Write a text backwards.

    Args:
        string: The text.
    """
    return string[::-1]


def caesar_decode(db: Database, message: str, shift: int) -> str:
    """Undo a Caesar cipher: move each letter back in the alphabet, around its beginning.

    Upper and lower case stay as they are, and so does whatever is no letter.

    Args:
        message: The encoded text.
        shift: By how many letters the cipher moved it forward.
    """
    shift = int(shift)
    return "".join(_moved_back(character, shift) for character in message)


def _moved_back(character: str, shift: int) -> str:
    # Letters beyond ASCII land among the ASCII ones, as in the original.
    if character.isupper():
        return chr((ord(character) - shift - ord("A")) % 26 + ord("A"))
    if character.islower():
        return chr((ord(character) - shift - ord("a")) % 26 + ord("a"))
    return character


def string_length(db: Database, string: str) -> int:
    """Count the characters of a text.

    Args:
        string: The text.
    """
    return len(string)


def minimum_value(db: Database, *values: int | float | str) -> Any:
    """Return the smallest of some values.

    Args:
        values: The values, all numbers or all texts.
    """
    return min(values)


def maximum_value(db: Database, *values: int | float | str) -> Any:
    """Return the largest of some values.

    Args:
        values: The values, all numbers or all texts.
    """
    return max(values)
