"""Every notebook runs from top to bottom, and its last cell shows the report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter packages, which are not ours
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="notebooks are run with the extra bitten[research]")
    nbclient = pytest.importorskip("nbclient", reason="notebooks are run with the extra bitten[research]")
    pytest.importorskip("ipykernel", reason="notebooks are run with the extra bitten[research]")
    copy = shutil.copy(path, tmp_path)
    notebook = nbformat.read(copy, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "outputs are not committed"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = notebook.cells[-1]["outputs"][0]["data"]["text/html"]
    assert "iframe" in shown
    assert "SYNTHETIC" in shown
