"""Invented people, companies and places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# fmt: off
FIRST: Final = (
    "Ada", "Amara", "Anouk", "Astrid", "Benno", "Bianca", "Callum", "Carmen", "Chidi", "Clara", "Dalia", "Daniel",
    "Dmitri", "Elif", "Emeka", "Esther", "Farah", "Felix", "Freya", "Gideon", "Greta", "Hana", "Haruto", "Ibrahim",
    "Imogen", "Ines", "Isaac", "Jonas", "Julia", "Kaito", "Keiko", "Lars", "Leila", "Linus", "Lucia", "Magnus",
    "Maren", "Marta", "Mateo", "Mila", "Nadia", "Nikolai", "Noor", "Olive", "Oscar", "Priya", "Quentin", "Rafael",
    "Ravi", "Rosa", "Sakura", "Samir", "Selma", "Simon", "Sora", "Tamsin", "Theo", "Tobias", "Uma", "Vera", "Viktor",
    "Wanda", "Yara", "Yuki", "Zara"
)
# fmt: on
# fmt: off
LAST: Final = (
    "Abara", "Adler", "Almeida", "Andersen", "Baptiste", "Becker", "Bianchi", "Brandt", "Calloway", "Castro", "Dahl",
    "Delgado", "Dubois", "Eriksen", "Falk", "Ferreira", "Fischer", "Fontaine", "Fujita", "Garnier", "Haddad",
    "Hartwell", "Hayashi", "Hoffmann", "Ibarra", "Ishikawa", "Jansen", "Kaminski", "Keller", "Kimura", "Kovacs",
    "Laurent", "Lindqvist", "Lombardi", "Mbeki", "Meyer", "Moreau", "Nakamura", "Navarro", "Novak", "Okafor", "Olsen",
    "Osei", "Pellegrini", "Petrov", "Quinn", "Ramirez", "Rossi", "Sato", "Schreiber", "Silva", "Sorensen", "Takeda",
    "Thornton", "Ueda", "Vance", "Varga", "Wagner", "Whitlock", "Yamada", "Zeller"
)
# fmt: on
# fmt: off
COMPANY: Final = (
    "Alder", "Amber", "Anchor", "Arc", "Aspen", "Basalt", "Beacon", "Birch", "Blue", "Bright", "Cedar", "Cinder",
    "Clear", "Cobalt", "Copper", "Crescent", "Delta", "Drift", "Ember", "Falcon", "Fern", "Flint", "Forge", "Granite",
    "Harbor", "Hazel", "Helio", "Indigo", "Iron", "Ivory", "Juniper", "Kestrel", "Lantern", "Larch", "Lumen", "Maple",
    "Meadow", "Mesa", "Nimbus", "North", "Oak", "Onyx", "Opal", "Orchard", "Pine", "Quarry", "Quill", "Raven",
    "Ridge", "River", "Sable", "Sage", "Slate", "Solstice", "Spruce", "Sterling", "Summit", "Thistle", "Tide",
    "Umber", "Vale", "Willow"
)
# fmt: on
TRADE: Final = (
    "Analytics",
    "Bikes",
    "Books",
    "Dental",
    "Design",
    "Foods",
    "Freight",
    "Gardens",
    "Health",
    "Labs",
    "Logistics",
    "Media",
    "Optics",
    "Outfitters",
    "Robotics",
    "Schools",
    "Software",
    "Studios",
    "Travel",
    "Works",
)  # fmt: skip
STREET: Final = ("Station Road", "Mill Lane", "Market Street", "High Street", "Park Avenue", "Canal Street",
                 "Church Road", "Harbour Way", "Garden Row", "Bridge Street")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Country:
    """A country of customers: weight, currency, VAT rate, cities with postal codes."""

    code: str
    weight: int
    currency: str
    vat: float | None
    cities: tuple[tuple[str, str, str | None], ...]


COUNTRIES: Final = (
    Country("US", 46, "usd", None, (("Portland", "97209", "OR"), ("Austin", "78701", "TX"), ("Denver", "80202", "CO"),
                                    ("Boston", "02110", "MA"), ("Chicago", "60607", "IL"))),
    Country("DE", 14, "eur", 19.0, (("Berlin", "10115", None), ("Hamburg", "20095", None), ("Leipzig", "04109", None))),
    Country("FR", 8, "eur", 20.0, (("Lyon", "69002", None), ("Nantes", "44000", None))),
    Country("NL", 6, "eur", 21.0, (("Utrecht", "3511", None), ("Delft", "2611", None))),
    Country("GB", 16, "gbp", 20.0, (("Leeds", "LS1 4AP", None), ("Bristol", "BS1 5TR", None))),
    Country("JP", 10, "jpy", None, (("Osaka", "530-0001", None), ("Sapporo", "060-0042", None))),
)  # fmt: skip

PHONES: Final[Mapping[str, str]] = {"US": "+1555", "DE": "+4930", "FR": "+334", "NL": "+3130", "GB": "+44113",
                                    "JP": "+8166"}  # fmt: skip
VAT_IDS: Final[Mapping[str, str]] = {"DE": "DE{:09d}", "FR": "FR{:011d}", "NL": "NL{:09d}B01", "GB": "GB{:09d}"}
