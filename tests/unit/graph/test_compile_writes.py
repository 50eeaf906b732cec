"""Compiling exports and calls with Stripe's own catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.connector import Shown
from engine.connectors.stripe import CONNECTOR
from engine.diagnostics import Collector
from engine.duck import DuckBinder
from engine.graph import Call, EntityFacts, Export, Graph, MatchColumn, WriteColumn, compile_project
from engine.project import resolve_specs
from engine.source import load_root
from engine.spec import validate_tree

WRITE = (
    "[customers, products, prices, subscriptions, invoices, refunds, coupons, promotion_codes, payment_methods, "
    "payment_links]"
)
FILES = {
    "connections/shop.yaml": (
        "kind: connection\nname: shop\nconnector: stripe\nis_source: true\nis_target: true\n"
        f"client_secret: {{env: KEY}}\ngrants: {{write: {WRITE}, moves_money: true}}\n"
    ),
    "schemas/goods.yaml": (
        "kind: schema\nname: goods\ncolumns:\n  sku: {type: text, required: true}\n  title: text\n  cents: integer\n"
        '  price: "decimal(18,4)"\n  money: text\n  at: timestamp\n  on_sale: boolean\n  share: float\n'
        "  labels: json\nkey: [sku]\n"
    ),
}
HEAD = "kind: interface\nname: push\nsteps:\n"


@pytest.fixture(scope="module")
def binder() -> Iterator[DuckBinder]:
    made = DuckBinder()
    yield made
    made.close()


@pytest.fixture
def compiled(tmp_path: Path, binder: DuckBinder) -> Compiled:
    return Compiled(tmp_path, binder)


class Compiled:
    """Compiles steps; `findings` are those of the last compilation."""

    def __init__(self, folder: Path, binder: DuckBinder) -> None:
        self._folder, self._binder = folder, binder
        self.findings: list[tuple[str, str]] = []

    def graph(self, *steps: str) -> Graph:
        text = HEAD + "".join(f"  - {{name: s{number}, {step}}}\n" for number, step in enumerate(steps))
        for name, written in {**FILES, "interfaces/push.yaml": text}.items():
            (self._folder / name).parent.mkdir(exist_ok=True)
            (self._folder / name).write_text(written)
        collector = Collector()
        tree = load_root(self._folder, collector)
        project = resolve_specs(validate_tree(tree, collector), tree, {"stripe": CONNECTOR}, collector)
        graph = compile_project(project, {"shop": CONNECTOR.catalogue(None)}, self._binder, {}, collector)
        self.findings = [(found.code, found.message) for found in collector if found.code not in ("W303", "W302")]
        return graph

    def export(self, entity: str, rest: str, box: str = "from: goods") -> Export:
        graph = self.graph(f"export: {{connection: shop, {box}, entity: {entity}, {rest}}}")
        assert self.findings == [], self.findings
        (found,) = (step for step in graph.steps if isinstance(step, Export))
        return found

    def wrong(self, entity: str, rest: str, box: str = "from: goods") -> list[tuple[str, str]]:
        self.graph(f"export: {{connection: shop, {box}, entity: {entity}, {rest}}}")
        return self.findings

    def call(self, function: str, rest: str) -> Call:
        graph = self.graph(f"call: {{connection: shop, function: {function}, {rest}}}")
        assert self.findings == [], self.findings
        (found,) = (step for step in graph.steps if isinstance(step, Call))
        return found


def at(step: Export | Call, path: str) -> WriteColumn:
    (found,) = (each for each in step.columns if each.path == path)
    return found


def uses(step: Export) -> dict[str, str]:
    return {use: verb.name for use, verb in step.verbs}


PRODUCT = "match: {id: sku}, map: {name: title}"
PRICE = "match: {lookup_key: sku}, map: {currency: money, product: title, unit_amount: price}"


def test_match_columns_are_sent_on_create(compiled: Compiled) -> None:
    step = compiled.export("products", PRODUCT)
    assert step.match == (MatchColumn("id", "sku", Shown("id")),)
    assert [each.path for each in step.columns] == ["id", "name"]
    assert at(step, "id").immutable
    assert not at(step, "name").immutable
    assert step.facts == EntityFacts(own_id=True, handover=None, archives=("active", "false"), lanes=())
    keyed = compiled.export("customers", 'match: {"metadata[sku]": SKU}, map: {email: title}')
    assert [(each.path, each.source, each.shown) for each in keyed.columns] == [
        ("metadata[sku]", "sku", Shown("metadata", ("sku",))),
        ("email", "title", Shown("email")),
    ]
    mapped = compiled.export("customers", 'match: {"metadata[sku]": sku}, map: {"metadata[sku]": {expr: "upper(sku)"}}')
    assert len(mapped.columns) == 1, "what is mapped is not mapped again"


@pytest.mark.parametrize(
    ("entity", "rest", "expected"),
    [
        ("products", PRODUCT, {"create": "create", "update": "update"}),
        ("prices", PRICE, {"create": "create", "update": "update", "replace": "update"}),
        ("prices", f"action: insert, {PRICE}", {"create": "create"}),
        ("prices", "action: update, match: {lookup_key: sku}, map: {nickname: title}", {"update": "update"}),
        ("products", "action: delete, match: {id: sku}", {"retire": "delete"}),
        ("products", f"on_missing: archive, {PRODUCT}", {"create": "create", "update": "update", "retire": "update"}),
        ("products", f"on_missing: delete, {PRODUCT}", {"create": "create", "update": "update", "retire": "delete"}),
        ("subscriptions", "action: update, match: {id: sku}, map: {description: title}, on_missing: cancel",
         {"update": "update", "retire": "cancel"}),
        ("invoices", "action: update, match: {id: sku}, map: {description: title}, on_missing: void",
         {"update": "update", "retire": "void"}),
        ("payment_methods", 'action: update, match: {id: sku}, map: {"metadata[a]": title}, on_missing: detach',
         {"update": "update", "retire": "detach"}),
    ],
)  # fmt: skip
def test_export_has_the_verbs_it_may_use(compiled: Compiled, entity: str, rest: str, expected: dict[str, str]) -> None:
    assert uses(compiled.export(entity, rest)) == {use: f"{entity}.{word}" for use, word in expected.items()}


def test_export_with_archiving_reactivates_returning_rows(compiled: Compiled) -> None:
    step = compiled.export("products", f"on_missing: archive, {PRODUCT}")
    assert at(step, "active").default == "TRUE"
    own = compiled.export("products", "on_missing: archive, match: {id: sku}, map: {name: title, active: on_sale}")
    assert (at(own, "active").default, at(own, "active").source) == (None, "on_sale")
    assert [each.path for each in compiled.export("products", PRODUCT).columns] == ["id", "name"]


def test_amount_columns_have_their_currency_and_minor_units(compiled: Compiled) -> None:
    step = compiled.export("prices", PRICE)
    assert at(step, "unit_amount").currency == "currency"
    assert dict(step.facts.minor_units)["jpy"] == 0
    assert step.facts.handover == ("transfer_lookup_key", "lookup_key")
    whole = compiled.export("prices", PRICE.replace("price}", "cents}"))
    assert (at(whole, "unit_amount").currency, whole.facts.minor_units) == (None, ())
    made = compiled.export("prices", PRICE.replace("unit_amount: price", 'unit_amount: {expr: "price * 2"}'))
    assert at(made, "unit_amount").currency == "currency"
    assert compiled.wrong("prices", PRICE.replace("unit_amount: price", "unit_amount: share")) == [
        ("E433", "expected an integer or a decimal for the amount `unit_amount`, found float in `share`")
    ]
    assert compiled.wrong("prices", PRICE.replace("unit_amount: price", "unit_amount: money")) == [
        ("E433", "expected an integer or a decimal for the amount `unit_amount`, found text in `money`")
    ]
    assert compiled.wrong("coupons", "match: {id: sku}, map: {duration: {default: once}, amount_off: price}") == [
        ("E433", "`amount_off` is a decimal amount without a currency")
    ]


@pytest.mark.parametrize(
    ("written", "in_major_units"), [("{from: price, default: 5}", True), ("{from: cents, default: 5}", False)]
)
def test_default_amount_is_in_the_units_of_its_column(compiled: Compiled, written: str, in_major_units: bool) -> None:
    step = compiled.export("prices", PRICE.replace("unit_amount: price", f"unit_amount: {written}"))
    literal = at(step, "unit_amount").default or ""
    assert ("DECIMAL" in literal) == in_major_units


def test_amount_with_only_a_default_is_in_minor_units(compiled: Compiled) -> None:
    assert at(compiled.export("prices", PRICE.replace("price}", "{default: 500}}")), "unit_amount").currency is None
    ((code, _),) = compiled.wrong("prices", PRICE.replace("price}", "{default: 5.5}}"))
    assert code in ("E418", "E433")


def test_part_of_an_object_has_its_sibling_parts(compiled: Compiled) -> None:
    step = compiled.export("customers", 'action: update, match: {id: sku}, map: {"address[city]": title, name: title}')
    assert set(at(step, "address[city]").beside) == {
        f"address[{each}]" for each in ("city", "country", "line1", "line2", "postal_code", "state")
    }
    assert at(step, "name").beside == ()
    assert at(step, "address[city]").shown == Shown("address", ("city",))


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("name", "{from: title, skip_if_empty: true}"),
        ("name", "{from: cents}"),
        ("tax_exempt", "{from: title, default: exempt}"),
        ("balance", "{from: cents, default: 0}"),
        ("preferred_locales", "labels"),
        ('"metadata[when]"', "at"),
        ('"invoice_settings[footer]"', "title"),
    ],
)
def test_mapping_of_a_fitting_type_compiles(compiled: Compiled, path: str, written: str) -> None:
    step = compiled.export("customers", f"action: update, match: {{id: sku}}, map: {{{path}: {written}}}")
    assert [each.path for each in step.columns] == [path.strip('"')]


@pytest.mark.parametrize(
    ("path", "written", "code"),
    [
        ("nme", "title", "E432"),
        ('"name[first]"', "title", "E432"),
        ('"preferred_locales[x]"', "title", "E432"),
        ('"address["', "title", "E432"),
        ("address", "title", "E433"),
        ("metadata", "labels", "E433"),
        ("balance", "at", "E433"),
        ("preferred_locales", "title", "E433"),
        ("name", "titel", "E411"),
        ("name", '{expr: "upper(titel)"}', "E403"),
        ("tax_exempt", "{default: often}", "E440"),
        ('"metadata[a]"', "{default: " + "x" * 501 + "}", "E440"),
        ("balance", "{default: many}", "E418"),
        ("source", "title", "E435"),
        ("description", "{from: sku, ref: s7}", "E438"),
        ("description", "{from: sku, ref: s0}", "E438"),
    ],
)
def test_mapping_of_an_unfitting_type_is_refused(compiled: Compiled, path: str, written: str, code: str) -> None:
    found = compiled.wrong("customers", f"action: update, match: {{id: sku}}, map: {{{path}: {written}}}")
    assert [each for each, _ in found] == [code], found


def test_metadata_with_too_many_keys_is_refused(compiled: Compiled) -> None:
    keys = ", ".join(f'"metadata[k{number}]": title' for number in range(51))
    assert compiled.wrong("customers", f"action: update, match: {{id: sku}}, map: {{{keys}}}") == [
        ("E440", "expected at most 50 keys in `metadata`, found 51")
    ]


@pytest.mark.parametrize(
    ("entity", "rest", "code"),
    [
        ("balance_transactions", "match: {id: sku}", "E430"),
        ("customer", "match: {id: sku}", "E430"),
        ("transfer_reversals", "match: {id: sku}", "E430"),
        ("events", "match: {id: sku}", "E430"),
        ("prices", "action: delete, match: {lookup_key: sku}", "E431"),
        ("customers", 'on_missing: archive, match: {"metadata[a]": sku}', "E431"),
        ("prices", "match: {lookup_key: sku}, map: {nickname: title}", "E434"),
        ("customers", "match: {id: sku}, map: {email: title}", "E436"),
        ("customers", "match: {source: sku}, map: {email: title}", "E436"),
        ("customers", "match: {created: at}, map: {email: title}", "E436"),
        ("charges", "action: update, match: {id: sku}, map: {description: title}", "E437"),
        ("customers", 'action: update, match: {id: nosku}, map: {email: title}', "E411"),
    ],
)  # fmt: skip
def test_unsupported_export_is_refused(compiled: Compiled, entity: str, rest: str, code: str) -> None:
    assert [each for each, _ in compiled.wrong(entity, rest)] == [code]


def test_references_resolve_to_earlier_exports_only(compiled: Compiled) -> None:
    product = f"export: {{connection: shop, from: goods, entity: products, {PRODUCT}}}"
    price = PRICE.replace("product: title", "product: {from: sku, ref: s0}")
    graph = compiled.graph(product, f"export: {{connection: shop, from: goods, entity: prices, {price}}}")
    assert compiled.findings == []
    first, second = (step for step in graph.steps if isinstance(step, Export))
    assert at(second, "product").ref == "s0"
    assert first.id in second.after
    compiled.graph(f"export: {{connection: shop, from: goods, entity: prices, {price.replace('s0', 's1')}}}", product)
    assert [code for code, _ in compiled.findings] == ["E438"]
    two = product.replace("{id: sku}", '{"metadata[a]": sku, "metadata[b]": title}')
    compiled.graph(two, f"export: {{connection: shop, from: goods, entity: prices, {price}}}")
    assert [message for _, message in compiled.findings] == ["`s0` matches by 2 columns, expected one"]


BOX = "sql: 'SELECT sku AS id, sku, title, price, money FROM schema.goods'"


def test_call_acts_on_the_object_of_its_id_column(compiled: Compiled) -> None:
    step = compiled.call("invoices.finalize", BOX)
    assert [(each.path, each.source) for each in step.columns] == [("id", "id")]
    assert (step.function, step.verb.of_object, step.returns, step.key) == ("invoices.finalize", True, "invoices", ())
    other = compiled.call(
        "invoices.finalize", f"{BOX}, parameters: {{id: sku, auto_advance: {{default: false}}}}, key: [TITLE]"
    )
    assert [(each.path, each.source, each.default) for each in other.columns] == [
        ("id", "sku", None),
        ("auto_advance", None, "FALSE"),
    ]
    assert other.key == ("title",)


def test_call_without_an_object_compiles(compiled: Compiled) -> None:
    step = compiled.call(
        "refunds.create", f"{BOX}, parameters: {{charge: sku, amount: price, currency: money}}, key: [sku]"
    )
    assert at(step, "amount").currency == "currency"
    assert dict(step.minor_units)["eur"] == 2
    assert not step.verb.of_object


@pytest.mark.parametrize(
    ("function", "rest", "code"),
    [
        ("invoices.finalise", BOX, "E439"),
        ("invoices.finalize", "sql: SELECT sku FROM schema.goods", "E434"),
        ("invoices.finalize", f"{BOX}, parameters: {{auto_advnce: title}}", "E432"),
        ("invoices.finalize", f"{BOX}, key: [nosku]", "E411"),
        ("payouts.create", f"{BOX}, parameters: {{amount: price, currency: money}}", "E437"),
        ("prices.create", f"{BOX}, parameters: {{product: sku}}", "E434"),
        ("customers.update_cash_balance", f"{BOX}, into: goods", "E442"),
    ],
)
def test_invalid_call_is_refused(compiled: Compiled, function: str, rest: str, code: str) -> None:
    compiled.graph(f"call: {{connection: shop, function: {function}, {rest}}}")
    assert [each for each, _ in compiled.findings] == [code], compiled.findings


def test_call_with_into_stores_answers_in_the_schema(compiled: Compiled) -> None:
    rest = f"{BOX}, into: goods, match: {{sku: sku}}, map: {{sku: sku, title: hosted_invoice_url, cents: total}}"
    step = compiled.call("invoices.finalize", rest)
    assert step.answer is not None
    assert (step.answer.into, step.answer.match) == ("goods", (("sku", "sku"),))
    names = step.answer.box.bound.relation.names
    assert {"hosted_invoice_url", "total", "sku", "title"} <= set(names)
    assert names.count("id") == 1


def test_part_that_only_create_accepts_is_sent_on_create(compiled: Compiled) -> None:
    lines = '"line_items[0][price]": title, "line_items[0][quantity]": cents'
    step = compiled_without_notes(compiled, "payment_links", f'match: {{"metadata[sku]": sku}}, map: {{{lines}}}')
    column = at(step, "line_items[0][price]")
    assert (column.immutable, column.on_create, column.shown) == (True, True, None)


def test_part_that_only_update_accepts_is_sent_by_the_next_run(compiled: Compiled) -> None:
    items = '"items[0][id]": title, customer: money'
    step = compiled_without_notes(compiled, "subscriptions", f'match: {{"metadata[sku]": sku}}, map: {{{items}}}')
    assert not at(step, "items[0][id]").on_create
    assert at(step, "customer").on_create


def compiled_without_notes(compiled: Compiled, entity: str, rest: str) -> Export:
    """Like `Compiled.export`, for mapped values that objects do not show."""
    graph = compiled.graph(f"export: {{connection: shop, from: goods, entity: {entity}, {rest}}}")
    assert {code for code, _ in compiled.findings} <= {"W406"}, compiled.findings
    (found,) = (step for step in graph.steps if isinstance(step, Export))
    return found
