"""What a row of the fidelity table is, and what its levels mean."""

from dataclasses import dataclass
from typing import Literal, get_args

Level = Literal["same", "equivalent", "different", "unsupported"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How faithfully something that a definition may hold is run here.

    `anchor` is the row's id, and its place in `docs/semantics.md`; `features` are what
    `occurrences` finds in a definition. `proof` names the tests by their pytest node ids.
    """

    anchor: str
    title: str
    features: tuple[str, ...]
    level: Level
    reason: str
    """One line, in the report."""
    text: str
    """One short paragraph, in the page."""
    proof: tuple[str, ...]

    @property
    def link(self) -> str:
        """The place of the row's explanation."""
        return f"{PAGE}#{self.anchor}"


PAGE = "docs/semantics.md"

MEANINGS: dict[Level, str] = {
    "same": "What SageMaker Pipelines does, as far as the steps of a run can tell.",
    "equivalent": "The same effect by other means, or with other values of the same form.",
    "different": "A run can take another course or have another result; the row says how.",
    "unsupported": "The definition is read and the DAG is built, but the task fails at once.",
}
