"""Why a signal was fired or not: what `bitten explain` prints and `Run.explain` returns."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bitten.errors import BittenError

if TYPE_CHECKING:
    from bitten.analysis.explain_facts import Story
    from bitten.analysis.signal_bars import SignalBars

_FRAME_HEIGHT: Final = 900  # pixels of the page inside a notebook cell
_TABLES: Final = ("signals", "scores", "missions", "decisions", "fires", "trades", "outcomes")


class Explanation:
    """One signal's story.

    Attributes:
        story: the facts as frozen values (`bitten.analysis.explain_facts.Story`).
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any], story: Story) -> None:
        self._folder = folder
        self._manifest = manifest
        self.story = story

    @property
    def headline(self) -> str:
        """What became of the signal and why, in one sentence."""
        from bitten.analysis.explain_words import headline

        return headline(self.story)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Everything as plain dicts and lists, ready for JSON: times as text in UTC, absent values None."""
        from bitten.analysis.explain import plain

        return {"headline": self.headline, **plain(self.story)}

    @cached_property
    def bars(self) -> SignalBars | str:
        """Candles around the signal, read again from the run's feed; why there are none, where there are none."""
        from bitten.analysis.signal_bars import signal_bars

        signal = self.story.signal
        try:
            return signal_bars(
                self._manifest, self._folder, signal.symbol, signal.timeframe, signal.time, self.story.end
            )
        except BittenError as error:
            return f"no chart: {error}"

    @property
    def html(self) -> str:
        """The same as a page that needs no server and no network."""
        from bitten.analysis.explain_page import render_page

        return render_page(self.story, self.bars)

    def __repr__(self) -> str:
        return f"<{self.story.signal.id}: {self.headline}>"

    def _repr_html_(self) -> str:
        page = html.escape(self.html, quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox title="{html.escape(self.headline)}" '
            f'style="width:100%;height:{_FRAME_HEIGHT}px;border:0;border-radius:8px"></iframe>'
        )


def explain(folder: Path, manifest: Mapping[str, Any], wanted: str, account: str | None = None) -> Explanation | None:
    """Tell the story of a signal or fire of a run; None where the run has none of that id.

    Args:
        folder: of the run.
        manifest: of the run.
        wanted: a signal's or fire's id, or a beginning or end of one that no other has.
        account: whose part is told; a fire's own, or of many the most telling one, where it is None.

    Raises:
        BittenError: several have such an id, there is no such account, or the folder is damaged.
    """
    from bitten.analysis.explain import collect, scored
    from bitten.analysis.explain_plugins import price_names, with_sentences
    from bitten.analysis.run_origin import origins
    from bitten.analysis.signal_rows import find, rows_of

    named = find(folder, wanted)
    if named is None:
        return None
    if account is not None and named.account is not None and account != named.account:
        raise BittenError(f'"{wanted}" is of account {named.account}, not of "{account}": leave one of them out')
    rows = {name: rows_of(folder, name, "signal_id", named.signal_id) for name in _TABLES}
    if not rows["signals"]:
        raise BittenError(f"{folder} tells of a fire of {named.signal_id}, but not of that signal: run it again")
    shields = scored(rows["scores"])
    if shields:
        shields = with_sentences(shields, rows["signals"][0], manifest, origins(manifest, folder))
    prices = price_names(rows["signals"][0], manifest)
    return Explanation(folder, manifest, collect(rows, manifest, account or named.account, shields, prices))
