from __future__ import annotations

import lzma
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bitten.commands.data import data
from bitten.errors import DataError
from bitten.instants import instant
from bitten.model.instruments import load_instruments
from bitten.store.fetch import ATTEMPTS, CONNECTIONS, Fetcher, hour_path, open_hours
from bitten.store.tickstore import TickStore

HOUR = 3600 * 10**9
MONDAY = instant("2019-02-04")
EURUSD = load_instruments()["EURUSD"]
RECORD = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("av", ">f4"), ("bv", ">f4")])


def bi5(quotes: int = 50, bid: int = 114_500) -> bytes:
    rows = np.zeros(quotes, RECORD)
    rows["ms"] = np.arange(quotes) * 7_000
    rows["bid"] = bid + np.arange(quotes)
    rows["ask"] = rows["bid"] + 3
    return lzma.compress(rows.tobytes(), lzma.FORMAT_ALONE)


class Datafeed:
    """A server that answers every path with the next step of its script, and then with its file."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.scripts: dict[str, list[Any]] = {}
        self.asked: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with feed._lock:
                    feed.asked.append(self.path.lstrip("/"))
                    feed.at_once += 1
                    feed.most_at_once = max(feed.most_at_once, feed.at_once)
                try:
                    feed.answer(self, self.path.lstrip("/"))
                finally:
                    with feed._lock:
                        feed.at_once -= 1

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        script = self.scripts.get(path)
        step = script.pop(0) if script else None
        body = self.files.get(path)
        if isinstance(step, tuple):  # status and headers
            handler.send_response(step[0])
            for name, value in step[1].items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif step == "cut":  # the connection breaks in the middle of the body
            assert body is not None
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[: len(body) // 2])
            handler.close_connection = True
        elif step == "hang up":
            handler.close_connection = True
        elif body is None:
            handler.send_error(404)
        else:
            body = body[: len(body) // 2] if step == "short" else b"<html>busy</html>" if step == "page" else body
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def feed() -> Iterator[Datafeed]:
    made = Datafeed()
    yield made
    made.close()


class Now:
    def __init__(self, ns: int = instant("2024-01-01")) -> None:
        self.ns = ns

    def now_ns(self) -> int:
        return self.ns


def fetcher(tmp_path: Path, feed: Datafeed, waits: list[float] | None = None, now: int | None = None) -> Fetcher:
    waited = waits if waits is not None else []
    return Fetcher(tmp_path, feed.url, waited.append, Now(now) if now else Now())


def test_the_path_counts_months_from_zero() -> None:
    assert hour_path("EURUSD", MONDAY + 7 * HOUR) == "EURUSD/2019/01/04/07h_ticks.bi5"


def test_hours_come_into_the_cache_once(tmp_path: Path, feed: Datafeed) -> None:
    hours = [MONDAY + hour * HOUR for hour in range(6)]
    for hour in hours[:3]:
        feed.files[hour_path("EURUSD", hour)] = bi5()
    feed.files[hour_path("EURUSD", hours[3])] = b""  # an hour without ticks; hours 4 and 5 are 404
    steps: list[int] = []
    first = fetcher(tmp_path, feed).fetch("EURUSD", hours, steps.append)
    assert (first.loaded, first.known, first.empty, len(first.files)) == (6, 0, 3, 3)
    assert sum(steps) == 6
    assert (tmp_path / "EURUSD/2019/01/04/02h_ticks.bi5").read_bytes() == bi5()
    again = fetcher(tmp_path, feed).fetch("EURUSD", hours)
    assert (again.loaded, again.known, again.files) == (0, 6, first.files)
    assert len(feed.asked) == 6
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("script", "waits"),
    [
        ([(503, {})], [1.0]),
        ([(503, {}), (500, {}), (429, {})], [1.0, 2.0, 4.0]),
        ([(503, {"Retry-After": "17"}), (503, {"Retry-After": "0"})], [17.0, 2.0]),
        ([(429, {"Retry-After": format_datetime(datetime(2024, 1, 1, 0, 0, 40, tzinfo=UTC), usegmt=True)})], [40.0]),
        ([(429, {"Retry-After": "soon"})], [1.0]),
        (["cut"], [1.0]),
        (["hang up"], [1.0]),
        (["short", "page"], [1.0, 2.0]),
    ],
)
def test_a_misbehaving_server_is_waited_for(
    tmp_path: Path, feed: Datafeed, script: list[Any], waits: list[float]
) -> None:
    path = hour_path("EURUSD", MONDAY)
    feed.files[path] = bi5()
    feed.scripts[path] = list(script)
    waited: list[float] = []
    fetched = fetcher(tmp_path, feed, waited).fetch("EURUSD", [MONDAY])
    assert waited == waits
    assert (tmp_path / path).read_bytes() == bi5()
    assert len(fetched.files) == 1


def test_patience_ends_and_what_came_is_kept(tmp_path: Path, feed: Datafeed) -> None:
    hours = [MONDAY + hour * HOUR for hour in range(4)]
    for hour in hours:
        feed.files[hour_path("EURUSD", hour)] = bi5()
    feed.scripts[hour_path("EURUSD", hours[3])] = [(503, {})] * ATTEMPTS
    waited: list[float] = []
    with pytest.raises(DataError, match=r"03h_ticks.bi5: given up after 7 attempts: HTTP 503 .* same command resumes"):
        fetcher(tmp_path, feed, waited).fetch("EURUSD", hours)
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    resumed = fetcher(tmp_path, feed).fetch("EURUSD", hours)
    assert (resumed.known, resumed.loaded, len(resumed.files)) == (3, 1, 4)


def test_refusals_and_long_waits_are_told_at_once(tmp_path: Path, feed: Datafeed) -> None:
    path = hour_path("EURUSD", MONDAY)
    feed.scripts[path] = [(403, {}), (503, {"Retry-After": "86400"})]
    waited: list[float] = []
    with pytest.raises(DataError, match="the server refuses: HTTP 403"):
        fetcher(tmp_path, feed, waited).fetch("EURUSD", [MONDAY])
    with pytest.raises(DataError, match="asks to wait 86400 s"):
        fetcher(tmp_path, feed, waited).fetch("EURUSD", [MONDAY])
    assert waited == []


def test_an_unreachable_server_is_an_expected_error(tmp_path: Path, feed: Datafeed) -> None:
    feed.server.server_close()
    waits: list[float] = []
    with pytest.raises(DataError, match=r"no network: http://127\.0\.0\.1:\d+ cannot be reached"):
        fetcher(tmp_path, feed, waits).fetch("EURUSD", [MONDAY])
    assert waits == [1.0]


def test_a_missing_hour_is_final_only_when_it_is_old(tmp_path: Path, feed: Datafeed) -> None:
    young = fetcher(tmp_path, feed, now=MONDAY + 3 * HOUR)
    assert young.fetch("EURUSD", [MONDAY]).empty == 1
    feed.files[hour_path("EURUSD", MONDAY)] = bi5()
    assert len(young.fetch("EURUSD", [MONDAY]).files) == 1


def test_no_more_connections_than_polite(tmp_path: Path, feed: Datafeed) -> None:
    hours = [MONDAY + hour * HOUR for hour in range(40)]
    for hour in hours:
        feed.files[hour_path("EURUSD", hour)] = bi5()
    fetcher(tmp_path, feed).fetch("EURUSD", hours)
    assert 1 < feed.most_at_once <= CONNECTIONS


def test_hours_of_the_closed_market_are_not_asked_for() -> None:
    week = open_hours(instant("2019-02-08"), instant("2019-02-12"), EURUSD)
    days = [datetime.fromtimestamp(hour // 10**9, UTC) for hour in week]
    assert [day.hour for day in days if day.day == 8] == list(range(22))  # Friday until 22:00 UTC = 17:00 New York
    assert not [day for day in days if day.day == 9]
    assert [day.hour for day in days if day.day == 10] == [22, 23]
    assert len([day for day in days if day.day == 11]) == 24
    with pytest.raises(DataError, match="EURUSD is not traded from 2019-02-09"):
        open_hours(instant("2019-02-09"), instant("2019-02-10"), EURUSD)


def run(*arguments: str) -> Any:
    return CliRunner(catch_exceptions=False).invoke(data, list(arguments))


def test_the_command_downloads_imports_and_resumes(tmp_path: Path, feed: Datafeed) -> None:
    for hour in range(0, 24, 2):
        feed.files[hour_path("EURUSD", MONDAY + hour * HOUR)] = bi5(bid=114_500 + hour)
    feed.scripts[hour_path("EURUSD", MONDAY)] = ["cut"]
    command = ("fetch", "dukascopy", "EURUSD", "--from", "2019-02-04", "--to", "2019-02-05")
    where = ("--store", str(tmp_path), "--base-url", feed.url)
    first = run(*command, *where)
    assert first.exit_code == 0
    assert "24 hours: 24 asked for, 0 were there, 12 are empty" in first.output
    assert "EURUSD ticks: 600 new rows" in first.output
    store = TickStore(tmp_path)
    ticks: Any = store.read("EURUSD")
    assert ticks.ts[0] == MONDAY
    assert ticks.bid[:3].tolist() == [114_500, 114_501, 114_502]
    assert store.holding("EURUSD").sources[0].format == "dukascopy_bi5"
    again = run(*command, *where)
    assert "24 hours: 0 asked for, 24 were there" in again.output
    assert "EURUSD ticks: 0 new rows" in again.output


def test_the_command_wants_a_range(tmp_path: Path) -> None:
    result = CliRunner().invoke(data, ["fetch", "dukascopy", "EURUSD", "--from", "2019-02-04"])
    assert result.exit_code == 2
    assert "give --from and --to" in result.output


@pytest.mark.shared
def test_a_real_day_over_a_bad_line(tmp_path: Path, feed: Datafeed, shared_data: Path) -> None:
    folder = shared_data / "dukascopy_bi5"
    misfortunes: list[Any] = [(503, {}), "cut", "short", "hang up", "page"]
    for number, path in enumerate(sorted(folder.glob("EURUSD/2019/01/04/*h_ticks.bi5"))):
        name = path.relative_to(folder).as_posix()
        feed.files[name] = path.read_bytes()
        feed.scripts[name] = [misfortunes[number % 5]]
    made = Fetcher(tmp_path / "cache", feed.url, lambda seconds: None, Now())
    fetched = made.fetch("EURUSD", open_hours(MONDAY, MONDAY + 24 * HOUR, EURUSD))
    assert (fetched.loaded, len(fetched.files)) == (24, 24)
    assert len(feed.asked) == 48
    for path in fetched.files:
        assert path.read_bytes() == feed.files[path.relative_to(tmp_path / "cache").as_posix()]
    where = ("--store", str(tmp_path / "cache2"), "--base-url", feed.url)
    feed.scripts.clear()
    result = run("fetch", "dukascopy", "EURUSD", "--from", "2019-02-04", "--to", "2019-02-05", *where)
    assert "EURUSD ticks: 136,741 new rows" in result.output
    assert "2019-02-04 00:00:00.994 to 2019-02-04 23:59:57.992 UTC" in result.output
