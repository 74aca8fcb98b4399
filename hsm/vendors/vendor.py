"""Vendor: the traits of one maker's tokens that matter here."""

from dataclasses import dataclass


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
