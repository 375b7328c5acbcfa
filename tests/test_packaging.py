"""What is listed is what is there, and what a wheel carries."""

from __future__ import annotations

import configparser
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel of a copy of what git would hand out, so that the tree stays clean."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "notebooks/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    target = tmp_path_factory.mktemp("wheel")
    result = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", str(source), "--no-deps", "--no-build-isolation", "-w", str(target)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = target.glob("*.whl")
    return zipfile.ZipFile(path)


def packages_on_disk() -> set[str]:
    found = set()
    for top in (ROOT / "bitten", *(ROOT / place / f"bitten_{place}" for place in ("brokers", "feeds", "plugins"))):
        for init in top.rglob("__init__.py"):
            found.add(".".join([top.name, *init.parent.relative_to(top).parts]))
    return found


def test_packages_listed_are_packages_on_disk(setup: configparser.ConfigParser) -> None:
    listed = setup["options"]["packages"].split()
    assert listed == sorted(listed)
    assert set(listed) == packages_on_disk()


def test_every_folder_with_code_is_a_package() -> None:
    tops = (ROOT / "bitten", ROOT / "feeds" / "bitten_feeds", ROOT / "brokers", ROOT / "plugins")
    folders = {path.parent for top in tops for path in top.rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_a_wheel_installs_only_bitten(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    info = {top for top in tops if top.endswith(".dist-info")}
    assert tops - info == {"bitten", "bitten_brokers", "bitten_feeds", "bitten_plugins"}
    assert len(info) == 1


def test_a_wheel_carries_every_module(wheel: zipfile.ZipFile, setup: configparser.ConfigParser) -> None:
    carried = {name for name in wheel.namelist() if name.endswith(".py")}
    places = {"bitten": ROOT, **{f"bitten_{place}": ROOT / place for place in ("brokers", "feeds", "plugins")}}
    wanted = {
        path.relative_to(place).as_posix() for top, place in places.items() for path in (place / top).rglob("*.py")
    }
    assert carried == wanted


def test_a_wheel_carries_its_data(wheel: zipfile.ZipFile, setup: configparser.ConfigParser) -> None:
    names = set(wheel.namelist())
    wanted = {"bitten/model/instruments.toml", "bitten/commands/starter.toml"}
    wanted |= {f"{package}/py.typed" for package in ("bitten", "bitten_brokers", "bitten_feeds", "bitten_plugins")}
    assets = ROOT / "bitten" / "analysis" / "assets"
    wanted |= {path.relative_to(ROOT).as_posix() for path in assets.rglob("*") if path.is_file()}
    assert wanted <= names
    assert any(name.startswith("bitten/analysis/assets/") for name in wanted)


def test_a_wheel_carries_the_licence(wheel: zipfile.ZipFile) -> None:
    names = {Path(name).name for name in wheel.namelist() if ".dist-info/" in name}
    assert {"LICENSE", "NOTICE", "METADATA", "entry_points.txt"} <= names


def test_entry_points_are_those_of_a_stranger(wheel: zipfile.ZipFile, setup: configparser.ConfigParser) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    points = configparser.ConfigParser()
    points.read_string(wheel.read(name).decode())
    assert dict(points["console_scripts"]) == {"bitten": "bitten.cli:main"}
    assert dict(points["bitten"]) == {
        "brokers": "bitten_brokers.plugin", "feeds": "bitten_feeds.plugin", "plugins": "bitten_plugins.plugin"
    }  # fmt: skip
    assert "bitten" in setup["options.entry_points"]


def test_what_is_installed_here_is_this_tree() -> None:
    """Else every other test would test something else."""
    import bitten

    assert Path(bitten.__file__).resolve().parent == ROOT / "bitten"
    assert importlib.metadata.version("bitten") == bitten.__version__
