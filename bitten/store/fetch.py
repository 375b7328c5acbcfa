"""Downloading Dukascopy's hour files, politely: few connections, patience when told to wait, nothing fetched twice."""

from __future__ import annotations

import email.utils
import http.client
import lzma
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from bitten.clock import Clock, WallClock, iso
from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_SECOND
from bitten.model.instrument import Instrument
from bitten.store.disk import writing_to
from bitten.store.openmarket import closures
from bitten.version import VERSION

DUKASCOPY: Final = "https://datafeed.dukascopy.com/datafeed"
CONNECTIONS: Final = 4
ATTEMPTS: Final = 7  # with waits of 1, 2, 4 ... 32 s between them: a minute of patience
TICK_BYTES: Final = 20
_OFFLINE_ATTEMPTS: Final = 2  # where the server has never been reached

_HOUR_NS: Final = 3600 * NS_PER_SECOND
_TIMEOUT: Final = 30.0  # seconds without a byte
_LONGEST_WAIT: Final = 300.0  # seconds; a server that asks for more is not waited for
_SETTLED_NS: Final = 48 * _HOUR_NS  # a missing hour younger than this may still appear
_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a download did, in hour files."""

    files: tuple[Path, ...]  # those of the range with quotes in them, old and new
    loaded: int  # fetched now
    known: int  # were there already
    empty: int  # hours without quotes


class Fetcher:
    """Downloads one symbol's hours into a cache folder.

    Args:
        cache: the folder; below it lie the datafeed's own paths, SYMBOL/2019/01/04/00h_ticks.bi5 (month from 0).
        base_url: of the datafeed.
        sleep: waits so many seconds; by default until then or until the download ends.
        clock: tells which hours are too young to be final.
    """

    def __init__(
        self,
        cache: Path,
        base_url: str = DUKASCOPY,
        sleep: Callable[[float], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._cache = cache
        self._base = base_url.rstrip("/")
        self._stop = threading.Event()
        self._sleep = sleep or self._stop.wait
        self._clock = clock or WallClock()
        self._reached = False  # whether the server has ever answered

    def fetch(self, symbol: str, hours: Sequence[int], advance: Callable[[int], None] | None = None) -> Fetched:
        """Bring every hour into the cache; what is there is not asked for again.

        Args:
            symbol: as the datafeed spells it.
            hours: starts of hours, ns UTC.
            advance: told that so many more hours are done.

        Raises:
            DataError: an hour could not be had; what was fetched stays in the cache.
        """
        done = advance or (lambda count: None)
        paths = {hour: self._cache / hour_path(symbol, hour) for hour in hours}
        missing = [hour for hour in hours if not paths[hour].exists()]
        done(len(hours) - len(missing))
        self._stop.clear()
        with ThreadPoolExecutor(CONNECTIONS, "bitten-fetch") as pool:
            try:
                for _ in _bounded(pool, lambda hour: self._hour(symbol, hour, paths[hour]), missing):
                    done(1)
            except BaseException:
                self._stop.set()  # those under way end at their next step
                raise
        filled = tuple(path for path in paths.values() if path.exists() and path.stat().st_size)
        return Fetched(filled, len(missing), len(hours) - len(missing), len(hours) - len(filled))

    def _hour(self, symbol: str, hour: int, path: Path) -> None:
        """Fetch one hour; an hour that the server does not have is an empty file, once it is old enough."""
        content = self._patiently(f"{self._base}/{hour_path(symbol, hour)}")
        if content is None and self._clock.now_ns() - hour < _SETTLED_NS:
            return
        with writing_to(path, "choose another folder with --store"):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.part")
            draft.write_bytes(content or b"")
            draft.replace(path)

    def _patiently(self, url: str) -> bytes | None:
        """A file's bytes, or None where there is none; waits and tries again where that may help."""
        trouble = ""
        for attempt in range(ATTEMPTS):
            if self._stop.is_set():
                break
            asked = 0.0
            try:
                return self._once(url)
            except urllib.error.HTTPError as error:
                self._reached = True
                with error:  # it holds the connection
                    if error.code == 404:
                        return None
                    trouble = f"HTTP {error.code} {error.reason}"
                    asked = self._retry_after(error.headers.get("Retry-After"))
                if error.code not in _RETRIED:
                    raise DataError(f"{url}: the server refuses: {trouble}") from error
                if asked > _LONGEST_WAIT:
                    raise DataError(f"{url}: the server asks to wait {asked:.0f} s; try again after that") from error
            except urllib.error.URLError as error:
                trouble = str(error.reason)
                if not self._reached and attempt + 1 >= _OFFLINE_ATTEMPTS:
                    raise DataError(
                        f"no network: {self._base} cannot be reached ({trouble}); the same command resumes later"
                    ) from error
            except (http.client.HTTPException, OSError, _CutError) as error:
                trouble = str(error) or type(error).__name__
            if attempt + 1 < ATTEMPTS:
                self._sleep(max(2.0**attempt, asked))
        raise DataError(
            f"{url}: given up after {ATTEMPTS} attempts: {trouble}; what was fetched is kept, the same command resumes"
        )

    def _once(self, url: str) -> bytes:
        request = urllib.request.Request(url, headers={"User-Agent": f"bitten/{VERSION}"})  # noqa: S310  # http by intent
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            self._reached = True
            content: bytes = response.read()
        check_hour(content)
        return content

    def _retry_after(self, header: str | None) -> float:
        """Seconds that a Retry-After header (seconds, or a date) asks for."""
        if not header:
            return 0.0
        if header.strip().isdigit():
            return float(header)
        try:
            moment = email.utils.parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        return max(0.0, moment.timestamp() - self._clock.now_ns() / NS_PER_SECOND)


class _CutError(Exception):
    """A body that is not a whole file."""


def check_hour(content: bytes) -> None:
    """Raise if bytes are no complete hour file: an LZMA stream of whole 20-byte records, or nothing."""
    if not content:
        return
    try:
        size = len(lzma.decompress(content, lzma.FORMAT_ALONE))
    except (lzma.LZMAError, EOFError) as error:
        raise _CutError(f"{len(content)} bytes that are no complete .bi5 file ({error})") from error
    if size % TICK_BYTES:
        raise _CutError(f"{size} bytes of quotes are no whole number of {TICK_BYTES}-byte records")


def hour_path(symbol: str, hour: int) -> str:
    """The datafeed's path of an hour (ns UTC); its months count from 0."""
    moment = datetime.fromtimestamp(hour // NS_PER_SECOND, UTC)
    return f"{symbol}/{moment.year}/{moment.month - 1:02d}/{moment.day:02d}/{moment.hour:02d}h_ticks.bi5"


def open_hours(start: int, end: int, instrument: Instrument) -> list[int]:
    """Starts of the hours from `start` to before `end` (ns UTC) in which the market is open for at least a moment.

    Raises:
        DataError: there are none.
    """
    first, last = start // _HOUR_NS * _HOUR_NS, end
    weekends = list(closures(start, end, daily=False))
    hours = [
        hour
        for hour in range(first, last, _HOUR_NS)
        if not any(closed <= hour and hour + _HOUR_NS <= opened for closed, opened in weekends)
    ]
    if not hours:
        raise DataError(
            f"{instrument.symbol} is not traded from {iso(start, 0)} to {iso(end, 0)} UTC: the market is closed from "
            "Friday to Sunday 17:00 New York"
        )
    return hours


def _bounded(pool: ThreadPoolExecutor, work: Callable[[int], None], items: Sequence[int]) -> Iterator[None]:
    """Run work over items with a short queue, so that an error or Ctrl-C ends it at once; yields once per item."""
    todo = iter(items)
    running: set[Future[None]] = {pool.submit(work, item) for item in islice(todo, 2 * CONNECTIONS)}
    try:
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                running |= {pool.submit(work, item) for item in islice(todo, 1)}
                yield
    finally:
        for future in running:
            future.cancel()
