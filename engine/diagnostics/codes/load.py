"""Codes E1xx: reading files."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E101",
        "file cannot be read",
        """
The operating system refused to open the file or the folder: permissions are missing, or it was removed during the read.

**Fix:** Check the permissions of the file (`ls -l`) and of the folders above it.
""",
    ),
    Code(
        "E102",
        "file is not UTF-8",
        """
Definitions and SQL files must be UTF-8. The location is the first invalid byte; the excerpt shows it as `�`. UTF-16
files, which some editors on Windows write, are reported as UTF-16.

**Fix:** Save the file as UTF-8: `iconv -f latin1 -t utf-8 old.yaml > new.yaml`.
""",
    ),
    Code(
        "E103",
        "file is too large",
        """
The size limit of a file is 1 MiB. Definitions are small; a larger file is usually data in the wrong folder.

**Fix:** Move data elsewhere, split the definition, or move a long SQL box to a `.sql` file.
""",
    ),
    Code(
        "E104",
        "YAML syntax error",
        """
The file is not valid YAML. The location is where parsing stopped; the mistake is there or on a line above.

```yaml
name: customers
 description: one space too many    # E104
note: this: that                    # E104: quote a value that contains `: `
```

**Fix:** Compare the indentation with the lines above, close brackets and quotes, and indent with spaces only.
""",
    ),
    Code(
        "E105",
        "invalid character",
        """
Control characters, Unicode line separators (U+0085, U+2028, U+2029), byte order marks inside the file and unpaired
surrogates are not allowed. They are invisible, and programs disagree about their meaning.

**Fix:** Remove the character. If a value needs it, write it as an escape in double quotes: `"\\u2028"`.
""",
    ),
    Code(
        "E106",
        "nesting too deep",
        """
Mappings and lists may be nested up to 40 levels. No definition needs more.

**Fix:** Remove levels that nothing reads.
""",
    ),
    Code(
        "E107",
        "undefined alias",
        """
An alias (`*name`) repeats the value of an anchor (`&name`) *above* it. There is no such anchor, or the alias is inside
the value that it repeats.

```yaml
steps: [*load]      # E107: no `&load` above
```

**Fix:** Define the anchor before its first use, or write the value out. Quote text that begins with `*`.
""",
    ),
    Code(
        "E108",
        "duplicate key in a mapping",
        """
A mapping contains a key twice. Many YAML parsers silently keep the last value; Weir refuses the file.

```yaml
is_active: true
is_active: false    # E108
```

**Fix:** Remove one of the two.
""",
    ),
    Code(
        "E109",
        "second document in one file",
        """
`---` starts a second YAML document. A file holds one definition, which keeps reviews readable.

**Fix:** Move the second document to its own file.
""",
    ),
    Code(
        "E110",
        "tag is not allowed",
        """
Tags such as `!!str`, `!!binary` or `!include` change the meaning of a value, or run code in other programs.

```yaml
name: !!str 42      # E110
```

**Fix:** Remove the tag. Quotes turn any value into text: `"42"`.
""",
    ),
    Code(
        "E111",
        "merge key is not allowed",
        """
`<<: *base` merges mappings in YAML 1.1. YAML 1.2 has no merge key, and a review cannot show the merged result.

**Fix:** Write the keys out. An alias may still repeat a whole value: `limits: *limits`.
""",
    ),
    Code(
        "E112",
        "key is not text",
        """
Keys must be text. A number, `true`, `null`, a list or a mapping as a key is usually a mistake.

```yaml
map: {1: id}        # E112
```

**Fix:** Quote the key if it is meant as text: `{"1": id}`.
""",
    ),
    Code(
        "E113",
        "symbolic link cannot be followed",
        """
A symbolic link in a definition folder points outside the project, to itself, to a folder above it, or to a file that
does not exist. Everything that defines a project is in its folder: a review cannot show what Git does not track.

**Fix:** Copy the file into the project, or remove the link. Links inside the project are followed.
""",
    ),
    Code(
        "E114",
        "number is too long",
        """
A number has more than 300 digits. It is text that looks like a number, or a mistake.

**Fix:** Quote it.
""",
    ),
    Code(
        "E115",
        "file is empty",
        """
A file in a definition folder is empty, or contains only comments.

**Fix:** Add a definition (`weir new interface` creates one), or remove the file.
""",
    ),
    Code(
        "E116",
        "not a regular file",
        """
A folder, a socket or a pipe has the extension of a definition (`.yaml`, `.yml`, `.sql`).

**Fix:** Rename it.
""",
    ),
    Code(
        "E117",
        "too many aliases",
        """
A file uses more than 100 aliases, or expands to more than 100,000 values. The limit protects against nested aliases
that exhaust memory.

**Fix:** Write the values out.
""",
    ),
    Code(
        "W101",
        "no definitions",
        """
`connections/`, `interfaces/` and `schemas/` contain no definition: this may be the wrong folder.

**Fix:** Change to the project's folder, pass it with `--project DIR`, or run `weir init`.
""",
    ),
    Code(
        "W102",
        "byte order mark",
        """
The file begins with a byte order mark (EF BB BF), which some editors on Windows write. It is ignored.

**Fix:** Save the file as UTF-8 without a byte order mark.
""",
    ),
)
