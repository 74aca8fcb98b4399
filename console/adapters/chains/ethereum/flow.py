"""The coins that leave an account in a call, and in the calls that its own code makes then."""

from console.adapters.chains.ethereum.abi import decode_call
from console.adapters.chains.ethereum.inner_calls import inner_calls
from console.adapters.chains.ethereum.meaning import Call, Known
from console.domain.transaction import CoinFlow

MAX_DEPTH = 4


def flow_of(call: Call, known: Known) -> CoinFlow:
    """Return what a transaction's sender loses and gets back in its own coins."""
    back = call.value if call.to == call.sender else 0
    return CoinFlow(out=sent_by(call.sender, call, known), back=back)


def sent_by(account: bytes, call: Call, known: Known, depth: int = MAX_DEPTH) -> int:
    """Return the wei that `account` itself sends in a call and the calls inside of it.

    A Safe's or another account's coins are not the signer's, though the description names them. An
    account that acts by code (EIP-7702) may call itself, and then sends what the batch says.
    """
    sent = call.value if call.sender == account and not call.delegate else 0
    decoded = decode_call(call.data) if depth else None
    inner = inner_calls(decoded, call, known) if decoded else None
    if inner is None:
        return sent
    return sent + sum(sent_by(account, part, known, depth - 1) for part in inner.calls)
