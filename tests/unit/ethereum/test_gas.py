"""A gas limit with which nothing can be executed is flagged; the least is what py-evm counts."""

import pytest
from eth.vm.forks.prague.constants import TOTAL_COST_FLOOR_PER_TOKEN
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.gas import MOST_GAS, least_gas
from console.adapters.chains.ethereum.signature import Signature
from console.adapters.chains.ethereum.signed import encode_signed
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.domain.values import Network
from tests.contract.keys import SigningKey
from tests.unit.ethereum.drafts import Draft
from tests.unit.ethereum.nodes import SaidNode, adapter_over
from tests.unit.ethereum.places import FRIEND, ME, ROUTER, described, draft
from tests.unit.ethereum.test_transaction import BLOB, authorized

DATA = st.binary(max_size=300)
ENTRIES = st.lists(
    st.builds(
        AccessEntry,
        st.just(ROUTER),
        st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple),
    ),
    max_size=3,
)


@settings(deadline=None)
@given(data=DATA, entries=ENTRIES, kind=st.integers(0, 3))
def test_the_least_gas_is_what_the_chain_asks_for(
    data: bytes, entries: list[AccessEntry], kind: int
) -> None:
    made = {
        0: draft().call(FRIEND, data),
        1: draft().create(data),
        2: draft().call(FRIEND, data).blobs(1, BLOB),
        3: draft().call(FRIEND, data).authorize(authorized(), authorized()),
    }[kind].access(*entries)
    transaction = parse_transaction(made.build())
    signed = encode_signed(transaction, Signature(5, 7, 0))
    intrinsic = PragueTransactionBuilder().decode(signed).intrinsic_gas
    if transaction.to is None:
        # py-evm charges for a new contract's code (EIP-3860) when it runs it.
        intrinsic += (len(data) + 31) // 32 * 2
    tokens = data.count(0) + 4 * (len(data) - data.count(0))
    assert least_gas(transaction) == max(intrinsic, 21_000 + TOTAL_COST_FLOOR_PER_TOKEN * tokens)


@pytest.mark.parametrize(
    ("made", "least"),
    [
        (draft().pay(FRIEND, 1), 21_000),
        (draft().cancel(ME), 21_000),
        (draft().call(FRIEND, b"\1" * 100), 21_000 + 4_000),
        (draft().pay(FRIEND, 1).access(AccessEntry(ROUTER, (bytes(32),))), 25_300),
        (draft().pay(FRIEND, 1).authorize(authorized()), 46_000),
        (draft().create(b"\1" * 32), 21_000 + 32_000 + 512 + 2),
    ],
)
def test_a_limit_that_must_fail_is_flagged(made: Draft, least: int) -> None:
    words = "it cannot be executed"
    told = described(made.gas(least - 1).build())
    assert any(words in flag and str(least) in flag for flag in told.red_flags)
    for gas, flagged in ((least, False), (MOST_GAS, False), (MOST_GAS + 1, True)):
        told = described(made.gas(gas).fees(1, 1).build())
        assert any(words in flag for flag in told.red_flags) is flagged


@pytest.mark.parametrize("simulates", [True, False])
async def test_a_node_foresees_with_the_transactions_own_limit(simulates: bool) -> None:
    """Else a limit that only the code's execution exceeds would be told to succeed."""
    said = SaidNode() if simulates else SaidNode(eth_simulateV1=[])
    adapter = adapter_over(Network.DEVNET, said)
    data = draft().call(FRIEND, b"\1\2\3\4").gas(23_456).build()
    assert await adapter.simulate(data, SigningKey()) is not None
    asked = dict(said.asked)
    call = asked["eth_simulateV1"][0]["blockStateCalls"][0]["calls"][0]
    assert int(call["gas"], 16) == 23_456
    if not simulates:
        assert int(asked["eth_call"][0]["gas"], 16) == 23_456
