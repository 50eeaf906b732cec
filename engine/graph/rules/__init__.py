"""Rules about style and risk, one per file: each checks the compiled steps and warns."""

from .determinism import check_determinism
from .parameters import check_parameters
from .star import check_star

RULES = (check_star, check_determinism, check_parameters)

__all__ = ["RULES", "check_determinism", "check_parameters", "check_star"]
