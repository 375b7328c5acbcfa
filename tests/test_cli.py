"""The command line: light help, one line for expected errors, tracebacks for bugs, closed pipes, Ctrl-C."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from bitten import cli, hookimpl
from bitten.errors import BittenError, PluginError
from bitten.manager import Manager
from bitten.version import VERSION


def bitten(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bitten", *arguments], capture_output=True, text=True, encoding="utf-8", **options
    )


class Offers:
    """A plugin of commands."""

    def __init__(self, **commands: object) -> None:
        self.commands = commands

    @hookimpl
    def bitten_commands(self) -> Mapping[str, object]:
        return self.commands


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the command line see a plugin with these commands."""

    def offer(**commands: object) -> None:
        monkeypatch.setattr(cli, "Manager", lambda: Manager(extra={"stranger": Offers(**commands)}))

    return offer


def test_help_lists_every_built_in_command_and_exits_0() -> None:
    result = bitten("--help")
    assert result.returncode == 0
    assert result.stderr == ""
    for name in ("init", "data", "backtest", "runs", "plugins", "demo"):
        assert f"\n  {name} " in result.stdout


def test_every_built_in_command_can_be_imported_and_has_help() -> None:
    for name in cli.BUILT_IN:
        command = cli.bitten.get_command(click.Context(cli.bitten), name)
        assert isinstance(command, click.Command), name
        assert command.help, f"{name} has no docstring"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"bitten {VERSION}\n"
    assert importlib.metadata.version("bitten") == VERSION


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["backtset"], 'no command "backtset": did you mean "backtest"?'),
        (["zzz"], 'no command "zzz": allowed are backtest, data, demo, explain, init, patterns, plugins, runs'),
        (["--versoin"], "--version"),
        (["plugins", "lst"], "list"),
        (["plugins", "list", "--knd", "gates"], "--kind"),
        (["plugins", "list", "--kind", "gat"], 'there is no kind "gat": did you mean "gates"?'),
        (["plugins", "show"], "missing argument 'NAME'; `bitten plugins show --help` says more"),
        (["runs", "list", "--runs-dir", "nope"], "there is no folder nope"),
    ],
)
def test_usage_errors_exit_2_and_suggest(words: list[str], found: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert found in captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plugins"]) == 2
    assert "Usage: bitten plugins" in capsys.readouterr().err


def test_an_expected_error_is_one_line_on_stderr(offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def fails() -> None:
        raise BittenError("bitten.toml:3: found\n  this, allowed that")

    offered(fails=fails)
    assert cli.main(["fails"]) == 2
    assert capsys.readouterr().err == "error: bitten.toml:3: found   this, allowed that\n"


def test_a_bug_keeps_its_traceback(offered: Any) -> None:
    @click.command()
    def bug() -> None:
        raise ZeroDivisionError("a bug")

    offered(bug=bug)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli.main(["bug"])


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (KeyboardInterrupt("3 files were imported and kept"), "interrupted: 3 files were imported and kept"),
        (EOFError(), "interrupted"),
    ],
)
def test_ctrl_c_exits_130_with_a_line(
    offered: Any, capsys: pytest.CaptureFixture[str], raised: BaseException, said: str
) -> None:
    @click.command()
    def long_work() -> None:
        raise raised

    offered(long_work=long_work)
    assert cli.main(["long_work"]) == 130
    assert capsys.readouterr().err.strip() == said


def test_a_command_says_its_own_exit_code(offered: Any) -> None:
    @click.command()
    def three() -> None:
        raise click.exceptions.Exit(3)

    offered(three=three)
    assert cli.main(["three"]) == 3


def test_a_plugin_command_runs_and_is_listed_without_an_import(
    offered: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    @click.argument("word")
    def echo(word: str) -> None:
        click.echo(f"heard {word}")

    offered(echo=echo, heavy="no_such_module_at_all:command")
    assert cli.main(["echo", "you"]) == 0
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "heard you" in out
    assert "heavy  from plugin stranger" in out


def test_a_plugin_command_that_is_no_command_is_refused(offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    offered(number=3)
    assert cli.main(["number"]) == 2
    assert 'command "number" of plugin stranger is a int, not a click command' in capsys.readouterr().err


def test_built_in_names_cannot_be_taken(offered: Any, capsys: pytest.CaptureFixture[str]) -> None:
    offered(init=click.Command("init"))
    with pytest.raises(PluginError, match=r'plugin stranger offers the command "init", which is built in'):
        cli.plugin_commands()
    assert cli.main(["--help"]) == 0
    assert "is built in and cannot be taken" in " ".join(capsys.readouterr().out.split())
    assert cli.main(["not_there"]) == 2
    assert "is built in" in capsys.readouterr().err


def test_a_closed_pipe_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", "bitten", "--help"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert result.stderr == ""
    assert result.returncode == 1


def test_a_narrow_locale_replaces_instead_of_failing() -> None:
    code = "from bitten.cli import _prepare_streams; _prepare_streams(); print('R \u2212 \u2265', flush=True)"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout.decode().startswith("R ")


def test_help_and_import_load_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, bitten, bitten.cli\n"
        "bitten.cli.main(['--help'])\n"
        "print('LOADED', *(sys.modules.keys() & {'numba', 'pandas', 'pyarrow', 'numpy', 'rich', 'bitten.config'}))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert result.stdout.splitlines()[-1].strip() == "LOADED", result.stderr
