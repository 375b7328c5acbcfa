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
        "kill_switch": "bitten_plugins.gates.kill_switch:KillSwitch",
        "data_validity": "bitten_plugins.gates.data_validity:DataValidity",
        "duplicate": "bitten_plugins.gates.duplicate:Duplicate",
        "age_drift": "bitten_plugins.gates.age_drift:AgeDrift",
        "elimination": "bitten_plugins.gates.elimination:Elimination",
        "band": "bitten_plugins.gates.band:Band",
        "price_collar": "bitten_plugins.gates.price_collar:PriceCollar",
        "slots": "bitten_plugins.gates.slots:Slots",
        "risk": "bitten_plugins.gates.risk:Risk",
        "fixed_lots": "bitten_plugins.gates.fixed_lots:FixedLots",
        "spread": "bitten_plugins.gates.spread:MaximumSpread",
        "one_per_symbol": "bitten_plugins.gates.one_per_symbol:OnePerSymbol",
        "open_risk": "bitten_plugins.gates.open_risk:OpenRisk",
        "exposure": "bitten_plugins.gates.exposure:Exposure",
        "order_rate": "bitten_plugins.gates.order_rate:OrderRate",
        "max_volume": "bitten_plugins.gates.max_volume:MaxVolume",
        "loss_stop": "bitten_plugins.gates.loss_stop:LossStop",
        "prop_firm": "bitten_plugins.gates.prop_firm:PropFirm",
    }


@hookimpl
def bitten_trackers() -> Mapping[str, str]:
    """Trackers."""
    return {"jsonl": "bitten_plugins.trackers.jsonl:JsonLines"}
