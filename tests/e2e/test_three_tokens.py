"""Three nodes on three different tokens: a ceremony and a payment."""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from console.client import Profile
from console.demo.cluster import SOURCES, Cluster, ClusterMember
from console.provisioning import write_roster
from console.set_up.processes import run
from console.settings import RosterEntry
from tests.e2e.steps import Office
from tests.e2e.test_vault_and_ledger_owners import free_port
from tests.peers import KRYOPTIC, peer
from tests.shim import Shim, build
from tests.softhsm import USER_PIN, SoftHsm

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.hsm,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

# Neither GCM nor key wrap, no data objects, and the PIN is not asked for again.
POOR = ("hide=0x1087", "hide=0x2109", "hide=0x210a", "no-data", "no-reauth")
OWN_IV = ("iv-appended", "nothing-public", "calls=1024", "objects=1024")


@dataclass(frozen=True)
class OtherToken:
    """A token of another kind, and the environment that its module reads."""

    module: Path
    label: str
    environment: dict[str, str]


def over_softhsm(softhsm: SoftHsm, module: Path, words: Path, *taken: str) -> OtherToken:
    Shim(module, words, softhsm).restrict(*taken)
    return OtherToken(module, softhsm.blank(), {"QUORATE_SHIM": str(words)})


@pytest_asyncio.fixture(loop_scope="session")
async def three(
    softhsm: SoftHsm, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Office, dict[str, OtherToken]]]:
    """SoftHSM as it is, SoftHSM without most of it, and kryoptic or a SoftHSM with its own IV."""
    module = build(tmp_path, softhsm.module)
    others = {"ben": over_softhsm(softhsm, module, tmp_path / "ben.words", *POOR)}
    if KRYOPTIC.exists():
        found = peer("kryoptic", softhsm, tmp_path_factory.mktemp)
        named = {"KRYOPTIC_CONF": os.environ["KRYOPTIC_CONF"]}
        others["chiara"] = OtherToken(found.module, found.label, named)
    else:
        words = tmp_path / "chiara.words"
        others["chiara"] = over_softhsm(softhsm, module, words, *OWN_IV)
    home = tmp_path / "home"
    cluster = await Cluster.create(home, people=(("ana", "Ana Ruiz"),))
    office = await joined(cluster, home, others)
    yield office, others
    await office.close()


async def joined(cluster: Cluster, home: Path, others: dict[str, OtherToken]) -> Office:
    """Set up the members on the other tokens by the command line, and start all nodes."""
    entries = list(cluster.founders)
    for member, token in others.items():
        peer_port, console_port = free_port(), free_port()
        command = [
            *(*SOURCES, "init", "--member", member, "--name", member.title()),
            *("--home", str(home), "--listen", f"127.0.0.1:{peer_port}"),
            *("--console", f"127.0.0.1:{console_port}"),
            *("--module", str(token.module), "--token", token.label),
            *("--chain", f"solana,devnet,http://127.0.0.1:{cluster.devnet_port}/solana"),
        ]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in token.environment.items():
                patch.setenv(name, value)
            said = await run(command, f"{member} is not set up", f"{USER_PIN.decode()}\n")
        profile = Profile(member, member.title(), home / member)
        cluster.members[member] = ClusterMember(profile, USER_PIN.decode(), peer_port, console_port)
        entries.append(RosterEntry(**json.loads(said)))
    write_roster(home, tuple(entries))
    for member in cluster.members:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in others[member].environment.items() if member in others else ():
                patch.setenv(name, value)
            await cluster.start_node(member)
    return await Office.open(cluster)


async def test_three_tokens_make_a_wallet_and_a_payment(
    three: tuple[Office, dict[str, OtherToken]],
) -> None:
    office, others = three
    await office.all_ready()
    sessions = {member: await office.session(member) for member in office.members}
    assert "SoftHSM files" in sessions["ana"].vault.backing
    assert "is not noticed" in sessions["ben"].vault.backing
    assert sessions["chiara"].vault.label == others["chiara"].label
    wallet = await office.hold_ceremony("Treasury")
    await office.fund(wallet)
    await office.transfer(wallet, "0.25")
