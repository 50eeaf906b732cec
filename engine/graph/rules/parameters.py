"""A parameter that no box uses has no effect."""

from __future__ import annotations

import re

from engine.diagnostics import Collector
from engine.project import Project


def check_parameters(project: Project, collector: Collector) -> None:
    """Warn of declared parameters that no box of the interface uses."""
    for interface in project.interfaces.values():
        texts = "\n".join(step.box.text for step in interface.steps if step.box)
        used = "\n".join(re.findall(r"\{[{%].*?[}%]\}", texts, re.DOTALL))
        for name in interface.spec.parameters:
            if not re.search(rf"\b{name}\b", used):
                place = interface.place.key("parameters", name)
                hint = f"use it as `{{{{ {name} }}}}`, or delete it"
                collector.report("W404", f"no box uses the parameter `{name}`", place, hint=hint)
