"""Text to be drawn: made harmless, measured, wrapped."""

import re
import textwrap
import unicodedata
from collections.abc import Iterator


def clean(text: str) -> str:
    """`text` in one line, without what is no character to look at: controls, halves of pairs."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def cells(text: str) -> int:
    """The width of `text` in a font where all characters are as wide; East Asian ones count two.

    A mark that joins the letter before it counts one: rather too wide than too narrow.
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def wrapped(text: str, most: int) -> list[str]:
    """`text` in lines of at most `most` cells, broken where a name's words end if that is near."""
    lines = [""]
    for piece in _pieces(text, most):
        if lines[-1] and cells(lines[-1] + piece.rstrip()) > most:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def sentence(text: str, most: int) -> list[str]:
    """`text` in lines of about `most` characters, broken at spaces alone."""
    return textwrap.wrap(text, max(most, 1), break_long_words=False, break_on_hyphens=False)


def _pieces(text: str, most: int) -> Iterator[str]:
    """The parts that `text` may be broken into, none wider than `most` cells."""
    for word in WORD.findall(text):
        piece = ""
        for each in word:
            if cells(piece + each) > most:
                yield piece
                piece = ""
            piece += each
        yield piece


# A word of a name: up to a space, hyphen or underscore, or to where a capital follows.
WORD = re.compile(r"[^\s_-]+?(?:[\s_-]+|(?<=[a-z0-9])(?=[A-Z])|$)|[\s_-]+")
