"""The first signal asks a run to stop; the second interrupts it."""

from __future__ import annotations

import signal
import threading

import pytest

from engine.app.running.run import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_cancels_and_second_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    cancelled = threading.Event()
    with interruptible(cancelled):
        signal.raise_signal(number)
        assert cancelled.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    cancelled = threading.Event()
    try:
        with interruptible(cancelled):
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not cancelled.is_set()
