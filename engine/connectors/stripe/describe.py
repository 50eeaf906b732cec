"""The catalogue for people: what `weir catalog` shows of a table, ready to be rendered."""

from __future__ import annotations

from engine.connector import SYSTEM_COLUMNS, ColumnDescription, TableDescription, TableSummary, WriteDescription
from engine.relation import Relation

from .catalogue import Field, FieldType, Table, Write, load_catalogue, table_fields, table_relation
from .connector import column_filters

_SYNC_WORDS = {
    "events": "events: every change emits one",
    "events+reconcile": "events, and a re-read on a schedule: some changes are silent",
    "created+reread": "new rows by `created`, changed ones by a re-read",
    "parents": "with its parents",
    "snapshot": "read whole each time",
}


def summarise_tables() -> tuple[TableSummary, ...]:
    """All tables in order of name."""
    catalogue = load_catalogue()
    return tuple(
        TableSummary(
            name=table.name,
            path=table.path,
            sync=table.sync.value,
            columns=len(table_fields(table.name)),
            filters=tuple(column_filters(table)),
            events=len(table.events),
            writes=tuple(dict.fromkeys(write.verb for write in _writes(table))),
        )
        for table in catalogue.tables.values()
    )


def unreadable_lists() -> dict[str, str]:
    """The lists that are no tables, by path, with the reason."""
    return dict(load_catalogue().unreadable)


def describe_table(name: str) -> TableDescription:
    """Everything about the table `name`. KeyError when there is none."""
    table = load_catalogue().tables[name]
    relation = table_relation(name)
    return TableDescription(
        name=table.name,
        path=table.path,
        resources=table.resources,
        reached=_reached(table),
        sync=_SYNC_WORDS[table.sync.value],
        key=table.key,
        permission=table.permission,
        hidden=table.hidden,
        columns=tuple(_column(table, field, relation) for field in table_fields(name)),
        system_columns=tuple(
            ColumnDescription(column.name, str(column.type), not column.required, column.description)
            for column in SYSTEM_COLUMNS
        ),
        events=table.events,
        writes=tuple(
            WriteDescription(
                write.verb, write.kind.value, write.method.upper(), write.path, write.effect.value, write.immutable
            )
            for write in _writes(table)
        ),
    )


def _writes(table: Table) -> tuple[Write, ...]:
    writes = load_catalogue().writes
    return tuple(writes[place] for place in table.writes)


def _reached(table: Table) -> str:
    if not table.parents:
        return "one list"
    owner = table.parents[0].table
    if table.embedded is None:
        return f"one list for each row of `{owner}`"
    expanded = ", expanded on request" if table.embedded.expand else ""
    return f"inside `{owner}` (field `{table.embedded.field}`{expanded}), paged on where it has more than ten"


def _column(table: Table, field: Field, relation: Relation) -> ColumnDescription:
    column = relation.find(field.name)
    filters = column_filters(table).get(field.name, frozenset())
    return ColumnDescription(
        name=field.name,
        type=str(column.type) if column is not None else "json",
        nullable=field.nullable,
        holds=_holds(field),
        values=field.values,
        references=_tables_of(field.targets) if field.type is FieldType.REFERENCE else (),
        filters=tuple(sorted(each.value for each in filters)),
        expand=field.includable,
    )


def _tables_of(resources: tuple[str, ...]) -> tuple[str, ...]:
    """The tables that list these kinds by themselves."""
    tables = load_catalogue().tables.values()
    return tuple(table.name for table in tables if not table.parents and set(table.resources) & set(resources))


def _holds(field: Field) -> str:
    words = {
        FieldType.ENUM: "one of a set of words",
        FieldType.TIMESTAMP: "a timestamp",
        FieldType.DATETIME: "a timestamp",
        FieldType.DECIMAL: "an exact number",
        FieldType.REFERENCE: "an id",
        FieldType.MAP: "text by key",
        FieldType.SUBLIST: "the first of a list of objects",
        FieldType.RESOURCE: "an object",
        FieldType.LIST: "an array",
        FieldType.OBJECT: "nested fields",
        FieldType.ANY: "various",
    }
    kind = words.get(field.type, field.type.value.replace("_", " "))
    targets = f" ({' or '.join(field.targets)})" if field.targets else ""
    return kind + targets
