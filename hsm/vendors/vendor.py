"""Vendor: the traits of one maker's tokens that matter here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    """`manufacturer` is how the token names its maker (a prefix of it).

    `backing` says what protects the keys, for the operator. `counts_tries` tells whether the
    token itself locks after wrong PINs; our own back-off applies in any case.
    """

    manufacturer: str
    backing: str
    counts_tries: bool
    for_production: bool
