"""`bitten plugins`: what is installed is listed, parameters are explained, what is broken is named with its remedy."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta
from rich.console import Console

from bitten import cli, hookimpl
from bitten.commands import plugins
from bitten.errors import PluginError
from bitten.manager import KINDS, Manager
from bitten.parameters import Parameter, parameters


class Nested(msgspec.Struct, frozen=True):
    """A table in a table."""

    low: float = 0.0


class Everything(msgspec.Struct):
    """One field of each kind.

    Attributes:
        wanted: said better by its Meta.
        share: of what there is,
            in two lines.
        flag: on or off.
    """

    wanted: Annotated[int, Meta(ge=1, le=5_000_000, description="how many", extra={"unit": "bars"})]
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    optional: Annotated[float, Meta(ge=0, description="of equity")] | None = None
    flag: bool = True
    word: Annotated[str, Meta(pattern="^a")] = "a"
    listed: Annotated[str, Meta(pattern="^(level|quote)$")] = "level"
    choice: Literal["x", "y"] = "x"
    names: tuple[str, ...] = ("p", "q")
    pair: tuple[float, float] = (0.0, 1.0)
    some: Annotated[list[int], Meta(min_length=1)] = msgspec.field(default_factory=lambda: [1])
    table: dict[str, float] = {}
    nested: Nested = Nested()
    steps: Annotated[int, Meta(multiple_of=5)] = 10
    renamed: Any = msgspec.field(default=None, name="from")


EXPECTED = [
    Parameter("wanted", "integer", "required", "1 to 5000000", "how many (bars)"),
    Parameter("share", "float", "0.5", "above 0, below 1", "of what there is, in two lines"),
    Parameter("optional", "float", "absent", "from 0", "of equity"),
    Parameter("flag", "true or false", "true", "", "on or off"),
    Parameter("word", "text", '"a"', "matching ^a", ""),
    Parameter("listed", "text", '"level"', 'one of "level", "quote"', ""),
    Parameter("choice", "one of x, y", '"x"', "", ""),
    Parameter("names", "list of text", '["p", "q"]', "", ""),
    Parameter("pair", "list of 2: float, float", "[0.0, 1.0]", "", ""),
    Parameter("some", "list of integer", "[1]", "at least 1 entries", ""),
    Parameter("table", "table of float", "{}", "", ""),
    Parameter("nested", "table (low)", "its own defaults", "", ""),
    Parameter("steps", "integer", "10", "in steps of 5", ""),
    Parameter("from", "any", "absent", "", ""),
]


class Stranger:
    """A plugin of one gate."""

    @hookimpl
    def bitten_gates(self) -> Mapping[str, object]:
        return {"everything": Gate, "absent": "no_such_module_here:Gate", "syntax": "bitten_broken_for_test:Gate"}


class Gate:
    """Refuses [on] Mondays. Nothing else.

    And a second paragraph.
    """

    Config = Everything


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bitten_broken_for_test.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        plugins, "Manager", lambda disabled=(): Manager(disabled=disabled, extra={"stranger": Stranger()})
    )


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["plugins", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_every_kind_of_parameter_in_words() -> None:
    assert parameters(Everything) == EXPECTED


def test_a_config_that_msgspec_cannot_read_is_named() -> None:
    class Wrong(msgspec.Struct):
        limit: Annotated[float | None, Meta(ge=0)] = None

    with pytest.raises(PluginError, match=r"test_plugins\..*Wrong is no valid configuration: Can only set `ge`"):
        parameters(Wrong)


def test_list_names_every_installed_part(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "list")
    assert (code, err) == (0, "")
    for kind in KINDS:
        for entry in Manager().registry(kind).values():
            assert any(line.split()[:2] == [kind[:-1], entry.name] for line in out.splitlines()), entry


@pytest.mark.parametrize("kind", ["gates", "gate", "Gates", "GATE"])
def test_list_of_one_kind(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "list", "--kind", kind)
    assert {line.split()[0] for line in out.splitlines()[1:]} == {"gate"}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in Manager().registry(kind) if kind != "importers"]
)
def test_show_explains_every_bundled_part(capsys: pytest.CaptureFixture[str], kind: str, name: str) -> None:
    code, out, err = run(capsys, "show", name)
    assert (code, err) == (0, "")
    part = Manager().find(kind, name).load()
    assert f"{part.__module__}:{part.__qualname__}" in out
    for parameter in parameters(part.Config):
        table = out[out.rindex("\nparameter ") :]
        (line,) = (line for line in table.splitlines() if line.split()[:1] == [parameter.name])
        assert parameter.description, f"{kind} {name}: {parameter.name} has no description"
        assert parameter.default.split()[0] in line


@pytest.mark.usefixtures("stranger")
def test_show_a_stranger(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "everything")
    assert code == 0
    assert "everything, gate of plugin stranger" in out
    assert "Refuses [on] Mondays. Nothing else.\n\nAnd a second paragraph." in out
    assert '[[gates]]\nuse = "everything"' in out
    for parameter in EXPECTED:
        (line,) = (line for line in out.splitlines() if line.split()[:1] == [parameter.name])
        assert line.split(None, 1)[1].startswith(parameter.type)


@pytest.mark.usefixtures("stranger")
def test_list_goes_on_past_broken_parts_and_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "list")
    assert code == 2
    assert "Refuses [on] Mondays" in out
    assert out.count("cannot be loaded, see below") == 2
    assert 'gate "absent" of plugin stranger is declared as "no_such_module_here:Gate"' in err
    assert "gate syntax of plugin stranger fails on import of bitten_broken_for_test:Gate: ZeroDivisionError" in err


def test_a_plugin_that_does_not_load_is_reported_and_the_rest_listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaks(Manager):
        def __init__(self, disabled: Any = ()) -> None:
            if "brokers" not in disabled:
                raise PluginError('plugin brokers failed to load; switch it off with disabled = ["brokers"]')
            super().__init__(disabled)

    monkeypatch.setattr(plugins, "Manager", Breaks)
    code, out, err = run(capsys, "list", "--kind", "gates")
    assert code == 2
    assert "risk" in out
    assert err == 'error: plugin brokers failed to load; switch it off with disabled = ["brokers"]\n'


_BOTH = '"kalman_quickfire" or "kalman_quickfire_ticks"'


@pytest.mark.parametrize(("word", "suggested"), [("risq", '"risk"'), ("kalman", _BOTH), ("quickfire", _BOTH)])
def test_show_of_an_unknown_name_suggests(word: str, suggested: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "show", word)
    assert code == 2
    assert err == f'error: no part is named "{word}": did you mean {suggested}?\n'


def test_names_are_found_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "show", "Risk")[0] == 0


def test_a_narrow_terminal_keeps_every_name_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, markup=False, highlight=False)
    monkeypatch.setattr(plugins, "_console", lambda: console)
    assert cli.main(["plugins", "list"]) == 0
    lines = out.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    for kind in KINDS:
        for entry in Manager().registry(kind).values():
            assert any(line.split()[:2] == [kind[:-1], entry.name] for line in lines), entry


def test_help_has_examples_and_no_cut_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n    bitten plugins show kalman_quickfire\n" in run(capsys, "show", "--help")[1]
    assert "..." not in run(capsys, "--help")[1].partition("Commands:")[2]
