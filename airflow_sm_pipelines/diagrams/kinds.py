"""The kinds of steps, which drawings tell apart by colour: one row per step type."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """The fill, line and text of a box."""

    fill: str
    line: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How boxes of one kind look, on paper and on a dark screen, and in a terminal."""

    light: Colours
    dark: Colours
    terminal: str


def kind(step_type: str) -> str:
    """The kind of a step's type; `group` for "", the type of a branch."""
    return TYPES.get(step_type, "group")


GROUPS = frozenset({"repeat", "group"})
"""The kinds of boxes around boxes."""

KINDS: dict[str, Kind] = {
    "prepare": Kind(
        light=Colours(fill="#dbeafe", line="#2563eb", text="#172554"),
        dark=Colours(fill="#172554", line="#60a5fa", text="#dbeafe"),
        terminal="blue",
    ),
    "learn": Kind(
        light=Colours(fill="#ffedd5", line="#c2410c", text="#431407"),
        dark=Colours(fill="#431407", line="#fb923c", text="#ffedd5"),
        terminal="yellow",
    ),
    "serve": Kind(
        light=Colours(fill="#dcfce7", line="#15803d", text="#052e16"),
        dark=Colours(fill="#052e16", line="#4ade80", text="#dcfce7"),
        terminal="green",
    ),
    "check": Kind(
        light=Colours(fill="#f3e8ff", line="#7e22ce", text="#3b0764"),
        dark=Colours(fill="#3b0764", line="#c084fc", text="#f3e8ff"),
        terminal="magenta",
    ),
    "decide": Kind(
        light=Colours(fill="#fef9c3", line="#a16207", text="#422006"),
        dark=Colours(fill="#422006", line="#facc15", text="#fef9c3"),
        terminal="bright_yellow",
    ),
    "remote": Kind(
        light=Colours(fill="#cffafe", line="#0e7490", text="#083344"),
        dark=Colours(fill="#083344", line="#22d3ee", text="#cffafe"),
        terminal="cyan",
    ),
    "fail": Kind(
        light=Colours(fill="#fee2e2", line="#b91c1c", text="#450a0a"),
        dark=Colours(fill="#450a0a", line="#f87171", text="#fee2e2"),
        terminal="red",
    ),
    "repeat": Kind(
        light=Colours(fill="#f5f3ff", line="#4f46e5", text="#1e1b4b"),
        dark=Colours(fill="#15132e", line="#818cf8", text="#e0e7ff"),
        terminal="bright_blue",
    ),
    "group": Kind(
        light=Colours(fill="#f8fafc", line="#64748b", text="#334155"),
        dark=Colours(fill="#111827", line="#64748b", text="#cbd5e1"),
        terminal="bright_black",
    ),
}

TYPES = {
    "Processing": "prepare",
    "Transform": "prepare",
    "EMR": "prepare",
    "EMRServerless": "prepare",
    "Training": "learn",
    "Tuning": "learn",
    "AutoML": "learn",
    "Job": "learn",
    "Model": "serve",
    "RegisterModel": "serve",
    "EndpointConfig": "serve",
    "Endpoint": "serve",
    "InferenceComponent": "serve",
    "ClarifyCheck": "check",
    "QualityCheck": "check",
    "Condition": "decide",
    "Callback": "remote",
    "Lambda": "remote",
    "Lineage": "remote",
    "Cleanup": "remote",
    "Fail": "fail",
    "ForEach": "repeat",
}
