"""Shares through their life on real nodes: all kinds, a lost machine, refresh, reshare."""

from pathlib import Path

import pytest

from console.application.api import CommandRefused, GetRecovery, GetWallet, PreviewTransfer
from console.application.commands import (
    ApproveMachine,
    ConfirmCeremonyCode,
    FundFromFaucet,
    Pin,
    ProposeCeremony,
    ProposeMachine,
    ProposeRefresh,
    ProposeRepair,
    ProposeReshare,
    ProposeTransfer,
    RunDrill,
)
from console.application.views import RequestStage, RequestView, ShareState, WalletSharesView
from console.demo.cluster import Cluster
from tests.e2e.steps import Office, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

KINDS = ("ecdsa-secp256k1", "schnorr-bip340", "eddsa-ed25519")
PEOPLE = (
    ("ana", "Ana Ruiz"),
    ("ben", "Ben Okafor"),
    ("chiara", "Chiara Neri"),
    ("dora", "Dora Lind"),
    ("eli", "Eli Sato"),
)
ETHER_TO = "0x52908400098527886E0F7030069857D2E4169EE7"
THREE = ("ana", "ben", "chiara")
FIVE = tuple(member for member, _ in PEOPLE)


async def shares(office: Office, member: str, wallet: str) -> WalletSharesView | None:
    view = await office.consoles[member].ask(GetRecovery())
    return next((w for w in view.wallets if w.wallet == wallet), None)


async def finish(office: Office, ceremony: str, members: tuple[str, ...]) -> str:
    """Accept, compare and confirm; return the wallet once all have its new epoch."""
    for member in members[1:]:
        await office.accept_ceremony(member, ceremony)

    async def one_code() -> str | None:
        views = [await office.ceremony(m, ceremony) for m in members]
        codes = {view.code for view in views}
        return codes.pop() if len(codes) == 1 else None

    code = await until("all show one code", one_code)
    for member in members:
        await office.consoles[member].execute(ConfirmCeremonyCode(ceremony, code))
    return (await office.ceremony(members[0], ceremony)).wallet


async def all_proved(office: Office, wallet: str, epoch: int, custodians: tuple[str, ...]) -> None:
    """Wait until every custodian sees every share proved by a signature of each kind."""
    for member in custodians:

        async def proved(member: str = member) -> bool:
            view = await shares(office, member, wallet)
            return (
                view is not None
                and view.epoch == epoch
                and {s.member for s in view.shares} == set(custodians)
                and all(s.state is ShareState.PROVED for s in view.shares)
                and view.drills[0].kinds == KINDS
                and not view.not_erased
            )

        await until(f"{member} sees all shares of epoch {epoch} proved", proved)


async def send_ether(
    office: Office, wallet: str, proposer: str, approvers: tuple[str, ...]
) -> RequestView:
    """Send 0.25 ETH, signed by DKLs23 over the nodes and accepted by the real virtual machine."""
    console = office.consoles[proposer]
    query = PreviewTransfer(wallet=wallet, chain="ethereum", to_address=ETHER_TO, amount="0.25")
    preview = await console.ask(query)
    assert not preview.problems, preview.problems
    assert preview.description.to_address == ETHER_TO
    propose = ProposeTransfer(wallet=wallet, chain="ethereum", transaction=preview.transaction)
    request = (await console.execute(propose)).subject
    for member in approvers:
        await office.approve(member, request)

    async def confirmed() -> RequestView | None:
        view = await office.request(proposer, request)
        return view if view.stage is RequestStage.CONFIRMED else None

    return await until(f"{request} is confirmed", confirmed)


def stored_epochs(office: Office, member: str) -> int:
    """Count the share records on a member's disk."""
    directory: Path = office.cluster.members[member].profile.directory
    return len(list((directory / "shares").glob("*.share")))


async def test_shares_live_through_loss_repair_refresh_and_reshare(  # noqa: PLR0915 - one life
    tmp_path: Path,
) -> None:
    office = await Office.open(await Cluster.create(tmp_path / "home", people=PEOPLE))
    try:
        for member in FIVE:
            await office.start(member)

        # One ceremony, three kinds of keys.
        command = ProposeCeremony(
            wallet_name="Treasury",
            kinds=KINDS,
            threshold=2,
            custodians=THREE,
            approvals_needed=2,
            expires_in_s=3600,
        )
        ceremony = (await office.consoles["ana"].execute(command)).subject
        wallet = await finish(office, ceremony, THREE)
        await all_proved(office, wallet, 0, THREE)
        before = await office.consoles["ana"].ask(GetWallet(wallet))
        assert before.kinds == KINDS
        await office.consoles["ana"].execute(
            FundFromFaucet(wallet=wallet, chain="ethereum", base_units=10**18)
        )
        first = await send_ether(office, wallet, "ana", ("ben", "chiara"))

        # A machine is lost: directory and token. The new one is nobody until two endorse it.
        entry = await office.cluster.replace_machine("chiara")
        await office.consoles["chiara"].close()
        office.consoles["chiara"] = await office.cluster.console("chiara")
        await office.start("chiara")
        pin = {m: office.cluster.members[m].pin.encode() for m in FIVE}
        preview = (
            await office.consoles["ana"].execute(ProposeMachine(entry, Pin(pin["ana"])))
        ).subject
        assert preview == "chiara"
        for member in ("ben", "dora"):

            async def seen(member: str = member) -> str | None:
                machines = (await office.consoles[member].ask(GetRecovery())).machines
                return machines[0].digest if machines and machines[0].can_approve else None

            digest = await until(f"{member} sees the machine", seen)
            approve = ApproveMachine("chiara", digest, Pin(pin[member]))
            await office.consoles[member].execute(approve)

        async def knows_its_loss() -> bool:
            view = await shares(office, "chiara", wallet)
            return view is not None and any(
                s.member == "chiara" and s.state is ShareState.LOST for s in view.shares
            )

        await until("the new machine knows what it lost", knows_its_loss)
        with pytest.raises(CommandRefused, match="no share"):
            await office.consoles["chiara"].execute(RunDrill(wallet))
        assert stored_epochs(office, "chiara") == 0

        # Repair, which refreshes; then a refresh by itself.
        command = ProposeRepair(wallet, "chiara")
        ceremony = (await office.consoles["ana"].execute(command)).subject
        await finish(office, ceremony, THREE)
        await all_proved(office, wallet, 1, THREE)
        assert {stored_epochs(office, m) for m in THREE} == {len(KINDS)}
        ceremony = (await office.consoles["ben"].execute(ProposeRefresh(wallet))).subject
        await finish(office, ceremony, ("ben", "ana", "chiara"))
        await all_proved(office, wallet, 2, THREE)

        # 2-of-3 becomes 3-of-5.
        reshare = ProposeReshare(wallet=wallet, threshold=3, custodians=FIVE, approvals_needed=2)
        ceremony = (await office.consoles["ana"].execute(reshare)).subject
        await finish(office, ceremony, FIVE)
        await all_proved(office, wallet, 3, FIVE)
        assert {stored_epochs(office, m) for m in FIVE} == {len(KINDS)}

        # The keys are those of the first ceremony, at every member.
        for member in FIVE:
            after = await office.consoles[member].ask(GetWallet(wallet))
            assert [a.address for a in after.accounts] == [a.address for a in before.accounts]
            assert (after.threshold, after.holds_share, after.epoch) == (3, True, 3)
        last = await send_ether(office, wallet, "eli", ("dora", "ben"))
        assert last.description.from_address == first.description.from_address
        assert len(last.run.participants if last.run else ()) == 3
    finally:
        await office.close()
