"""The whole thread: ceremony, approvals, signature, broadcast, on three real nodes."""

from pathlib import Path

import pytest

from console.adapters.ledger.verifier import ExportInvalid, verify_export
from console.application.api import CommandRefused, GetLedger
from console.application.commands import ExportLedger
from tests.e2e.member_reading import read_member
from tests.e2e.steps import Office, require_kept

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def test_ceremony_to_confirmation_and_back_after_a_restart(office: Office) -> None:
    await office.all_ready()
    wallet = await office.hold_ceremony("Treasury")
    await office.fund(wallet)
    before = await office.balance("ana", wallet)
    request = await office.transfer(wallet, "0.25")
    views = [await office.request(m, request) for m in office.members]
    assert len({(v.transaction_id, v.short_code, v.signature) for v in views}) == 1
    assert before is not None
    for member in office.members:
        assert await office.balance(member, wallet) == before - 250_000_000 - 5_000
    seen = {m: await office.ledger(m) for m in office.members}
    for member in office.members:
        await office.restart(member)
    for member in office.members:
        require_kept(seen[member], await office.ledger(member))
    await office.all_ready()
    await office.transfer(wallet, "0.5")


async def test_ledgers_verify_and_agree_on_the_keys(office: Office) -> None:
    await office.all_ready()
    await office.hold_ceremony("Reserve")
    for member in office.members:
        await office.cluster.stop_node(member)
    readings = [
        await read_member(state.profile.directory, state.pin)
        for state in office.cluster.members.values()
    ]
    keys = [
        {
            str(fields["wallet"]): fields["keys"]
            for _, name, fields in reading.events
            if name == "wallet.activated.v1"
        }
        for reading in readings
    ]
    assert keys[0]
    assert keys[0] == keys[1] == keys[2]


async def test_an_exported_ledger_verifies_without_any_key(office: Office) -> None:
    await office.all_ready()
    told = await office.consoles["ana"].execute(ExportLedger())
    verified = verify_export(Path(told.subject))
    head = (await office.consoles["ana"].ask(GetLedger(limit=1))).head_sequence
    assert 0 < verified.records <= head
    with pytest.raises(ExportInvalid):
        verify_export(altered_copy(Path(told.subject)))
    told = await office.consoles["ana"].execute(ExportLedger((head, 1)))
    proved = verify_export(Path(told.subject), verified.key.hex())
    assert (proved.proven, proved.key) == (2, verified.key)
    with pytest.raises(CommandRefused, match="records so far"):
        await office.consoles["ana"].execute(ExportLedger((1 << 40,)))


def altered_copy(export: Path) -> Path:
    copy = export.with_suffix(".altered")
    copy.write_bytes(export.read_bytes().replace(b'"version":1', b'"version":2', 1))
    return copy
