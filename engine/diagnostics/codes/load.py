"""Codes E1xx: reading files."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E101",
        "file cannot be read",
        """
The operating system refused to open the file or the folder: it may belong to somebody else, or vanish while it is read.

**Mend it:** Check who may read it (`ls -l`), and that the folders above it may be entered.
""",
    ),
    Code(
        "E102",
        "file is not UTF-8",
        """
Definitions and SQL files are UTF-8. The place shown is the first byte that is not; in the excerpt it is drawn as `�`.
Files in UTF-16 (as some editors on Windows save them) are named as such.

**Mend it:** Save the file as UTF-8: `iconv -f latin1 -t utf-8 old.yaml > new.yaml`.
""",
    ),
    Code(
        "E103",
        "file is too large",
        """
A file may hold 1 MiB. Definitions are small; a larger file is most likely data that was put into the wrong folder.

**Mend it:** Move data elsewhere, split a definition, or move a long SQL box to a `.sql` file.
""",
    ),
    Code(
        "E104",
        "YAML syntax error",
        """
The file is not YAML. The place shown is where reading stopped; the mistake is there or on the lines above.

```yaml
name: customers
 description: a space too many     # E104
note: this: that                   # E104: put a text that holds `: ` in quotes
```

**Mend it:** Compare the indentation with the lines above, close brackets and quotes, indent with spaces only.
""",
    ),
    Code(
        "E105",
        "character cannot stand in a definition",
        """
Control characters, line separators of other alphabets (U+0085, U+2028, U+2029), byte order marks in the middle of a
file and unpaired surrogates are invisible or mean different things to different programs.

**Mend it:** Remove the character. If a value needs it, write it as an escape in double quotes: `"\\u2028"`.
""",
    ),
    Code(
        "E106",
        "nested too deep",
        """
Mappings and lists may be nested 40 levels deep. No definition needs more.

**Mend it:** Remove the levels that nothing reads.
""",
    ),
    Code(
        "E107",
        "alias without a value",
        """
An alias (`*name`) repeats the value that an anchor (`&name`) marks *above* it. There is no such anchor, or the alias
stands inside the value that it would repeat.

```yaml
steps: [*load]      # E107: no `&load` above
```

**Mend it:** Define the anchor before it is used, or write the value out. A text that begins with `*` needs quotes.
""",
    ),
    Code(
        "E108",
        "key is written twice",
        """
A mapping holds a key twice. Other programs take the last value silently; Weir takes neither side.

```yaml
is_active: true
is_active: false    # E108
```

**Mend it:** Remove one of the two.
""",
    ),
    Code(
        "E109",
        "second document in one file",
        """
`---` begins a second YAML document. A file holds one definition, so that a review shows what was changed.

**Mend it:** Move the second document to a file of its own.
""",
    ),
    Code(
        "E110",
        "tag is not allowed",
        """
Tags such as `!!str`, `!!binary` or `!include` change what a value means or run code in other programs.

```yaml
name: !!str 42      # E110
```

**Mend it:** Remove the tag. Quotes make a text of any value: `"42"`.
""",
    ),
    Code(
        "E111",
        "merge key is not allowed",
        """
`<<: *base` merges mappings in YAML 1.1. YAML 1.2 has no such key, and what results cannot be seen in a review.

**Mend it:** Write the keys out. An alias may still repeat a whole value: `limits: *limits`.
""",
    ),
    Code(
        "E112",
        "key is not a text",
        """
Keys are texts. A number, `true`, `null`, a list or a mapping as a key is most likely a mistake.

```yaml
map: {1: id}        # E112
```

**Mend it:** Put the key in quotes if it is meant as a text: `{"1": id}`.
""",
    ),
    Code(
        "E113",
        "symbolic link cannot be followed",
        """
A symbolic link in a definition folder leads out of the project, to itself, to a folder above it, or nowhere. A project
is its folder: what Git does not hold cannot be reviewed.

**Mend it:** Copy the file into the project, or remove the link. Links within the project are followed.
""",
    ),
    Code(
        "E114",
        "number is too long",
        """
A number has more than 300 digits. It is a text that looks like a number, or a mistake.

**Mend it:** Put it in quotes.
""",
    ),
    Code(
        "E115",
        "file is empty",
        """
A file in a definition folder holds nothing, or only comments.

**Mend it:** Write a definition (`weir new interface` makes one), or remove the file.
""",
    ),
    Code(
        "E116",
        "not a file",
        """
A folder, a socket or a pipe has a name that ends like a definition (`.yaml`, `.yml`, `.sql`).

**Mend it:** Rename it.
""",
    ),
    Code(
        "E117",
        "too many aliases",
        """
A file uses more than 100 aliases, or holds more than 100,000 values once its aliases are followed. A few lines of
aliases of aliases would otherwise fill the memory.

**Mend it:** Write the values out.
""",
    ),
    Code(
        "W101",
        "no definitions",
        """
Neither `connections/` nor `interfaces/` nor `schemas/` holds a definition: this may be the wrong folder.

**Mend it:** Change to the project's folder, give it with `--project DIR`, or run `weir init`.
""",
    ),
    Code(
        "W102",
        "byte order mark",
        """
The file begins with the bytes EF BB BF, as some editors on Windows write them. They are ignored.

**Mend it:** Save the file as UTF-8 without a byte order mark.
""",
    ),
)
