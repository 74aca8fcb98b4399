"""Vendor: the traits of one maker's tokens that matter here."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What a token's make says of keys of a main network."""

    PROVEN = "proven"
    """Hardware protects them."""
    UNPROVEN = "unproven"
    """Software, or a make that was not tried: they ask for a word of the operator."""
    FOR_TESTS = "for-tests"
    """They are never there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """`manufacturer` and `model` are beginnings of what the token reports.

    `backing` says what protects the keys, for the operator. Keys of a main network are in tokens
    that are `for_production`, or that the operator accepts by a word of his own; never in those
    `for_tests_only`.
    """

    manufacturer: str
    model: str = ""
    backing: str
    for_production: bool = False
    for_tests_only: bool = False

    @property
    def standing(self) -> Standing:
        """What this make says of keys of a main network."""
        if self.for_tests_only:
            return Standing.FOR_TESTS
        return Standing.PROVEN if self.for_production else Standing.UNPROVEN
