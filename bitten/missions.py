"""Missions: a signal offered to an account until it expires, and the person who answers where it is not automatic.

In a replay the person is configured: one who never answers, one who always accepts after so many seconds, or a file of
answers. Live, the answers come from people; the rest is the same.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from bitten.errors import ConfigError, DataError, did_you_mean
from bitten.instants import instant
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND
from bitten.model.facts import Answer, Mission, Signal

ACCEPTED: Final = "accepted"
DECLINED: Final = "declined"
EXPIRED: Final = "expired"
OPEN: Final = "open"
_COLUMNS: Final = ("signal_id", "account", "answer", "time", "after_seconds")
_NAMED: Final = 3  # answers that a note names
_WORDS: Final = {"accept": ACCEPTED, "accepted": ACCEPTED, "decline": DECLINED, "declined": DECLINED}


class Said(NamedTuple):
    """What a person will say of a mission."""

    answer: str
    time: int  # ns UTC


class Human(Protocol):
    """Who answers missions in a replay."""

    def answer(self, mission: Mission) -> Said | None:
        """What is said, and when; None for nothing."""

    def notes(self) -> Sequence[str]:
        """What should be known of it after a run, for the manifest."""


class Nobody:
    """Never answers."""

    def answer(self, mission: Mission) -> Said | None:
        """Nothing."""
        return None

    def notes(self) -> Sequence[str]:
        """None."""
        return ()


class Always:
    """Accepts everything after a while.

    Args:
        after_ns: how long it takes.
    """

    def __init__(self, after_ns: int) -> None:
        self._after = after_ns

    def answer(self, mission: Mission) -> Said | None:
        """Accepted, so much later."""
        return Said(ACCEPTED, mission.time + self._after)

    def notes(self) -> Sequence[str]:
        """None."""
        return ()


class Scripted:
    """Answers from a file: CSV with the columns signal_id, account, answer (accept or decline), and time (ISO 8601,
    UTC) or after_seconds.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._said: dict[tuple[str, str], tuple[str, int | None, int]] = {}
        self._met: set[tuple[str, str]] = set()  # answers whose missions came
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file)
                _check_columns(path, rows.fieldnames or ())
                for row in rows:
                    key, said = _read(path, rows.line_num, row)
                    if key in self._said:
                        raise DataError(f"{path}:{rows.line_num}: a second answer of {key[1]} to {key[0]}")
                    self._said[key] = said
        except csv.Error as error:
            raise DataError(f"{path} is no CSV: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or "it is no text in UTF-8"
            raise DataError(f"{path} cannot be read: {reason}") from error

    def answer(self, mission: Mission) -> Said | None:
        """What the file says."""
        key = (mission.signal.id, mission.account)
        if key not in self._said:
            return None
        self._met.add(key)
        answer, time, after = self._said[key]
        return Said(answer, mission.time + after if time is None else max(time, mission.time))

    def notes(self) -> Sequence[str]:
        """The answers to which no mission came: of other signals, or of accounts that are not MANUAL or not there."""
        missed = [f"{signal}@{account}" for signal, account in self._said if (signal, account) not in self._met]
        if not missed:
            return ()
        more = f" and {len(missed) - _NAMED:,} more" if len(missed) > _NAMED else ""
        named = ", ".join(missed[:_NAMED])
        return (f"{self._name}: no mission came for {len(missed):,} of its {len(self._said):,} answers: {named}{more}",)


def _check_columns(path: Path, found: Sequence[str]) -> None:
    for name in found:
        if name not in _COLUMNS:
            raise DataError(f'{path}:1: unknown column "{name}"{did_you_mean(name, _COLUMNS)}')
    missing = [name for name in _COLUMNS[:3] if name not in found]
    if missing or not {"time", "after_seconds"} & set(found):
        need = ", ".join(missing) or "time or after_seconds"
        raise DataError(f"{path}:1: lacks the column {need}; needed are {', '.join(_COLUMNS[:3])} and when it was said")


def _read(path: Path, line: int, row: Mapping[str, str | None]) -> tuple[tuple[str, str], tuple[str, int | None, int]]:
    where = f"{path}:{line}"
    word = (row["answer"] or "").strip().lower()
    if word not in _WORDS:
        raise DataError(f'{where}: answer is "{word}": expected accept or decline')
    key = ((row["signal_id"] or "").strip(), (row["account"] or "").strip())
    if not all(key):
        raise DataError(f"{where}: an answer needs a signal_id and an account")
    if row.get("time"):
        try:
            return key, (_WORDS[word], instant(str(row["time"]).strip()), 0)
        except DataError as error:
            raise DataError(f"{where}: {error}") from error
    try:
        after = float(row.get("after_seconds") or "")
    except ValueError:
        after = -1.0
    if not 0 <= after < 1e9:
        raise DataError(f'{where}: after_seconds is "{row.get("after_seconds")}": expected seconds, 0 or more')
    return key, (_WORDS[word], None, round(after * NS_PER_SECOND))


def make_human(kind: str, after_seconds: float, answers: str | None, folder: Path) -> Human:
    """The person that is configured.

    Raises:
        BittenError: a file of answers is missing, or cannot be used.
    """
    if answers is not None and kind != "file":
        raise ConfigError(f'missions.answers names a file, but missions.human is "{kind}": set human = "file"')
    if kind == "never":
        return Nobody()
    if kind == "always":
        return Always(round(after_seconds * NS_PER_SECOND))
    if answers is None:
        raise ConfigError('missions.human is "file": name the file, as answers = "answers.csv"')
    return Scripted(folder / answers)


class Desk:
    """Missions that wait for a person.

    Args:
        human: who answers.
        life_minutes: how long a mission is offered where its signal does not expire sooner.
    """

    def __init__(self, human: Human, life_minutes: float) -> None:
        self._human = human
        self._life = round(life_minutes * NS_PER_MINUTE)
        self._waiting: list[tuple[int, int, Answer]] = []  # a heap by due time, then by the order of offering
        self._offered = 0
        self._of_signal: dict[str, int] = {}  # missions that wait, by signal
        self._over: set[str] = set()  # of them, signals that have met their fate

    def expiry(self, signal: Signal) -> int:
        """When a signal's missions expire, ns UTC."""
        end = signal.time + self._life
        return min(end, signal.expiry) if signal.expiry else end

    def offer(self, mission: Mission) -> None:
        """Keep a mission until it is answered or expires."""
        said = self._human.answer(mission)
        answer = Answer(mission, mission.expiry, EXPIRED)
        if said is not None and said.time <= mission.expiry:
            answer = Answer(mission, said.time, said.answer)
        heapq.heappush(self._waiting, (max(answer.time, mission.time), self._offered, answer))
        self._offered += 1
        self._of_signal[mission.signal.id] = self._of_signal.get(mission.signal.id, 0) + 1

    def over(self, signal_id: str) -> None:
        """A signal has met its fate: what still waits for an answer expires."""
        if signal_id in self._of_signal:
            self._over.add(signal_id)

    def next_due(self) -> int | None:
        """When the next answer falls due, ns UTC; None where nothing waits."""
        return self._waiting[0][0] if self._waiting else None

    def due(self) -> list[Answer]:
        """The answers of the next instant that belong to one signal, in the order of offering."""
        first = self._waiting[0]
        answers = []
        while self._waiting and self._waiting[0][0] == first[0]:
            if self._waiting[0][2].mission.signal.id != first[2].mission.signal.id:
                break
            time, _, answer = heapq.heappop(self._waiting)
            over = answer.mission.signal.id in self._over
            answers.append(Answer(answer.mission, time, EXPIRED) if over else answer)
        self._forget(first[2].mission.signal.id, len(answers))
        return answers

    def unanswered(self, horizon: int) -> list[Answer]:
        """The data has ended: what still waits, in the order of offering."""
        waiting = [one.mission for _, _, one in sorted(self._waiting, key=lambda item: item[1])]
        rest = [Answer(one, horizon, EXPIRED if one.signal.id in self._over else OPEN) for one in waiting]
        self._waiting.clear()
        return rest

    def _forget(self, signal_id: str, answered: int) -> None:
        self._of_signal[signal_id] -= answered
        if not self._of_signal[signal_id]:
            del self._of_signal[signal_id]
            self._over.discard(signal_id)
