"""Solana's fees: what is shown as the most is what LiteSVM, the cluster's own code, charges.

The instructions are random, and most of them fail: a transaction that was executed pays for that.
"""

from hypothesis import given
from hypothesis import strategies as st
from solders.account import Account
from solders.compute_budget import (
    request_heap_frame,
    set_compute_unit_limit,
    set_compute_unit_price,
    set_loaded_accounts_data_size_limit,
)
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV0, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata
from solders.transaction_status import TransactionErrorInstructionError

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.message import MAX_MESSAGE_BYTES
from tests.properties.depth import examples
from tests.unit.solana.messages import FRIEND, ME, STRANGER, described, noted, paid

HELD = 10**18
OTHERS = [
    programs.SYSTEM,
    programs.TOKEN,
    programs.TOKEN_2022,
    programs.ASSOCIATED_TOKEN,
    programs.STAKE,
    *sorted(programs.LOADERS, key=str)[:3],
    Pubkey.from_string("Vote111111111111111111111111111111111111111"),
    Pubkey.from_string("AddressLookupTab1e1111111111111111111111111"),
]
SIGNERS = st.sampled_from([[], [], [FRIEND], [FRIEND, STRANGER]])


@st.composite
def instructions(draw: st.DrawFn) -> Instruction:
    """Anything that a message may do, and the precompiles above all."""
    match draw(st.integers(0, 4)):
        case 0:
            return paid(lamports=draw(st.integers(10**6, 10**9)))
        case 1:
            return noted(b"Invoice 4711")
        case 2:
            program = draw(st.sampled_from(sorted(programs.PRECOMPILES, key=str)))
            return Instruction(program, draw(st.binary(max_size=16)), [])
        case 3:
            metas = [AccountMeta(key, True, False) for key in draw(SIGNERS)]
            return Instruction(draw(st.sampled_from(OTHERS)), draw(st.binary(max_size=9)), metas)
        case _:
            return Instruction(draw(st.sampled_from(OTHERS)), b"", [])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message with or without each of the four settings of its budget, in any order."""
    settings = {
        set_compute_unit_limit: st.integers(0, 1_500_000),
        set_compute_unit_price: st.one_of(st.integers(0, 10**6), st.integers(0, 10**9)),
        request_heap_frame: st.sampled_from([32 * 1024, 64 * 1024, 256 * 1024]),
        set_loaded_accounts_data_size_limit: st.integers(10**7, 10**8),
    }
    chosen = [make(draw(values)) for make, values in settings.items() if draw(st.booleans())]
    body = draw(st.lists(instructions(), max_size=7))
    whole = draw(st.permutations([*chosen, *body]))
    recent = Hash(bytes(range(32)))
    if draw(st.booleans()):
        return bytes(Message.new_with_blockhash(whole, ME, recent))
    return to_bytes_versioned(MessageV0.try_compile(ME, whole, [], recent))


@given(messages())
@examples(400)
def test_the_fee_that_is_shown_is_what_the_machine_charges(data: bytes) -> None:
    if len(data) > MAX_MESSAGE_BYTES:
        return
    told = described(data)
    machine = LiteSVM().with_sigverify(False).with_blockhash_check(False)
    machine.set_account(ME, Account(HELD, b"", programs.SYSTEM))
    message = from_bytes_versioned(data)
    signatures = [Signature.default()] * message.header.num_required_signatures
    result = machine.send_transaction(VersionedTransaction.populate(message, signatures))
    left = machine.get_account(ME)
    assert left is not None
    charged = HELD - left.lamports
    if not isinstance(result, FailedTransactionMetadata):
        assert told.flow is not None
        assert charged == told.fee.base_units + told.flow.out - told.flow.back
    elif isinstance(result.err(), TransactionErrorInstructionError) and charged:
        assert charged == told.fee.base_units
    else:
        assert charged == 0, "what is not executed pays nothing"


def test_the_fees_that_were_reported_are_the_machines() -> None:
    price = set_compute_unit_price(10**6)
    checked = Instruction(programs.SECP256K1, b"\3" + bytes(12), [])
    for parts, lamports in (([price, paid()], 11_000), ([checked], 20_000)):
        data = bytes(Message.new_with_blockhash(parts, ME, Hash(bytes(range(32)))))
        assert described(data).fee.base_units == lamports
