"""The check of requests against the SDK accepts valid and refuses invalid ones."""

from __future__ import annotations

import pytest

from tests.support.stripe.conformance import read_schemas


def request(method: str, path: str, body: str, key: str | None = "k") -> dict[str, str | None]:
    return {"method": method, "path": path, "body": body, "query": "", "idempotency_key": key}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/customers", "name=Ada&address[city]=Ulm&metadata[a%20b]=&preferred_locales[0]=de"),
        ("POST", "/v1/customers/cus_1", "name=&metadata[a]=&balance=-5&tax_exempt=none"),
        ("DELETE", "/v1/customers/cus_1", ""),
        ("POST", "/v1/prices", "currency=eur&unit_amount=5&recurring[interval]=month&tiers[0][up_to]=inf"),
        ("POST", "/v1/invoices/in_1/finalize", ""),
        ("DELETE", "/v1/subscriptions/sub_1", "prorate=true"),
    ],
)
def test_valid_request_has_no_problem(method: str, path: str, body: str) -> None:
    assert read_schemas().check(request(method, path, body)) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "problem"),
    [
        ("POST", "/v1/customer", "", "the SDK has no such request"),
        ("DELETE", "/v1/prices/price_1", "", "the SDK has no such request"),
        ("POST", "/v1/customers", "nmae=Ada", "no parameter `nmae`"),
        ("POST", "/v1/customers", "address[town]=Ulm", "no parameter `address[town]`"),
        ("POST", "/v1/customers", "address=Ulm", "`address` is no one value"),
        ("POST", "/v1/customers", "name[first]=Ada", "`name` is one value"),
        ("POST", "/v1/customers", "name=Ada&name=Eve", "`name` is given twice"),
        ("POST", "/v1/customers", "preferred_locales[1]=de", "`preferred_locales` has the positions 1"),
        ("POST", "/v1/customers", "tax_exempt=often", "`tax_exempt` does not take `often`"),
        ("POST", "/v1/customers", "balance=1.5", "`balance`: `1.5` is no integer"),
        ("POST", "/v1/customers", "metadata[a][b]=1", "`metadata` has values that are no text"),
        ("POST", "/v1/prices", "unit_amount=5", "`` lacks `currency`"),
        ("POST", "/v1/prices", "currency=eur&recurring[interval_count]=2", "`recurring` lacks `interval`"),
        ("POST", "/v1/prices", "currency=eur&active=yes", "`active`: `yes` is no boolean"),
    ],
)
def test_invalid_request_has_a_problem(method: str, path: str, body: str, problem: str) -> None:
    assert read_schemas().check(request(method, path, body)) == [f"{method} {path}: {problem}"]


def test_write_without_an_idempotency_key_has_a_problem() -> None:
    assert read_schemas().check(request("POST", "/v1/customers", "", None)) == [
        "POST /v1/customers: it has no idempotency key"
    ]
