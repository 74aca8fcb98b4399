"""Settings that would leave open which network, token or coin is meant are refused at the start."""

import pytest

from console.bootstrap import _chains
from console.cli import _require_chains
from console.domain.values import Chain, Network
from console.settings import ChainEntry, SettingsInvalid, TokenSettings

URL = "http://127.0.0.1:1"
ONE = TokenSettings("0x52908400098527886E0F7030069857D2E4169EE7", "USDX", 6)
TWO = TokenSettings("0x8617E340B3D01FA5F11F306F4090FD50E238070D", "USDY", 6)


def ethereum(*tokens: TokenSettings, network: str = "devnet") -> ChainEntry:
    return ChainEntry("ethereum", network, URL, tokens=tokens)


def test_the_chains_of_the_settings_are_built() -> None:
    chains = _chains((ethereum(ONE, TWO), ChainEntry("bitcoin", "testnet", URL)))
    assert chains[Chain.BITCOIN].network is Network.TESTNET
    assert [asset.unit for asset in chains[Chain.ETHEREUM].assets] == ["USDX", "USDY"]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ((ethereum(), ethereum(network="mainnet")), "listed twice"),
        ((ethereum(ONE, TokenSettings(TWO.address, "usdx", 6)),), "one name"),
        ((ethereum(TokenSettings(ONE.address, "ETH", 6)),), "one name"),
        ((ethereum(ONE, TokenSettings(ONE.address.lower(), "USDY", 6)),), "one name or address"),
        ((ChainEntry("bitcoin", "devnet", URL, tokens=(ONE,)),), "no tokens"),
    ],
)
def test_what_could_mean_two_things_is_refused(settings: tuple[ChainEntry, ...], why: str) -> None:
    with pytest.raises(SettingsInvalid, match=why):
        _chains(settings)


def test_a_token_for_a_chain_that_is_not_given_is_refused() -> None:
    chains = [f"ethereum,devnet,{URL}"]
    _require_chains(chains, ["ethereum,0x1,USDX,6", " ethereum ,0x1"])
    for entry in ("etherium,0x1,USDX,6", "solana,x", ""):
        with pytest.raises(SettingsInvalid, match="not given"):
            _require_chains(chains, [entry])
