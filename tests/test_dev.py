"""dev.py: the standard library only, what it runs, when it installs."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """dev.py with its root in a temporary folder."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("setup.cfg", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "bitten-install.json")
    return module


@pytest.fixture
def calls(dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What dev.py does to the machine, recorded instead of done."""
    done: list[tuple[str, Any]] = []

    def create(python: str) -> None:
        done.append(("create", python))
        binary = dev.VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        binary.parent.mkdir(parents=True)
        binary.write_text("")

    def run(python: Path, command: list[str]) -> int:
        done.append(("run", command))
        return 1 if "ruff" in command else 0

    monkeypatch.setattr(dev, "create", create)
    monkeypatch.setattr(dev, "install", lambda python, extras: done.append(("install", extras)))
    monkeypatch.setattr(dev, "run", run)
    return done


def test_uses_the_standard_library_only() -> None:
    tree = ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))
    names = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        for alias in (node.names if isinstance(node, ast.Import) else [])
    } | {node.module.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert names <= set(sys.stdlib_module_names)


def test_an_older_python_can_read_it_and_be_told() -> None:
    source = (ROOT / "dev.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))


def test_help() -> None:
    result = subprocess.run([sys.executable, ROOT / "dev.py", "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    for task in ("demo", "test", "bench", "lint"):
        assert f"dev.py {task} " in result.stdout


def test_an_unknown_task_exits_2() -> None:
    result = subprocess.run([sys.executable, ROOT / "dev.py", "tset"], capture_output=True, text=True)
    assert result.returncode == 2
    assert "invalid choice" in result.stderr


_ALL_CORES = ("-n", "auto", "--dist", "worksteal")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["test"], ["-m", "pytest", "--cov", *_ALL_CORES, "-m", "not long"]),
        (["test", "--long", "-k", "cli"], ["-m", "pytest", "--cov", *_ALL_CORES, "-k", "cli"]),
        (["test", "-m", "shared"], ["-m", "pytest", "--cov", *_ALL_CORES, "-m", "shared"]),
        (["test", "-n", "0", "-m", "shared"], ["-m", "pytest", "--cov", "-n", "0", "-m", "shared"]),
        (["demo", "--data", "my ticks"], ["-m", "bitten", "demo", "--data", "my ticks"]),
        (["bench", "ticks"], ["-m", "benchmarks", "ticks"]),
    ],
)
def test_what_a_task_runs(
    dev: types.ModuleType, calls: list[tuple[str, Any]], arguments: list[str], command: list[str]
) -> None:
    assert dev.main(arguments) == 0
    assert [what for kind, what in calls if kind == "run"] == [command]


def test_lint_runs_everything_even_if_the_first_fails(dev: types.ModuleType, calls: list[tuple[str, Any]]) -> None:
    assert dev.main(["lint"]) == 1
    assert [what[1] for kind, what in calls if kind == "run"] == ["ruff", "ruff", "mypy"]


def test_installs_once_and_again_when_setup_changes(dev: types.ModuleType, calls: list[tuple[str, Any]]) -> None:
    dev.main(["demo"])
    assert [kind for kind, _ in calls] == ["create", "install", "run"]
    calls.clear()
    dev.main(["demo"])
    assert [kind for kind, _ in calls] == ["run"]
    calls.clear()
    dev.main(["lint"])
    assert ("install", ["lint", "test"]) in calls
    calls.clear()
    dev.main(["demo"])
    assert [kind for kind, _ in calls] == ["run"], "what is installed stays"
    (dev.ROOT / "setup.cfg").write_text("changed")
    calls.clear()
    dev.main(["demo"])
    assert ("install", ["lint", "test"]) in calls


def test_a_spoilt_stamp_means_install(dev: types.ModuleType, calls: list[tuple[str, Any]]) -> None:
    dev.main(["demo"])
    for spoilt in ("", "{", "[]", json.dumps({"digest": 3}), json.dumps({"digest": "x", "extras": 7})):
        dev.STAMP.write_text(spoilt)
        calls.clear()
        dev.main(["demo"])
        assert [kind for kind, _ in calls] == ["install", "run"], spoilt


def test_an_old_python_looks_for_a_newer_one(dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "python3.12" else None)
    assert dev.interpreter() == "/usr/bin/python3.12"
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(dev.DevError, match=r"this is Python 3\.9, bitten needs 3\.11 or newer"):
        dev.interpreter()


@pytest.mark.parametrize(
    ("says", "remedy"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "pip found no network"),
        ("ERROR: No matching distribution found for numba", "could not install the dependencies"),
    ],
)
def test_pip_failures_name_the_remedy(
    dev: types.ModuleType, tmp_path: Path, says: str, remedy: str, capfd: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "pip"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(f"import sys; sys.stderr.write({says!r}); sys.exit(1)")
    with pytest.raises(dev.DevError, match=remedy):  # the root's own "pip" is found first
        dev.install(Path(sys.executable), ["test"])
    assert says in capfd.readouterr().err


def test_tests_can_build_wheels_without_a_network() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        backend = tomllib.load(file)["build-system"]["requires"]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert set(backend) <= set(setup["options.extras_require"]["test"].split())


def test_ci_runs_both_parts() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "python3 dev.py lint" in script
    assert "python3 dev.py test" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
