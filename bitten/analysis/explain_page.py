"""A signal's story as one HTML page that needs no server, no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bitten.analysis import explain_words as words
from bitten.analysis.explain_facts import NOT_ASKED, NOT_KEPT, GateFacts, ShieldFacts, Story
from bitten.analysis.explain_marks import picture
from bitten.analysis.explain_numbers import number
from bitten.analysis.report import asset
from bitten.analysis.sections import text
from bitten.analysis.signal_bars import SignalBars
from bitten.analysis.signal_picture import signal_svg

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>{style}</style></head>
<body><main>{body}</main></body></html>
"""


def render_page(story: Story, bars: SignalBars | str) -> str:
    """Render a story; equal input gives equal text.

    Args:
        story: as `bitten.analysis.explain.collect` tells it.
        bars: candles around the signal, or why there are none.
    """
    digits = story.digits
    parts = [
        f"<h1>{text(_capital(words.headline(story)))}</h1>",
        _identity(story),
        _chart(story, bars),
        _step("Signal", _lines(words.signal_lines(story.signal, digits))),
        _step("Evidence", _pairs(words.evidence_pairs(story.signal, digits))),
        *(_step("Shield", _shield(shield)) for shield in story.shields),
        _accounts(story),
        _step("Gates", _gates(story)),
        _step("Mission", _lines(words.mission_lines(story))),
        _step("Size", _lines(words.size_lines(story.account))),
        _step("Fill", _lines(words.fill_lines(story))),
        _step("Exit", _lines(words.exit_lines(story))),
        _step("Outcome", _lines(words.outcome_lines(story))),
        "<footer>Times are UTC. The outcome follows the signal to its own stop or target, whoever fired it. "
        "What happened once promises nothing.</footer>",
    ]
    return _PAGE.format(
        title=text(f"{story.signal.id}: bitten"),
        style=asset("signals.css") + asset("explain.css"),
        body="\n".join(parts),
    )


def _identity(story: Story) -> str:
    made_up = '<span class="synthetic">SYNTHETIC DATA: made-up quotes, no market</span>' if story.synthetic else ""
    return f'<p class="id"><span>{text(story.signal.id)}</span><span>run {text(story.run)}</span>{made_up}</p>'


def _step(name: str, content: str) -> str:
    """Nothing for a step without content."""
    return f'<section class="step"><h2>{name}</h2><div>{content}</div></section>' if content else ""


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"<p>{text(line)}</p>" for line in lines)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    entries = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{entries}</dl>" if entries else ""


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col"{_css(name)}>{text(name.strip("<"))}</th>' for name in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _css(name: str) -> str:
    """A heading that begins with `<` stands on the left."""
    return ' class="text"' if name.startswith("<") else ""


def _shield(shield: ShieldFacts) -> str:
    parts = [f"<p>{text(shield.name)}: {text(words.shield_line(shield))}</p>"]
    if shield.insights:
        rows = (
            f'<tr><th scope="row">{text(one.factor)}</th><td>{words.cost_of(one.value, one.weight)}</td>'
            f'<td class="wide">{text(one.text)}</td></tr>'
            for one in shield.insights
        )
        parts.append(_table(("<factor", "points", "<why"), rows))
    else:
        parts.append(_pairs((name, number(value)) for name, value in shield.evidence.items()))
        if shield.remark:
            parts.append(f'<p class="remark">{text(shield.remark)}</p>')
    return "".join(parts)


def _accounts(story: Story) -> str:
    if story.accounts == 1:
        return ""
    rows = (
        f'<tr><th scope="row">{text(one.gate)}</th><td>{one.passed:,}</td><td>{one.resized:,}</td>'
        f"<td>{one.refused:,}</td></tr>"
        for one in story.tallies
    )
    table = _table(("<gate", "passed", "resized", "refused"), rows) if story.tallies else ""
    return _step("Accounts", f"<p>{text(words.accounts_line(story))}</p>{table}")


def _gates(story: Story) -> str:
    if not story.account.gates:
        return ""
    whose = story.account.id if story.accounts > 1 else "gate"
    return _table((f"<{whose}", "<verdict", "measured", "limit", "<why"), map(_gate, story.account.gates))


def _gate(gate: GateFacts) -> str:
    silent = gate.verdict in (NOT_ASKED, NOT_KEPT)
    measured, limit = ("", "") if silent else (number(gate.measured), number(gate.limit))
    css = "silent" if silent else gate.verdict
    return (
        f'<tr class="{text(css)}"><th scope="row">{text(gate.name)}</th><td class="text">{text(gate.verdict)}</td>'
        f'<td>{measured}</td><td>{limit}</td><td class="wide">{text(words.gate_note(gate))}</td></tr>'
    )


def _chart(story: Story, bars: SignalBars | str) -> str:
    if isinstance(bars, str):
        return f'<p class="none">{text(bars)}</p>'
    note = f'<p class="remark">{text(bars.note)}</p>' if bars.note else ""
    if story.account.trade is None and story.outcome is not None and story.outcome.open_time is not None:
        note += "<figcaption>Entry and exit as they would have been: there was no position.</figcaption>"
    return f"<figure>{signal_svg(picture(story, bars.candles))}{note}</figure>"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
