"""Renders findings in any of the formats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, assert_never, get_args

from engine.diagnostics import Diagnostic
from engine.source import SourceTree

from .located import locate_all

FindingFormat = Literal["text", "concise", "json", "github", "gitlab", "sarif", "junit", "markdown"]
FINDING_FORMATS: tuple[str, ...] = get_args(FindingFormat)


def render_findings(
    style: FindingFormat, diagnostics: Iterable[Diagnostic], tree: SourceTree, *, version: str, colour: bool = False
) -> str:
    """The findings in the given format, sorted by place. Only `text` has colours.

    A renderer is imported on demand, because most commands use none.
    """
    found = locate_all(diagnostics, tree)
    match style:
        case "text":
            from .text import render_text

            return render_text(found, colour=colour)
        case "concise":
            from .concise import render_concise

            return render_concise(found)
        case "json":
            from .machine import render_json

            return render_json(found)
        case "github":
            from .github import render_github

            return render_github(found)
        case "gitlab":
            from .gitlab import render_gitlab

            return render_gitlab(found)
        case "sarif":
            from .sarif import render_sarif

            return render_sarif(found, version)
        case "junit":
            from .junit import render_junit

            return render_junit(found, [*tree.documents, *tree.cases])
        case "markdown":
            from .markdown import render_markdown

            return render_markdown(found)
        case _:
            assert_never(style)
