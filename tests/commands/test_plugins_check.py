"""`bitten plugins check`: a table of verdicts, the counter-examples, exit codes, and one line for what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitten import cli
from bitten.store.tickstore import TickStore
from bitten.testing.laws import LAWS
from bitten.testing.parts import GATE_LAWS
from tests.feeds.builders import INSTRUMENTS, SOURCE, bars, ticks
from tests.test_history import write_bars


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["plugins", "check", *words])
    captured = capsys.readouterr()
    compiling = "compiling kernels (first run only"  # is no error, and depends on what ran before
    told = [line for line in captured.err.splitlines(keepends=True) if not line.startswith(compiling)]
    return code, captured.out, "".join(told)


def verdicts(out: str) -> dict[str, str]:
    """Law to verdict, from the table."""
    names = [*(law.name for law in LAWS), *(law.name for law in GATE_LAWS), "contract"]
    found = {}
    for line in out.splitlines():
        for name in names:
            rest = line.removeprefix(name).strip()
            if line.startswith(name + " ") and rest.startswith(("kept", "broken", "not applicable")):
                found[name] = "kept" if rest.startswith("kept") else "broken" if rest.startswith("broken") else "left"
    return found


def test_a_bundled_pattern_keeps_every_law(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "bb_scalp")
    assert (code, err) == (0, "")
    assert verdicts(out) == {law.name: "kept" for law in LAWS}
    assert "per symbol and closed bar (limit 50 ms)" in out and "agrees from bar" in out
    assert out.endswith(f"\n{len(LAWS)} kept\n")


def test_a_cheat_ends_with_one_and_the_bars_of_its_counter_example(capsys: pytest.CaptureFixture[str]) -> None:
    name = "tests.cheats.future:NextBarPeek"
    code, out, _ = run(capsys, name, "--bars", "400", "--only", "causality", "--only", "determinism")
    assert code == 1
    assert verdicts(out) == {"determinism": "kept", "causality": "broken"}
    assert "causality, the first counter-example:\nsignal " in out
    assert "the bars before it:\n  2024-01-02 " in out
    assert out.endswith("\n1 kept, 1 broken\n")


def test_symmetries_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--only", "mirror symmetry", "--only", "scale")
    code, out, _ = run(capsys, "tests.cheats.state:BuysRoundly", "--bars", "400", *only)
    assert (code, verdicts(out)) == (1, {"mirror symmetry": "broken", "scale": "kept"})
    code, out, _ = run(capsys, "tests.cheats.state:BuysRoundly", "--bars", "400", "--no-mirror", "--no-scale", *only)
    assert (code, verdicts(out)) == (0, {"mirror symmetry": "left", "scale": "left"})
    assert "left out as you asked" in out


def test_real_bars_of_a_file_and_of_a_store(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_bars(Path("EURUSD_M1.csv"), 1500)
    code, out, err = run(capsys, "kalman_quickfire", "--data", str(path), "--clock", "UTC")
    assert (code, err) == (0, "")
    assert verdicts(out)["causality"] == verdicts(out)["warm-up"] == "kept"
    assert cli.main(["data", "import", str(path), "--clock", "UTC"]) == 0
    capsys.readouterr()
    laws = ("--only", "valid signals", "--only", "warm-up")
    from_file = run(capsys, "kalman_quickfire", "--data", str(path), "--clock", "UTC", *laws)
    assert from_file[0] == 0 and "agrees from bar" in from_file[1]
    assert run(capsys, "kalman_quickfire", "--symbol", "eurusd", *laws) == from_file
    assert run(capsys, "kalman_quickfire", "--data", "data", *laws) == from_file
    code, out, _ = run(capsys, "bb_scalp", "--symbol", "EURUSD", "--timeframe", "H1", "--only", "valid signals")
    assert (code, verdicts(out)) == (1, {"valid signals": "broken"}), "so few bars prove nothing"


def test_gates_and_executors_are_held_to_their_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "slots")
    assert (code, verdicts(out)) == (0, {law.name: "kept" for law in GATE_LAWS})
    code, out, _ = run(capsys, "simulated")
    assert (code, verdicts(out)) == (0, {"contract": "kept"})
    code, out, _ = run(capsys, "tests.testing.test_parts:LooksAhead", "--only", "causality")
    assert (code, verdicts(out)) == (1, {"causality": "broken"})


def test_parameters_reach_the_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    _, few, _ = run(capsys, "bb_scalp", "--only", "valid signals")
    _, many, _ = run(capsys, "bb_scalp", "--only", "valid signals", "--params", "max_adx=60", "--params", "min_rank=0")
    assert few != many


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["bb_scalpp"], 'is named "bb_scalpp": did you mean "bb_scalp"?'),
        (["bb_scalp", "--only", "casuality"], 'law "casuality" is unknown: did you mean "causality"?'),
        (["bb_scalp", "--params", "perod=3"], 'unknown key "perod" in params: did you mean "period"?'),
        (["bb_scalp", "--params", "period"], '"period" is not of the form KEY=VALUE'),
        (["bb_scalp", "--params", "period=1"], "params.period is 1: expected int >= 2"),
        (["bb_scalp", "--data", "nowhere"], "nowhere: there is no such file or folder"),
        (["bb_scalp", "--symbol", "EURUSD"], "there is no store data here to find EURUSD in"),
        (["bb_scalp", "--timeframe", "m5"], 'timeframe "m5" is unknown: did you mean "M5"?'),
        (["slots", "--symbol", "EURUSD"], "slots is a gate: only patterns are tried on --data"),
        (["no_such_module:Pattern"], "cannot be imported: No module named"),
        (["pathlib:Path"], "pathlib:Path is none of Pattern, Shield, Gate, Feed, Executor"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_two(
    capsys: pytest.CaptureFixture[str], words: list[str], found: str
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert found in err and err.count("\n") == 1


def test_a_store_without_the_symbol_or_the_timeframe(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    store = TickStore(here / "data")
    store.add("EURUSD", INSTRUMENTS["EURUSD"], bars(range(60)), SOURCE)
    code, _, err = run(capsys, "bb_scalp", "--data", "data", "--symbol", "XAUUSD")
    assert (code, err) == (2, 'error: store data: there is no XAUUSD in it: did you mean "EURUSD"?\n')
    store.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(0, 60_000, 1500)), SOURCE)
    code, _, err = run(capsys, "bb_scalp", "--data", "data", "--timeframe", "H1")
    assert (code, err) == (2, "error: store data: it holds no closed H1 bar of EURUSD\n")
