"""Where the configuration of a run may have stood: its relative paths start there, and no manifest says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def origins(manifest: Mapping[str, Any], run_folder: Path) -> list[Path]:
    """Folders to try, the likeliest first: that whose `run.output` holds the run, the one above, and where we are."""
    output = Path(str(((manifest.get("config") or {}).get("run") or {}).get("output", "runs")))
    above = run_folder.resolve().parent
    parts = () if output.is_absolute() else output.parts
    found = [Path(*above.parts[: -len(parts)])] if parts and above.parts[-len(parts) :] == parts else []
    return list(dict.fromkeys([*found, above.parent, Path.cwd()]))
