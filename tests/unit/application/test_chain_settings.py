"""Settings that would leave open which network, token or coin is meant are refused at the start."""

import pytest

from console.application.errors import OptionNotKnown
from console.application.ports.chain import ChainSettings
from console.application.queries.keys import key_kinds, key_names
from console.bootstrap import CHAINS, SCHEMES, build_chains, key_uses
from console.cli import require_chains
from console.domain.values import Chain, Network
from console.settings import ChainEntry, SettingsInvalid, TokenSettings
from tests.fakes.scenario import KEYS

URL = "http://127.0.0.1:1"
ONE = TokenSettings("0x52908400098527886E0F7030069857D2E4169EE7", "USDX", 6)
TWO = TokenSettings("0x8617E340B3D01FA5F11F306F4090FD50E238070D", "USDY", 6)


def ethereum(*tokens: TokenSettings, network: str = "devnet") -> ChainEntry:
    return ChainEntry("ethereum", network, URL, tokens=tokens)


def test_the_chains_of_the_settings_are_built() -> None:
    chains = build_chains((ethereum(ONE, TWO), ChainEntry("bitcoin", "testnet", URL)))
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
        build_chains(settings)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (
            ChainEntry("bitcoin", "devnet", URL, trusted=(ONE.address,)),
            "bitcoin knows no contracts that could be trusted",
        ),
        (
            ChainEntry("solana", "devnet", URL, trusted=(ONE.address,)),
            "solana knows no contracts that could be trusted",
        ),
        (
            ChainEntry("ethereum", "devnet", URL, websocket="ws://127.0.0.1:1"),
            "ethereum is not followed over a websocket",
        ),
        (
            ChainEntry("ethereum", "devnet", URL, trusted=("0x1",)),
            "ethereum: a token or contract: ",
        ),
    ],
)
def test_an_option_that_a_chain_does_not_know_is_refused(entry: ChainEntry, why: str) -> None:
    with pytest.raises(SettingsInvalid, match=why):
        build_chains((entry,))


def test_an_option_without_a_sentence_of_its_own_is_refused_by_name() -> None:
    told = ChainSettings(network=Network.DEVNET, urls=(URL,), options={"memo": ("x",)})
    for build in CHAINS.values():
        with pytest.raises(OptionNotKnown, match="'memo'"):
            build.from_settings(told)


def test_chains_are_given_the_options_that_they_know() -> None:
    build_chains(
        (
            ChainEntry("ethereum", "devnet", URL, trusted=(ONE.address,)),
            ChainEntry("solana", "devnet", URL, websocket="ws://127.0.0.1:1"),
        )
    )


def test_kinds_of_keys_are_named_by_the_chains_that_use_them() -> None:
    kinds = [scheme().kind for scheme in SCHEMES]
    offered = key_kinds(kinds, key_uses())
    assert {kind.kind: kind.name for kind in offered} == KEYS
    assert key_names(kinds, {}) == ("ECDSA", "Schnorr", "EdDSA")


def test_a_token_for_a_chain_that_is_not_given_is_refused() -> None:
    chains = [f"ethereum,devnet,{URL}"]
    require_chains(chains, ["ethereum,0x1,USDX,6", " ethereum ,0x1"])
    for entry in ("etherium,0x1,USDX,6", "solana,x", ""):
        with pytest.raises(SettingsInvalid, match="not given"):
            require_chains(chains, [entry])
