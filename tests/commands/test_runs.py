import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console

from bitten.analysis.compare import differences
from bitten.analysis.report import render_report
from bitten.analysis.statistics import summarise
from bitten.commands.runs import print_runs, runs
from bitten.errors import BittenError
from bitten.journal.schema import TABLES
from bitten.run import Run
from tests.analysis.made_run import make_run
from tests.analysis.made_signals import make_signals

MADE = make_run(trades=50, bars=3000)


def write_run(folder: Path, made=MADE, report: bool = False, **changes) -> Path:
    folder.mkdir(parents=True)
    for name, schema in TABLES.items():
        pq.write_table(made.tables.get(name, schema.empty_table()), folder / f"{name}.parquet")
    manifest = made.manifest | {"name": folder.name} | changes
    summary = summarise(made.tables, made.accounts)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    if report:
        page = render_report(made.tables, summary, manifest, made.candles)
        (folder / "report.html").write_text(page, encoding="utf-8")
    return folder


def invoke(folder: Path, *words: str):
    return CliRunner(env={"COLUMNS": "200"}).invoke(runs, [*words, "--runs-dir", str(folder)])


def altered(name: str, column: str, row: int, value) -> dict[str, pa.Table]:
    table = MADE.tables[name]
    values = table[column].to_pylist()
    values[row] = value
    field = table.schema.field(column)
    array = pa.array(values, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
    changed = table.set_column(table.schema.get_field_index(column), field, array.cast(field.type))
    return {**MADE.tables, name: changed}


def test_list_shows_every_run_oldest_first_and_passes_over_broken_ones(tmp_path):
    write_run(tmp_path / "younger", created="2025-05-01T00:00:00Z")
    write_run(tmp_path / "older", created="2025-01-01T00:00:00Z", feed={"name": "parquet", "synthetic": False})
    (write_run(tmp_path / "broken") / "summary.json").write_text("{", encoding="utf-8")
    (tmp_path / "no-run").mkdir()
    result = invoke(tmp_path, "list")
    assert result.exit_code == 0
    assert result.output.index("older ") < result.output.index("younger †")
    assert result.output.count("†") == 2  # the mark and its meaning
    assert "passed over" in result.output
    assert "no-run" not in result.output


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_word_or_number_of_the_list_is_cut(tmp_path, width):
    for i in range(3):
        write_run(tmp_path / f"a-run-of-some-length-{i:04d}")
    found = [Run.open(folder) for folder in sorted(tmp_path.iterdir())]
    out = io.StringIO()
    print_runs(Console(file=out, width=width, force_terminal=True, color_system=None, highlight=False), found)
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    for whole in ("a-run-of-some-length-0000 †", "2024-01-01 to 2024-01-04", "EURUSD XAUUSD USDJPY"):
        assert whole in text
    assert "…" not in text


def test_the_list_is_one_line_per_run_in_a_pipe(tmp_path):
    write_run(tmp_path / ("long-" * 40))
    lines = invoke(tmp_path, "list").output.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("long-" * 40 + " †  2024-01-01 to 2024-01-04  EURUSD XAUUSD USDJPY")


def test_list_of_nothing_says_what_makes_a_run(tmp_path, monkeypatch):
    assert "bitten backtest" in invoke(tmp_path, "list").output
    monkeypatch.chdir(tmp_path)
    assert "bitten backtest" in CliRunner().invoke(runs, ["list"]).output


def test_a_runs_folder_that_is_not_there_is_refused(tmp_path):
    for words in (["list"], ["show", "x"]):
        result = invoke(tmp_path / "nope", *words)
        assert isinstance(result.exception, BittenError)
        assert "nope; --runs-dir names" in str(result.exception)


def test_diff_names_the_settings_that_differ_and_no_secret(tmp_path):
    config = {
        "feed": {"seed": 7},
        "patterns": [{"use": "kal", "params": {"length": 5}}],
        "telegram": {"token": "SECRET"},
    }
    other = {"feed": {"seed": 8}, "patterns": [{"use": "kal", "params": {}}], "telegram": {"token": "OTHER"}}
    write_run(tmp_path / "a", config=config)
    write_run(tmp_path / "b", config=other)
    result = invoke(tmp_path, "diff", "a", "b")
    lines = [line.split() for line in result.output.splitlines()]
    assert ["feed.seed", "7", "8"] in lines
    assert ["patterns[0].params.length", "5", "not", "set"] in lines
    assert result.output.index("feed.seed") < result.output.index("Net profit")
    assert "SECRET" not in result.output


def test_diff_says_nothing_before_it_has_read_both(tmp_path):
    write_run(tmp_path / "a")
    (write_run(tmp_path / "b") / "trades.parquet").unlink()
    result = invoke(tmp_path, "diff", "a", "b")
    assert result.output == ""
    assert str(result.exception).count("trades.parquet") == 1


def test_help_shows_examples_and_whole_sentences():
    for command in runs.commands.values():
        assert len(command.get_short_help_str(60)) < 60
        assert not command.get_short_help_str(60).endswith("...")
    for words in (["show"], ["diff"]):
        assert f"\n    bitten runs {words[0]} backtest-0001" in CliRunner().invoke(runs, [*words, "--help"]).output


def test_show_prints_the_summary_and_where_the_report_is(tmp_path):
    write_run(tmp_path / "one", report=True)
    result = invoke(tmp_path, "show", "one")
    assert result.exit_code == 0
    assert "SYNTHETIC DATA" in result.output
    assert "report.html" in result.output.replace("\n", "")


def test_show_takes_a_path_too(tmp_path):
    folder = write_run(tmp_path / "elsewhere" / "one")
    assert invoke(tmp_path, "show", str(folder)).exit_code == 0


def test_an_unknown_run_names_a_near_miss(tmp_path):
    write_run(tmp_path / "kal-bb-0001")
    result = invoke(tmp_path, "show", "kal-bb-001")
    assert isinstance(result.exception, BittenError)
    assert 'did you mean "kal-bb-0001"' in str(result.exception)


def test_an_unknown_run_in_an_empty_folder_says_so(tmp_path):
    result = invoke(tmp_path, "show", "any")
    assert "holds no runs" in str(result.exception)


def test_diff_of_equal_runs_exits_0(tmp_path):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", created="2026-01-01")
    result = invoke(tmp_path, "diff", "a", "b")
    assert result.exit_code == 0, result.output
    assert "identical" in result.output
    assert "≠" not in result.output


def test_diff_shows_the_first_differing_row_with_both_and_exits_1(tmp_path):
    other = make_run(trades=50, bars=3000)
    other.tables = altered("trades", "close_price", 7, 1.2345)
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", other)
    result = invoke(tmp_path, "diff", "a", "b")
    assert result.exit_code == 1
    assert "trades differ from row 7 on (50 and 50 rows)" in result.output
    line = next(line for line in result.output.splitlines() if line.startswith("close_price"))
    assert "1.2345" in line
    assert str(MADE.tables["trades"]["close_price"][7].as_py()) in line
    assert line.rstrip().endswith("≠")
    assert "signals differ" not in result.output


def test_diff_of_a_longer_run_says_that_there_is_no_such_row(tmp_path):
    other = make_run(trades=50, bars=3000)
    other.tables = {**MADE.tables, "signals": MADE.tables["signals"].slice(0, 30)}
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", other)
    result = invoke(tmp_path, "diff", "a", "b")
    assert result.exit_code == 1
    assert "signals differ from row 30 on (50 and 30 rows)" in result.output
    assert "(no such row)" in result.output


@pytest.mark.parametrize(
    ("table", "column", "row", "value"),
    [
        ("trades", "stop", 0, None),
        ("trades", "pattern", 49, "new_pattern"),
        ("trades", "open_time", 3, None),
        ("equity", "open_positions", 5, 9),
        ("decisions", "reason", 2, "another"),
    ],
)
def test_one_changed_value_is_found_where_it_is(table, column, row, value):
    (found,) = differences(MADE.tables, altered(table, column, row, value))
    assert (found.table, found.row) == (table, row)
    differing = {name for name in found.first if found.first[name] != found.second[name]}
    assert differing == {column}


def test_another_dictionary_is_no_difference():
    table = MADE.tables["trades"]
    encoded = table["symbol"].cast(pa.string()).combine_chunks().dictionary_encode()
    at = table.schema.get_field_index("symbol")
    same = table.set_column(at, table.schema.field("symbol"), encoded)
    assert differences(MADE.tables, {**MADE.tables, "trades": same}) == []


def test_a_missing_column_is_a_difference():
    fewer = {**MADE.tables, "trades": MADE.tables["trades"].drop_columns(["swap"])}
    assert [found.table for found in differences(MADE.tables, fewer)] == ["trades"]


def test_a_column_of_another_type_is_a_difference():
    at = MADE.tables["equity"].schema.get_field_index("open_positions")
    floats = MADE.tables["equity"]["open_positions"].cast(pa.float64())
    other = {**MADE.tables, "equity": MADE.tables["equity"].set_column(at, "open_positions", floats)}
    assert [(found.table, found.row) for found in differences(MADE.tables, other)] == [("equity", 0)]


def test_the_commands_load_nothing_heavy():
    code = "import sys, bitten.commands.runs\nassert not {'pandas', 'pyarrow', 'numpy', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_offers_its_tables_as_frames(tmp_path):
    run = Run.open(write_run(tmp_path / "one"))
    assert len(run.trades) == 50
    assert str(run.trades["open_time"].dtype) == "datetime64[ns, UTC]"
    assert run.trades["profit"].sum() == pytest.approx(run.stats["net"])
    assert len(run.signals) == len(run.outcomes) == len(run.decisions) == 50
    assert run.tables["equity"].num_rows == len(run.equity)
    assert run.trades is run.trades
    assert run.name == "one"


def test_a_run_tells_itself_in_one_line(tmp_path):
    text = repr(Run.open(write_run(tmp_path / "one")))
    assert text.startswith("<Run one (SYNTHETIC DATA) [1 alert] 2024-01-01 to")
    assert "trades 50" in text
    assert "\n" not in text


def test_a_notebook_gets_the_report_itself(tmp_path):
    import html

    run = Run.open(write_run(tmp_path / "one", report=True))
    shown = run._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    srcdoc = shown.split('srcdoc="', 1)[1].split('"', 1)[0]
    assert html.unescape(srcdoc) == run.report.read_text(encoding="utf-8")


def test_a_notebook_without_a_report_gets_the_line(tmp_path):
    assert "&lt;Run one" in Run.open(write_run(tmp_path / "one"))._repr_html_()


def test_opening_what_is_no_run_says_what_is_wrong(tmp_path):
    with pytest.raises(BittenError, match="no run folder"):
        Run.open(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BittenError, match=r"manifest\.json cannot be read"):
        Run.open(tmp_path / "empty")
    folder = write_run(tmp_path / "one")
    (folder / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(BittenError, match="no JSON object"):
        Run.open(folder)


def test_a_missing_table_says_which(tmp_path):
    folder = write_run(tmp_path / "one")
    (folder / "trades.parquet").unlink()
    with pytest.raises(BittenError, match=r"trades\.parquet cannot be read"):
        _ = Run.open(folder).trades


FATED = make_signals(trades=40, refused=60, bars=3000)


def test_show_tells_of_patterns_or_gates_alone(tmp_path):
    write_run(tmp_path / "one", FATED)
    patterns = invoke(tmp_path, "show", "one", "--patterns")
    assert patterns.exit_code == 0
    assert re.search(r"^bb_scalp +XAUUSD ", patterns.output, re.M)
    assert re.search(r"^London and New York ", patterns.output, re.M)
    assert re.search(r"^80 to 90 ", patterns.output, re.M)
    assert "Fewer than 20 resolved signals" in patterns.output
    gates = invoke(tmp_path, "show", "one", "--gates").output
    assert re.search(r"^spread +\d+ +[+−]?[\d.]+ \(", gates, re.M)
    assert re.search(r"^spread +EURUSD ", gates, re.M)
    for output in (patterns.output, gates):
        assert "Net profit" not in output
    assert "gate and pattern" not in patterns.output


def test_show_of_a_run_without_signals_says_so(tmp_path):
    made = make_run(trades=3, bars=3000)
    made.tables = {name: table.slice(0, 0) for name, table in made.tables.items()}
    write_run(tmp_path / "none", made)
    assert invoke(tmp_path, "show", "none", "--patterns", "--gates").output == "No signals.\nNo gate was asked.\n"


def test_export_writes_one_event_per_signal(tmp_path):
    write_run(tmp_path / "one", FATED)
    target = tmp_path / "events.jsonl"
    result = invoke(tmp_path, "export", "one", "--events", str(target))
    assert (result.exit_code, result.output) == (0, f"100 events in {target}\n")
    events = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [event["signal_id"] for event in events] == FATED.tables["signals"]["signal_id"].to_pylist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.jsonl", "one"]
    assert invoke(tmp_path, "export", "one", "--events", "-").output == target.read_text(encoding="utf-8")


def test_export_names_what_cannot_be_written_and_leaves_nothing(tmp_path):
    write_run(tmp_path / "one", FATED)
    result = invoke(tmp_path, "export", "one", "--events", str(tmp_path / "nowhere" / "events.jsonl"))
    assert isinstance(result.exception, BittenError)
    assert "events.jsonl cannot be written: No such file or directory" in str(result.exception)
    assert isinstance(invoke(tmp_path, "export", "two", "--events", "-").exception, BittenError)
