"""Extraction against localstripe, an independent implementation of Stripe's lists."""

from __future__ import annotations

from pathlib import Path

from tests.integration.extract.conftest import LocalStripe
from tests.support.stripe.stripe_model import needs, read_all


def test_extract_from_localstripe_reads_every_object(localstripe: LocalStripe, tmp_path: Path) -> None:
    customers, charges, refunds = [], [], []
    for number in range(25):
        customer = localstripe("POST", "/v1/customers", f"email=c{number}@example.com&metadata[n]={number}")
        customers.append(customer["id"])
        if number % 2:
            card = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123"
            method = localstripe("POST", "/v1/payment_methods", f"type=card&{card}")["id"]
            localstripe("POST", f"/v1/payment_methods/{method}/attach", f"customer={customer['id']}")
            intent = localstripe(
                "POST",
                "/v1/payment_intents",
                f"amount={100 + number}&currency=eur&customer={customer['id']}&payment_method={method}&confirm=true",
            )
            assert intent["status"] == "succeeded"
            charges.append(intent["charges"]["data"][0]["id"])
        if number % 10 == 1:
            refunds.append(localstripe("POST", "/v1/refunds", f"charge={charges[-1]}&amount=50")["id"])
    found = read_all(
        localstripe.url, needs("customers", "charges", "refunds", "events"), tmp_path, table_failures="report"
    )
    assert sorted(found.ids("customers")) == sorted(customers)
    assert sorted(found.ids("charges")) == sorted(charges)
    assert sorted(found.ids("refunds")) == sorted(refunds)
    assert sum(row["amount"] for row in found.tables["charges"]) == sum(100 + number for number in range(1, 25, 2))
    created = [row for row in found.tables["events"] if row["type"] == "customer.created"]
    assert len(created) == len(customers)
