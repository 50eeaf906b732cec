"""Extraction against a model of Stripe's lists loses and duplicates no row."""

from __future__ import annotations

import json
import math
import random
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.connector import ConnectorError, Coverage, FailureKind, Identity, Op, Predicate, decode_slice
from engine.connectors.stripe import CONNECTOR
from tests.support.stripe.http_server import Asked, Reply, problem, reply, serving
from tests.support.stripe.stripe_model import START, StripeModel, charge, customer, needs, read_all

CHARGES = "/v1/charges"


def charges(count: int) -> list[dict[str, Any]]:
    """The charges 0 to count - 1."""
    return [charge(number) for number in range(count)]


def names(count: int, prefix: str = "ch") -> list[str]:
    """Their IDs, sorted."""
    return sorted(f"{prefix}_{number}" for number in range(count))


@pytest.mark.parametrize("count", [0, 1, 100, 101, 1234])
@pytest.mark.parametrize("concurrency", [1, 6])
def test_extract_reads_every_row_once(tmp_path: Path, count: int, concurrency: int) -> None:
    with serving(StripeModel({CHARGES: charges(count)})) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=concurrency)
    assert sorted(found.ids("charges")) == names(count)
    (claim,) = found.coverage("charges")
    assert (claim.window.gte, claim.complete, claim.rows, claim.where) == (None, True, count, ((),))
    assert claim.window.lt == pytest.approx(time.time(), abs=10)
    assert server.most <= concurrency


def test_windows_are_read_concurrently(tmp_path: Path) -> None:
    with serving(lambda asked: Reply(StripeModel({CHARGES: charges(6000)})(asked).body, late=0.02)) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=6)
    assert sorted(found.ids("charges")) == names(6000)
    assert server.most == 6
    assert len(server.asked) <= 70, "60 pages, and few requests more for looking where there is nothing"


def test_small_table_costs_one_request(tmp_path: Path) -> None:
    with serving(StripeModel({CHARGES: charges(100)})) as server:
        read_all(server.url, needs("charges"), tmp_path)
    assert [asked.params for asked in server.asked] == [{"limit": "100"}]


def test_many_rows_in_one_second_are_all_read(tmp_path: Path) -> None:
    rows = [charge(number, START) for number in range(450)] + [charge(number, START + 1) for number in range(450, 777)]
    with serving(StripeModel({CHARGES: rows})) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=4)
    assert sorted(found.ids("charges")) == names(777)


def test_rows_created_during_paging_lose_and_duplicate_nothing(tmp_path: Path) -> None:
    model = StripeModel({CHARGES: charges(1500)})

    def grow(_asked: Asked) -> None:
        model.lists[CHARGES].append(charge(len(model.lists[CHARGES]), int(time.time())))

    model.before = grow
    with serving(model) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=4)
    assert len(found.ids("charges")) == len(set(found.ids("charges")))
    assert set(names(1500)) <= set(found.ids("charges"))
    (claim,) = found.coverage("charges")
    assert (claim.window.lt or math.inf) <= time.time()


@pytest.mark.parametrize("gone", [1, 60, 100])
def test_deleted_cursor_object_loses_no_row(tmp_path: Path, gone: int) -> None:
    """The last `gone` objects of a page vanish: the next page starts after an earlier object, or from the top."""
    model = StripeModel({CHARGES: charges(450)})

    def delete(asked: Asked) -> None:
        after = asked.params.get("starting_after")
        if after == "ch_250":
            last = {f"ch_{number}" for number in range(250, 250 + gone)}
            model.lists[CHARGES] = [row for row in model.lists[CHARGES] if row["id"] not in last]

    model.before = delete
    with serving(model) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=1)
    assert sorted(found.ids("charges")) == names(450), "what was read before it vanished, and all the others, once"
    assert any(asked.params.get("starting_after") == "ch_250" for asked in server.asked)


def test_full_slice_ends_and_the_next_continues(tmp_path: Path) -> None:
    with serving(StripeModel({CHARGES: charges(2000), "/v1/customers": [customer(n) for n in range(700)]})) as server:
        found = read_all(server.url, needs("charges", "customers"), tmp_path, concurrency=4, max_slice_bytes=40_000)
    assert len(found.outputs) > 3
    assert sorted(found.ids("charges")) == names(2000)
    assert sorted(found.ids("customers")) == names(700, "cus")
    for table, count in (("charges", 2000), ("customers", 700)):
        claims = found.coverage(table)
        assert sum(claim.rows for claim in claims) == count
        assert _holes(claims) == []
        assert len({claim.as_of for claim in claims}) == 1


def test_slice_ends_after_its_number_of_requests(tmp_path: Path) -> None:
    with serving(StripeModel({CHARGES: charges(2000)})) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=4, max_slice_requests=5)
    sent = [each.totals.counts["sent"] for each in found.reports]
    assert len(sent) >= 3
    assert max(sent) <= 5 + 4, "those that are on their way are waited for"
    assert sum(sent) == len(server.asked), "what is reported is what was sent"
    assert sorted(found.ids("charges")) == names(2000)


def test_requests_of_a_failed_slice_are_reported(tmp_path: Path) -> None:
    model = StripeModel({CHARGES: charges(500)})
    asked = 0

    def answer(request: Asked) -> Reply:
        nonlocal asked
        asked += 1
        return (
            problem(401, "Invalid API Key provided")
            if asked == 5
            else problem(500, "oops")
            if asked == 2
            else model(request)
        )

    seen: list[Any] = []
    with serving(answer) as server, pytest.raises(ConnectorError):
        read_all(server.url, needs("charges"), tmp_path, concurrency=1, report=seen.append)
    assert seen[-1]["counts"]["sent"] == asked == 5
    assert seen[-1]["counts"]["retries"] == 1


def _holes(claims: list[Coverage]) -> list[tuple[int, int]]:
    """The intervals between the claims that no claim covers."""
    assert None in {claim.window.gte for claim in claims}
    bounds = sorted((claim.window.gte or 0, claim.window.lt or 0) for claim in claims)
    return [(before[1], after[0]) for before, after in pairwise(bounds) if after[0] > before[1]]


def test_slices_claim_only_loaded_rows(tmp_path: Path) -> None:
    """After any number of slices, every charge in a claimed window is in a file."""
    with serving(StripeModel({CHARGES: charges(1500)})) as server:
        for slices in range(1, 5):
            found = read_all(
                server.url,
                needs("charges"),
                tmp_path / str(slices),
                slices=slices,
                concurrency=3,
                max_slice_bytes=30_000,
            )
            have = set(found.ids("charges"))
            for claim in found.coverage("charges"):
                for row in charges(1500):
                    if (claim.window.gte or 0) <= row["created"] < (claim.window.lt or 0):
                        assert row["id"] in have


@pytest.mark.parametrize("seed", range(3))
def test_faults_lose_and_duplicate_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    model = StripeModel({CHARGES: charges(3000)})

    def broken(asked: Asked) -> Reply:
        answer = model(asked)
        fault = chance.random()
        if fault < 0.05:
            return Reply(reset=True)
        if fault < 0.1:
            answer.cut = len(answer.body) // 2
        elif fault < 0.15:
            return Reply(answer.body[: len(answer.body) // 3])
        elif fault < 0.2:
            return problem(500, "oops")
        elif fault < 0.25:
            return problem(429, "slow down")
        return answer

    with serving(broken) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=5, retry={"first": 0.001, "tries": 12})
    assert sorted(found.ids("charges")) == names(3000)
    assert found.reports[0].totals.counts["retries"] > 0


def test_read_with_a_limit_stops_at_the_limit(tmp_path: Path) -> None:
    with serving(StripeModel({CHARGES: charges(1000)})) as server:
        found = read_all(server.url, needs("charges", limit=150), tmp_path)
    assert found.ids("charges") == [f"ch_{number}" for number in range(999, 849, -1)]
    assert [asked.params["limit"] for asked in server.asked] == ["100", "50"]
    (claim,) = found.coverage("charges")
    assert not claim.complete


@pytest.mark.parametrize("count", [0, 7, 150])
def test_read_below_its_limit_is_complete(tmp_path: Path, count: int) -> None:
    with serving(StripeModel({CHARGES: charges(count)})) as server:
        found = read_all(server.url, needs("charges", limit=150), tmp_path)
    assert len(found.ids("charges")) == count
    (claim,) = found.coverage("charges")
    assert (claim.complete, claim.window.gte, claim.rows) == (True, None, count)


def test_read_with_a_time_filter_stays_in_its_window(tmp_path: Path) -> None:
    where = ((Predicate("created", Op.GE, (START + 600,)), Predicate("created", Op.LT, (START + 60_000,))),)
    with serving(StripeModel({CHARGES: charges(1500)})) as server:
        found = read_all(server.url, needs("charges", where=where), tmp_path, concurrency=4)
    assert sorted(found.ids("charges")) == sorted(f"ch_{number}" for number in range(10, 1000))
    (claim,) = found.coverage("charges")
    assert (claim.window.gte, claim.window.lt, claim.complete) == (START + 600, START + 60_000, True)


def test_objects_are_retrieved_by_id(tmp_path: Path) -> None:
    where = ((Predicate("id", Op.IN, ("ch_1", "ch_7", "ch_none")),),)
    with serving(StripeModel({CHARGES: charges(10)})) as server:
        found = read_all(server.url, needs("charges", where=where), tmp_path)
    assert sorted(found.ids("charges")) == ["ch_1", "ch_7"]
    assert sorted(asked.path for asked in server.asked) == [f"{CHARGES}/{n}" for n in ("ch_1", "ch_7", "ch_none")]
    (claim,) = found.coverage("charges")
    assert claim.where == ((Predicate("id", Op.IN, ("ch_1", "ch_7", "ch_none")),),)
    assert (claim.strategy, claim.complete) == ("retrieve", True)


def invoice(number: int, lines: int, more: bool = False) -> dict[str, Any]:
    """An invoice that embeds its first lines."""
    first = [line(number, place) for place in range(min(lines, 10))]
    url = f"/v1/invoices/in_{number}/lines"
    return charge(number) | {
        "id": f"in_{number}",
        "object": "invoice",
        "lines": {"object": "list", "data": first, "has_more": more or lines > 10, "url": url},
    }


def line(number: int, place: int) -> dict[str, Any]:
    """A line of an invoice; the newest comes first."""
    return {
        "id": f"il_{number}_{place}",
        "object": "line_item",
        "invoice": f"in_{number}",
        "created": START - place,
        "livemode": False,
    }


@pytest.mark.parametrize("size", [None, 20_000])
def test_embedded_lists_are_read_to_their_end(tmp_path: Path, size: int | None) -> None:
    counts = {number: (number * 7) % 25 if number else 250 for number in range(130)}
    lists = {"/v1/invoices": [invoice(number, count) for number, count in counts.items()]}
    for number, count in counts.items():
        lists[f"/v1/invoices/in_{number}/lines"] = [line(number, place) for place in range(count)]
    # The model would treat these as filters, because they are no paging parameters.
    with serving(StripeModel(lists)) as server:
        found = read_all(server.url, needs("invoice_line_items"), tmp_path, concurrency=4, max_slice_bytes=size)
    assert sorted(found.ids("invoice_line_items")) == sorted(
        f"il_{number}_{place}" for number, count in counts.items() for place in range(count)
    )
    assert sorted(found.ids("invoices")) == sorted(f"in_{number}" for number in counts)
    (claim,) = found.coverage("invoice_line_items")
    assert (claim.strategy, claim.window.gte, claim.window.lt, claim.complete) == ("embedded", None, None, True)
    assert claim.rows == sum(counts.values())
    if size is not None:
        assert len(found.outputs) == 2
        for output in found.outputs:
            _parents_have_their_children(output, counts)


def _parents_have_their_children(output: Any, counts: dict[int, int]) -> None:
    """Each slice contains all lines of its invoices."""
    from engine.connector.spool import read_pages

    rows: dict[str, list[dict[str, Any]]] = {"invoices": [], "invoice_line_items": []}
    for file in output.files:
        for page in read_pages(Path(file.path)):
            rows[file.bucket] += json.loads(page)["data"]
    for each in rows["invoices"]:
        mine = [row for row in rows["invoice_line_items"] if row["invoice"] == each["id"]]
        assert len(mine) == counts[int(each["id"][3:])]


def test_lists_below_parents_are_read_for_each_parent(tmp_path: Path) -> None:
    lists: dict[str, list[dict[str, Any]]] = {"/v1/customers": [customer(number) for number in range(205)]}
    for number in range(200):
        path = f"/v1/customers/cus_{number}/balance_transactions"
        lists[path] = [
            charge(place) | {"id": f"cbtxn_{number}_{place}", "object": "customer_balance_transaction"}
            for place in range(number % 3)
        ]
    with serving(StripeModel(lists)) as server:
        found = read_all(server.url, needs("customer_balance_transactions"), tmp_path, concurrency=5)
    rows = found.tables["customer_balance_transactions"]
    assert sorted(row["id"] for row in rows) == sorted(
        f"cbtxn_{number}_{place}" for number in range(200) for place in range(number % 3)
    )
    assert all(row["customer"] == f"cus_{row['id'].split('_')[1]}" for row in rows), "filled in: the objects lack it"
    (claim,) = found.coverage("customer_balance_transactions")
    assert (claim.strategy, claim.complete) == ("parents", True)


def test_lists_without_windows_are_paged_sequentially(tmp_path: Path) -> None:
    rows = [charge(number) | {"id": f"we_{number}", "object": "webhook_endpoint"} for number in range(250)]
    with serving(StripeModel({"/v1/webhook_endpoints": rows})) as server:
        found = read_all(server.url, needs("webhook_endpoints"), tmp_path)
    assert sorted(found.ids("webhook_endpoints")) == names(250, "we")
    assert all("created[lt]" not in asked.params for asked in server.asked)
    (claim,) = found.coverage("webhook_endpoints")
    assert (claim.window.gte, claim.window.lt, claim.complete) == (None, None, True)


def test_v2_lists_follow_the_next_page(tmp_path: Path) -> None:
    def v2(asked: Asked) -> Reply:
        page = int(asked.params.get("page", "0"))
        row = {"id": f"acct_{page}", "object": "v2.core.account", "created": "2026-01-02T03:04:05.678Z"}
        after = f"https://api.stripe.com{asked.path}?limit=100&page={page + 1}" if page < 3 else None
        return reply({"data": [row], "next_page_url": after, "previous_page_url": None})

    with serving(v2) as server:
        found = read_all(server.url, needs("v2_core_accounts"), tmp_path)
    assert found.ids("v2_core_accounts") == ["acct_0", "acct_1", "acct_2", "acct_3"]
    assert not any("starting_after" in asked.params for asked in server.asked)
    assert all("bearer" in asked.headers["authorization"].lower() for asked in server.asked)


MISSING = "The key does not have the required permissions. Having the 'rak_charge_read' permission would allow this."


def test_missing_permission_fails_the_extraction(tmp_path: Path) -> None:
    model = StripeModel({CHARGES: [], "/v1/customers": []})
    model.before = lambda asked: problem(403, MISSING) if asked.path == CHARGES else None
    with serving(model) as server, pytest.raises(ConnectorError) as caught:
        read_all(server.url, needs("charges", "customers"), tmp_path)
    failure = caught.value.failure
    assert (failure.kind, failure.table, failure.permission) == (FailureKind.PERMISSION, "charges", "rak_charge_read")


def test_missing_permission_with_reporting_fails_only_its_tables(tmp_path: Path) -> None:
    model = StripeModel({CHARGES: charges(250), "/v1/invoices": []})
    model.before = lambda asked: problem(403, MISSING) if asked.path == "/v1/invoices" else None
    with serving(model) as server:
        found = read_all(server.url, needs("charges", "invoice_line_items"), tmp_path, table_failures="report")
    assert sorted(found.ids("charges")) == names(250)
    (failure,) = found.reports[0].failures
    assert (failure.table, failure.kind) == ("invoices", "permission")
    assert [found.coverage(table) for table in ("invoices", "invoice_line_items")] == [[], []]
    assert len(found.coverage("charges")) == 1


@pytest.mark.parametrize(
    ("table", "where", "failing"),
    [
        ("invoice_line_items", ((),), "/v1/invoices/in_1/lines"),
        ("charges", ((Predicate("id", Op.EQ, ("ch_1",)),),), f"{CHARGES}/ch_1"),
    ],
)
def test_unknown_path_does_not_count_rows_as_deleted(
    tmp_path: Path, table: str, where: tuple[tuple[Predicate, ...], ...], failing: str
) -> None:
    invoice = {"id": "in_1", "object": "invoice", "created": START}
    model = StripeModel({CHARGES: charges(3), "/v1/invoices": [invoice]})
    model.before = lambda asked: problem(404, "Unrecognized request URL") if asked.path == failing else None
    with serving(model) as server:
        found = read_all(server.url, needs(table, where=where), tmp_path, table_failures="report")
    (failure,) = found.reports[0].failures
    assert (failure.table, failure.kind, found.coverage(table)) == (table, "missing", [])


def test_invalid_key_fails_the_extraction(tmp_path: Path) -> None:
    with serving(lambda _: problem(401, "Invalid API Key provided")) as server, pytest.raises(ConnectorError) as caught:
        read_all(server.url, needs("charges"), tmp_path, table_failures="report")
    assert caught.value.failure.kind is FailureKind.KEY


def test_filter_by_an_unknown_object_reads_no_rows(tmp_path: Path) -> None:
    where = ((Predicate("customer", Op.EQ, ("cus_none",)),),)
    gone = problem(400, "No such customer: 'cus_none'", code="resource_missing", param="customer")
    with serving(lambda _: gone) as server:
        found = read_all(server.url, needs("charges", where=where), tmp_path)
    assert found.ids("charges") == []
    (claim,) = found.coverage("charges")
    assert (claim.complete, claim.where) == (True, ((Predicate("customer", Op.EQ, ("cus_none",)),),))


def test_unknown_fields_are_kept_and_counted_as_drift(tmp_path: Path) -> None:
    rows = [charge(number, colour="red") if number == 7 else charge(number) for number in range(120)]
    with serving(StripeModel({CHARGES: rows})) as server:
        found = read_all(server.url, needs("charges"), tmp_path, concurrency=1)
    files = {bool(file.meta["extra"]): file for file in found.outputs[0].files}
    assert (files[False].rows, files[True].rows) == (100, 20)
    assert files[True].meta["drift"] == [["colour", "unknown", 1]]
    assert files[True].meta["livemode"] is False
    (row,) = [row for row in found.tables["charges"] if row["id"] == "ch_7"]
    assert row["_extra"] == {"colour": "red"}


def test_response_of_another_api_version_is_a_warning(tmp_path: Path) -> None:
    answer = reply({"data": [charge(1)], "has_more": False}, stripe_version="2025-03-31.basil")
    with serving(lambda _: answer) as server:
        found = read_all(server.url, needs("charges"), tmp_path)
    (output,) = found.outputs
    assert "got 2025-03-31.basil" in decode_slice(output.value).warnings[0]
    assert output.files[0].meta["api_version"] == "2025-03-31.basil", "each row has the version it arrived in"
    assert found.coverage("charges")[0].api_version == CONNECTOR.catalogue(None).api_version


def test_live_objects_in_test_mode_are_refused(tmp_path: Path) -> None:
    with serving(StripeModel({CHARGES: [charge(1, livemode=True)]})) as server, pytest.raises(ConnectorError) as caught:
        read_all(server.url, needs("charges"), tmp_path)
    assert (caught.value.failure.kind, caught.value.failure.table) == (FailureKind.ANSWER, "charges")


def test_account_is_sent_and_recorded(tmp_path: Path) -> None:
    with serving(StripeModel({CHARGES: charges(1)})) as server:
        found = read_all(server.url, needs("charges"), tmp_path, account="acct_7")
    assert server.asked[0].headers["stripe-account"] == "acct_7"
    assert found.outputs[0].files[0].meta["account"] == found.coverage("charges")[0].account == "acct_7"


def test_all_connected_accounts_are_listed() -> None:
    accounts = [charge(number) | {"id": f"acct_{number}", "object": "account"} for number in range(105)]
    config = {"secret": ["sandbox", ""], "requests_per_second": 1000.0}
    with serving(StripeModel({"/v1/accounts": accounts})) as server:
        sent: list[int] = []
        found = CONNECTOR.accounts({**config, "base_url": server.url}, sent.append)
    assert sent == [2]
    assert found == tuple(sorted(f"acct_{number}" for number in range(105)))


def test_account_of_the_key_is_requested_once_if_wanted(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/v1/account":
            return Reply(body=b'{"id": "acct_7", "object": "account"}')
        return StripeModel({CHARGES: charges(500)})(asked)

    with serving(answer) as server:
        found = read_all(server.url, needs("charges"), tmp_path, identify=True, max_slice_bytes=20_000)
        read_all(server.url, needs("charges"), tmp_path / "connected", identify=True, account="acct_9")
        asked = [each.path for each in server.asked].count("/v1/account")
    identities = [each.changes.identity for each in found.reports]
    assert identities[0] == Identity("acct_7", livemode=False)
    assert set(map(str, identities[1:])) == {"None"}
    assert len(identities) > 1
    assert asked == 1


def test_cancelled_extraction_ends_soon(tmp_path: Path) -> None:
    model = StripeModel({CHARGES: charges(1000)})

    def slow(asked: Asked) -> Reply:
        answer = model(asked)
        answer.late = 30.0 if "starting_after" in asked.params else 0.0
        return answer

    started = time.monotonic()
    with serving(slow) as server:
        found = read_all(
            server.url, needs("charges"), tmp_path, slices=1, cancelled=lambda: time.monotonic() > started + 0.5
        )
    assert time.monotonic() - started < 5
    (output,) = found.outputs
    assert decode_slice(output.value).remaining is not None
    assert "ch_999" in found.ids("charges")


def test_progress_is_reported(tmp_path: Path) -> None:
    seen: list[Any] = []
    with serving(StripeModel({CHARGES: charges(300)})) as server:
        read_all(server.url, needs("charges"), tmp_path, report=seen.append, concurrency=1)
    assert seen[-1]["tables"] == {"charges": 300}
    assert seen[-1]["requests"] == {"charges": 3}
    assert seen[-1]["counts"] | {"bytes": 0} == {
        "sent": 3, "retries": 0, "limited": 0, "pages": 3, "rows": 300, "bytes": 0,
    }  # fmt: skip
    assert seen[-1]["waiting"] is None


def test_progress_reports_rate_limits_and_no_more_windows_are_cut(tmp_path: Path) -> None:
    seen: list[Any] = []
    with serving(StripeModel({CHARGES: charges(6000)})) as server:
        config = {"concurrency": 40, "requests_per_second": 80}
        found = read_all(server.url, needs("charges"), tmp_path, report=seen.append, **config)
    assert sorted(found.ids("charges")) == names(6000)
    assert len(server.asked) <= 66, "60 pages, and a part of a page for each of a few windows"
    assert "as fast as the limits let requests out" in [each["waiting"] for each in seen]
