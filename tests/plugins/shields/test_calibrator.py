"""The calibrator: worked against scikit-learn, walk-forward, and silent until enough is known."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from bitten.errors import BittenError
from tests.markets import instrument
from tests.plugins.shields.made import outcome, quotes, shield, signal, view

SPOT = view(quotes())


def history(count: int, seed: int = 0, better: float = 0.9) -> list[tuple[float, bool]]:
    """Confidences, and fates that follow them: won with a probability of `better` times the confidence."""
    rng = np.random.default_rng(seed)
    raw = np.round(rng.uniform(20, 95, count), 1)
    return list(zip(raw.tolist(), (rng.random(count) < better * raw / 100).tolist(), strict=True))


def told(calibrator: Any, past: list[tuple[float, bool]], symbol: str = "EURUSD", start: int = 0) -> None:
    for number, (raw, won) in enumerate(past, start):
        of = signal(id=f"{symbol}{number}", confidence=raw)
        of = replace(of, instrument=instrument(symbol))
        calibrator.score(of, SPOT)
        calibrator.learn(outcome(of, won))


def asked(calibrator: Any, raw: float, **changes: Any) -> Any:
    return calibrator.score(signal(id=f"new{raw}", confidence=raw, **changes), SPOT)


def test_silent_below_200_outcomes() -> None:
    calibrator = shield("calibrator")
    told(calibrator, history(199))
    score = asked(calibrator, 70.0)
    assert (score.confidence, score.score, score.scale, score.veto) == (None, 10.0, 1.0, None)
    assert score.evidence == {"raw": 70.0, "outcomes": 199.0, "pooled": 1.0, "calibrated": 0.0}
    text = calibrator.insights(score.evidence, {})[0].text
    assert "Not calibrated: 199 outcomes" in text and "200 are needed" in text
    assert calibrator.notes() == ("not calibrated, for want of 200 outcomes: p (199)",)
    told(calibrator, history(1, seed=9), start=199)
    assert asked(calibrator, 71.0).confidence is not None
    assert calibrator.notes() == ()


@pytest.mark.parametrize("raw", [5.0, 20.0, 44.4, 60.0, 82.3, 99.0])
def test_isotonic_against_scikit_learn(raw: float) -> None:
    calibrator = shield("calibrator")
    past = history(200)
    told(calibrator, past)
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    model.fit([one for one, _ in past], [float(won) for _, won in past])
    score = asked(calibrator, raw)
    assert score.confidence == pytest.approx(100 * model.predict([raw])[0])
    assert score.evidence["probability"] == pytest.approx(score.confidence / 100)
    assert "Of 200 earlier signals of this pattern on this symbol" in calibrator.insights(score.evidence, {})[0].text


@pytest.mark.parametrize("raw", [5.0, 44.4, 82.3, 100.0])
def test_beta_against_scikit_learn(raw: float) -> None:
    calibrator = shield("calibrator", method="beta")
    past = history(400, seed=2)
    told(calibrator, past)
    share = np.clip(np.array([one for one, _ in past]) / 100, 1e-3, 1 - 1e-3)
    # all 400 are in the curve: 200, then every 50
    features = np.column_stack([np.log(share), -np.log(1 - share)])
    won = [int(won) for _, won in past]
    spot = np.clip(raw / 100, 1e-3, 1 - 1e-3)
    asked_for = np.array([[np.log(spot), -np.log(1 - spot)]])
    for used in ([0, 1], [0], [1]):
        model = LogisticRegression(C=1e6, max_iter=1000).fit(features[:, used], won)
        if (model.coef_ >= 0).all():
            break
    assert asked(calibrator, raw).confidence == pytest.approx(100 * model.predict_proba(asked_for[:, used])[0, 1])


def test_beta_never_falls_and_survives_one_sided_pasts() -> None:
    calibrator = shield("calibrator", method="beta", least=20)
    told(calibrator, [(raw, raw < 60) for raw, _ in history(60)])  # the more confident the worse
    curve = [asked(calibrator, raw).confidence for raw in np.arange(0.0, 100.5, 0.5)]
    assert (np.diff(curve) >= -1e-9).all()
    lost = shield("calibrator", method="beta", least=20)
    told(lost, [(50.0, False)] * 30)
    assert 0 <= asked(lost, 50.0).confidence < 1


def test_refit_every_so_many_outcomes() -> None:
    calibrator = shield("calibrator", least=50, refit=25)
    told(calibrator, history(50))
    first = asked(calibrator, 60.0).confidence
    told(calibrator, [(60.0, False)] * 24, start=50)
    assert asked(calibrator, 60.0).confidence == first
    told(calibrator, [(60.0, False)], start=74)
    assert asked(calibrator, 60.0).confidence < first


def test_the_window_forgets() -> None:
    calibrator = shield("calibrator", least=50, refit=1, window=100)
    told(calibrator, [(60.0, False)] * 137 + [(60.0, True)] * 100)
    assert asked(calibrator, 60.0).confidence == 100.0
    told(calibrator, [(60.0, False)] * 25, start=237)
    assert asked(calibrator, 60.0).confidence == pytest.approx(75.0)
    assert asked(calibrator, 60.0).evidence["outcomes"] == 262


def test_pooled_until_a_symbol_has_enough_of_its_own() -> None:
    calibrator = shield("calibrator", least=100)
    told(calibrator, [(60.0, True)] * 80)
    told(calibrator, [(60.0, False)] * 80, "GBPUSD")
    pooled = asked(calibrator, 60.0)
    assert (pooled.evidence["pooled"], pooled.confidence) == (1.0, pytest.approx(100 * 80 / 150))  # fitted at 150
    told(calibrator, [(60.0, True)] * 20, start=80)
    own = asked(calibrator, 61.0)
    assert (own.evidence["pooled"], own.evidence["outcomes"], own.confidence) == (0.0, 100.0, 100.0)
    assert asked(calibrator, 60.0, pattern="other").confidence is None


@pytest.mark.parametrize("reason", ["end", "rejected", "expired"])
def test_what_was_not_resolved_never_counts(reason: str) -> None:
    calibrator = shield("calibrator", least=20)
    for number in range(30):
        of = signal(id=f"s{number}")
        calibrator.score(of, SPOT)
        calibrator.learn(outcome(of, True, reason))
    assert asked(calibrator, 70.0).evidence["outcomes"] == 0
    assert calibrator.tables()["calibration"].num_rows == 0


@pytest.mark.parametrize(("reason", "won"), [("target", True), ("stop", False), ("time", True), ("time", False)])
def test_profit_decides_what_is_won(reason: str, won: bool) -> None:
    for side in (1, -1):
        calibrator = shield("calibrator", least=20)
        of = signal(side)
        calibrator.score(of, SPOT)
        calibrator.learn(outcome(of, won, reason))
        (row,) = calibrator.tables()["calibration"].to_pylist()
        assert row["won"] is won


def predictions(past: list[tuple[float, bool]], method: str) -> list[dict[str, Any]]:
    calibrator = shield("calibrator", least=50, refit=20, method=method)
    told(calibrator, past)
    rows: list[dict[str, Any]] = calibrator.tables()["calibration"].to_pylist()
    return rows


@pytest.mark.parametrize("method", ["isotonic", "beta"])
def test_never_fitted_to_a_signals_own_future(method: str) -> None:
    """Poisoned later fates change nothing that was said before them; the same past says the same."""
    past = history(300)
    poisoned = past[:170] + [(raw, not won) for raw, won in past[170:]]
    whole, other = predictions(past, method), predictions(poisoned, method)
    said = [row["probability"] for row in whole]
    assert said[:171] == [row["probability"] for row in other][:171]  # that of the 171st knew 170 fates
    assert said[171:] != [row["probability"] for row in other][171:]
    assert [row["n"] for row in whole] == list(range(300))
    assert said[:50] == [None] * 50 and None not in said[50:]
    assert predictions(past, method) == whole


def test_the_first_word_counts_in_the_table() -> None:
    """A person who accepts later is told what is known then; the diagram shows what was said at the signal."""
    calibrator = shield("calibrator", least=20, refit=1)
    told(calibrator, [(60.0, True)] * 20)
    of = signal(id="late", confidence=60.0)
    calibrator.score(of, SPOT)
    told(calibrator, [(60.0, False)] * 20, start=20)
    assert calibrator.score(of, SPOT).confidence == pytest.approx(50.0)
    calibrator.learn(outcome(of, False))
    row = calibrator.tables()["calibration"].to_pylist()[-1]
    assert (row["signal_id"], row["probability"], row["n"], row["won"], row["raw"]) == ("late", 1.0, 20, False, 60.0)


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else real(name))
    with pytest.raises(BittenError, match=r"takes scikit-learn.*pip install 'bitten\[research\]'"):
        shield("calibrator")


def test_a_window_that_holds_too_little() -> None:
    with pytest.raises(ValueError, match="window = 100 holds fewer outcomes than least = 200"):
        shield("calibrator", window=100)


def test_no_warnings_of_the_library() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in ("isotonic", "beta"):
            calibrator = shield("calibrator", method=method)
            told(calibrator, history(260))
            assert isinstance(asked(calibrator, 50.0).confidence, float)
