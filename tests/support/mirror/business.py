"""The changes of a shop. A deed takes two numbers that select object and variant; refused writes are ignored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from tests.support.mirror.shop import RefusedError, Shop

DAY: Final = 86_400
COUPONS: Final = ("SPRING", "SUMMER", "WINTER")
LINES: Final = (1, 2, 11, 101)


class Business:
    """The business of one account."""

    def __init__(self, shop: Shop, account: str | None) -> None:
        self.shop = shop
        self.account = account
        self._made = 0

    def do(self, deed: str, who: int, how: int, late: int = 0) -> None:
        """Do a deed of `DEEDS`, with events visible this many seconds late."""
        self.shop.configure(event_delay=late)
        with suppress(RefusedError):
            DEEDS[deed](self, who, how)

    def begin(self) -> None:
        """Create some objects of every kind."""
        for deed, how in (
            ("create_customer", 1), ("create_product", 0), ("create_price", 1), ("subscribe", 0), ("draft_invoice", 1),
            ("draft_invoice", 2), ("charge", 0), ("refund", 0), ("intend", 1), ("owe", 0), ("make_coupon", 0),
        ):  # fmt: skip
            self.do(deed, 0, how)

    def post(self, path: str, *, silent: bool = False, **params: Any) -> Any:
        """Send a write. `a__b` stands for `a[b]`."""
        form = {_bracketed(name): value for name, value in params.items()}
        return self.shop.act("POST", path, form, account=self.account, silent=silent)

    def delete(self, path: str) -> Any:
        """Send a deletion."""
        return self.shop.act("DELETE", path, account=self.account)

    def one(self, resource: str, who: int) -> str:
        """The ID of an object of this kind; raises `RefusedError` if there is none."""
        rows = self.shop.rows(resource, self.account)
        if not rows:
            raise RefusedError(404)
        match who % 3:  # Often the same ones, so that changes of an object follow each other.
            case 0:
                return rows[-1].id
            case 1:
                return rows[0].id
            case _:
                return rows[who % len(rows)].id

    def word(self) -> str:
        """A new word."""
        self._made += 1
        return f"word-{self._made}"

    def create_customer(self, who: int, how: int) -> None:
        paying = {"payment_method": "pm_card_visa"} if how % 4 else {}
        for _ in range(1 + who % 3):  # In one second.
            self.post("/v1/customers", email=f"{self.word()}@example.com", **paying)

    def create_many_customers(self, who: int, _how: int) -> None:
        for number in range(105 + who % 60):
            if number % 2:
                self.shop.advance(1)
            self.post("/v1/customers", name=self.word())

    def update_customer(self, who: int, how: int) -> None:
        self.post(f"/v1/customers/{self.one('customer', who)}", name=self.word(), metadata__n=how)

    def delete_customer(self, who: int, _how: int) -> None:
        self.delete(f"/v1/customers/{self.one('customer', who)}")

    def create_product(self, _who: int, _how: int) -> None:
        self.post("/v1/products", name=self.word())

    def update_product(self, who: int, how: int) -> None:
        active = {} if how % 2 else {"active": "true" if how % 4 else "false"}
        self.post(f"/v1/products/{self.one('product', who)}", name=self.word(), **active)

    def delete_product(self, who: int, _how: int) -> None:
        self.delete(f"/v1/products/{self.one('product', who)}")

    def create_price(self, who: int, how: int) -> None:
        every = {} if how % 3 == 0 else {"recurring__interval": "month" if how % 3 == 1 else "week"}
        product = self.post("/v1/products", name=self.word())["id"] if who % 3 == 0 else self.one("product", who)
        active = "false" if how % 7 == 6 else "true"
        self.post("/v1/prices", currency="usd", unit_amount=100 + how, product=product, active=active, **every)

    def update_price(self, who: int, how: int) -> None:
        active = {} if how % 2 else {"active": "true" if how % 4 else "false"}
        self.post(f"/v1/prices/{self.one('price', who)}", nickname=self.word(), **active)

    def subscribe(self, who: int, how: int) -> None:
        trial = {"trial_period_days": 3} if how % 5 == 4 else {}
        items = {f"items[{place}][price]": self.one("price", how + place) for place in range(1 + how % 2)}
        self.post("/v1/subscriptions", customer=self.one("customer", who), **items, **trial)

    def change_subscription(self, who: int, how: int) -> None:
        path = f"/v1/subscriptions/{self.one('subscription', who)}"
        items = self.shop.act("GET", path, account=self.account)["items"]["data"]
        match how % 5:
            case 0:
                self.post(path, metadata__note=self.word())
            case 1:
                self.post(path, items__0__price=self.one("price", how))
            case 2 if len(items) > 1:
                self.post(path, items__0__id=items[0]["id"], items__0__deleted="true")
            case 3 if items:
                self.post(path, items__0__id=items[0]["id"], items__0__quantity=1 + how)
            case _:
                self.delete(path)

    def remove_item(self, who: int, how: int) -> None:
        """Remove an item from a subscription with several; if there is none, add an item to one."""
        for row in self.shop.rows("subscription", self.account):
            path = f"/v1/subscriptions/{row.id}"
            items = self.shop.act("GET", path, account=self.account)["items"]["data"]
            if len(items) > 1:
                self.post(path, items__0__id=items[who % len(items)]["id"], items__0__deleted="true")
                return
        price = self.post(
            "/v1/prices", currency="usd", unit_amount=100 + how, product=self.one("product", who),
            recurring__interval="month",
        )  # fmt: skip
        self.post(f"/v1/subscriptions/{self.one('subscription', who)}", items__0__price=price["id"])

    def draft_invoice(self, who: int, how: int) -> None:
        customer = self.one("customer", who)
        invoice = self.post("/v1/invoices", customer=customer, currency="usd")["id"]
        for number in range(LINES[how % len(LINES)]):
            self.post("/v1/invoiceitems", customer=customer, invoice=invoice, amount=100 + number, currency="usd")
        if how % 2:
            self.post(f"/v1/invoices/{invoice}/finalize")

    def change_invoice(self, who: int, how: int) -> None:
        path = f"/v1/invoices/{self.one('invoice', who)}"
        match how % 6:
            case 0:
                self.post(path, description=self.word())
            case 1:
                self.post(f"{path}/finalize")
            case 2:
                self.post(f"{path}/pay")
            case 3:
                self.post(f"{path}/void")
            case 4:
                self.delete(path)
            case _:
                invoice = self.shop.act("GET", path, account=self.account)
                self.post("/v1/invoiceitems", customer=invoice["customer"], invoice=invoice["id"], amount=7)

    def owe(self, who: int, how: int) -> None:
        """Create an item that waits for an invoice."""
        self.post("/v1/invoiceitems", customer=self.one("customer", who), amount=100 + how, currency="usd")

    def remove_line(self, who: int, _how: int) -> None:
        """Remove an item from an invoice."""
        drafts = {row.id for row in self.shop.rows("invoice", self.account) if row.obj["status"] == "draft"}
        items = [row.id for row in self.shop.rows("invoiceitem", self.account) if row.obj["invoice"] in drafts]
        if items:
            self.delete(f"/v1/invoiceitems/{items[who % len(items)]}")

    def change_invoice_item(self, who: int, how: int) -> None:
        path = f"/v1/invoiceitems/{self.one('invoiceitem', who)}"
        if how % 3:
            self.post(path, description=self.word(), amount=50 + how)
        else:
            self.delete(path)

    def charge(self, who: int, how: int) -> None:
        card = "tok_chargeDeclined" if how % 5 == 4 else "tok_visa"
        capture = "false" if how % 5 == 3 else "true"
        self.post("/v1/charges", amount=100 + how, currency="usd", source=card, capture=capture, description=who)

    def change_charge(self, who: int, how: int) -> None:
        path = f"/v1/charges/{self.one('charge', who)}"
        if how % 3 == 0:
            self.post(f"{path}/capture")
        else:
            self.post(path, description=self.word())

    def refund(self, who: int, how: int) -> None:
        self.post("/v1/refunds", charge=self.one("charge", who), amount=10 + how)

    def change_refund(self, who: int, _how: int) -> None:
        self.post(f"/v1/refunds/{self.one('refund', who)}", metadata__note=self.word())

    def intend(self, who: int, how: int) -> None:
        confirm = {"payment_method": "pm_card_visa", "confirm": "true"} if how % 3 == 0 else {}
        customer = {"customer": self.one("customer", who)} if how % 2 else {}
        self.post("/v1/payment_intents", amount=100 + how, currency="usd", **customer, **confirm)

    def change_intent(self, who: int, how: int) -> None:
        """Edit an intent; Stripe has no event for it."""
        path = f"/v1/payment_intents/{self.one('payment_intent', who)}"
        match how % 4:
            case 0:
                self.post(f"{path}/cancel")
            case 1:
                self.post(f"{path}/confirm", payment_method="pm_card_visa")
            case _:
                self.post(path, description=self.word())

    def make_coupon(self, who: int, how: int) -> None:
        self.post("/v1/coupons", id=COUPONS[who % len(COUPONS)], percent_off=1 + how % 90, duration="once")

    def update_coupon(self, who: int, _how: int) -> None:
        self.post(f"/v1/coupons/{self.one('coupon', who)}", name=self.word())

    def delete_coupon(self, who: int, _how: int) -> None:
        self.delete(f"/v1/coupons/{self.one('coupon', who)}")

    def remake_coupon(self, who: int, how: int) -> None:
        identifier = self.one("coupon", who)
        self.delete(f"/v1/coupons/{identifier}")
        if how % 2:
            self.shop.advance(1)
        self.post("/v1/coupons", id=identifier, amount_off=100 + how, currency="usd", duration="forever")

    def edit_silently(self, who: int, how: int) -> None:
        """An edit without an event, in tables known for them. An item on an invoice would change the invoice, too."""
        waiting = [row.id for row in self.shop.rows("invoiceitem", self.account) if row.obj["invoice"] is None]
        if how % 2 and waiting:
            path = f"/v1/invoiceitems/{waiting[who % len(waiting)]}"
        else:
            path = f"/v1/payment_intents/{self.one('payment_intent', who)}"
        self.post(path, silent=True, description=self.word())

    def render_events(self, _who: int, how: int) -> None:
        """Switch the API version of the objects in later events."""
        self.shop.configure(event_api_version=(None, "2024-06-20")[how % 2])

    def wait(self, _who: int, how: int) -> None:
        self.shop.advance((1, 2, 30, 299, 600)[how % 5])


def _bracketed(name: str) -> str:
    head, *rest = name.split("__")
    return head + "".join(f"[{part}]" for part in rest)


DEEDS: Final[dict[str, Callable[[Business, int, int], None]]] = {
    name: deed
    for name, deed in vars(Business).items()
    if callable(deed) and not name.startswith("_") and name not in ("begin", "do", "post", "delete", "one", "word")
}
USUAL: Final = tuple(sorted(DEEDS.keys() - {"create_many_customers"}))
UPDATES: Final = ("change_charge", "change_invoice", "change_refund", "change_subscription", "update_coupon",
                  "update_customer", "update_price", "update_product")  # fmt: skip
