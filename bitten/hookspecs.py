"""Every hook of bitten: when it is called, how often, what None means, who wins, in which units.

A plugin is a module (or object) named by an entry point of the group `bitten`; it implements any of these with
`@bitten.hookimpl`. Registry hooks (`bitten_feeds` ... `bitten_commands`) are called once at start-up and return names
with what stands behind them: a class, or a string `"package.module:Class"` that is imported on first use, which keeps
start-up fast. Fact hooks (`bitten_signal` ... `bitten_alert`) are called once per fact, a handful of times per hour.

No hook is called per quote or per bar. The documentation of each hook, with an example, is `docs/hooks.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from bitten.model.facts import Alert, Answer, Close, Decision, Fill, Fire, Mission, Outcome, Signal, Unfilled

hookspec = pluggy.HookspecMarker("bitten")


@hookspec
def bitten_feeds() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer feeds by name: sources of slices of quotes.

    Called once at start-up. Names are lower_snake and unique over all plugins; a clash is an error that names both.
    Each value is a subclass of `bitten.feed.Feed` or its `"module:Class"`.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_importers() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer readers of foreign quote files by format name, for `bitten data import`.

    Called once by the data commands. Each value is a subclass of `bitten.store.importer.Importer` or its
    `"module:Class"`. Detection asks all of them; the one that proves the format wins, ties are an error for the user.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_patterns() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer pattern detectors by name: closed bars (or quotes) in, signals out.

    Called once at start-up. Each value is a subclass of `bitten.pattern.Pattern` or its `"module:Class"`; the
    pipeline makes one instance per symbol and timeframe, from the pattern's own validated configuration.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_shields() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer shields by name: they score a signal 1 to 10, may scale its size or veto it, and explain why.

    Called once at start-up. Each value is a subclass of `bitten.gate.Shield` or its `"module:Class"`.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_gates() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer gates by name: policies that pass, resize or refuse a signal for each account, always with a reason.

    Called once at start-up. Each value is a subclass of `bitten.gate.Gate` or its `"module:Class"`. The order in
    which gates are asked is that of the configuration, never that of registration.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_executors() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer executors by name: they take fires and report fills, refusals and closes.

    Called once at start-up. Each value is a subclass of `bitten.executor.Executor` or its `"module:Class"`.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_trackers() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer trackers by name: objects that implement fact hooks and are switched on by `[[trackers]]`.

    Called once at start-up. Each value is a subclass of `bitten.tracker.Tracker` or its `"module:Class"`.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_commands() -> Mapping[str, Any]:  # type: ignore[empty-body]  # specifications have no body
    """Offer commands by name: each value is a click command or its `"module:command"`.

    Called once when the command line starts. Built-in names cannot be taken.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_signal(signal: Signal) -> None:
    """A pattern has proposed a signal. Called once per signal, before any gate or shield; results are ignored.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_mission(mission: Mission) -> None:
    """A signal is offered to one account. Called once per account and signal, before the gates; results are ignored.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_answer(answer: Answer) -> None:
    """A mission has ended: accepted, declined, expired, or open at the end of the data. Called once per mission.

    AUTO accounts accept at once. What a person accepts passes the gates as they are at the instant of the answer.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_decision(decision: Decision) -> None:
    """A gate has spoken for one account. Called once per gate, account and signal; results are ignored.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_fire(fire: Fire) -> None:
    """An order has been journalled and is about to reach the executor. Results are ignored: only gates refuse.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_fill(fill: Fill) -> None:
    """A fire has become a position. Called once per position.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_unfilled(unfilled: Unfilled) -> None:
    """A fire has ended REJECTED or EXPIRED, its slot is free again. Called once per such fire.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_close(close: Close) -> None:
    """A position has ended. Called once per position, money in the account's currency.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_outcome(outcome: Outcome) -> None:
    """A signal has met its own stop, target or time stop, whether it was fired or not. Called once per signal.

    .. versionadded:: 0.1
    """


@hookspec
def bitten_alert(alert: Alert) -> None:
    """A person should know something, for example that a plugin failed and what was done about it.

    .. versionadded:: 0.1
    """
