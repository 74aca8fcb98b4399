"""A second reading of messages: by the library's decoders, and for tokens once more by hand."""

import struct
from contextlib import suppress
from dataclasses import dataclass

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import decode_advance_nonce_account, decode_transfer

from console.adapters.chains.solana import programs

TRANSFER_CHECKED, FEE_OF_SIGNATURE, MICRO, MOST_UNITS = 12, 5_000, 10**6, 1_400_000

BUILT_IN = {
    "11111111111111111111111111111111",
    "ComputeBudget111111111111111111111111111111",
    "Ed25519SigVerify111111111111111111111111111",
    "KeccakSecp256k11111111111111111111111111111",
}


@dataclass
class Decoded:
    """What the library and a second reading by hand see in a message."""

    payer: Pubkey
    signers: int
    recent: Hash
    instructions: list[Instruction]

    @classmethod
    def of(cls, data: bytes) -> "Decoded":
        message = from_bytes_versioned(data)
        assert isinstance(message, Message | MessageV0)
        keys = message.account_keys
        instructions = [
            Instruction(
                keys[compiled.program_id_index],
                bytes(compiled.data),
                [AccountMeta(keys[i], message.is_signer(i), True) for i in compiled.accounts],
            )
            for compiled in message.instructions
        ]
        signers = message.header.num_required_signatures
        return cls(keys[0], signers, message.recent_blockhash, instructions)

    def coins(self) -> list[tuple[Pubkey, Pubkey, int]]:
        found = []
        for instruction in self.instructions:
            data = bytes(instruction.data)
            if instruction.program_id == programs.SYSTEM and data[:4] == b"\2\0\0\0":
                with suppress(ValueError, IndexError):
                    sent = decode_transfer(instruction)
                    found.append((sent["from_pubkey"], sent["to_pubkey"], sent["lamports"]))
        return found

    def tokens(self) -> list[tuple[Pubkey, list[Pubkey], int, int]]:
        found = []
        for instruction in self.instructions:
            data = bytes(instruction.data)
            token = instruction.program_id in {programs.TOKEN, programs.TOKEN_2022}
            if token and len(data) == 10 and data[0] == TRANSFER_CHECKED:
                amount, decimals = struct.unpack("<QB", data[1:])
                keys = [meta.pubkey for meta in instruction.accounts]
                found.append((instruction.program_id, keys, amount, decimals))
        return found

    def memos(self) -> list[bytes]:
        memo = (programs.MEMO, programs.MEMO_V1)
        return [bytes(i.data) for i in self.instructions if i.program_id in memo]

    def fee(self) -> int:
        """The fee of a message that sets price and limit at most once."""
        price, limit = 0, None
        for instruction in self.instructions:
            data = bytes(instruction.data)
            if instruction.program_id == programs.COMPUTE_BUDGET and not instruction.accounts:
                if data[:1] == b"\2" and len(data) == 5:
                    limit = int.from_bytes(data[1:], "little")
                if data[:1] == b"\3" and len(data) == 9:
                    price = int.from_bytes(data[1:], "little")
        reserved = (3_000 if str(i.program_id) in BUILT_IN else 200_000 for i in self.instructions)
        units = sum(reserved) if limit is None else limit
        priority = -(-price * min(units, MOST_UNITS) // MICRO)
        checked = sum(
            (bytes(i.data)[:1] or b"\0")[0]
            for i in self.instructions
            if "SigVerify1" in str(i.program_id) or str(i.program_id).startswith("KeccakSecp256k1")
        )
        return (self.signers + checked) * FEE_OF_SIGNATURE + min(priority, (1 << 64) - 1)

    def nonce(self) -> Pubkey | None:
        if not self.instructions:
            return None
        first = self.instructions[0]
        if first.program_id != programs.SYSTEM or bytes(first.data) != b"\4\0\0\0":
            return None
        if len(first.accounts) != 3 or first.accounts[1].pubkey != programs.RECENT_BLOCKHASHES:
            return None
        return decode_advance_nonce_account(first)["nonce_pubkey"]
