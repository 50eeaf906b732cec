"""Histories generated from a number: dense ones, in which most steps affect the result of the previous step.

Hypothesis makes many small examples with little variation, which suits shrinking and is expensive if a step takes a
fifth of a second. Here each number is a separate history, with its own choice of steps and deeds that it repeats.
"""

from __future__ import annotations

from random import Random
from typing import Any

from engine.sandbox.admission.faults import REASONS
from engine.testing.dying_staging import Crash
from tests.support.histories.histories import Histories
from tests.support.histories.themes import (  # fmt: skip
    CLOCKS,
    DEEDS,
    KINDS,
    LATES,
    LISTS,
    LONG,
    LULLS,
    SHORT,
    SKEWS,
    SKIPS,
    SLICES,
    STATUSES,
    TIMES,
    VERSIONS,
    Theme,
    theme_of,
)
from tests.support.mirror.business import UPDATES, USUAL

WEIGHTS = {
    "live_on": 6, "sync_in_trouble": 5, "change_repeatedly": 3, "wait": 3, "sync": 1, "grow": 1,
    "lose_permission": 2, "regain_permission": 3, "set_the_clock": 1,
}  # fmt: skip
OFTEN = ("live_on", "sync_in_trouble")


class MadeUp:
    """The history of a number. `played` are its steps so far, as Python calls."""

    def __init__(self, number: int, steps: int) -> None:
        self._random = Random(number)
        self._steps = steps
        self.played: list[str] = []

    def play(self, machine: Histories) -> None:
        """Play the history to its end."""
        self._about = self._theme()
        self._step(machine, "open", theme=self._about)
        names = [name for name in WEIGHTS if name in OFTEN or self._random.random() < 0.6]
        for _ in range(self._steps):
            name = self._random.choices(names, [WEIGHTS[each] for each in names])[0]
            if name == "regain_permission" and not machine.restricted:
                name = "live_on"
            self._step(machine, name, **getattr(self, f"_{name}")())

    def _step(self, machine: Histories, name: str, **given: Any) -> None:
        self.played.append(f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})")
        getattr(machine, name)(**given)

    def _theme(self) -> Theme:
        pick = self._random
        groups = pick.sample(tuple(DEEDS), pick.choice((1, 1, 2, 2, 3, len(DEEDS))))
        foreign = pick.sample(USUAL, pick.choice((0, 0, 1, 2)))
        return theme_of(
            groups, foreign, pick.choice(LATES), pick.choice((0, 0, 0, 2)), pick.choice(SKEWS), pick.randint(1, 6),
            pick.choice(VERSIONS), pick.choice(LULLS), pick.random() < 0.7,
        )  # fmt: skip

    def _number(self) -> int:
        return self._random.randint(0, 40)

    def _deeds(self) -> list[tuple[int, int, int, int, int]]:
        return [
            (self._number(), self._number(), self._number(), self._number(), self._number())
            for _ in range(self._random.randint(1, 6))
        ]

    def _updates(self) -> list[tuple[int, int, int, int, int]]:
        """Changes of existing objects: events report them, and no list returns them."""
        theme, pick = self._about, self._random
        known = [theme.deeds.index(name) for name in theme.deeds if name in UPDATES]
        return [
            (pick.choice(known), self._number(), self._number(), self._number(), self._number())
            for _ in range(pick.choice((1, 2)) if known else 0)
        ]

    def _live_on(self) -> dict[str, Any]:
        pick = self._random
        return {"deeds": self._deeds(), "pause": pick.choice(SHORT), **self._sync()}

    def _sync(self) -> dict[str, Any]:
        return {"size": self._random.choice(SLICES), "leave_out": self._number()}

    def _wait(self) -> dict[str, Any]:
        return {"seconds": self._random.choice(LONG)}

    def _grow(self) -> dict[str, Any]:
        return {"which": self._number(), "how": self._number()}

    def _lose_permission(self) -> dict[str, Any]:
        pick = self._random
        return {
            "place": self._number(), "deeds": [*self._deeds(), *self._updates()], "pause": pick.choice(SHORT),
            "back": pick.random() < 0.7,
        }  # fmt: skip

    def _regain_permission(self) -> dict[str, Any]:
        return {}

    def _set_the_clock(self) -> dict[str, Any]:
        return {"ahead": self._random.choice(CLOCKS)}

    def _change_repeatedly(self) -> dict[str, Any]:
        lates = [self._number() for _ in range(self._random.randint(2, 4))]
        pause = self._random.choice(SHORT)
        return {"deed": self._number(), "which": self._number(), "who": self._number(), "lates": lates, "pause": pause}

    def _sync_in_trouble(self) -> dict[str, Any]:
        pick = self._random
        crash = pick.random() < 0.3
        impatient = pick.random() < 0.2
        return {
            "deeds": [*self._deeds(), *self._updates()],
            "pause": pick.choice(SHORT),
            # A run that ends early hides the effect of faults on the rest of it.
            "faults": [self._fault() for _ in range(pick.choice((0, 0, 1) if crash or impatient else (0, 1, 1, 2)))],
            "hooks": [
                (pick.choice(sorted(LISTS)), pick.randint(1, 2), self._number(), self._number())
                for _ in range(pick.choice((0, 0, 1, 3)))
            ],
            "size": pick.choice(SLICES),
            "crash": Crash(pick.randint(0, 4), pick.random() < 0.5) if crash else None,
            "patience": pick.randint(1, 60) if impatient else None,
            "full": pick.random() < 0.4,
        }

    def _fault(self) -> dict[str, Any]:
        pick = self._random
        return {
            "kind": pick.choice(KINDS), "place": pick.choice((0, self._number())), "skip": pick.choice(SKIPS),
            "times": pick.choice(TIMES), "status": pick.choice(STATUSES), "reason": pick.choice(REASONS),
        }  # fmt: skip
