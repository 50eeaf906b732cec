"""The position of a read: cursors are data, so a slice may end anywhere and the next one may run anywhere."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from .rowtypes import Envelope

PAGE_SIZE: Final = 100
"""Stripe's largest page."""
GALLOP: Final = 8
"""How many pages' worth of time the first cut of a window without a lower bound leaves above it."""
_TRAIL: Final = 10
_PAGES_FOR_A_CUT: Final = 2
_PAGES_WORTH_A_CUT: Final = 4
"""Each window ends with a page that is not full: what is cut must be worth half a page more."""
_PAGES_WORTH_A_GUESS: Final = 16
"""The same for a window that nothing was read of yet."""
_GALLOP_OF_A_GUESS: Final = 4 * GALLOP
"""An unread window without a lower bound is cut only where the one above it, cut off the first one, had rows."""
_GUESSES: Final = 4
"""How often such a window and its parts may be cut: into sixteen, by then pages show how full they are."""

Kind = Literal["list", "once", "v2", "object"]


class Cursor(msgspec.Struct, kw_only=True, omit_defaults=True, eq=False):
    """One list (or window of it, or object) that is being read, newest rows first.

    `read` and `variant` are indices (a variant of -1 is none). An `urgent` cursor is read to its end before the slice
    ends; `id` is the object's, where it reads one. `params` are sent besides the variant's; `parent` holds what the
    rows' parent fields are. With `windowed`, rows lie in `[gte, lt)` of their creation and the window may be cut.
    `trail` are the ids of the latest page: the next one starts after the last of them, or, should that be gone, after
    one before it (`back` counts these). `seen` ids came already and are dropped. `first` and `last` are the creation of
    the first row of `pages` pages and of the last one; the `unclaimed` ones are not part of any coverage yet.
    `since_cut` counts the pages since the window was cut last. Before its first page, a window is thought to be as full
    as the one that it was cut off, `span` seconds a page, and may be cut `guesses` times by that.
    """

    read: int
    variant: int
    kind: Kind
    path: str
    params: dict[str, str] = {}
    parent: dict[str, str] = {}
    windowed: bool = False
    gte: int | None = None
    lt: int | None = None
    trail: list[str] = []
    back: int = 0
    seen: list[str] = []
    limit: int | None = None
    first: int | None = None
    last: int | None = None
    pages: int = 0
    unclaimed_pages: int = 0
    unclaimed_rows: int = 0
    since_cut: int = 0
    gallop: int = GALLOP
    span: float = 0.0
    guesses: int = 0
    urgent: bool = False
    id: str = ""

    @property
    def place(self) -> dict[str, str]:
        """The parameters of the next page."""
        place: dict[str, str] = {}
        if self.kind == "object" or self.kind == "once":
            return place
        place["limit"] = str(PAGE_SIZE if self.limit is None else min(PAGE_SIZE, self.limit))
        if self.gte is not None:
            place["created[gte]"] = str(self.gte)
        if self.lt is not None:
            place["created[lt]"] = str(self.lt)
        if self.trail and self.kind == "list":
            place["starting_after"] = self.trail[-1 - self.back]
        return place

    def advance(self, ids: list[str], created: list[int | None]) -> None:
        """A page came with these rows: the next one starts behind them."""
        self.pages += 1
        self.since_cut += 1
        if ids:
            self.trail, self.back = ids, 0
        if created:
            self.first = created[0] if self.first is None else self.first
            self.last = created[-1]

    def has_next(self, envelope: Envelope, rows: int) -> bool:
        """Whether a page follows one with this envelope and number of rows. If so, the cursor points to it."""
        if self.limit is not None:
            self.limit -= rows
            if self.limit <= 0:
                return False
        if self.kind == "v2" and envelope.next_page_url:
            self.path, self.params = split_url(envelope.next_page_url)
            return True
        if self.windowed and self.gte is not None and self.last is not None and self.last < self.gte:
            return False
        return self.kind == "list" and envelope.has_more and rows > 0

    def step_back(self) -> None:
        """The object that the next page would start after is gone: start after the one before it.

        When the whole trail is gone, start over: a window just above the last row seen, any other list at its top.
        """
        self.back += 1
        if self.back < len(self.trail):
            return
        self.seen = self.trail
        self.trail, self.back = [], 0
        if self.windowed and self.last is not None:
            self.lt = self.last + 1

    def short(self) -> Cursor:
        """As it travels to the next slice: with the end of its trail only."""
        cut = max(_TRAIL, self.back + 1)
        return self if len(self.trail) <= cut else msgspec.structs.replace(self, trail=self.trail[-cut:])

    def pages_left(self) -> float:
        """An estimate of the pages to come, by the density so far; infinite where the window has no lower bound.

        None are expected of a window that was cut just now: a cut may be in vain, so two pages must have paid for it,
        or one where the window has no lower bound: it continues below, and twice as much is read at once.
        """
        if not self.windowed:
            return 0.0
        if self.last is None or self.first is None:
            if not self.guesses or self.lt is None:
                return 0.0
            if self.gte is None:
                return float("inf") if self.gallop >= _GALLOP_OF_A_GUESS else 0.0
            return (self.lt - self.gte) / self._page_span() - 1
        if self.since_cut < (1 if self.gte is None else _PAGES_FOR_A_CUT):
            return 0.0
        return float("inf") if self.gte is None else (self.last - self.gte) / self._page_span()

    def cut(self) -> Cursor | None:
        """Keep the upper part of the window and give the lower one away; None when that is not worth a request.

        A window with a lower bound is halved. One without keeps some pages' worth of time, twice as much each time, so
        that at most two of the windows given away lie below all data. The page on its way stays in the upper part.
        """
        guessed = self.last is None
        if self.pages_left() < (_PAGES_WORTH_A_GUESS if guessed else _PAGES_WORTH_A_CUT):
            return None
        above = self.lt if self.last is None else self.last
        assert above is not None
        top = above - int(self._page_span())
        if self.gte is None:
            middle = top - max(1, int(self._page_span() * self.gallop))
        else:
            middle = (top + self.gte) // 2
            if middle <= self.gte:
                return None
        self.guesses = self.guesses - 1 if guessed else 0
        lower = Cursor(
            read=self.read,
            variant=self.variant,
            kind=self.kind,
            path=self.path,
            params=self.params,
            parent=self.parent,
            windowed=True,
            gte=self.gte,
            lt=middle,
            gallop=self.gallop * 2,
            span=self._page_span(),
            guesses=self._guesses_below(guessed),
            urgent=self.urgent,
        )
        self.gte, self.since_cut = middle, 0
        return lower

    def _guesses_below(self, guessed: bool) -> int:
        """How often what is cut off may be cut unread. Below a guess without a lower bound, a page must come first."""
        if not guessed:
            return _GUESSES
        return 0 if self.gte is None else self.guesses

    def _page_span(self) -> float:
        """How many seconds a page holds: so far, or above the window."""
        if self.first is None or self.last is None:
            return max(1.0, self.span)
        return max(1.0, (self.first - self.last) / max(1, self.pages))


class State(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is left of a partition, as JSON. `ceiling` and `as_of` are Unix seconds of the server's clock.

    `totals` counts pages and rows by read, `failed` are the reads that were given up. `claimed` is set once a slice
    has claimed up to when events are applied.
    """

    cursors: list[Cursor]
    format: int = 1
    ceiling: int | None = None
    as_of: int | None = None
    totals: dict[int, tuple[int, int]] = {}
    failed: list[int] = []
    claimed: bool = False


def split_url(url: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of an address that Stripe gave; its host is not looked at."""
    parts = urlsplit(url)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))
