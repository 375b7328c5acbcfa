"""Patterns that break one law each: what the conformance kit is there to catch."""

from __future__ import annotations

from bitten.pattern import Pattern
from tests.cheats import future, present, state
from tests.cheats.honest import Honest, HonestTicks
from tests.cheats.numpyclock import WallClockByNumpy
from tests.cheats.pandasclock import WallClockByPandas

__all__ = ["CAUGHT_BY", "CAUGHT_ON_TICKS", "Honest", "HonestTicks"]

CAUGHT_BY: dict[type[Pattern], str] = {
    future.NextBarPeek: "causality",
    future.CentredWindow: "causality",
    future.LabelAtTheMiddleBar: "causality",
    future.SwingAtThePivot: "causality",
    future.WholeSampleNormalisation: "causality",
    future.WholeSampleVolume: "causality",
    future.PeeksInAKernel: "causality",
    future.ReadsBeyondTheEnd: "batch-size invariance",
    future.ForgetsBetweenBatches: "batch-size invariance",
    future.Until: "batch-size invariance",
    future.CountsTheBatch: "batch-size invariance",
    present.WallClock: "blind to the clock",
    present.WallClockByDatetime: "blind to the clock",
    present.WallClockByNanoseconds: "blind to the clock",
    present.WallClockByDate: "blind to the clock",
    present.WallClockByFormat: "blind to the clock",
    present.WallClockByStruct: "blind to the clock",
    WallClockByNumpy: "blind to the clock",
    WallClockByPandas: "blind to the clock",
    present.UnseededRandom: "determinism",
    present.GlobalRandom: "determinism",
    present.ObjectAddress: "determinism",
    present.OrderOfAddresses: "determinism",
    present.SetOrder: "blind to hash order",
    present.HashOfText: "blind to hash order",
    present.EarlierRun: "nothing outside",
    present.ReadsWhileItScans: "nothing outside",
    present.AsksTheNetwork: "nothing outside",
    state.SharedBetweenInstances: "determinism",
    state.SharedAndReset: "determinism",
    state.GlobalCache: "determinism",
    state.LosesStateWhenSaved: "save and restore",
    state.CannotBeSaved: "pickling",
    state.HoldsAGenerator: "pickling",
    state.NeverForgets: "warm-up",
    state.SmoothsTheBarsInPlace: "input left alone",
    state.UnlocksTheBars: "input left alone",
    state.WritesInAKernel: "input left alone",
    state.Sluggish: "latency",
    state.BuysRoundly: "mirror symmetry",
    state.KnowsPoints: "scale",
    state.Raises: "valid signals",
    state.StopOnTheWrongSide: "valid signals",
    state.ConfidenceBeyondHundred: "valid signals",
    state.OneAnchorForAll: "valid signals",
    state.Silent: "valid signals",
}

CAUGHT_ON_TICKS: dict[type[Pattern], str] = {state.SellsTicksAtTheBid: "mirror symmetry"}
