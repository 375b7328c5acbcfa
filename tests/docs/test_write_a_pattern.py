"""The tutorial's distribution, taken from the page: built, installed beside bitten, tested and backtested."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sysconfig
import venv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

PAGE = "docs/write-a-pattern.md"
OFFLINE = ["--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir", "--disable-pip-version-check"]


def files_of(page: str) -> dict[str, str]:
    """Fenced blocks that carry a title, by that title."""
    blocks = re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', page, re.MULTILINE | re.DOTALL)
    assert len({title for title, _ in blocks}) == len(blocks)
    return dict(blocks)


def commands_of(page: str) -> list[list[str]]:
    """Lines of the page's shell blocks, split into words."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tutorial") / "fades"
    for name, text in files_of(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that also sees what is installed here, bitten among it; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    here = sysconfig.get_path("purelib")
    (packages / "parent.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    return Path(sysconfig.get_path("scripts", "venv", scheme)) / ("python.exe" if os.name == "nt" else "python")


def run(python: Path, project: Path, words: list[str]) -> str:
    """One of the page's commands, by its module and offline; its output."""
    name, *arguments = words
    if name == "pip":
        arguments = [arguments[0], *OFFLINE, *arguments[1:]]
    command = [str(python), "-m", name, *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["COLUMNS"] = "200"
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{shlex.join(words)} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_distribution_is_built_installed_tested_and_backtested(page: str, project: Path, python: Path) -> None:
    said = {shlex.join(words): run(python, project, words) for words in commands_of(page)}
    assert list(said) == [
        "pip install . pytest",
        "bitten plugins list",
        "bitten plugins show long_wick",
        "bitten plugins check long_wick",
        "bitten patterns show long_wick --examples 4",
        "pytest",
        "bitten backtest",
        "bitten runs list",
    ]
    assert re.search(r"inside_bar +fades \(fades 1\.0\)", said["bitten plugins list"])
    assert "least wick, as a share of the bar's range" in said["bitten plugins show long_wick"]
    assert "14 kept" in said["bitten plugins check long_wick"]
    assert (project / "long_wick.html").read_text(encoding="utf-8").count("<article>") == 4
    assert "5 passed" in said["pytest"]
    folder = next((project / "runs").iterdir())
    signals = pq.read_table(folder / "signals.parquet").to_pandas()
    assert set(signals["pattern"].astype(str)) == {"inside_bar", "long_wick"}
    assert (folder / "report.html").stat().st_size > 10_000
    assert pq.read_table(folder / "trades.parquet").num_rows > 10
    assert folder.name in said["bitten runs list"]


def test_the_page_shows_every_file_of_its_tree(page: str) -> None:
    tree = re.search(r"^```text\nfades/\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert tree is not None
    assert {line.split()[0] for line in tree.group(1).splitlines()} == set(files_of(page))


def test_the_numbers_of_the_page_hold(page: str) -> None:
    assert 1.201 - 1.2 > 0.001
    assert 1.301 - 1.3 < 0.001
    assert "`1.201 - 1.2 > 0.001`, while `1.301 - 1.3 < 0.001`" in page


def test_the_signals_file_of_the_page_is_one(page: str, tmp_path: Path) -> None:
    from bitten_feeds.signal_rows import read_signal_rows

    text = re.search(r"^```text\n(time,symbol.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert text is not None
    (tmp_path / "signals.csv").write_text(text.group(1), encoding="utf-8")
    rows = read_signal_rows(tmp_path / "signals.csv", "NY+7")
    assert [(row.side, row.confidence, row.id) for row in rows] == [(1, 75.0, "alpha-17"), (-1, None, "alpha-18")]
