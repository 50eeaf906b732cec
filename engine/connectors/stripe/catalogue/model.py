"""What Stripe's API offers at one version, as data: resources, list tables, writes and events.

Everything here is read from the committed catalogue file (see `load`); nothing is computed at run time, so a value
that two places need has one home. Nested parts of a resource are not described: a table stores them as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FieldType(StrEnum):
    """The shape of a response field in Stripe's JSON."""

    TEXT = "text"
    ENUM = "enum"  # text of an open set: `values` are the known ones
    INTEGER = "integer"
    INTEGER_TEXT = "integer_text"  # a 64-bit integer written as a JSON string (v2 only)
    TIMESTAMP = "timestamp"  # Unix seconds, a JSON integer
    DATETIME = "datetime"  # RFC 3339, a JSON string (v2 only)
    DECIMAL = "decimal"  # an exact decimal written as a JSON string
    NUMBER = "number"  # a JSON number with a fraction
    BOOLEAN = "boolean"
    OBJECT = "object"  # a nested object of fixed shape
    MAP = "map"  # text to text (metadata and its like)
    LIST = "list"  # a JSON array
    REFERENCE = "reference"  # an id, or the object itself when expanded: the column is always the id
    RESOURCE = "resource"  # a whole resource, always embedded
    SUBLIST = "sublist"  # a list object {object, data, has_more, url} of other resources
    ANY = "any"  # a union of different shapes


@dataclass(frozen=True, slots=True)
class Field:
    """A top-level field of a resource.

    `nullable` fields may be null or absent. `values` are an enum's known values (the set is open: others may come).
    `targets` are the resources that a reference, embedded resource or sublist may hold. `includable` fields are absent
    unless a request expands them (`expand[]=data.<name>`).
    """

    name: str
    type: FieldType
    nullable: bool = False
    values: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    includable: bool = False

    @property
    def required(self) -> bool:
        """Whether every object carries this field with a value."""
        return not self.nullable


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object. `name` is unique (v2 kinds start with `v2.`), `object` is the value of its `object` field.

    `expandable` are dotted paths that `expand[]` accepts (`[]` marks an array on the way). `sublists` maps a dotted
    path to the resources of the list object found there. `deletable` ones may come back as `{id, object, deleted}`.
    """

    name: str
    object: str
    fields: tuple[Field, ...]
    expandable: tuple[str, ...] = ()
    sublists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deletable: bool = False
    id_prefix: str | None = None

    def find(self, name: str) -> Field | None:
        """The field with this name, or None."""
        return next((each for each in self.fields if each.name == name), None)


class PageStyle(StrEnum):
    """How a list is paged."""

    CURSOR = "cursor"  # limit, starting_after, ending_before; {data, has_more}
    NONE = "none"  # everything in one answer
    V2 = "v2"  # limit, page; {data, next_page_url, previous_page_url}


class FilterKind(StrEnum):
    """What a list's filter parameter takes."""

    VALUE = "value"  # one value: `param=x`
    VALUES = "values"  # an array: `param[]=x&param[]=y`
    RANGE = "range"  # `param[gt|gte|lt|lte]=n`, or `param=n`


@dataclass(frozen=True, slots=True)
class Filter:
    """A list parameter other than paging. Nested ones are written out: `recurring[interval]`.

    `type` is the type of one value; `values` the accepted ones where the set is known: others answer 400.
    `column` is set when the filter answers a comparison with this column: every row that matches the comparison comes
    back. With `exact`, no other row does. `answers` narrows that to these values of the column (empty: all values).
    """

    param: str
    kind: FilterKind
    type: FieldType
    values: tuple[str, ...] = ()
    required: bool = False
    column: str | None = None
    exact: bool = True
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """A parameter that each row of another table gives, so that the list is read once for every such row.

    `param` stands in the path (`{invoice}`) or, with `in_path` false, in the query. `column` of the rows of `table` is
    its value; rows where it is NULL are skipped. `field` is the column of the list's own rows that names
    their parent; the extraction fills it in where Stripe's object has none.
    """

    param: str
    table: str
    column: str
    field: str
    in_path: bool = True


@dataclass(frozen=True, slots=True)
class Embedded:
    """A sublist of another table's objects that carries these rows: its first ones, the rest behind its `url`.

    `expand` means that the field is only there when asked for with `expand[]=data.<field>`.
    """

    table: str
    field: str
    expand: bool = False


@dataclass(frozen=True, slots=True)
class Default:
    """A default that hides rows, and what undoes it: the list is read once for each of `values` of `param`."""

    param: str
    values: tuple[str, ...]


class SyncClass(StrEnum):
    """How a mirror of the table can be kept up to date."""

    EVENTS = "events"  # every mutation emits an event
    EVENTS_REREAD = "events+reconcile"  # some mutations are silent: events, and a re-read on a schedule
    CREATED_REREAD = "created+reread"  # no events: new rows by `created`, changed ones by a re-read
    PARENTS = "parents"  # read with, or once for each of, its parents
    SNAPSHOT = "snapshot"  # no events and no `created` filter: read whole


@dataclass(frozen=True, slots=True)
class Table:
    """A list endpoint as a table. `resources` are the kinds of its rows (more than one: their fields are united).

    `key` identifies a row within an account. `retrieve` is the path that reads one row by id. `created` is the
    column that `created[gte|gt|lt|lte]` compares, if the list takes that. `newest_first` lists are ordered by it.
    `fixed` parameters are always sent. `hidden` describes the rows that the list never shows. `permission` is the
    restricted-key permission that reads it, by Stripe's naming rule (an API error is authoritative). `events` are
    the event types that speak of its objects. `writes` indexes `Catalogue.writes`.
    """

    name: str
    path: str
    resources: tuple[str, ...]
    key: tuple[str, ...]
    sync: SyncClass
    permission: str
    page: PageStyle = PageStyle.CURSOR
    parents: tuple[Parent, ...] = ()
    filters: tuple[Filter, ...] = ()
    created: str | None = None
    newest_first: bool = False
    ending_before: bool = False
    defaults: tuple[Default, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    embedded: Embedded | None = None
    retrieve: str | None = None
    hidden: str | None = None
    events: tuple[str, ...] = ()
    writes: tuple[int, ...] = ()

    @property
    def resource(self) -> str:
        """The first kind of its rows."""
        return self.resources[0]

    def find_filter(self, param: str) -> Filter | None:
        """The filter with this parameter name, or None."""
        return next((each for each in self.filters if each.param == param), None)


class WriteKind(StrEnum):
    """What a write does to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ACTION = "action"


class SideEffect(StrEnum):
    """What a write does beyond changing data, most serious first."""

    MONEY = "money"  # moves money, or may make Stripe charge somebody
    FINAL = "final"  # cannot be undone: deletes, voids, cancels, closes
    MESSAGE = "message"  # a person gets an email or sees something on a device
    DATA = "data"  # changes data only
    TEST = "test"  # exists in test mode only
    NONE = "none"  # changes nothing that lasts (previews, sessions that expire)


class ParamType(StrEnum):
    """The shape of a write's parameter."""

    TEXT = "text"
    ENUM = "enum"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    OBJECT = "object"
    MAP = "map"
    LIST = "list"
    FILE = "file"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a write. Objects have `fields`, lists an `item`; `unset` ones take "" to clear the value.

    `alternatives` are further shapes that the same parameter takes (`created=now` beside an integer, and so on).
    """

    name: str
    type: ParamType
    required: bool = False
    values: tuple[str, ...] = ()
    unset: bool = False
    fields: tuple[Param, ...] = ()
    item: Param | None = None
    alternatives: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes something. `verb` is the SDK's name for it (`create`, `finalize_invoice`, …).

    Its parameters are in a file of their own, which only writes load: see `load_params`.
    `resource` is the kind it acts on and `returns` what it answers with (a list's items where it answers a list).
    `immutable` are the parameters that only the create of this resource takes. `base` is `files` where the request
    goes to the upload host.
    """

    path: str
    method: str
    kind: WriteKind
    verb: str
    resource: str
    returns: tuple[str, ...]
    effect: SideEffect
    immutable: tuple[str, ...] = ()
    base: str = "api"

    @property
    def key(self) -> str:
        """Method and path, distinct for distinct writes: `post /v1/customers`."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Retrieve:
    """A GET that answers one object. `params` are its query parameters, paging and expand aside."""

    path: str
    returns: tuple[str, ...]
    params: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """A search endpoint and the kind of object that it finds."""

    path: str
    resource: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event type and the kinds of object it speaks of. `snapshot` events carry the object, others only its id."""

    objects: tuple[str, ...]
    snapshot: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that the API offers at `api_version`, read from the SDK at `sdk_version`.

    `unreadable` gives the reason for each list path that is not a table.
    """

    api_version: str
    sdk_version: str
    resources: Mapping[str, Resource]
    tables: Mapping[str, Table]
    unreadable: Mapping[str, str]
    searches: tuple[Search, ...]
    retrieves: tuple[Retrieve, ...]
    writes: tuple[Write, ...]
    events: Mapping[str, Event]
