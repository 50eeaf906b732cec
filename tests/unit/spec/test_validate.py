"""The specs of valid definitions, and the findings of invalid ones."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.spec import MapSpec
from tests.support.documents import CONNECTION, FILES, INTERFACE, SCHEMA, validated, validated_files


def codes(**files: str) -> list[str]:
    _, found = validated(**files)
    return [item.code for item in found]


def test_every_field_of_every_kind_is_read() -> None:
    specs, found = validated_files(FILES)
    assert list(found) == []
    (connection,), (interface,), (schema,) = specs.connections, specs.interfaces, specs.schemas
    assert connection.place.file == "connections/stripe_main.yaml"
    assert connection.spec.client_secret.reference == ("env", "STRIPE_SECRET_KEY")
    assert connection.spec.timeout_ms == 30_000
    assert connection.spec.accounts == ("acct_1abc",)
    assert connection.spec.grants.write == ("customers", "products")
    assert connection.spec.meta == {"owner": "finance", "anything": [1, {"x": "y"}]}
    assert interface.spec.timeout == timedelta(minutes=30)
    assert interface.spec.schedule is not None
    assert interface.spec.schedule.every == timedelta(minutes=15)
    assert [step.kind for step in interface.spec.steps] == [
        "import", "transform", "export", "call", "stop_if", "respond",
    ]  # fmt: skip
    assert [interface.spec.step_name(index) for index in range(6)] == [
        "load", "tidy", "push", "finalize", "stop_if_5", "respond_6",
    ]  # fmt: skip
    assert {name: str(column.column_type) for name, column in schema.spec.columns.items()} == {
        "customer_id": "text",
        "email": "text",
        "created_at": "timestamp",
        "lifetime_value": "decimal(18,2)",
        "tags": "text[]",
    }
    assert schema.spec.key == ("customer_id",)
    assert specs.settings.agents["cluster"].parallelism == 8
    assert specs.broken == frozenset()


def test_short_and_long_forms_of_map_are_equal() -> None:
    specs, _ = validated(interfaces__a=INTERFACE)
    load = specs.interfaces[0].spec.steps[0].import_
    assert load is not None
    assert isinstance(load.map, dict)
    assert load.map["customer_id"] == MapSpec.model_validate({"from": "id"})
    assert load.map["email"].skip_if_empty
    assert (load.map["created_at"].expr, load.map["created_at"].default) == ("created", 0)


def test_skipped_fields_have_their_defaults() -> None:
    specs, found = validated(
        connections__a="kind: connection\nname: a\nconnector: stripe\nclient_secret: {file: /run/secrets/key}\n",
        interfaces__a="kind: interface\nname: a\nsteps: [{import: {connection: a, into: t}}]\n",
    )
    assert list(found) == []
    connection = specs.connections[0].spec
    assert (connection.is_active, connection.is_source, connection.is_target) == (True, False, False)
    assert (connection.agent, connection.timeout_ms, connection.mode) == ("local", 30_000, None)
    assert not connection.grants.write
    step = specs.interfaces[0].spec.steps[0]
    assert step.import_ is not None
    assert (step.import_.action, step.import_.map, step.import_.match) == ("upsert", "auto", None)
    assert (step.on_error, step.on_empty, step.snapshot) == ("stop", "continue", False)


def test_x_keys_are_allowed_at_every_level() -> None:
    schema = SCHEMA + "x-any: {thing: [1]}\n"
    schema = schema.replace("  email: text\n", "  email: {type: text, x-pii: true}\n  x-note: {not: a column}\n")
    specs, found = validated(schemas__a=schema)
    assert list(found) == []
    assert "x-note" not in specs.schemas[0].spec.columns


@pytest.mark.parametrize("written", ["{type: decimal(18,2)}", "{type: decimal(18, 2), default: 0}", "decimal(18, 2)"])
def test_decimal_type_in_braces_needs_no_quotes(written: str) -> None:
    specs, found = validated(schemas__a=f"kind: schema\nname: a\ncolumns: {{x: {written}, y: text}}\n")
    assert list(found) == []
    column = specs.schemas[0].spec.columns["x"].column_type
    assert (column.precision, column.scale) == (18, 2)
    assert list(specs.schemas[0].spec.columns) == ["x", "y"]


def test_broken_definition_is_recorded_by_name_and_others_are_valid() -> None:
    specs, found = validated(
        connections__a=CONNECTION.replace("timeout_ms: 30000", "timeout_ms: soon"),
        connections__b=CONNECTION.replace("stripe_main", "second"),
        connections__third="kind: connection\nname: [",
        schemas__a=SCHEMA,
    )
    assert [item.code for item in found] == ["E104", "E202"]
    assert [defined.spec.name for defined in specs.connections] == ["second"]
    assert specs.broken == {("connection", "stripe_main"), ("connection", "third")}
    assert len(specs.schemas) == 1


def test_all_errors_of_one_definition_are_reported() -> None:
    text = CONNECTION.replace("mode: test", "mode: prod").replace("connector:", "conector:").replace("30000", "1")
    assert sorted(codes(connections__a=text)) == ["E201", "E203", "E204", "E216"]


@pytest.mark.parametrize(
    "secret",
    ["plain", '"plain"', "${STRIPE_KEY}", "{{ env.KEY }}", "|\n  plain", "sk_live_0123456789abcdef", "12345"],
)
def test_literal_secret_is_refused_and_not_repeated(secret: str) -> None:
    text = f"kind: connection\nname: a\nconnector: stripe\nclient_secret: {secret}\n"
    _, found = validated(connections__a=text)
    assert found.has_errors
    for item in found:
        assert item.code in ("E206", "E202", "E104", "E112")
        for shown in (item.message, item.hint or "", *(fix.title + fix.replacement for fix in item.fixes)):
            assert "plain`" not in shown
            assert "0123456789abcdef" not in shown
            assert "12345" not in shown


@pytest.mark.parametrize(
    ("text", "codes_expected"),
    [
        ("# sk_live_0123456789abcdef\n", ["E207"]),
        ('x-note: "sk\\x5ftest_0123456789abcdef"\n', ["E207"]),
        ("x-meta: {rk_live_0123456789abcdef: 1}\n", ["E207"]),
        ("x-webhook: whsec_0123456789abcdef\n", ["E207"]),
        ("x-note: sk_test_weir_sandbox\n", []),
        ("x-note: sk_test_short\n", []),
        ("x-note: pk_live_0123456789abcdef\n", []),
    ],
)
def test_text_that_looks_like_a_key_is_found_anywhere(text: str, codes_expected: list[str]) -> None:
    assert codes(connections__a=CONNECTION + text) == codes_expected


def test_fixes_replace_misspelled_keys_and_values() -> None:
    text = CONNECTION.replace("is_active: true", "is_actve: yes").replace("mode: test", "mode: tst")
    _, found = validated(connections__a=text)
    assert {fix.replacement for item in found for fix in item.fixes} == {"is_active", "test"}


def test_fix_never_makes_a_duplicate_key() -> None:
    _, found = validated(connections__a=CONNECTION + "is_sources: true\n")
    (item,) = found
    assert item.code == "E201"
    assert item.fixes == ()


@pytest.mark.parametrize(
    "address",
    [
        "sandbox", "https://proxy.example.com/stripe", "http://127.0.0.1:12111", "http://localhost", "http://[::1]:80",
        "http://stripe.localhost:8080/v1",
    ],
)  # fmt: skip
def test_valid_base_url_is_accepted(address: str) -> None:
    specs, found = validated(connections__a=CONNECTION.replace("base_url: null", f'base_url: "{address}"'))
    assert list(found) == []
    assert specs.connections[0].spec.base_url == address


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1.example.com", "http://10.0.0.1", "ftp://x", "https://", "//x", "sandbox2", "https://u:p@x",
        "https://x?y=1", "http://localhost.evil.com", "http://[::1", "https://x:port",
    ],
)  # fmt: skip
def test_invalid_base_url_is_refused(address: str) -> None:
    assert codes(connections__a=CONNECTION.replace("base_url: null", f'base_url: "{address}"')) in (["E214"], ["E215"])


@pytest.mark.parametrize(
    "step",
    [
        "{import: {connection: a, into: t, sql: ''}}",
        "{import: null}",
        "{}",
        "import",
        "null",
        "{import: {connection: a, into: t}, on_error: 1}",
        "{import: {connection: a, into: t, map: [x]}}",
        "{import: {connection: a, into: t, map: {}, match: {}}}",
        "{import: {connection: a, into: t, sql_file: ../../etc/passwd}}",
        "{export: {connection: a, entity: e}}",
        "{export: {connection: a, entity: e, map: {a: b}}}",
        "{call: {connection: a, function: finalize, sql: x}}",
        "{transform: {into: t, sql: x, action: merge}}",
        "{respond: SELECT 1}",
    ],
)
def test_invalid_step_is_refused_in_plain_words(step: str) -> None:
    _, found = validated(interfaces__a=f"kind: interface\nname: a\nsteps:\n  - {step}\n")
    assert found.has_errors
    assert len(found) <= 2
    for item in found:
        assert "union" not in item.message
        assert "pydantic" not in item.message


@pytest.mark.parametrize("duration", ["1ms", "30s", "15m", "2h", "1d", "090m"])
def test_valid_duration_is_accepted(duration: str) -> None:
    assert codes(interfaces__a=INTERFACE.replace("timeout: 30m", f"timeout: {duration}")) == []


@pytest.mark.parametrize("duration", ["15", "0s", "1w", "1h30m", "-5m", "1.5h", "PT1H", "[5m]", "1 h", "99999999999d"])
def test_invalid_duration_is_refused(duration: str) -> None:
    assert codes(interfaces__a=INTERFACE.replace("timeout: 30m", f"timeout: {duration}")) == ["E213"]


def test_empty_settings_file_has_the_defaults() -> None:
    specs, found = validated_files({"weir.yaml": "{}\n"})
    assert list(found) == []
    assert specs.settings.state == ".weir"
