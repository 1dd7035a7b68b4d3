"""What the steps of a run are doing, shown while they do it.

A terminal gets a table that changes; a file or a pipe gets one line for each change.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text


@dataclass(slots=True, kw_only=True)
class StepProgress:
    """One step of the run, as far as it has come."""

    name: str
    type: str
    state: str = "waiting"
    started: float | None = None
    ended: float | None = None
    job_name: str = ""
    produced: tuple[str, ...] = ()
    """What came out, one thing a line: an S3 URI, an ARN, a metric, a condition's outcome."""

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran; None where it never started."""
        if self.started is None:
            return None
        return (self.ended or time.monotonic()) - self.started


@dataclass(slots=True)
class Progress:
    """The steps of a run in the definition's order; who changes one tells the view."""

    steps: dict[str, StepProgress]
    view: "View"

    @classmethod
    def of(cls, steps: Iterable[tuple[str, str]], view: "View") -> "Progress":
        """Progress of steps given by name and type, none of them started."""
        return cls({name: StepProgress(name=name, type=type_) for name, type_ in steps}, view)

    def start(self, name: str) -> None:
        """A step runs; harmless when it comes back from waiting for its job."""
        step = self.steps[name]
        if step.state == "running":
            return
        step.state = "running"
        step.started = step.started or time.monotonic()
        self.view.changed(step)

    def end(
        self, name: str, state: str, *, job_name: str = "", produced: Iterable[str] = ()
    ) -> None:
        """A step is in `state` and does not run any more."""
        step = self.steps[name]
        if step.state == state:
            return
        step.state = state
        step.ended = time.monotonic()
        step.job_name = job_name or step.job_name
        step.produced = tuple(produced) or step.produced
        self.view.changed(step)

    def retry(self, name: str, reason: str) -> None:
        """A step failed and will be tried again."""
        self.steps[name].state = "retrying"
        self.view.changed(self.steps[name], reason)


class View(Protocol):
    """Shows progress, from `with` on until its end."""

    def phase(self, text: str) -> None:
        """Tell what is done before the first step can start."""

    def watch(self, steps: Iterable[StepProgress]) -> None:
        """Show these steps from now on."""

    def changed(self, step: StepProgress, note: str = "") -> None:
        """Show that a step has another state."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def view(console: Console) -> View:
    """The view that fits `console`."""
    return TableView(console) if console.is_terminal else LineView(console)


@dataclass(slots=True)
class LineView:
    """One line for each change: time, step, state, seconds."""

    console: Console
    width: int = 0

    def phase(self, text: str) -> None:
        self.console.print(f"{_clock()}  {text}", markup=False)

    def watch(self, steps: Iterable[StepProgress]) -> None:
        self.width = max((len(step.name) for step in steps), default=0)

    def changed(self, step: StepProgress, note: str = "") -> None:
        seconds = "" if step.ended is None else duration(step.seconds)
        words = (_clock(), "", step.name.ljust(self.width), step.state.ljust(9), seconds, note)
        self.console.print(" ".join(words).rstrip(), markup=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@dataclass(slots=True)
class TableView:
    """A table that is drawn again four times a second by a thread of its own."""

    console: Console
    _phase: str = ""
    _steps: tuple[StepProgress, ...] = ()
    _live: Live = field(init=False)

    def __post_init__(self) -> None:
        # The result table takes the place of this one: `transient`. Others' output goes to a file
        # already, where rich shall not catch it.
        self._live = Live(
            console=self.console,
            get_renderable=self._render,
            transient=True,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def phase(self, text: str) -> None:
        self._phase = text

    def watch(self, steps: Iterable[StepProgress]) -> None:
        self._phase, self._steps = "", tuple(steps)

    def changed(self, step: StepProgress, note: str = "") -> None:
        if note:
            self.console.print(f"[yellow]{escape(step.name)}[/] {step.state}: {escape(note)}")
        self._live.refresh()

    def _render(self) -> RenderableType:
        if not self._steps:
            return Spinner("dots", Text(self._phase))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Step", overflow="fold")
        table.add_column("Type", style="dim")
        table.add_column("State", no_wrap=True)
        table.add_column("Seconds", justify="right", no_wrap=True)
        for step in self._steps:
            table.add_row(
                Text(step.name), step.type, state_text(step.state), duration(step.seconds)
            )
        return Group(table)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def state_text(state: str) -> Text:
    """A state in the colour that Airflow's UI gives it, or one like it."""
    return Text(state, style=STATE_STYLES.get(state, ""))


def duration(seconds: float | None) -> str:
    """Seconds with one decimal; "" for what never started."""
    return "" if seconds is None else f"{seconds:.1f}"


def _clock() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")


STATE_STYLES = {
    "waiting": "dim",
    "running": "cyan",
    "retrying": "yellow",
    "success": "green",
    "failed": "bold red",
    "skipped": "magenta",
    "upstream_failed": "yellow",
    "interrupted": "bold yellow",
}
