"""LiteSVM, Solana's own virtual machine in process, behind the JSON-RPC methods a wallet uses."""

import base64
import binascii
from typing import Any

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction, VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from console.devnet.failure import RpcFailure

MAX_AIRDROP = 10**15
_FAUCET_LAMPORTS = 10**18
MAX_TRANSACTION_BYTES = 1232
_MEMO_PROGRAM = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
_PREFLIGHT_FAILURE = -32002
_INVALID_PARAMS = -32602
_METHOD_NOT_FOUND = -32601


class SolanaDevnet:
    """One chain, empty at first. Each accepted transaction is in a slot of its own."""

    def __init__(self) -> None:
        self._svm = LiteSVM()
        self._genesis = str(self._svm.latest_blockhash())
        self._faucet = Keypair()
        self._svm.set_account(self._faucet.pubkey(), Account(_FAUCET_LAMPORTS, b"", SYSTEM_PROGRAM))
        self._slots: dict[str, int] = {}
        self._messages: set[bytes] = set()
        self._slot = 1

    def answer(self, method: str, params: list[Any]) -> object:
        """Answer one call. Raises: RpcFailure."""
        methods = {
            "getBalance": self._balance,
            "getGenesisHash": lambda _: self._genesis,
            "getHealth": lambda _: "ok",
            "getLatestBlockhash": self._latest_blockhash,
            "getSignatureStatuses": self._statuses,
            "getSlot": lambda _: self._slot,
            "requestAirdrop": self._airdrop,
            "sendTransaction": self._send,
        }
        if method not in methods:
            raise RpcFailure(_METHOD_NOT_FOUND, f"Method not found: {method[:60]}")
        return methods[method](params)

    def expire_blockhash(self) -> None:
        """Make every transaction built so far too old, as time does on a public cluster."""
        self._svm.expire_blockhash()

    def _balance(self, params: list[Any]) -> object:
        return self._in_context(self._svm.get_balance(_pubkey(params)) or 0)

    def _latest_blockhash(self, _params: list[Any]) -> object:
        value = {
            "blockhash": str(self._svm.latest_blockhash()),
            "lastValidBlockHeight": self._slot + 150,
        }
        return self._in_context(value)

    def _statuses(self, params: list[Any]) -> object:
        signatures = params[0] if params and isinstance(params[0], list) else []
        return self._in_context([self._status(str(signature)) for signature in signatures[:256]])

    def _status(self, signature: str) -> object:
        slot = self._slots.get(signature)
        if slot is None:
            return None
        return {
            "slot": slot,
            "confirmations": None,
            "err": None,
            "status": {"Ok": None},
            "confirmationStatus": "finalized",
        }

    def _airdrop(self, params: list[Any]) -> object:
        key, lamports = _pubkey(params), params[1] if len(params) > 1 else 0
        if type(lamports) is not int or not 0 < lamports <= MAX_AIRDROP:
            raise RpcFailure(_INVALID_PARAMS, "the faucet does not give that much")
        # The slot makes each gift another transaction: the machine takes none twice.
        instructions = [
            transfer(
                TransferParams(from_pubkey=self._faucet.pubkey(), to_pubkey=key, lamports=lamports)
            ),
            Instruction(_MEMO_PROGRAM, str(self._slot).encode(), []),
        ]
        message = Message(instructions, self._faucet.pubkey())
        gift = Transaction([self._faucet], message, self._svm.latest_blockhash())
        result = self._svm.send_transaction(gift)
        if isinstance(result, FailedTransactionMetadata):
            raise RpcFailure(_PREFLIGHT_FAILURE, f"the faucet fails: {_error_name(result)}")
        return self._include(result.signature())

    def _send(self, params: list[Any]) -> object:
        try:
            data = base64.b64decode(str(params[0]), validate=True)
            transaction = VersionedTransaction.from_bytes(data)
        except (binascii.Error, ValueError, IndexError):
            raise RpcFailure(_INVALID_PARAMS, "failed to deserialize the transaction") from None
        # The parser ignores trailing bytes, a real cluster does not.
        if len(data) > MAX_TRANSACTION_BYTES or bytes(transaction) != data:
            raise RpcFailure(_INVALID_PARAMS, "the transaction is not canonical")
        # As a cluster does: another signature of the same message is the same transaction.
        message = bytes(transaction.message)
        if message in self._messages and all(transaction.verify_with_results()):
            raise RpcFailure(
                _PREFLIGHT_FAILURE,
                "Transaction simulation failed: This transaction has already been processed",
                {"err": "AlreadyProcessed", "logs": []},
            )
        result = self._svm.send_transaction(transaction)
        if isinstance(result, FailedTransactionMetadata):
            name = _error_name(result)
            raise RpcFailure(
                _PREFLIGHT_FAILURE,
                f"Transaction simulation failed: {name}",
                {"err": name, "logs": result.meta().logs()},
            )
        self._messages.add(message)
        return self._include(result.signature())

    def _include(self, signature: Signature) -> str:
        self._slot += 1
        self._slots[str(signature)] = self._slot
        return str(signature)

    def _in_context(self, value: object) -> object:
        return {"context": {"slot": self._slot, "apiVersion": "litesvm"}, "value": value}


def _error_name(result: FailedTransactionMetadata) -> str:
    return str(result.err()).rpartition(".")[2]


def _pubkey(params: list[Any]) -> Pubkey:
    try:
        return Pubkey.from_string(str(params[0]))
    except (ValueError, IndexError):
        raise RpcFailure(_INVALID_PARAMS, "Invalid param: not a public key") from None
