"""Windows are cut and claimed correctly in any order of events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from engine.connector import EVERYTHING
from engine.connectors.stripe.catalogue import PageStyle
from engine.connectors.stripe.extract.claims import Claims
from engine.connectors.stripe.extract.cursors import Cursor, State, split_url
from engine.connectors.stripe.extract.rowtypes import Envelope
from engine.connectors.stripe.planning.read_options import Listed, Variant

NOW = 10_000


@dataclass
class List:
    """A list of rows by creation time, served in pages, newest first."""

    created: list[int]

    def page(self, cursor: Cursor, size: int) -> tuple[list[str], list[int | None], bool]:
        """IDs, creation times and `has_more` of the cursor's next page."""
        rows = sorted(((each, str(place)) for place, each in enumerate(self.created)), reverse=True)
        rows = [row for row in rows if (cursor.gte is None or row[0] >= cursor.gte)]
        rows = [row for row in rows if (cursor.lt is None or row[0] < cursor.lt)]
        after = cursor.place.get("starting_after")
        if after is not None:
            last = next(
                row
                for row in sorted(((e, str(p)) for p, e in enumerate(self.created)), reverse=True)
                if row[1] == after
            )
            rows = [row for row in rows if row < last]
        return [row[1] for row in rows[:size]], [row[0] for row in rows[:size]], len(rows) > size


@given(
    created=st.lists(st.integers(1, NOW - 1) | st.integers(NOW - 50, NOW - 1), max_size=120),
    moves=st.lists(st.tuples(st.sampled_from(("read", "cut", "travel")), st.integers(0, 20)), max_size=60),
    bounds=st.tuples(st.none() | st.integers(1, NOW), st.none() | st.integers(1, NOW)),
    size=st.integers(1, 9),
)
@example(
    created=[7, 7, 7], moves=[], bounds=(7, None), size=1
)  # More rows in the first second of a window than fit in a page.
def test_windows_cut_anywhere_read_every_row_once(
    created: list[int], moves: list[tuple[str, int]], bounds: tuple[int | None, int | None], size: int
) -> None:
    source = List(created)
    cursors = [Cursor(read=0, variant=0, kind="list", path="/v1/charges", windowed=True, gte=bounds[0], lt=bounds[1])]
    found: list[str] = []

    def read(cursor: Cursor) -> None:
        ids, times, more = source.page(cursor, size)
        cursor.advance(ids, times)
        found.extend(ids)
        if not cursor.has_next(Envelope(has_more=more), len(ids)):
            cursors.remove(cursor)

    for move, which in moves:
        if not cursors:
            break
        cursor = cursors[which % len(cursors)]
        if move == "read":
            read(cursor)
        elif move == "cut":
            lower = cursor.cut()
            if lower is not None:
                cursors.append(lower)
        else:
            text = json.dumps(msgspec.to_builtins(State(cursors=[each.short() for each in cursors]), str_keys=True))
            cursors = msgspec.convert(json.loads(text), State, strict=False).cursors
    while cursors:
        read(cursors[0])
    low, high = bounds
    wanted = [
        str(place)
        for place, each in enumerate(created)
        if (low is None or each >= low) and (high is None or each < high)
    ]
    assert sorted(found) == sorted(wanted)


def claimed(windows: list[tuple[int | None, int | None]], ceiling: int | None = None) -> list[tuple[Any, Any, int]]:
    """The claims as (gte, lt, rows) after reading one row in each window."""
    claims = Claims("", "v")
    for gte, lt in windows:
        claims.add(Cursor(read=0, variant=0, kind="list", path="/", lt=lt, unclaimed_rows=1), gte)
    variant = Variant(params={}, window=EVERYTHING, where=())
    options = Listed(
        table="charges", path="/", page=PageStyle.CURSOR, variants=(variant,), created="created", newest_first=True
    )
    found = claims.coverage([options], State(cursors=[], as_of=5, ceiling=ceiling), final=False)
    return [(each.window.gte, each.window.lt, each.rows) for each in found]


def test_adjacent_windows_are_one_claim() -> None:
    assert claimed([(50, None), (None, 20), (20, 50)]) == [(None, None, 3)]
    assert claimed([(50, 90), (None, 20)]) == [(None, 20, 1), (50, 90, 1)]
    assert claimed([(10, 60), (20, 30), (60, 70)]) == [(10, 70, 3)]


def test_claims_end_at_the_ceiling() -> None:
    assert claimed([(None, None)], ceiling=80) == [(None, 80, 1)]
    assert claimed([(None, 50), (90, None)], ceiling=80) == [(None, 50, 1)]


def test_split_url_drops_the_host() -> None:
    assert split_url("https://evil.example/v1/a?x=1&y[]=2") == ("/v1/a", {"x": "1", "y[]": "2"})
    assert split_url("/v1/invoices/in_1/lines") == ("/v1/invoices/in_1/lines", {})


def window(pages: int, **more: Any) -> Cursor:
    """An unread window with this estimated number of pages of ten seconds each."""
    bounds = {"gte": 1000, "lt": 1000 + 10 * pages, "span": 10.0, "guesses": 2}
    return Cursor(read=0, variant=0, kind="list", path="/", windowed=True, **{**bounds, **more})


def test_unread_window_is_cut_by_the_density_of_the_one_above() -> None:
    upper = window(40)
    lower = upper.cut()
    assert lower is not None
    assert (lower.gte, lower.lt) == (1000, upper.gte)
    assert 0.4 * 400 < lower.lt - lower.gte < 0.6 * 400
    assert lower.span == 10.0


def test_unread_window_is_cut_a_few_times_and_not_if_small_or_unknown() -> None:
    parts = [window(1000)]
    while (lower := max(parts, key=Cursor.pages_left).cut()) is not None:
        parts.append(lower)
    assert len(parts) == 4
    assert window(15).cut() is None
    assert window(40, guesses=0).cut() is None
    assert window(40, gte=None).cut() is None


def test_concurrency_on_a_list_of_unknown_length_grows_with_each_page() -> None:
    first = Cursor(read=0, variant=0, kind="list", path="/", windowed=True)
    assert first.cut() is None, "nothing is known of it"
    first.advance(["ch_0"], [100_000, 99_900])
    second = first.cut()
    assert second is not None, "one page shows how full it is"
    assert first.cut() is None
    assert second.cut() is None, "it may lie below all rows"
    second.advance(["ch_1"], [99_000, 98_900])
    third = second.cut()
    assert third is not None
    fourth = third.cut()
    assert fourth is not None, "there were rows where the first cut was made"
    assert fourth.cut() is None, "but not more than one step into the unknown"
    assert [each.gte for each in (first, second, third)] == [second.lt, third.lt, fourth.lt]
    assert fourth.gte is None
    widths = [each.lt - each.gte for each in (second, third) if each.lt is not None and each.gte is not None]
    assert widths[1] > widths[0]


def test_lower_part_of_a_read_window_can_be_cut_at_once() -> None:
    cursor = Cursor(read=0, variant=0, kind="list", path="/", windowed=True, gte=0, lt=100_000)
    for page in range(2):
        cursor.advance([f"ch_{page}"], [99_999 - 100 * page, 99_900 - 100 * page])
    lower = cursor.cut()
    assert lower is not None
    assert lower.cut() is not None
