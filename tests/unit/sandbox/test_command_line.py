"""The sandbox's command line: invalid options are rejected before the server starts."""

from __future__ import annotations

import pytest

from engine.sandbox.__main__ import options_of, parser

WRONG = [
    (["--port", "70000"], "expected 0 to 65,535, found 70000"),
    (["--port", "abc"], "'abc' is not a number"),
    (["--customers", "-5"], "expected 0 to 100,000"),
    (["--rate", "nan"], "expected 0 to 1,000,000"),
    (["--search-lag", "-1"], "expected 0 to 86,400"),
    (["--key", ""], "ASCII characters without spaces"),
    (["--key", "rk_test_a=foo"], "'foo' is not a permission"),
    (["--size", "hge"], "invalid choice"),
    (["--now", "tomorrow"], "neither RFC 3339"),
    (["--sze", "small"], "unrecognized arguments"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_an_invalid_option_is_a_usage_error(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(arguments)
    assert stopped.value.code == 64
    said = capsys.readouterr().err
    assert message in said
    assert "`weir sandbox --help`" in said


def test_a_key_with_permissions_is_restricted() -> None:
    arguments = ["--key", "sk_test_all", "--key", "rk_live_some=rak_customer_read,rak_charge_write", "--rate", "2.5"]
    options = options_of(parser().parse_args(arguments))
    everything, some = options.keys
    assert (everything.key, everything.permissions, everything.livemode) == ("sk_test_all", None, False)
    assert (some.permissions, some.livemode) == (frozenset({"rak_customer_read", "rak_charge_write"}), True)
    assert options.limits.per_second == 2.5
