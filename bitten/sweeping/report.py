"""`report.html` of a sweep: one page that holds everything it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa


def render_sweep(table: pa.Table, manifest: Mapping[str, Any], sort: str) -> str:
    """Render a sweep."""
    return ""
