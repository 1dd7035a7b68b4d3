"""Reads a tree as a person does, and knows then what waits for what."""

from collections.abc import Iterable
from dataclasses import dataclass, field

SIGNS = ("● ", "↓ ", "├→ ", "└→ ", "├─ ", "└─ ")


@dataclass
class Reader:
    """The steps of a tree, the groups that they stand in, and their waits."""

    names: list[str] = field(default_factory=list)
    edges: set[tuple[str, str, str]] = field(default_factory=set)
    """Source, target, and how the source has to end."""
    inside: dict[str, str] = field(default_factory=dict)
    """Step -> `<step>/<head>` of the group around it."""
    columns: dict[int, str] = field(default_factory=dict)
    """Column -> the step that stands in it at the line that was read last."""
    groups: dict[int, str] = field(default_factory=dict)
    """Column of a group's head -> the group, for those that are open."""

    def read(self, line: str) -> None:
        column = min(at for sign in SIGNS if (at := line.find(sign)) >= 0)
        sign = next(sign for sign in SIGNS if line.startswith(sign, column))
        self.groups = {at: group for at, group in self.groups.items() if at < column}
        self.columns = {at: name for at, name in self.columns.items() if at <= column}
        text = line[column + len(sign) :]
        if sign.endswith("─ "):
            self.groups[column] = f"{self.columns[column]}/{text}"
            return
        name, _, notes = text.partition(" ")
        self.names.append(name)
        if self.groups:
            self.inside[name] = self.groups[max(self.groups)]
        named, alone = waits(notes)
        if sign != "● " and not alone:
            self.edges.add((self.columns[column], name, ""))
        self.edges |= {(source, name, how) for source, how in named}
        self.columns[column if len(sign) == 2 else column + 3] = name


def waits(notes: str) -> tuple[set[tuple[str, str]], bool]:
    """The steps behind `after` or `also after`, and whether they are all there are."""
    before, found, names = notes.rpartition("after ")
    if not found:
        return set(), False
    pairs = (each.removesuffix(")").partition(" (") for each in names.split(", "))
    return {(name, how) for name, _, how in pairs}, not before.endswith("also ")


def read(lines: Iterable[str]) -> Reader:
    reader = Reader()
    for line in lines:
        reader.read(line)
    return reader
