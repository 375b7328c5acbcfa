"""Tiers and accounts from a configuration: single tables, or a file with one account per row.

A file is CSV whose columns are the keys of `[[accounts]]` (`band` as two columns, `band_low` and `band_high`), or JSON:
a list of objects with these keys, or of user configurations as the system that bitten replaces keeps them (`user_id`,
`tier`, `auto_fire_enabled`, `confidence_range`, `max_auto_slots`, `risk_percentage`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from bitten.errors import ConfigError, did_you_mean
from bitten.ledger import Account, Tier
from bitten.sections import AccountSection, TierSection
from bitten.tomlfile import KeyPath, TomlFile

Where = Callable[[str], str]
"""`file:line` of a key of an account."""

_NUMBERS: Final = ("balance", "slots", "risk_percent", "band_low", "band_high")
_COLUMNS: Final = ("id", "currency", "balance", "tier", "mode", "slots", "risk_percent", "band_low", "band_high")
_USER_KEYS: Final = {
    "user_id": "id", "tier": "tier", "max_auto_slots": "slots", "risk_percentage": "risk_percent",
    "confidence_range": "band", "auto_fire_enabled": "mode", "current_slots_used": None,
}  # fmt: skip


def read_tiers(file: TomlFile, tables: Sequence[Any]) -> tuple[Tier, ...]:
    """The tiers of `[[tiers]]`.

    Raises:
        ConfigError: two have one name, or a key is wrong.
    """
    tiers: list[Tier] = []
    for i, table in enumerate(tables):
        row = file.convert(table, TierSection, ("tiers", i))
        if any(tier.name == row.name for tier in tiers):
            raise file.error(("tiers", i), f'tiers has two named "{row.name}": give one of them another name')
        tiers.append(Tier(row.name, row.slots, row.risk_multiplier, row.modes))
    return tuple(tiers)


def read_accounts(file: TomlFile, tables: Sequence[Any], tiers: Sequence[Tier], folder: Path) -> tuple[Account, ...]:
    """The rows of the account table, those of files in their place.

    Raises:
        ConfigError: with the file and line of the first row that cannot be used.
    """
    known = {tier.name: tier for tier in tiers}
    accounts: list[Account] = []
    seen: set[str] = set()
    for i, table in enumerate(tables):
        path: KeyPath = ("accounts", i)
        section = file.convert(table, AccountSection, path)
        if section.file is None:
            rows: Iterable[tuple[AccountSection, Where]] = [(section, partial(_place, file, path))]
        elif len(table) > 1:
            others = ", ".join(key for key in table if key != "file")
            raise file.error((*path, "file"), f"accounts.file stands beside {others}: those keys belong into the file")
        else:
            rows = _read_file(folder / section.file, file.where((*path, "file")))
        for row, where in rows:
            account = _account(row, known, where)
            if account.id in seen:
                raise ConfigError(
                    f'{where("id")}: accounts has two named "{account.id}": give one of them another name'
                )
            seen.add(account.id)
            accounts.append(account)
    if not accounts:
        raise file.error(("accounts",), "accounts is empty: there must be at least one")
    return tuple(accounts)


def _place(file: TomlFile, path: KeyPath, key: str) -> str:
    return file.where((*path, key))


def _line(where: str, key: str) -> str:
    """A file of accounts has a line for each; its keys share it."""
    return where


def _account(row: AccountSection, tiers: Mapping[str, Tier], where: Where) -> Account:
    tier = Tier("")
    if row.tier is not None:
        if row.tier not in tiers:
            hint = did_you_mean(row.tier, tiers) if tiers else "; there are no [[tiers]]"
            raise ConfigError(f'{where("tier")}: accounts.tier "{row.tier}" is no tier{hint}')
        tier = tiers[row.tier]
    if row.mode not in tier.modes:
        allowed = " or ".join(tier.modes)
        raise ConfigError(f'{where("mode")}: accounts.mode is "{row.mode}", tier {tier.name} allows {allowed}')
    low, high = row.band or (float("nan"), float("nan"))
    if row.band is not None and not 0 <= low <= high <= 100:
        raise ConfigError(
            f"{where('band')}: accounts.band is [{low:g}, {high:g}]: expected low to high within 0 to 100"
            + (f", perhaps [{high:g}, {low:g}]" if 0 <= high < low <= 100 else "")
        )
    slots = tier.slots if row.slots is None else row.slots
    if row.tier is not None and slots > tier.slots:
        raise ConfigError(f"{where('slots')}: accounts.slots is {slots}, tier {tier.name} allows at most {tier.slots}")
    return Account(
        row.id, row.currency, row.balance, slots, low, high, row.risk_percent, row.mode, tier.name, tier.risk_multiplier
    )


def _read_file(path: Path, named: str) -> Iterator[tuple[AccountSection, Where]]:
    """(account, where it stands) of a file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{named}: accounts.file {path} cannot be read: {_why(error)}") from error
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    for values, where in rows:
        try:
            yield msgspec.convert(values, AccountSection), partial(_line, where)
        except msgspec.ValidationError as error:
            what, _, key = str(error).replace("`", "").partition(" - at $.")
            found = f"{key} is {values.get(key)!r}: " if key in values else ""
            raise ConfigError(f"{where}: {found}{what[:1].lower()}{what[1:]}") from error


def _why(error: OSError | UnicodeDecodeError) -> str:
    """What is wrong with a file whose name has been said."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is no text in UTF-8"


def _csv_rows(path: Path, text: str) -> Iterator[tuple[dict[str, Any], str]]:
    reader = csv.DictReader(text.splitlines())
    for name in reader.fieldnames or ():
        if name not in _COLUMNS:
            raise ConfigError(f'{path}:1: unknown column "{name}"{did_you_mean(name, _COLUMNS)}')
    if "id" not in (reader.fieldnames or ()):
        raise ConfigError(f"{path}:1: lacks the column id; possible are {', '.join(_COLUMNS)}")
    for row in _rows(reader, path):
        where = f"{path}:{reader.line_num}"
        if None in row:
            raise ConfigError(f"{where}: has more cells than the {len(row) - 1} columns of the header")
        values: dict[str, Any] = {name: cell for name, cell in row.items() if cell not in (None, "")}
        for name in _NUMBERS:
            if name in values:
                values[name] = _number(values[name], name, where)
        low, high = values.pop("band_low", None), values.pop("band_high", None)
        if (low is None) != (high is None):
            raise ConfigError(f"{where}: band_low and band_high go together, one of them is empty")
        yield values | ({} if low is None else {"band": (low, high)}), where


def _rows(reader: csv.DictReader[str], path: Path) -> Iterator[dict[str | Any, str | Any]]:
    """The rows of a CSV file; one that is none is an error that names its line."""
    try:
        yield from reader
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num + 1}: this is no CSV: {error}") from error


def _number(cell: str, name: str, where: str) -> float | int:
    try:
        value = float(cell)
    except ValueError:
        raise ConfigError(f'{where}: {name} is "{cell}": expected a number') from None
    return int(value) if value.is_integer() and name == "slots" else value


def _json_rows(path: Path, text: str) -> Iterator[tuple[dict[str, Any], str]]:
    try:
        rows = msgspec.json.decode(text.encode())
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: is no JSON: {error}") from error
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{path}: holds no list of accounts")
    for i, row in enumerate(rows):
        where = f"{path}: account {i + 1}"
        yield _from_user(row, where) if "user_id" in row else row, where


def _from_user(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A user configuration in the keys of `[[accounts]]`; slots that are in use now say nothing of a replay."""
    values: dict[str, Any] = {}
    for key, value in row.items():
        if key not in _USER_KEYS:
            raise ConfigError(f'{where}: unknown key "{key}"{did_you_mean(key, _USER_KEYS)}')
        name = _USER_KEYS[key]
        if name is not None:
            values[name] = value
    if "mode" in values:
        if not isinstance(values["mode"], bool):
            raise ConfigError(f"{where}: auto_fire_enabled is {values['mode']!r}: expected true or false")
        values["mode"] = "auto" if values["mode"] else "manual"
    return values
