"""What bitten's brokers package offers."""

from __future__ import annotations

from collections.abc import Mapping

from bitten import hookimpl


@hookimpl
def bitten_executors() -> Mapping[str, str]:
    """Executors."""
    return {"simulated": "bitten_brokers.simulated:SimulatedExecutor"}
