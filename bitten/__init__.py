"""bitten: one pipeline that backtests on historical ticks and trades live, with every part a plugin.

`run = bitten.backtest("bitten.toml")` is the whole of it for a notebook; `bitten --help` for a terminal. Names are
imported on first use, so that `import bitten` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitten.manager import hookimpl
from bitten.version import VERSION

if TYPE_CHECKING:
    from bitten.backtesting import backtest as backtest
    from bitten.run import Run as Run
    from bitten.sweeping.result import Sweep as Sweep
    from bitten.sweeping.sweeps import sweep as sweep

__version__ = VERSION

__all__ = ["Run", "Sweep", "__version__", "backtest", "hookimpl", "sweep"]


def __getattr__(name: str) -> Any:
    if name == "backtest":
        from bitten.backtesting import backtest

        return backtest
    if name == "Run":
        from bitten.run import Run

        return Run
    if name == "sweep":
        from bitten.sweeping.sweeps import sweep

        return sweep
    if name == "Sweep":
        from bitten.sweeping.result import Sweep

        return Sweep
    raise AttributeError(f"module 'bitten' has no attribute {name!r}")
