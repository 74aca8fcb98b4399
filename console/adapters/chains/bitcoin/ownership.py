"""Ownership: derived from the wallet's keys, never taken from a PSBT's claim."""

from collections.abc import Callable

from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    CHANGE,
    MAX_INDEX,
    RECEIVE,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    input_origin,
    output_origin,
    script_at,
)
from console.adapters.chains.bitcoin.psbt_fields import In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, entries_of, only
from console.application.ports.chain import Account, PublicKeys
from console.domain.errors import NotYetPossible

INPUT_ORIGIN = (In.BIP32_DERIVATION, In.TAP_INTERNAL_KEY, In.TAP_BIP32_DERIVATION)
OUTPUT_ORIGIN = (Out.BIP32_DERIVATION, Out.TAP_INTERNAL_KEY, Out.TAP_BIP32_DERIVATION)

_MOST_ENTRIES = 2


def claimed_account(inputs: tuple[Fields, ...]) -> Account:
    """Return the account that the first input's fields name; the SegWit one if they name none."""
    taproot = bool(inputs) and bool(entries_of(inputs[0], In.TAP_BIP32_DERIVATION))
    return TAPROOT if taproot else SEGWIT


def own_input(
    fields: Fields, script: bytes, account: Account, keys: PublicKeys
) -> KeyPosition | None:
    """Return the place that an input spends from; None if it is not the account's."""
    return _own(only(fields, *INPUT_ORIGIN), script, account, keys, input_origin)


def own_output(
    fields: Fields, script: bytes, account: Account, keys: PublicKeys
) -> KeyPosition | None:
    """Return the place that an output pays to; None if it is not the account's or not claimed."""
    return _own(only(fields, *OUTPUT_ORIGIN), script, account, keys, output_origin)


def is_claimed(fields: Fields) -> bool:
    """Return whether the fields claim an output, rightly or not."""
    return bool(only(fields, *OUTPUT_ORIGIN))


def place_of_script(
    script: bytes, keys: PublicKeys, places: int
) -> tuple[Account, KeyPosition] | None:
    """Return the account and place of a script among the first receiving places."""
    for account in ACCOUNTS:
        for index in range(places):
            try:
                if script_at(account, keys, KeyPosition(RECEIVE, index)) == script:
                    return account, KeyPosition(RECEIVE, index)
            except NotYetPossible:
                break
    return None


def _own(
    claim: Fields,
    script: bytes,
    account: Account,
    keys: PublicKeys,
    origin: Callable[[Account, PublicKeys, KeyPosition], Fields],
) -> KeyPosition | None:
    """Return the claimed place if everything derived from its chain and index is the same."""
    # An honest claim has one entry, or two for Taproot; more would only cost time.
    if len(claim) > _MOST_ENTRIES:
        return None
    for _, value in claim:
        path = value[-8:]
        place = KeyPosition(int.from_bytes(path[:4], "little"), int.from_bytes(path[4:], "little"))
        if place.chain > CHANGE or place.index > MAX_INDEX:
            continue
        try:
            if set(origin(account, keys, place)) == set(claim):
                return place if script_at(account, keys, place) == script else None
        except NotYetPossible:
            return None
    return None
