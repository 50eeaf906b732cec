"""How to write the first case, said with the names of the project."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from engine.app.checking.check import Checked
from engine.graph import Import

_TEXT: Final = """\
no cases yet. The first one, in interfaces/{name}.test.yaml:

    # yaml-language-server: $schema=../schemas/test.schema.json
    kind: test
    cases:
      - name: what it shows, in a few words
        given:
          {connection}:
            {source}:
              - {{{keys}}}
        expect:
          schema:
            {table}:
              - {{{columns}}}

`given` are rows as the SQL box sees them, `expect` the rows that the table has afterwards.
"""


def first_case(checked: Checked, patterns: Sequence[str]) -> str:
    """A case to begin with: of the first import of the interfaces that are meant, or of any."""

    catalogues = checked.catalogues
    for step in checked.graph.steps:
        if not isinstance(step, Import) or step.connection is None:
            continue
        if patterns and not any(fnmatchcase(step.interface, each.partition("::")[0]) for each in patterns):
            continue
        own = [read.need.table for read in step.box.bound.reads if read.namespace == step.connection]
        if own:
            key = catalogues[step.connection].tables[own[0]].key
            columns = checked.project.tables[step.into].key or step.relation.names[:2]
            return _filled(step.interface, step.connection, own[0], key, step.into, columns)
    return _filled("customers", "my_connection", "customers", ("id",), "customers", ("customer_id",))


def _filled(name: str, connection: str, source: str, keys: Sequence[str], table: str, columns: Sequence[str]) -> str:
    listed = [", ".join(f"{each}: …" for each in names) for names in (keys, columns)]
    return _TEXT.format(name=name, connection=connection, source=source, keys=listed[0], table=table, columns=listed[1])
