"""What the benchmarks offer to bitten."""

from __future__ import annotations

from bitten import hookimpl


@hookimpl
def bitten_patterns() -> dict[str, str]:
    """The pattern of job C."""
    return {"bollinger": "benchmarks.bollinger:Bollinger"}
