"""Descriptors: the checksum of BIP 380, and what another library derives from the export."""

import pytest
from btclib_wallet.descriptors import checksum, multipath_descriptors, parse

from console.adapters.chains.bitcoin.accounts import ACCOUNTS, KeyPosition, script_at
from console.adapters.chains.bitcoin.descriptor import export_account, with_checksum
from console.application.ports.chain import Account
from console.domain.errors import NotYetPossible
from console.domain.values import Network
from tests.unit.bitcoin.wallets import KEYS, SingleKeys

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


def test_the_checksum_of_bip_380() -> None:
    assert with_checksum("raw(deadbeef)") == "raw(deadbeef)#89f8spxm"


@each_account
def test_another_library_derives_the_same_scripts(account: Account) -> None:
    exported = export_account(account, KEYS, Network.MAINNET)
    for chain, text in enumerate(multipath_descriptors(exported)):
        for index in (0, 1, 77):
            theirs = parse(text).script_pub_key(index).script
            assert theirs == script_at(account, KEYS, KeyPosition(chain, index))


@pytest.mark.parametrize("length", range(6))
def test_checksums_are_those_of_another_library(length: int) -> None:
    text = "wsh(pk(0123456789abcdef))"[: 20 + length]
    assert with_checksum(text) == f"{text}#{checksum(text)}"


def test_other_characters_have_no_checksum() -> None:
    with pytest.raises(ValueError, match="not found"):
        with_checksum("raw(é)")


@each_account
def test_the_form(account: Account) -> None:
    for network, start in ((Network.MAINNET, "xpub"), (Network.DEVNET, "tpub")):
        text = export_account(account, KEYS, network)
        origin = account.path.removeprefix("m/")
        assert text.startswith(("wpkh([", "tr(["))
        assert f"/{origin}]{start}" in text
        assert text[:-9].endswith("/<0;1>/*)")


@each_account
def test_a_wallet_without_the_key_exports_nothing(account: Account) -> None:
    with pytest.raises(NotYetPossible):
        export_account(account, SingleKeys(kinds=frozenset()), Network.MAINNET)
