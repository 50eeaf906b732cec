"""The table of diagnostic codes: `CODES[id]`.

One module per stage: `load` (E1xx), `validate` (E2xx), `resolve` (E3xx), `compile` (E4xx), `plan` (E5xx), `run` (E6xx),
`writing` (exports and calls, in E4xx and E6xx). Warnings have the same numbers (W1xx …).
"""

from collections.abc import Mapping
from types import MappingProxyType

from . import compile as compile_codes
from . import load, plan, resolve, run, validate, writing
from .code import Code, Severity

_ALL = (*load.CODES, *validate.CODES, *resolve.CODES, *compile_codes.CODES, *plan.CODES, *run.CODES, *writing.CODES)

CODES: Mapping[str, Code] = MappingProxyType({code.id: code for code in _ALL})
if len(CODES) != len(_ALL):  # a code used twice would make one page unreachable
    raise AssertionError("a diagnostic code is defined twice")

__all__ = ["CODES", "Code", "Severity"]
