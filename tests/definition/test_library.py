"""The page for those who use the language as a library says what happens."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "language.md"
BLOCK = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


def test_examples_of_the_page_print_what_it_says() -> None:
    names: dict[str, object] = {}
    printed = io.StringIO()
    expected = []
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "python":
            with redirect_stdout(printed):
                exec(compile(text, str(PAGE), "exec"), names)
        else:
            expected.append(text)
    assert printed.getvalue() == "".join(expected)
    assert len(expected) == 4
