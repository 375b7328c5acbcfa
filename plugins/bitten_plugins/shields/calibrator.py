"""Measured probabilities in place of raw confidence, learnt from the fates of earlier signals only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import GateContext, Insight, Score, Shield
from bitten.market import MarketView
from bitten.model.dtypes import Floats
from bitten.model.facts import Outcome, Signal
from bitten_plugins.shields.calibration import METHODS, Curve, require_sklearn

if TYPE_CHECKING:
    import pyarrow as pa

UNRESOLVED: Final = frozenset(("end", "rejected", "expired"))
"""Ends that say nothing about winning."""

EVERY_SYMBOL: Final = ""


class CalibratorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much has to be known, and how it is fitted."""

    method: Annotated[
        Literal["isotonic", "beta"], Meta(description="isotonic: any rising curve; beta: smooth, needs less data")
    ] = "isotonic"
    least: Annotated[int, Meta(ge=20, le=100_000, description="outcomes before anything is called calibrated")] = 200
    refit: Annotated[int, Meta(ge=1, le=100_000, description="new outcomes after which a curve is fitted again")] = 50
    window: Annotated[int, Meta(ge=20, le=1_000_000, description="outcomes a curve is fitted to, the newest")] = 5000

    def __post_init__(self) -> None:
        if self.window < self.least:
            raise ValueError(f"window = {self.window} holds fewer outcomes than least = {self.least} asks for")


class History:
    """Past signals of one kind, and the curve that was fitted to them last."""

    def __init__(self, config: CalibratorConfig) -> None:
        self._config = config
        self._raw: Floats = np.zeros(64)
        self._won: Floats = np.zeros(64)
        self.count = 0  # all there have been
        self._held = 0
        self._due = config.least  # outcomes at which the next fit is due
        self._fitted = 0  # rows held that the next fit takes, 0 where none is due
        self._curve: Curve | None = None

    def add(self, raw: float, won: bool) -> None:
        """A signal has met its fate."""
        window = self._config.window
        if self._held == self._raw.size and self._held < 2 * window:
            self._raw = np.concatenate([self._raw, np.zeros(self._held)])
            self._won = np.concatenate([self._won, np.zeros(self._held)])
        elif self._held == self._raw.size:
            self.curve()  # what is due is fitted to rows that go
            self._raw[:window], self._won[:window] = self._raw[-window:], self._won[-window:]
            self._held = window
        self._raw[self._held], self._won[self._held] = raw, won
        self._held += 1
        self.count += 1
        if self.count >= self._due:
            self._fitted, self._due = self._held, self.count + self._config.refit

    def curve(self) -> Curve | None:
        """The curve as of the last time one was due: fitted only where somebody asks; None before there is enough."""
        if self._fitted:
            rows = slice(max(0, self._fitted - self._config.window), self._fitted)
            self._curve = METHODS[self._config.method](self._raw[rows], self._won[rows])
            self._fitted = 0
        return self._curve


class Prediction(NamedTuple):
    """What was said of a signal before its fate was known."""

    time: int
    pattern: str
    symbol: str
    raw: float
    probability: float | None  # None where it was not calibrated
    known: int  # outcomes that there were


class Calibrator(Shield):
    """Puts 100 x the measured win probability in place of a signal's confidence, once enough outcomes are known.

    Per pattern and symbol, over all symbols of a pattern while one has too few, and not at all while those are too few.
    """

    Config = CalibratorConfig

    def __init__(self, config: CalibratorConfig, context: GateContext) -> None:
        require_sklearn(f"shield {context.name or 'calibrator'}")
        super().__init__(config, context)
        self._histories: dict[tuple[str, str], History] = {}
        self._open: dict[str, Prediction] = {}
        self._resolved: list[Any] = []  # cells of the table, row after row

    def score(self, signal: Signal, market: MarketView) -> Score:
        """10 in any case; the confidence is what changes."""
        own, pooled = (self._history(signal.pattern, symbol) for symbol in (signal.symbol, EVERY_SYMBOL))
        history = own if own.count >= self.config.least else pooled
        curve = history.curve()
        evidence = {
            "raw": signal.confidence, "outcomes": float(history.count), "pooled": float(history is pooled),
            "calibrated": float(curve is not None),
        }  # fmt: skip
        probability = None if curve is None else min(max(curve(signal.confidence), 0.0), 1.0)
        if probability is not None:
            evidence["probability"] = probability
        said = Prediction(market.now, signal.pattern, signal.symbol, signal.confidence, probability, history.count)
        self._open.setdefault(signal.id, said)  # the first time: at the signal itself, not when a person accepts it
        return Score(10.0, evidence=evidence, confidence=None if probability is None else 100.0 * probability)

    def _history(self, pattern: str, symbol: str) -> History:
        key = (pattern, symbol)
        if key not in self._histories:
            self._histories[key] = History(self.config)
        return self._histories[key]

    def learn(self, outcome: Outcome) -> None:
        """Take in a fate, fired or not; those that say nothing of winning do not count."""
        signal = outcome.signal
        said = self._open.pop(signal.id, None)
        if outcome.reason in UNRESOLVED:
            return
        won = signal.side * (outcome.close_points - outcome.open_points) > 0
        for symbol in (signal.symbol, EVERY_SYMBOL):
            self._history(signal.pattern, symbol).add(signal.confidence, won)
        if said is not None:
            self._resolved += (signal.id, *said, won)

    def insights(self, evidence: Mapping[str, float], signal: Mapping[str, Any]) -> Sequence[Insight]:
        """What the confidence was taken for."""
        count, raw = int(evidence["outcomes"]), evidence["raw"]
        over = "this pattern on all symbols" if evidence["pooled"] else "this pattern on this symbol"
        if not evidence["calibrated"]:
            text = f"Not calibrated: {count:,} outcomes of {over} are known, {self.config.least:,} are needed."
            return (Insight("calibration", 1.0, 0.0, f"{text} The confidence stays {raw:.1f}."),)
        share = evidence["probability"]
        text = f"Of {count:,} earlier signals of {over}, those of a confidence near {raw:.1f} won {100 * share:.0f} %."
        return (Insight("calibration", 1.0, 0.0, text),)

    def tables(self) -> Mapping[str, pa.Table]:
        """What was said of each signal before its fate was known, and that fate."""
        import pyarrow as pa

        from bitten.journal.columns import make_batch
        from bitten.journal.schema import TIME, WORD

        schema = pa.schema(
            [
                ("signal_id", pa.string()),
                ("time", TIME),
                ("pattern", WORD),
                ("symbol", WORD),
                ("raw", pa.float64()),
                ("probability", pa.float64()),  # null where it was not calibrated
                ("n", pa.int64()),  # outcomes that were known then
                ("won", pa.bool_()),
            ]
        )
        return {"calibration": pa.Table.from_batches([make_batch(self._resolved, schema)], schema)}

    def notes(self) -> Sequence[str]:
        """Which patterns stayed uncalibrated."""
        few = sorted(
            f"{pattern} ({history.count:,})"
            for (pattern, symbol), history in self._histories.items()
            if symbol == EVERY_SYMBOL and history.count < self.config.least
        )
        if not few:
            return ()
        return (f"not calibrated, for want of {self.config.least:,} outcomes: {', '.join(few)}",)
