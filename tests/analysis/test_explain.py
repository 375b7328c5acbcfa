"""Every fate a signal can have, told right; on a hand-made day where what happens is known."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import bitten
from bitten.analysis import explain_plugins
from bitten.analysis.candles import CandleSet
from bitten.analysis.explain import collect
from bitten.analysis.explain_facts import ShieldFacts
from bitten.analysis.explain_plugins import with_sentences
from bitten.analysis.explain_terminal import print_story
from bitten.analysis.explain_words import evidence_pairs
from bitten.analysis.run_origin import origins
from bitten.analysis.signal_bars import SignalBars
from bitten.analysis.textchart import ASCII, Level, Mark, draw
from bitten.errors import BittenError
from bitten.explanation import Explanation
from bitten.gate import GateContext, Insight
from bitten.manager import Manager
from bitten.run import Run
from tests.analysis.story_run import BID, MINUTE, Calm, plugins, project, story_run
from tests.feeds.builders import START
from tests.hook_plugins import Offers
from tests.replay import settings

MANY = [{"id": "main", "slots": 1}, {"id": "hand", "mode": "manual"}, {"id": "tiny", "balance": 5.0}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="module")
def alone(folder: Path) -> Run:
    return story_run(folder, "alone")


@pytest.fixture(scope="module")
def many(folder: Path) -> Run:
    return story_run(folder, "many", accounts=MANY, missions={"human": "file", "answers": "answers.csv"})


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_plugins, "_installed", plugins)


def printed(explanation: Explanation, width: int = 100, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    console = Console(
        file=io.TextIOWrapper(raw, encoding, write_through=True), width=width, markup=False, highlight=False
    )
    print_story(console, explanation.story, explanation.bars)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("signal", "line"),
    [
        ("by-target", "fired 2.50 lots at 1.38007, closed by target, +1.25 R"),
        ("by-stop", "fired 1.26 lots at 1.38084, closed by stop, −1.02 R"),
        ("by-time", "fired 2.51 lots at 1.37935, closed by time stop, −0.33 R"),
        ("banded", "refused for account main by gate band: confidence was 92.0, the band ends at 89.0"),
        ("wide", "refused for account main by gate spread: spread was 30 points, limit is 20"),
        ("second", "refused for account main by gate slots: 1 of 1 slots are taken"),
        ("vetoed", "refused for account main by gate calm: everything is wild <here>"),
        ("unfilled", "expired unfilled: no quote in time, the order was good until 2014-05-01 01:50:10"),
        ("jumped", "fired 4.35 lots, rejected: invalid stops"),
        ("at-the-end", "fired 2.50 lots at 1.37913, still open when the data ended, valued at 1.37895, −0.45 R"),
    ],
)  # fmt: skip
def test_the_first_line_answers(alone: Run, signal: str, line: str) -> None:
    explanation = alone.explain(signal)
    assert explanation.headline == line
    assert printed(explanation, 200).splitlines()[0].rstrip() == line
    assert explanation.facts["headline"] == line


@pytest.mark.parametrize(
    ("signal", "account", "line"),
    [
        ("by-target", "hand", "fired 2.50 lots for account hand at 1.38009, closed by target, +1.25 R"),
        ("by-target", "tiny", "refused for account tiny by gate risk: the risk allows 0.0013 lots, the smallest"),
        ("by-stop", "hand", "not fired for account hand: a person declined after 45 s"),
        ("by-time", "hand", "not fired for account hand: accepted after 20 min, too late: the signal had ended by time "
                            "stop at 2014-05-01 01:38:01"),
        ("wide", "hand", "not fired for account hand: nobody answered until the mission expired at 2014-05-01 02:40"),
        ("at-the-end", "hand", "not fired for account hand: nobody had answered when the data ended"),
    ],
)  # fmt: skip
def test_the_part_of_one_of_many_accounts(many: Run, signal: str, account: str, line: str) -> None:
    assert many.explain(signal, account).headline.startswith(line)
    assert many.explain(f"{signal}@{account}").headline.startswith(line)


@pytest.mark.parametrize(
    ("signal", "told", "line"),
    [
        ("by-target", "main", "fired for 2 of 3 accounts (1 refused by risk); fired 2.50 lots for account main at"),
        ("banded", "hand", "fired for 1 of 3 accounts (2 refused by band); fired 2.53 lots for account hand at"),
        ("wide", "main", "not fired for any of 3 accounts (2 refused by spread, 1 unanswered until it expired); "),
        ("second", "tiny", "not fired for any of 3 accounts (1 refused by slots, 1 refused by risk, 1 unanswered"),
        ("jumped", "main", "no position for any of 3 accounts (1 rejected, 1 unanswered until it expired, 1 refused"),
    ],
)  # fmt: skip
def test_many_accounts_are_counted_and_the_most_telling_one_is_told(
    many: Run, signal: str, told: str, line: str
) -> None:
    explanation = many.explain(signal)
    assert explanation.headline.startswith(line)
    assert explanation.story.account.id == told


def test_all_refused_by_one_gate_is_said_so(folder: Path) -> None:
    run = story_run(folder, "crowd", accounts=[{"id": f"a{i}"} for i in range(120)])
    explanation = run.explain("banded")
    assert explanation.headline == (
        "not fired: refused for all 120 accounts, all of them by gate band: confidence was 92.0, the band ends at 89.0"
    )
    text = printed(explanation)
    assert len(text.splitlines()) < 45
    assert "accounts 120: 120 refused by band; told below is a0" in text
    facts = explanation.facts
    assert facts["tallies"][:2] == [
        {"gate": "calm", "passed": 120, "resized": 0, "refused": 0},
        {"gate": "band", "passed": 0, "resized": 0, "refused": 120},
    ]


def test_each_gate_with_measured_and_limit_and_those_not_asked(alone: Run) -> None:
    gates = {gate["name"]: gate for gate in alone.explain("wide").facts["account"]["gates"]}
    assert list(gates) == ["calm", "band", "spread", "slots", "risk"]
    assert [gate["verdict"] for gate in gates.values()] == ["passed", "passed", "refused", "not asked", "not asked"]
    assert (gates["spread"]["measured"], gates["spread"]["limit"]) == (30.0, 20.0)
    resized = {gate["name"]: gate for gate in alone.explain("by-stop").facts["account"]["gates"]}["calm"]
    assert (resized["verdict"], resized["reason"]) == ("resized", "score 5.0: size times 0.5")


def test_gates_that_passed_may_not_have_been_kept(folder: Path) -> None:
    run = story_run(folder, "short", run={"decisions": "refused"})
    verdicts = [gate["verdict"] for gate in run.explain("wide").facts["account"]["gates"]]
    assert verdicts == ["not kept", "not kept", "refused", "not asked", "not asked"]
    assert run.explain("by-target").headline.startswith("fired 2.50 lots")


def test_the_arithmetic_of_the_size(alone: Run, folder: Path) -> None:
    text = printed(alone.explain("by-stop"))
    assert "10,125.00 USD equity × 1 % × 0.5 by shields = 50.62 USD at risk" in text
    assert "one lot loses 40.00 USD at the stop, 40 points to the stop and costs" in text
    assert "50.62 ÷ 40.00 = 1.2656 lots, rounded down and ordered 1.26" in text
    assert "1.26 lots lose 50.40 USD at the stop, 0.50 % of equity" in text
    tiers = {"tiers": [{"name": "gold", "risk_multiplier": 2.0}], "accounts": [{"id": "rich", "tier": "gold"}]}
    gold = printed(story_run(folder, "gold", **tiers).explain("by-target"))
    assert "10,000.00 USD equity × 2 % (own 1 % × 2 of tier gold) = 200.00 USD at risk" in gold


def test_fixed_lots_need_no_arithmetic(folder: Path) -> None:
    run = story_run(folder, "fixed", gates=[{"use": "fixed_lots", "lots": 0.3}])
    text = printed(run.explain("by-stop"))
    assert "size     0.30 lots" in text
    assert "0.30 lots lose 12.00 USD at the stop" in text


def test_mission_fill_exit_and_outcome(many: Run) -> None:
    text = printed(many.explain("by-target@hand"))
    assert "offered 01:10:00, until 02:10:00; accepted by a person after 20 s (MANUAL)" in text
    assert "2.50 lots at 1.38009, 01:10:21, 1 s after the order" in text
    assert "by target at 1.38059, 01:13:" in text
    assert "+1.25 R  +5.0 pips  +125.00 USD" in text
    assert "outcome  target after 3 min, 1.38007 to 1.38057" in text
    outcome = many.explain("by-target").facts["outcome"]
    assert outcome["r"] == 1.25
    assert outcome["mfe_r"] == pytest.approx(outcome["mfe_pips"] / 4.0)


def test_sentences_of_a_shield(alone: Run) -> None:
    (shield,) = alone.explain("by-stop").facts["shields"]
    assert (shield["score"], shield["scale"], shield["remark"]) == (5.0, 0.5, None)
    assert shield["insights"][0]["text"] == "EURUSD has a confidence of 82, 83 is calm"
    text = printed(alone.explain("by-stop"))
    assert "calm: score 5.0 of 10, size × 0.5" in text
    assert "confidence  −4.00  EURUSD has a confidence of 82, 83 is calm" in text


def test_a_shield_that_cannot_be_asked_leaves_its_numbers(alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_plugins, "_installed", Manager)
    (shield,) = alone.explain("by-stop").facts["shields"]
    assert shield["remark"] == 'no sentences: the shield "calm" is not installed'
    text = printed(alone.explain("by-stop"))
    assert "confidence 82  spread 8" in text
    assert 'no sentences: the shield "calm" is not installed' in text

    def fails(*_: Any) -> None:
        raise FileNotFoundError("calendar.csv")

    manager = plugins()
    monkeypatch.setattr(manager.find("shields", "calm").target, "insights", fails)
    monkeypatch.setattr(explain_plugins, "_installed", lambda: manager)
    (shield,) = alone.explain("by-stop").facts["shields"]
    assert shield["remark"] == "no sentences: calm failed to make them: FileNotFoundError: calendar.csv"


def test_a_shield_finds_its_files_where_the_configuration_stood(alone: Run, tmp_path: Path) -> None:
    score = ShieldFacts("late", 0, 5.0, 1.0, None, None, {})

    class NeedsAFile(Calm):
        def __init__(self, config: Any, context: GateContext) -> None:
            super().__init__(config, context)
            (context.folder / "calendar.csv").read_text()

        def insights(self, evidence: Any, signal: Any) -> list[Insight]:
            return [Insight("news", 1.0, 0.0, f"read in {self.context.folder.name}")]

    manager = Manager(extra={"late": Offers({"shields": {"late": NeedsAFile}})})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain_plugins, "_installed", lambda: manager)
        there, nowhere = tmp_path / "there", tmp_path / "nowhere"
        there.mkdir()
        (there / "calendar.csv").write_text("")
        manifest = {"config": {"gates": [{"use": "late", "name": "late"}]}}
        (found,) = with_sentences([score], {}, manifest, [nowhere, there])
        assert found.insights[0].text == "read in there"
        (lost,) = with_sentences([score], {}, manifest, [nowhere])
        assert lost.remark is not None
        assert lost.remark.startswith("no sentences: late cannot be made again: FileNotFoundError")


def test_a_run_may_lie_deeper_than_usual(tmp_path: Path) -> None:
    manifest = {"config": {"run": {"output": "out/runs"}}}
    assert origins(manifest, tmp_path / "out" / "runs" / "one")[0] == tmp_path
    assert origins({}, tmp_path / "elsewhere" / "one") == [tmp_path, Path.cwd()]


def test_the_chart_shows_the_candles_the_signal_was_made_of(alone: Run) -> None:
    explanation = alone.explain("by-target")
    bars = explanation.bars
    assert isinstance(bars, SignalBars)
    assert (bars.timeframe, bars.note) == ("M1", None)
    time = explanation.story.signal.time
    assert bars.candles.time[0] == time - 60 * MINUTE
    assert bars.candles.time[-1] == explanation.story.end // MINUTE * MINUTE + 10 * MINUTE
    assert np.all(np.abs(bars.candles.close[:60] - BID) <= 5)
    exit_bar = bars.candles.high[np.searchsorted(bars.candles.time, explanation.story.end, side="right") - 1]
    assert exit_bar >= 138_057


def test_a_chart_whose_quotes_have_changed_says_so(folder: Path, tmp_path: Path) -> None:
    there = project(tmp_path)
    run = story_run(there, "alone")
    manifest = json.loads((run.folder / "manifest.json").read_text())
    manifest["feed"]["fingerprints"]["EURUSD"] = "another"
    (run.folder / "manifest.json").write_text(json.dumps(manifest))
    bars = Run.open(run.folder).explain("by-target").bars
    assert isinstance(bars, SignalBars)
    assert bars.note == "the quotes are no longer those of the run: drawn as they are now"
    (there / "data").rename(there / "gone")
    changed = Run.open(run.folder).explain("by-target")
    assert isinstance(changed.bars, str)
    assert changed.bars.startswith("no chart: ")
    assert "no chart: " in printed(changed)


def test_quotes_of_a_notebook_and_of_a_made_up_market(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    times = pd.date_range("2024-04-08", periods=20_000, freq="s", tz="UTC")
    wave = 1.08 + 0.002 * np.sin(np.arange(20_000) / 400)
    frame = pd.DataFrame({"time": times, "bid": wave, "ask": wave + 0.0001})
    run = bitten.backtest(data={"EURUSD": frame}, patterns=["bb_scalp"], output=tmp_path)
    run.tables["signals"]  # there may be none; the reason does not depend on one
    made_up = bitten.backtest(settings(["EURUSD"]), output=tmp_path)
    signal = made_up.tables["signals"].to_pylist()[5]
    explanation = made_up.explain(signal["signal_id"])
    assert isinstance(explanation.bars, SignalBars)
    trade = explanation.story.account.trade
    if trade is not None:
        at = int(np.searchsorted(explanation.bars.candles.time, trade.open_time, side="right")) - 1
        assert explanation.bars.candles.low[at] / 1e5 <= trade.open_price + 0.0005
    manifest = {**made_up.manifest, "config": run.manifest["config"]}
    assert Explanation(made_up.folder, manifest, explanation.story).bars == "no chart: the quotes came from a notebook"


def test_a_terminal_without_lines_gets_ascii(alone: Run) -> None:
    text = printed(alone.explain("by-stop"), encoding="latin-1")
    assert text.isascii()
    assert "fired 1.26 lots at 1.38084, closed by stop, -1.02 R" in text
    assert "equity x 1 % x 0.5 by shields" in text
    assert "#" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal(many: Run, width: int) -> None:
    for signal in ("by-target", "second", "unfilled"):
        assert max(len(line) for line in printed(many.explain(signal), width).splitlines()) <= width


def test_a_text_chart_draws_candles_levels_and_marks() -> None:
    time = START + np.arange(4) * MINUTE
    candles = CandleSet(
        2, MINUTE, time, np.array([100, 110, 120, 110]), np.array([112, 122, 123, 111]), np.array([99, 109, 108, 100]),
        np.array([110, 120, 110, 101]),
    )  # fmt: skip
    levels = [Level("stop", 99, START, START + 3 * MINUTE), Level("target", 900, START, START)]
    lines = draw(
        candles, levels, [Mark("signal", START + MINUTE, 110), Mark("exit", START + 3 * MINUTE, 100)], 40, ASCII
    )
    text = ["".join(piece.text for piece in line) for line in lines]
    assert len(text) == 13
    assert "^target 9.00" in text[0]
    assert " stop 0.99" in text[11]
    assert text[11][:4] == "O..X"
    assert "".join(line[0] for line in text[5:12]) == "|OOOOOO"
    assert "".join(line[2] for line in text[:9]) == "|######| "
    assert "^ signal 00:01" in text[12]


def test_many_candles_share_columns() -> None:
    size = 500
    level = np.arange(size)
    candles = CandleSet(0, MINUTE, START + level * MINUTE, level, level + 1, level - 1, level)
    lines = draw(candles, [], [], 60, ASCII)
    assert max(sum(len(piece.text) for piece in line) for line in lines) <= 60


def test_evidence_is_written_as_what_it_is() -> None:
    row = {
        "signal_id": "s1", "pattern": "p", "symbol": "EURUSD", "timeframe": "M1", "side": "buy", "time": START,
        "anchor": START, "reference": 1.085, "stop": 1.08, "target": 1.09, "relative": False, "confidence": 80.0,
        "evidence": '{"zone_low": 1.0841, "worth_factor": 1.0, "z": -2.345678}',
    }  # fmt: skip
    for prices, shown in ((["zone_low"], "1.08410"), (None, "1.08410"), ([], "1.0841")):
        story = collect({"signals": [row]}, {"instruments": {"EURUSD": {"digits": 5}}}, prices=prices)
        assert evidence_pairs(story.signal, 5) == [("zone_low", shown), ("worth_factor", "1"), ("z", "−2.3457")]
    assert story.account.fate == "undecided"


def test_the_page_escapes_names_and_asks_for_nothing(alone: Run) -> None:
    page = alone.explain("vetoed").html
    assert "everything is wild &lt;here&gt;" in page
    assert "<here>" not in page
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<svg" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page == alone.explain("vetoed").html


def test_in_a_notebook(alone: Run) -> None:
    explanation = alone.explain("by-stop")
    assert repr(explanation) == "<by-stop: fired 1.26 lots at 1.38084, closed by stop, −1.02 R>"
    assert explanation._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    json.dumps(explanation.facts, allow_nan=False)
    assert explanation.facts["signal"]["time"] == "2014-05-01 01:20:00.000000000"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("by-tar", "by-target"), ("arget", "by-target"), ("jumped@main", "jumped"), ("umped@main", "jumped")],
)
def test_beginnings_and_ends_of_ids(alone: Run, wanted: str, found: str) -> None:
    assert alone.explain(wanted).story.signal.id == found


@pytest.mark.parametrize(
    ("wanted", "account", "error"),
    [
        ("by-", None, 'fits 3 signals: "by-stop", "by-target" and "by-time"; give more of it'),
        ("by-targets", None, 'did you mean "by-target"? `bitten explain --list` lists signals'),
        ("zzz", None, 'no signal or fire "zzz" in run alone; `bitten explain --list` lists signals'),
        ("", None, "no signal or fire"),
        ("by-stop", "mian", 'the run has no account "mian": did you mean "main"?'),
        ("by-stop@main", "other", '"by-stop@main" is of account main, not of "other"'),
    ],
)  # fmt: skip
def test_what_is_not_there(alone: Run, wanted: str, account: str | None, error: str) -> None:
    with pytest.raises(BittenError) as raised:
        alone.explain(wanted, account)
    assert error in str(raised.value)


def test_an_old_folder_has_no_fires_missions_and_scores(folder: Path) -> None:
    run = story_run(folder, "old")
    for name in ("fires", "missions", "scores"):
        (run.folder / f"{name}.parquet").unlink()
    table = pq.read_table(run.folder / "signals.parquet")
    pq.write_table(table.drop_columns(["atr"]), run.folder / "signals.parquet")
    assert run.explain("by-target").headline == "fired 2.50 lots at 1.38007, closed by target, +1.25 R"
    assert run.explain("by-target@main").story.account.mission is None
    assert run.explain("banded").headline.startswith("refused for account main by gate band")
    assert run.explain("unfilled").headline.startswith("expired unfilled")


def test_a_damaged_folder(folder: Path) -> None:
    run = story_run(folder, "broken")
    (run.folder / "decisions.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(BittenError, match=r"decisions\.parquet cannot be read: .*run it again"):
        run.explain("by-target")
    (run.folder / "signals.parquet").unlink()
    with pytest.raises(BittenError, match=r"signals\.parquet is missing"):
        run.explain("by-target")
