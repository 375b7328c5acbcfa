"""What bitten's feeds package offers."""

from __future__ import annotations

from collections.abc import Mapping

from bitten import hookimpl


@hookimpl
def bitten_feeds() -> Mapping[str, str]:
    """Sources of quotes."""
    return {
        "parquet": "bitten_feeds.parquet:ParquetFeed",
        "frame": "bitten_feeds.frame:FrameFeed",
        "synthetic": "bitten_feeds.synthetic:SyntheticFeed",
    }


@hookimpl
def bitten_patterns() -> Mapping[str, str]:
    """Signals that were made elsewhere and are read from a file."""
    return {"signals_file": "bitten_feeds.signals_file:SignalsFile"}


@hookimpl
def bitten_importers() -> Mapping[str, str]:
    """Readers of the files that vendors and terminals write."""
    return {
        "truefx": "bitten_feeds.importers.truefx:TrueFx",
        "dukascopy_bi5": "bitten_feeds.importers.dukascopy:DukascopyBi5",
        "dukascopy_csv": "bitten_feeds.importers.dukascopy:DukascopyCsv",
        "histdata": "bitten_feeds.importers.histdata:HistData",
        "mt5_ticks": "bitten_feeds.importers.mt5:Mt5Ticks",
        "mt5_bars": "bitten_feeds.importers.mt5:Mt5Bars",
        "mt4_csv": "bitten_feeds.importers.mt4:Mt4Csv",
        "mt4_hst": "bitten_feeds.importers.mt4:Mt4Hst",
        "lean": "bitten_feeds.importers.lean:LeanQuotes",
        "columns": "bitten_feeds.importers.columns:Columns",
    }
