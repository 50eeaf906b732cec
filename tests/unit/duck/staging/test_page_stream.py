"""The Arrow stream of pages: DuckDB reads the pages unchanged, and no memory leaks."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import duckdb
import pytest

from engine.duck.staging.page_stream import BATCH, Page, PageStream


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_pages_arrive_in_order_and_unchanged(connection: duckdb.DuckDBPyConnection) -> None:
    sent: list[Page] = [(1, b"a"), (2, b"\x00\xff" * 100_000), (1, memoryview(bytearray(b"xyz"))[1:]), (3, b"last")]
    stream = PageStream(lambda: iter(sent))
    connection.register("pages", stream)
    assert connection.execute("SELECT part, body FROM pages").fetchall() == [(n, bytes(body)) for n, body in sent]
    stream.close()


def test_pages_of_several_batches_and_all_inlined_lengths_arrive(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    sent: list[Page] = [(n, bytes(range(n))) for n in range(3 * BATCH + 1)]
    stream = PageStream(lambda: iter(sent))
    connection.register("pages", stream)
    assert connection.execute("SELECT part, body FROM pages").fetchall() == sent
    stream.close()


def test_page_stream_can_be_read_by_column(connection: duckdb.DuckDBPyConnection) -> None:
    stream = PageStream(lambda: iter([(7, b"a"), (8, b"b")]))
    connection.register("pages", stream)
    assert connection.execute("SELECT sum(part) FROM pages").fetchall() == [(15,)]


def test_page_stream_without_pages_has_no_rows(connection: duckdb.DuckDBPyConnection) -> None:
    connection.register("pages", PageStream(lambda: iter(())))
    assert connection.execute("SELECT count(*) FROM pages").fetchall() == [(0,)]


def test_failing_page_source_fails_the_statement_and_is_recorded(connection: duckdb.DuckDBPyConnection) -> None:
    def pages() -> Iterator[Page]:
        yield 1, b"a"
        raise LookupError("the disk went away")

    stream = PageStream(pages)
    connection.register("pages", stream)
    with pytest.raises(duckdb.Error, match="the disk went away"):
        connection.execute("SELECT count(*) FROM pages").fetchall()
    assert isinstance(stream.failure, LookupError)


def test_pages_are_released_while_the_stream_is_read(connection: duckdb.DuckDBPyConnection) -> None:
    class Body(bytearray):
        """Bytes that a weak reference can refer to."""

    alive: list[weakref.ref[Body]] = []
    most = 0

    def pages() -> Iterator[Page]:
        nonlocal most
        for _ in range(200):
            body = Body(b"x" * 1000)
            alive.append(weakref.ref(body))
            yield 1, memoryview(body)
            del body
            most = max(most, sum(each() is not None for each in alive))

    stream = PageStream(pages)
    connection.register("pages", stream)
    assert connection.execute("SELECT count(*), sum(octet_length(body)) FROM pages").fetchall() == [(200, 200_000)]
    connection.unregister("pages")
    stream.close()
    gc.collect()
    assert most <= 4 * BATCH
    assert not any(each() for each in alive)
