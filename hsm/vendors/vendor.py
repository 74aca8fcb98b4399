"""Vendor: the traits of one maker's tokens that matter here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    """`manufacturer` is how the token names its maker (a prefix of it).

    `backing` says what protects the keys, for the operator. Keys worth anything rest only in
    tokens that are `for_production`.
    """

    manufacturer: str
    backing: str
    for_production: bool
