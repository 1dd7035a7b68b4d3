"""Which file holds which key.

Most keys are a path below their bucket's folder. What a file system cannot hold so (`a` beside
`a/b`, a slash at the end, `..`, long names) has an escaped name in a folder of its own: letters in
lower case, digits and a few signs stand for themselves, other bytes are `%` and two digits, and
what is too long for one name goes on in a folder whose name ends in `+`.
"""

import re
from urllib.parse import unquote

LONGEST_KEY_BYTES = 1024
_LONGEST_NAME_BYTES = 255
_PIECE = 200
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.,=~")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!xn--)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def is_bucket_name(name: str) -> bool:
    """Whether a bucket can have that name."""
    return _BUCKET.fullmatch(name) is not None


def is_natural(key: str, *, case_counts: bool = True) -> bool:
    """Whether a key can be a path as it is, on a file system where upper and lower case differ.

    Where they do not, only keys that have no such twin can.
    """
    if not case_counts and not (key.isascii() and key == key.lower()):
        return False
    return "\0" not in key and all(
        name not in ("", ".", "..") and len(name.encode()) <= _LONGEST_NAME_BYTES
        for name in key.split("/")
    )


def escaped(key: str) -> str:
    """The path of a key that cannot be one itself."""
    text = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in key.encode())
    if text.startswith("."):
        text = f"%2e{text[1:]}"
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    return "+/".join(pieces)


def unescaped(path: str) -> str:
    """The key whose escaped path this is; raises ValueError where it is none's."""
    key = unquote(path.replace("+/", ""), errors="strict")
    if escaped(key) != path:
        raise ValueError(f"{path!r} is the name of no key")
    return key
