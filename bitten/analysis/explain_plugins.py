"""What plugins know of their numbers: the sentences behind a score, and which numbers of a pattern are prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bitten.analysis.explain_facts import InsightFacts, ShieldFacts
from bitten.errors import BittenError
from bitten.gate import GateContext, Shield
from bitten.manager import Manager
from bitten.model.instrument import Instrument


def with_sentences(
    shields: Sequence[ShieldFacts], signal: Mapping[str, Any], manifest: Mapping[str, Any], folders: Sequence[Path]
) -> tuple[ShieldFacts, ...]:
    """The same scores with what their shields say of them; a shield that cannot be asked leaves its numbers alone.

    Args:
        shields: of one signal.
        signal: its row of signals.parquet; times as ns UTC.
        manifest: of the run, which says what each name was.
        folders: where relative paths of the run's configuration may start; the first that serves is taken.
    """
    made: dict[str, Shield | str] = {}
    told = []
    for score in shields:
        if score.name not in made:
            made[score.name] = _make_somewhere(score.name, manifest, folders)
        told.append(_told(score, made[score.name], signal))
    return tuple(told)


def _told(score: ShieldFacts, shield: Shield | str, signal: Mapping[str, Any]) -> ShieldFacts:
    if isinstance(shield, str):
        return msgspec.structs.replace(score, remark=shield)
    try:
        insights = tuple(InsightFacts(*one) for one in shield.insights(score.evidence, signal))
    except Exception as error:  # a plugin's own code: what it breaks is its sentences
        remark = f"no sentences: {score.name} failed to make them: {type(error).__name__}: {error}"
        return msgspec.structs.replace(score, remark=remark)
    return msgspec.structs.replace(score, insights=insights)


def _make_somewhere(name: str, manifest: Mapping[str, Any], folders: Sequence[Path]) -> Shield | str:
    """The shield as it was configured, or why it cannot be had: what the likeliest folder says."""
    made = [_make(name, manifest, folders[0])]
    for folder in folders[1:]:
        if not isinstance(made[-1], str):
            return made[-1]
        made.append(_make(name, manifest, folder))
    return made[0] if isinstance(made[-1], str) else made[-1]


def _make(name: str, manifest: Mapping[str, Any], folder: Path) -> Shield | str:
    """The shield as it was configured, or why it cannot be had."""
    config = manifest.get("config") or {}
    table = next((one for one in config.get("gates") or () if one.get("name") == name), None)
    if table is None:
        return f"no sentences: the manifest does not say what {name} was"
    use = str(table.get("use", name))
    try:
        shields = _installed().registry("shields")
        if use not in shields:
            return f'no sentences: the shield "{use}" is not installed'
        kind = shields[use].load()
        values = {key: value for key, value in table.items() if key not in ("use", "name")}
        costs = config.get("costs") or {}
        context = GateContext(
            slippage_points=int((config.get("executor") or {}).get("slippage_points") or 0),
            commission_per_lot=float(costs.get("commission_per_lot") or 0.0),
            name=name,
            folder=folder,
            instruments=_instruments(config.get("instruments") or {}),
        )
        made = kind(msgspec.convert(values, kind.Config), context)
    except Exception as error:  # a plugin's own code, a file that has gone, a parameter that is no more
        what = str(error) if isinstance(error, BittenError) else f"{type(error).__name__}: {error}"
        return f"no sentences: {name} cannot be made again: {what}"
    return made if isinstance(made, Shield) else f"no sentences: {use} is no shield"


def price_names(signal: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The names of those numbers of a signal's evidence that are prices; None where its pattern is not installed."""
    tables = (manifest.get("config") or {}).get("patterns") or ()
    use = next((str(one.get("use")) for one in tables if one.get("name") == signal["pattern"]), "")
    try:
        patterns = _installed().registry("patterns")
        return tuple(patterns[use].load().evidence_prices) if use in patterns else None
    except Exception:  # a plugin's own code: what it breaks is how its numbers are written
        return None


def _installed() -> Manager:
    """The plugins of this process."""
    return Manager()


def _instruments(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Instrument]:
    return {symbol: Instrument(**facts) for symbol, facts in tables.items()}
