"""The parts of the report that tell what became of signals: gates, patterns, confidence. Plain HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bitten.analysis.accountsections import events_table
from bitten.analysis.analytics import ENOUGH, win_rate_label
from bitten.analysis.figures import ABSENT, BY_KEY, counted, show, show_duration
from bitten.analysis.sections import table, text
from bitten.analysis.signalpictures import (
    Span,
    common_scale,
    interval_bars,
    reliability_diagram,
    score_histogram,
    span_of,
)
from bitten.analysis.signalterminal import calibration_line, interval, key_text, number

_HOTTEST: Final = 0.6  # mean R at which a cell of the matrix has the full colour


def gates(summary: Mapping[str, Any]) -> str:
    """How signals ended, what each gate refused and was worth, and orders that never filled."""
    signals = summary.get("signals") or 0
    if not signals:
        return '<p class="quiet">No signals.</p>'
    endings = [
        [text(name), f"{count:,}", f"{count / signals * 100:.1f} %"]
        for name, count in (summary.get("outcomes") or {}).items()
    ]
    means = [
        f"{BY_KEY[key].label.lower()} {show(BY_KEY[key], summary.get(key))}" for key in ("outcome_r", "outcome_r_fired")
    ]
    unfilled = [[text(reason), f"{count:,}"] for reason, count in (summary.get("unfilled") or {}).items()]
    return (
        attribution(summary)
        + f'<div class="halves below"><div><h3>How {counted(signals, "signal")} ended</h3>'
        + (table(["", "Signals", "Share"], endings, "wide") if endings else '<p class="quiet">No outcomes.</p>')
        + f'<p class="quiet">Mean outcome: {"; ".join(means)}.</p></div><div><h3>Orders that never filled</h3>'
        + (table(["", "Orders"], unfilled, "wide") if unfilled else '<p class="quiet">None.</p>')
        + "</div></div>"
    )


def attribution(summary: Mapping[str, Any]) -> str:
    """What each gate and shield was worth, and the same by pattern and by symbol."""
    worth = summary.get("attribution") or {}
    if not worth:
        return '<p class="quiet">No gate was asked.</p>'
    examples = {gate: facts.get("example") or "" for gate, facts in (summary.get("refusals") or {}).items()}
    rows = [(_named(gate, examples.get(gate, "")), facts) for gate, facts in worth.items()]
    parts = ["<h3>What gates and shields were worth</h3>", _worth_table(rows, summary.get("currency"))]
    for group in ("pattern", "symbol"):
        inner = [
            (f'{text(gate)} <span class="quiet">{text(row["key"])}</span>', row)
            for gate, facts in worth.items()
            for row in facts[f"by_{group}"]
            if row["refused"]["signals"]
        ]
        if inner:
            body = _worth_table(inner, summary.get("currency"))
            parts.append(f'<details class="all"><summary>By gate and {group}</summary>{body}</details>')
    return "".join(parts)


def _named(gate: str, example: str) -> str:
    return text(gate) + (f'<span class="example">{text(example)}</span>' if example else "")


def _worth_table(rows: Sequence[tuple[str, Mapping[str, Any]]], currency: str | None) -> str:
    def spans(facts: Mapping[str, Any]) -> list[Span]:
        return [span_of(facts["refused"], "mean_r", "refused"), span_of(facts["passed"], "mean_r", "passed")]

    known = [span for _, facts in rows for span in spans(facts)]
    told = [
        span_of(facts[side], "mean_r") for _, facts in rows for side in ("refused", "passed")
        if facts[side]["resolved"] >= ENOUGH
    ]  # fmt: skip
    scale = common_scale(told or known)
    heads = [
        "", "Refused", "Worth, R", "95 %", f"Worth, {text(currency)}" if currency else "Worth", "Let pass",
        '<th scope="col" class="text">Mean R <span class="key refused">refused</span> '
        '<span class="key passed">let pass</span></th>', "Difference", "95 %",
    ]  # fmt: skip
    body = []
    for name, facts in rows:
        refused, passed = facts["refused"], facts["passed"]
        title = f"refused {number(refused['mean_r'])} R, let pass {number(passed['mean_r'])} R"
        body.append(
            [
                name,
                f"{refused['signals']:,}",
                number(refused["r"], 1),
                _quiet(interval(refused, "r", 1)),
                number(refused["money"], 0),
                f"{passed['signals']:,}",
                f'<td class="bars" title="{title}">{interval_bars(spans(facts), scale)}</td>',
                number(facts["difference"]),
                _quiet(interval(facts, "difference")),
            ]
        )
    return table(heads, body, "wide worth")


def _quiet(shown: str) -> str:
    return f'<td class="quiet">{shown or ABSENT}</td>'


def patterns(summary: Mapping[str, Any]) -> str:
    """How patterns did over all signals: alone, by symbol, session and confidence, and which were switched off."""
    rows = summary.get("patterns") or ()
    if not rows:
        return '<p class="quiet">No signals.</p>'
    halves = "".join(
        f"<div><h3>{title}</h3>{_performance(summary.get(name) or (), key, narrow=True)}</div>"
        for name, key, title in (
            ("sessions", "session", "By session, local clocks"), ("deciles", "decile", "By confidence"),
        )
    )  # fmt: skip
    return (
        f'<div class="stack"><div>{_performance(rows, "pattern")}</div>{matrix(summary)}'
        f'<div class="halves">{halves}</div>'
        f"{events_table('Switched off, and on again', summary.get('eliminations') or ())}</div>"
    )


def _performance(rows: Sequence[Mapping[str, Any]], key: str, narrow: bool = False) -> str:
    spans = [span_of(row, "mean_r") for row in rows]
    scale = common_scale([span for row, span in zip(rows, spans, strict=True) if row["resolved"] >= ENOUGH] or spans)
    heads = ["", "Signals", *(() if narrow else ("Won", "Lost")), "Win rate", "95 %", "Mean R"]
    heads += [""] if narrow else ["95 %", "", "Pips", "Held", "Label"]
    body = []
    for row, span in zip(rows, spans, strict=True):
        few = row["resolved"] < ENOUGH
        rate = ABSENT if row["win_rate"] is None else f"{row['win_rate'] * 100:.1f} %"
        cells = [text(key_text(key, row[key])), f"{row['signals']:,}"]
        cells += [] if narrow else [f"{row['wins']:,}", f"{row['losses']:,}"]
        cells += [f'<td class="quiet">{rate}</td>' if few else rate, _quiet(interval(row, "win_rate", 0, 100.0))]
        bounds = interval(row, "mean_r")
        cells += [number(row["mean_r"]), *(() if narrow else (_quiet(bounds),))]
        cells += [f'<td class="bars" title="{bounds}">{interval_bars([span], scale)}</td>']
        if not narrow:
            label = win_rate_label(row["wins"], row["resolved"]) or f"fewer than {ENOUGH}"
            cells += [number(row["mean_pips"], 1), show_duration(row["average_duration"]), _quiet(label)]
        body.append(cells)
    return table(heads, body, "wide rates")


def matrix(summary: Mapping[str, Any]) -> str:
    """Mean R of each pattern on each symbol, with its interval and number; colour where there are at least twenty."""
    rows = summary.get("pattern_symbols") or ()
    symbols = list(dict.fromkeys(sorted(row["symbol"] for row in rows)))
    if len(rows) < 2:
        return ""
    found = {(row["pattern"], row["symbol"]): row for row in rows}
    names = list(dict.fromkeys(row["pattern"] for row in rows))
    body = [[text(name), *(_cell(found.get((name, symbol))) for symbol in symbols)] for name in names]
    heads = ["", *(text(symbol) for symbol in symbols)]
    caption = (
        '<p class="caption">Mean R, its 95 % interval, resolved signals and win rate; no colour below '
        f"{ENOUGH} signals. Of many cells some look good by luck.</p>"
    )
    return f"<div><h3>Pattern by symbol, fired or not</h3>{caption}{table(heads, body, 'months matrix')}</div>"


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "<td></td>"
    rate = "" if row["win_rate"] is None else f", {row['win_rate'] * 100:.0f} % won"
    small = f"<span>{interval(row, 'mean_r') or ABSENT}</span><span>{row['resolved']:,}{rate}</span>"
    value = row["mean_r"]
    if value is None or row["resolved"] < ENOUGH:
        return f'<td class="few"><b>{number(value)}</b>{small}</td>'
    heat = 0.08 + 0.5 * min(1.0, abs(value) / _HOTTEST)
    tone = "gain" if value > 0 else "loss"
    return f'<td class="heat-{tone}" style="--heat:{heat:.2f}"><b>{number(value)}</b>{small}</td>'


def confidence(summary: Mapping[str, Any]) -> str:
    """The calibration of confidence and the distribution of scores."""
    figures = summary.get("calibration") or {}
    left = '<p class="quiet">No resolved signals to judge confidence by.</p>'
    if figures.get("signals"):
        left = reliability_diagram(figures) + _calibration_facts(summary)
    scores = summary.get("scores") or {}
    right = "".join(
        f"<figure><h3>Scores of {text(shield)}</h3>{score_histogram(rows)}"
        "<figcaption>Whole scores: 8 to 10 shielded, 6 and 7 guarded, 4 and 5 exposed, 1 to 3 stand down. A score "
        "guards from bad conditions; it does not foresee how a signal ends.</figcaption></figure>"
        for shield, rows in scores.items()
    )
    right = right or '<p class="quiet">No shield gave scores that differ.</p>'
    name = "Calibrated probability" if figures.get("calibrated") else "Raw confidence, not calibrated"
    return f'<div class="halves"><figure><h3>{name}</h3>{left}</figure><div class="stack">{right}</div></div>'


def _calibration_facts(summary: Mapping[str, Any]) -> str:
    figures = summary["calibration"]
    claim = (
        "Each probability was fitted on outcomes that were over before its signal came."
        if figures["calibrated"]
        else "Confidence divided by 100 against the share that won: it is no probability and does not claim to be one."
    )
    parts = [calibration_line(summary)]
    parts.append(
        f"Brier score = reliability {figures['reliability']:.4f} − resolution {figures['resolution']:.4f} + "
        f"uncertainty {figures['brier_base']:.4f}, up to what differs within the bins."
    )
    if figures["calibrated"] and figures["brier_raw"] is not None:
        parts.append(f"Raw confidence of the same signals: Brier score {figures['brier_raw']:.3f}.")
    parts.append("Solid: what would be right. Dashed: the share of all that won. Points grow with their signals.")
    return f"<figcaption>{text(claim)} {text(' '.join(parts))}</figcaption>"
