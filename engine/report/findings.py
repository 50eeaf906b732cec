"""One finding, many renderers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, assert_never, get_args

from engine.diagnostics import Diagnostic
from engine.source import SourceTree

from .concise import render_concise
from .github import render_github
from .gitlab import render_gitlab
from .junit import render_junit
from .located import locate_all
from .machine import render_json
from .markdown import render_markdown
from .sarif import render_sarif
from .text import render_text

FindingFormat = Literal["text", "concise", "json", "github", "gitlab", "sarif", "junit", "markdown"]
FINDING_FORMATS: tuple[str, ...] = get_args(FindingFormat)


def render_findings(
    style: FindingFormat, diagnostics: Iterable[Diagnostic], tree: SourceTree, *, version: str, colour: bool = False
) -> str:
    """The findings in the given format, sorted by place. Only `text` has colours."""
    found = locate_all(diagnostics, tree)
    match style:
        case "text":
            return render_text(found, colour=colour)
        case "concise":
            return render_concise(found)
        case "json":
            return render_json(found)
        case "github":
            return render_github(found)
        case "gitlab":
            return render_gitlab(found)
        case "sarif":
            return render_sarif(found, version)
        case "junit":
            return render_junit(found, list(tree.documents))
        case "markdown":
            return render_markdown(found)
        case _:
            assert_never(style)
