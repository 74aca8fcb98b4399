"""What the codec's tests share: accounts, contracts and the wallet's lists."""

from coincurve import PrivateKey

from console.adapters.chains.ethereum.address import address_of, checksummed
from console.adapters.chains.ethereum.describe import ChainContext, describe
from console.adapters.chains.ethereum.meaning import Known, TokenStandard, TokenUnit
from console.domain.transaction import TransactionDescription
from console.domain.values import Chain, Network
from tests.unit.ethereum.drafts import Draft

KEY = PrivateKey(b"\x01" * 32)
ME = address_of(KEY.public_key.format())
FRIEND = b"\x22" * 20
STRANGER = b"\x66" * 20
USDC = b"\xa0" * 20
APES = b"\xb0" * 20
ITEMS = b"\xb1" * 20
ROUTER = b"\xc0" * 20
SAFE = b"\xd0" * 20
MULTI_SEND = b"\xe0" * 20
CHAIN_ID = 31337
GWEI = 10**9
ETHER = 10**18

KNOWN = Known(
    tokens={
        USDC: TokenUnit("USDC", 6),
        APES: TokenUnit("APE", 0, TokenStandard.ERC721),
        ITEMS: TokenUnit("ITEM", 0, TokenStandard.ERC1155),
    },
    spenders=frozenset({ROUTER}),
    accounts=frozenset({SAFE}),
)
CHAIN = Chain.ETHEREUM
PLACE = ChainContext(CHAIN, Network.DEVNET, CHAIN_ID, KNOWN)


def draft(nonce: int = 7) -> Draft:
    """A draft with gas and fees."""
    return Draft(CHAIN_ID, nonce).gas(100_000).fees(30 * GWEI, 2 * GWEI)


def described(data: bytes, place: ChainContext = PLACE) -> TransactionDescription:
    """Describe what our account is asked to sign."""
    return describe(data, checksummed(ME), place)


def called(to: bytes, data: bytes, wei: int = 0) -> TransactionDescription:
    """Describe a call."""
    return described(draft().call(to, data, wei).build())
