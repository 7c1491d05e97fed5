"""Read a list on a thread of its own and hand its rows on in groups, never far ahead of the downloads.

A list may be endless, or slow (a pipe): what has come is handed on at once, and while one group is being recorded the
next one gathers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast

from penstock.core.naming import folded
from penstock.core.rows import BadRow, Row
from penstock.core.template import Template, safe_path
from penstock.core.urls import check, check_header, escape, identity, origin_text, redact
from penstock.errors import InvalidRequest
from penstock.store.entries import Entry
from penstock.store.schema import row_key
from penstock.thread_start import start_thread

#: Rows that were read and not yet recorded, at most.
BUFFER_ROWS: Final = 2000
#: Rows that are recorded and still to be fetched, at most, those of origins that stand still counting for less (see
#: `tracks`): beyond it the list is not read further.
AHEAD_ROWS: Final = 100_000
#: Characters of a bad line that are shown.
_EXCERPT: Final = 120


class Intake:
    """Reads `rows`. `deliver(entries, bad, at_end, error)` is called on this thread with each group, and takes it
    without waiting; `taken` and `ahead` are told when a group is recorded and when rows are fetched.
    """

    def __init__(
        self,
        rows: Iterable[Row | BadRow | str],
        template: Template,
        deliver: Callable[[Sequence[Entry], Sequence[BadRow], bool, BaseException | None], None],
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        """`reserved` are targets, folded, that no row may have."""
        self._rows = rows
        self._template = template
        self._reserved = reserved
        self._deliver = deliver
        self._changed = threading.Condition()
        self._items: deque[Entry | BadRow] = deque()
        self._busy = False
        self._ahead = 0
        self._stopped = False
        self._ended = False
        #: True once the end was handed on: nothing comes after it.
        self._told = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="penstock-list", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        start_thread(self._thread)

    def stop(self) -> None:
        """Read no further. A thread that waits for input that never comes is left to itself."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def taken(self) -> None:
        """The last group is recorded: the next one may come. On any thread."""
        with self._changed:
            self._busy = False
            self._hand_on()
            self._changed.notify_all()

    def moved(self, ahead: int) -> None:
        """The list is read so many rows ahead of what is fetched. On any thread."""
        with self._changed:
            self._ahead = ahead
            self._changed.notify_all()

    @property
    def is_ahead(self) -> bool:
        """True when the list is read no further, for it is far enough ahead. On any thread."""
        return self._ahead >= AHEAD_ROWS

    def _run(self) -> None:
        try:
            for number, row in enumerate(self._rows, 1):
                item = prepared(Row((row,), number) if isinstance(row, str) else row, self._template, self._reserved)
                if len(self._items) >= BUFFER_ROWS or self.is_ahead:
                    self._wait_for_room()
                self._items.append(item)
                if not self._busy:  # looked at after the row was added: who makes it idle meanwhile finds the row
                    with self._changed:
                        self._hand_on()
                if self._stopped:
                    break
        except BaseException as error:  # the caller's iterable
            self._error = error
        with self._changed:
            self._ended = True
            self._hand_on()

    def _wait_for_room(self) -> None:
        with self._changed:
            while not self._stopped and (len(self._items) >= BUFFER_ROWS or self.is_ahead):
                self._changed.wait()

    def _hand_on(self) -> None:
        """With the lock held."""
        if self._busy or self._told or not (self._items or self._ended):
            return
        self._busy = True
        self._told = self._ended
        items = [self._items.popleft() for _ in range(len(self._items))]
        bad = [item for item in items if isinstance(item, BadRow)]
        entries = [item for item in items if not isinstance(item, BadRow)] if bad else items
        self._deliver(cast("Sequence[Entry]", entries), bad, self._told, self._error)


def prepared(row: Row | BadRow, template: Template, reserved: frozenset[str] = frozenset()) -> Entry | BadRow:
    """The row with its URLs in normal form, its identity and its target; or why it cannot be used."""
    if isinstance(row, BadRow):
        return row
    try:
        entry = _entry(row, template)
        if reserved and folded(entry.target) in reserved:
            raise InvalidRequest(f"{entry.target} is the manifest's own name; give the row another one")
        return entry
    except InvalidRequest as error:
        shown = redact(row.urls[0])[:_EXCERPT] if row.urls else ""
        return BadRow(row.line, shown, escape(error.message))


def _entry(row: Row, template: Template) -> Entry:
    if not row.urls:
        raise InvalidRequest("a row without a URL")
    urls = tuple(map(check, row.urls)) if len(row.urls) > 1 else (check(row.urls[0]),)
    public = tuple(map(identity, urls))
    named = safe_path(row.output) if row.output else None
    target = named or template.fill(public[0], row.line)
    if row.directory:
        target = f"{safe_path(row.directory)}/{target}"
    return Entry(
        row_key(public[0], target if named or row.directory else None),
        public,
        origin_text(public[0]),
        target,
        named is not None,
        row.line,
        row.checksum,
        row.size,
        urls if urls != public else None,
        tuple(check_header(f"{name}: {value}") for name, value in row.headers),
    )
