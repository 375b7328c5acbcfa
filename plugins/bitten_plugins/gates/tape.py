"""What a person orders, and when: instants in a configuration, and a file to which commands are appended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bitten.errors import BittenError, DataError, did_you_mean
from bitten.instants import instant


def moment(value: Any, key: str) -> int:
    """A date or time of a configuration, ns UTC.

    Raises:
        ValueError: it is none; names the key.
    """
    try:
        return instant(value if isinstance(value, dt.date) else str(value))
    except BittenError as error:
        raise ValueError(f"{key}: {error}") from error


class Command(NamedTuple):
    """One line of a tape."""

    time: int  # ns UTC, from when it holds
    word: str
    reason: str


class Tape:
    """A text file of commands, one per line: an instant, a word, and a reason up to the end of the line.

        2014-05-02T12:00:00Z HALTED payrolls in half an hour

    Empty lines and those that begin with `#` are passed over. In a replay the file is a recording; live it grows, and
    is read again whenever it has. A line that cannot be read makes whoever asks refuse: nothing is guessed.

    Args:
        path: of the file, which must exist; it may be empty.
        words: what a second word may be, in capitals; anything where empty.
    """

    def __init__(self, path: Path, words: Sequence[str] = ()) -> None:
        self._path = path
        self._words = words
        self._state: tuple[int, int] | None = None
        self._commands: tuple[Command, ...] = ()
        self.commands()

    def commands(self) -> tuple[Command, ...]:
        """All lines, in their order.

        Raises:
            DataError: with file and line.
        """
        try:
            found = self._path.stat()
            state = (found.st_mtime_ns, found.st_size)
            if state != self._state:
                lines = self._path.read_text(encoding="utf-8-sig").splitlines()
                self._commands = tuple(
                    self._command(number, line)
                    for number, line in enumerate(lines, 1)
                    if line.strip() and not line.lstrip().startswith("#")
                )
                self._state = state
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{self._path} cannot be read ({error}); an empty file is a tape without commands"
            ) from error
        return self._commands

    def last(self, time: int) -> Command | None:
        """The last line at or before an instant, by its place in the file; None for none."""
        return next((one for one in reversed(self.commands()) if one.time <= time), None)

    def _command(self, number: int, line: str) -> Command:
        where = f"{self._path}:{number}"
        stamp, _, rest = line.strip().partition(" ")
        word, _, reason = rest.strip().partition(" ")
        try:
            time = instant(stamp)
        except DataError as error:
            raise DataError(f"{where}: {error}") from error
        if self._words:
            word = word.upper()
            if word not in self._words:
                raise DataError(f'{where}: "{word}" is no command{did_you_mean(word, self._words)}')
        elif not word:
            raise DataError(f"{where}: after the instant stands what is meant, as in {stamp} NAME why")
        return Command(time, word, reason.strip())
