"""Working ahead: an iterator that runs on a thread of its own, a bounded number of items before its consumer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Final, TypeVar

Item = TypeVar("Item")

_END: Final = object()


def ahead(items: Iterator[Item], depth: int = 1) -> Generator[Item, None, None]:
    """The items in their order; up to `depth` finished ones wait, and one more is being made.

    What the iterator raises is raised here, after the items before it. Closing this generator (a `break`, an error or
    Ctrl-C in the consumer) stops the thread before its next item and closes the iterator.
    """
    made: queue.Queue[Item | BaseException | object] = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: Item | BaseException | object) -> bool:
        while not stopped.is_set():
            try:
                made.put(item, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(_END)
        except BaseException as error:
            put(_Raised(error))
        finally:
            if isinstance(items, Generator):
                items.close()

    thread = threading.Thread(target=work, name="bitten-ahead", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, _Raised):
                raise item.error
            yield item  # type: ignore[misc]  # what is neither the end nor an error is an item
    finally:
        stopped.set()
        thread.join()


_PATIENCE: Final = 0.05  # s between looks at whether anybody still wants the item


class _Raised:
    """What the iterator raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
