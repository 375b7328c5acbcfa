"""A signal's story on a terminal: the answer first, then one step after the other, on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bitten.analysis import explain_words as words
from bitten.analysis.explain_facts import NOT_ASKED, NOT_KEPT, ShieldFacts, Story
from bitten.analysis.explain_marks import levels_and_marks
from bitten.analysis.explain_numbers import in_ascii, number
from bitten.analysis.signal_bars import SignalBars
from bitten.analysis.textchart import ASCII, UNICODE, draw

_LABEL: Final = 9  # columns of the steps' names, and the space behind them
_VERDICTS: Final = {"passed": "", "resized": "yellow", "refused": "bold red", NOT_ASKED: "dim", NOT_KEPT: "dim"}
_STYLES: Final = {
    "up": "", "down": "bright_black", "stop": "red", "target": "green", "entry": "bold cyan", "exit": "bold magenta",
    "quiet": "dim",
}  # fmt: skip
_FATES: Final = {"fired": "bold green", "open": "bold yellow"}


def print_story(console: Console, story: Story, bars: SignalBars | str) -> None:
    """Print a story.

    Args:
        console: where to; where its encoding has no line characters everything is ASCII.
        story: as `bitten.analysis.explain.collect` tells it.
        bars: candles around the signal, or why there are none.
    """
    plain = not _can_print(console, "".join(UNICODE) + "−×÷–")
    say = _Printer(console, plain)
    say.line(words.headline(story), _FATES.get(story.account.fate, "bold"))
    made_up = "  SYNTHETIC DATA" if story.synthetic else ""
    say.line(f"{story.signal.id}  run {story.run}{made_up}", "dim")
    say.step("signal", words.signal_lines(story.signal, story.digits))
    say.pairs("evidence", words.evidence_pairs(story.signal, story.digits))
    for shield in story.shields:
        _print_shield(say, shield)
    if story.accounts > 1:
        _print_tallies(say, story)
    _print_gates(say, story)
    say.step("mission", words.mission_lines(story))
    say.step("size", words.size_lines(story.account))
    say.step("fill", words.fill_lines(story))
    say.step("exit", words.exit_lines(story))
    say.step("outcome", words.outcome_lines(story))
    _print_chart(say, story, bars)


class _Printer:
    """Writes steps: a name in the left margin, lines beside it."""

    def __init__(self, console: Console, plain: bool) -> None:
        self.console = console
        self.plain = plain
        self.width = console.width - _LABEL

    def text(self, text: str, style: str = "") -> Text:
        return Text(in_ascii(text) if self.plain else text, style=style)

    def line(self, text: str, style: str = "") -> None:
        self.console.print(self.text(text, style))

    def step(self, name: str, lines: Sequence[str | Text]) -> None:
        """Nothing for a step without lines."""
        grid = _grid()
        for i, line in enumerate(lines):
            grid.add_row(Text(name if i == 0 else "", style="bold"), self.text(line) if isinstance(line, str) else line)
        if lines:
            self.console.print(grid)

    def pairs(self, name: str, pairs: Sequence[tuple[str, str]]) -> None:
        """As many names with their values to a line as it holds."""
        lines: list[Text] = []
        for label, value in pairs:
            piece = Text.assemble((self.text(label).plain, "dim"), " ", self.text(value))
            if lines and lines[-1].cell_len + 2 + piece.cell_len <= self.width:
                lines[-1] = Text.assemble(lines[-1], "  ", piece)
            else:
                lines.append(piece)
        self.step(name, lines)

    def table(self, name: str, table: Table) -> None:
        grid = _grid()
        grid.add_row(Text(name, style="bold"), table)
        self.console.print(grid)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=_LABEL - 1, no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _print_shield(say: _Printer, shield: ShieldFacts) -> None:
    say.step("shield", [f"{shield.name}: {words.shield_line(shield)}"])
    if shield.insights:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for one in shield.insights:
            cost = words.cost_of(one.value, one.weight)
            table.add_row(
                say.text(one.factor, "dim"), say.text(cost, "" if one.value >= 1 else "yellow"), say.text(one.text)
            )
        say.table("", table)
        return
    say.pairs("", [(name, number(value)) for name, value in shield.evidence.items()])
    if shield.remark:
        say.step("", [say.text(shield.remark, "yellow")])


def _print_tallies(say: _Printer, story: Story) -> None:
    """How many accounts each gate passed and refused."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("gate")
    for heading in ("passed", "resized", "refused"):
        table.add_column(heading, justify="right")
    for one in story.tallies:
        refused = say.text(f"{one.refused:,}" if one.refused else "", "red")
        table.add_row(
            say.text(one.gate), f"{one.passed:,}" if one.passed else "", f"{one.resized:,}" if one.resized else "",
            refused,
        )  # fmt: skip
    say.step("accounts", [words.accounts_line(story)])
    if story.tallies:
        say.table("", table)


def _print_gates(say: _Printer, story: Story) -> None:
    if not story.account.gates:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(say.text(story.account.id if story.accounts > 1 else "gate"), no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for gate in story.account.gates:
        style = _VERDICTS.get(gate.verdict, "")
        asked = gate.verdict not in (NOT_ASKED, NOT_KEPT)
        table.add_row(
            say.text(gate.name, "" if asked else "dim"),
            say.text(gate.verdict, style),
            say.text(number(gate.measured) if asked else ""),
            say.text(number(gate.limit) if asked else ""),
            say.text(words.gate_note(gate)),
        )
    say.table("gates", table)


def _print_chart(say: _Printer, story: Story, bars: SignalBars | str) -> None:
    if isinstance(bars, str):
        say.step("chart", [say.text(bars, "dim")])
        return
    levels, marks = levels_and_marks(story, bars.candles.digits)
    glyphs = ASCII if say.plain else UNICODE
    lines = draw(bars.candles, levels, marks, min(say.width, 110), glyphs)
    texts = [
        Text.assemble(*((piece.text, _STYLES.get(piece.style, "")) for piece in line), no_wrap=True) for line in lines
    ]
    note = [say.text(bars.note, "yellow")] if bars.note else []
    say.step("", note)
    say.step(bars.timeframe, texts)


def _can_print(console: Console, characters: str) -> bool:
    try:
        characters.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
