"""`weir` in children of one process that has imported everything: a run costs no start, and may die where it is told.

Reads requests from standard input and answers on standard output, a line of JSON each. `start` forks a child that runs
`weir` in a folder, maybe up to a point of `dying.POINTS`; `wait` gives its exit code (negative: the signal).
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any, NoReturn

import engine.app.running.run
import engine.app.running.world
import engine.cli
import engine.connectors.stripe.extract
import engine.duck
import engine.executors
import engine.report
from engine.connectors.stripe import CONNECTOR
from tests.support.processes.dying import arm


def serve() -> None:
    """Answer until standard input ends."""
    CONNECTOR.catalogue(None)
    gc.freeze()  # the children share what is there
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "start":
            child = os.fork()
            if not child:
                _live(asked)
            told: dict[str, Any] = {"pid": child}
        else:
            told = {"code": os.waitstatus_to_exitcode(os.waitpid(asked["pid"], 0)[1])}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _live(asked: dict[str, Any]) -> NoReturn:
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, asked["out"], 0o1101),
        (2, asked["out"] + ".err", 0o1101),
    ):
        os.dup2(os.open(name, flags or os.O_RDONLY, 0o600), number)
    os.chdir(asked["folder"])
    os.environ.update(asked["environment"])
    sys.argv = ["weir", *asked["arguments"]]
    code = 1
    try:
        if asked["die"] is not None:
            arm(*asked["die"])
        engine.cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
