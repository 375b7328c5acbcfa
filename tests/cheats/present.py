"""Cheats that depend on the hour, on chance, on addresses, on hashes, or on what lies outside."""

from __future__ import annotations

import datetime
import socket
import time
from datetime import date
from pathlib import Path
from time import strftime
from typing import ClassVar

import numpy as np

from bitten.barpattern import Bar, Proposal
from tests.cheats.honest import Honest


class WallClock(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(time.localtime(time.time()).tm_hour))  # noqa: TID251


class WallClockByDatetime(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(datetime.datetime.now(datetime.UTC).day))  # noqa: TID251


class WallClockByNanoseconds(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(time.time_ns() // (3600 * 10**9) % 24))


class WallClockByDate(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(date.today().day))


class WallClockByFormat(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(strftime("%H")))


class WallClockByStruct(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(time.gmtime().tm_hour))


class UnseededRandom(Honest):
    def start(self) -> None:
        self.rng = np.random.default_rng()

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(self.rng.integers(0, 100)))


class GlobalRandom(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(np.random.randint(0, 100)))


class SetOrder(Honest):
    names: ClassVar[set[str]] = {"momentum", "session", "spread", "trend", "volume", "wick", "range", "noise"}

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, 10.0 * sorted(self.names).index(next(iter(self.names))))


class ObjectAddress(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(id(bar) // 64 % 100))


class HashOfText(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(hash(bar.timeframe) % 100))


class OrderOfAddresses(Honest):
    """Takes the first of what it has when it is sorted by id, as `sorted(parts, key=id)` does."""

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        parts = [bytearray(1) for _ in range(64)]
        return super().fade(bar, float(min(range(64), key=lambda i: id(parts[i]))))


class EarlierRun(Honest):
    """Leaves a file for the next run, and reads the one of the run before."""

    def start(self) -> None:
        path = Path("what-happened.txt")
        self.known = path.read_text().split() if path.exists() else []

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        with Path("what-happened.txt").open("a") as file:
            file.write(f"{bar.time} ")
        return super().fade(bar, 60.0 if str(bar.time) in self.known else confidence)


class ReadsWhileItScans(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(len(Path("opinion.txt").read_text()) if Path("opinion.txt").exists() else 50))

    def start(self) -> None:
        Path("opinion.txt").touch()  # where it does not exist it cannot be read


class AsksTheNetwork(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        socket.socket().close()
        return super().fade(bar, confidence)
