"""What bitten's plugins package offers."""

from __future__ import annotations

from collections.abc import Mapping

from bitten import hookimpl


@hookimpl
def bitten_patterns() -> Mapping[str, str]:
    """Pattern detectors."""
    return {
        "kalman_quickfire": "bitten_plugins.patterns.kalman_quickfire:KalmanQuickfire",
        "kalman_quickfire_ticks": "bitten_plugins.patterns.kalman_quickfire_ticks:KalmanQuickfireTicks",
        "bb_scalp": "bitten_plugins.patterns.bb_scalp:BbScalp",
        "order_block_bounce": "bitten_plugins.patterns.order_block_bounce:OrderBlockBounce",
        "fair_value_gap_fill": "bitten_plugins.patterns.fair_value_gap_fill:FairValueGapFill",
        "liquidity_sweep_reversal": "bitten_plugins.patterns.liquidity_sweep_reversal:LiquiditySweepReversal",
        "liquidity_sweep_reversal_ticks": (
            "bitten_plugins.patterns.liquidity_sweep_reversal_ticks:LiquiditySweepReversalTicks"
        ),
        "vcb_breakout": "bitten_plugins.patterns.vcb_breakout:VcbBreakout",
    }


@hookimpl
def bitten_shields() -> Mapping[str, str]:
    """Shields."""
    return {
        "citadel": "bitten_plugins.shields.citadel:Citadel",
        "session_filter": "bitten_plugins.shields.session_filter:SessionFilter",
        "spread_filter": "bitten_plugins.shields.spread_filter:SpreadFilter",
        "calibrator": "bitten_plugins.shields.calibrator:Calibrator",
    }


@hookimpl
def bitten_gates() -> Mapping[str, str]:
    """Gates."""
    return {
        "band": "bitten_plugins.gates.band:Band",
        "slots": "bitten_plugins.gates.slots:Slots",
        "risk": "bitten_plugins.gates.risk:Risk",
        "fixed_lots": "bitten_plugins.gates.fixed_lots:FixedLots",
        "spread": "bitten_plugins.gates.spread:MaximumSpread",
        "one_per_symbol": "bitten_plugins.gates.one_per_symbol:OnePerSymbol",
    }


@hookimpl
def bitten_trackers() -> Mapping[str, str]:
    """Trackers."""
    return {"jsonl": "bitten_plugins.trackers.jsonl:JsonLines"}
