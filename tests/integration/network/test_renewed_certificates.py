"""Real TLS: the pinned key is trusted, whichever certificate it shows, and no other key is."""

import asyncio
import time
from pathlib import Path

import grpc
import pytest

from console.adapters.network.anchors import anchor_of, renewed
from console.adapters.network.grpc_peers import GrpcNetwork, tls_name
from console.adapters.network.link_keys import IN_USE, RENEW_BEFORE_MS, LinkKeyFiles
from console.adapters.network.tls import (
    TlsIdentity,
    TlsMaterialUnusable,
    generate_identity,
    read_shown,
    spki_pin,
)
from console.application.errors import PeerRefused, PeerUnavailable
from console.application.ports.link_keys import MachineUnusable
from console.application.ports.network import LinkTrouble
from tests.integration.network.test_grpc_peers import (
    ANA,
    BEN,
    TIMEOUT_S,
    Pair,
    echo,
    identity,
    issued_by,
    pair,
    reached,
    status_of,
)

__all__ = ["pair"]

BENS = tls_name(BEN)


async def both_ways(pair: Pair, ben: GrpcNetwork) -> None:
    """Check that Ana and this machine of Ben's talk, whoever calls."""
    ana = pair.networks[ANA]
    assert await ana.call(BEN, b"hello", TIMEOUT_S) == b"ana:hello"
    assert await ben.call(ANA, b"hello", TIMEOUT_S) == b"ben:hello"


async def test_a_renewed_certificate_needs_nothing_from_the_peers(pair: Pair) -> None:
    await pair.networks[ANA].serve(echo)
    ben = pair.another(BEN, renewed(pair.own[BEN], BENS))
    await ben.serve(echo)
    await both_ways(pair, ben)
    # And again: a certificate is renewed under the same anchor as often as one likes.
    await ben.show(renewed(ben.identity, BENS), ())
    await both_ways(pair, ben)


async def test_renewing_is_accepted_after_the_old_certificate_has_ended(pair: Pair) -> None:
    """Also of a peer that knows nothing but the certificate that is over."""
    over = renewed(pair.own[BEN], BENS, days=-1)
    ana = pair.another(ANA, pair.own[ANA])
    await ana.admit(BEN, pair.address[BEN], pair.own[BEN].certificate_pem)
    await ana.serve(echo)
    ben = pair.another(BEN, over)
    await ben.serve(echo)
    with pytest.raises(PeerUnavailable, match="the certificate of its machine has ended"):
        await ana.call(BEN, b"hello", TIMEOUT_S)
    health = ana.health()[BEN]
    assert (health.online, health.trouble) == (False, LinkTrouble.ENDED)
    with pytest.raises(PeerUnavailable, match="the certificate of this machine has ended"):
        await ben.call(ANA, b"hello", TIMEOUT_S)
    await ben.show(renewed(over, BENS), ())
    await reached(ana, BEN)
    assert await ben.call(ANA, b"hello", TIMEOUT_S) == b"ben:hello"
    assert ana.health()[BEN].trouble is LinkTrouble.NONE


async def test_the_end_of_the_certificate_that_a_peer_shows_is_known(pair: Pair) -> None:
    ana = pair.networks[ANA]
    await ana.serve(echo)
    roster_end = read_shown(pair.own[BEN].certificate_pem).ends_ms
    assert ana.health()[BEN].certificate_ends_ms == roster_end
    soon = renewed(pair.own[BEN], BENS, days=20)
    await pair.another(BEN, soon).call(ANA, b"hello", TIMEOUT_S)
    assert ana.health()[BEN].certificate_ends_ms == read_shown(soon.certificate_pem).ends_ms


async def test_a_key_that_comes_counts_beside_the_old_one_until_it_is_alone(
    pair: Pair, tmp_path: Path
) -> None:
    ana, ben = pair.networks[ANA], pair.networks[BEN]
    await ana.serve(echo)
    await ben.serve(echo)
    old, new = pair.own[BEN], identity(tmp_path / "new", BEN)
    await ana.admit(BEN, coming=new.certificate_pem)
    await both_ways(pair, ben)
    await ben.show(renewed(new, BENS), (old,))
    await reached(ana, BEN)
    await both_ways(pair, ben)
    # Whoever copied the old key still gets in, until the change is complete.
    thief = pair.another(BEN, old)
    assert await thief.call(ANA, b"hello", TIMEOUT_S) == b"ben:hello"

    await ana.admit(BEN, certificate=new.certificate_pem)

    with pytest.raises(PeerRefused):
        await thief.call(ANA, b"over the open link", TIMEOUT_S)
    for shown in (old, renewed(old, BENS), issued_by(old, BEN)):
        with pytest.raises(PeerUnavailable):
            await pair.another(BEN, shown).call(ANA, b"hello", TIMEOUT_S)
    await reached(ana, BEN)
    await both_ways(pair, ben)


async def test_a_thief_is_not_spoken_to_once_its_key_is_over(pair: Pair, tmp_path: Path) -> None:
    new = identity(tmp_path / "new", BEN)
    ana = pair.networks[ANA]
    await pair.networks[BEN].serve(echo)
    await ana.admit(BEN, certificate=new.certificate_pem)
    with pytest.raises(PeerUnavailable, match="a TLS key that is not known here"):
        await ana.call(BEN, b"hello", TIMEOUT_S)


async def test_a_member_that_knows_only_the_old_key_can_be_told(pair: Pair, tmp_path: Path) -> None:
    ana, ben = pair.networks[ANA], pair.networks[BEN]
    await ana.serve(echo)
    new = identity(tmp_path / "new", BEN)
    await ben.show(renewed(new, BENS), (pair.own[BEN],))
    with pytest.raises(PeerUnavailable):
        await ben.call(ANA, b"hello", 1.0)
    assert await ben.tell(ANA, b"news", TIMEOUT_S) == b"ben:news"
    await ben.show(renewed(new, BENS), ())
    with pytest.raises(PeerUnavailable):
        await ben.tell(ANA, b"news", 1.0)


async def test_an_anchor_is_no_key_to_anything(pair: Pair) -> None:
    """Whoever makes an anchor of Ben's has Ben's public key, and shows nothing with it."""
    await pair.networks[ANA].serve(echo)
    await pair.networks[BEN].serve(echo)
    forged = TlsIdentity(pair.own[ANA].key_pem, anchor_of(pair.own[BEN].certificate_pem))
    assert await status_of(pair, forged) is not grpc.StatusCode.OK
    stranger = renewed(generate_identity(tls_name(ANA)), tls_name(ANA))
    assert await status_of(pair, stranger) is not grpc.StatusCode.OK


# The keys in files.


@pytest.fixture
def files(tmp_path: Path) -> LinkKeyFiles:
    identity(tmp_path / "tls", BEN)
    for suffix in ("key", "crt"):
        (tmp_path / "tls" / f"ben.{suffix}").rename(tmp_path / "tls" / f"peer.{suffix}")
    return LinkKeyFiles(tmp_path / "tls", BENS)


def again(tmp_path: Path) -> LinkKeyFiles:
    return LinkKeyFiles(tmp_path / "tls", BENS)


async def test_a_certificate_is_renewed_ninety_days_before_its_end(
    files: LinkKeyFiles, tmp_path: Path
) -> None:
    first, ends_ms = files.identity, files.own().ends_ms
    assert not await files.renew_if_due(ends_ms - RENEW_BEFORE_MS - 1)
    assert await files.renew_if_due(ends_ms - RENEW_BEFORE_MS)
    assert files.identity.key_pem == first.key_pem
    assert files.own().ends_ms > time.time() * 1000
    assert again(tmp_path).identity == files.identity
    assert (tmp_path / "tls" / "peer.key").stat().st_mode & 0o777 == 0o600


async def test_a_certificate_that_cannot_be_kept_is_shown_all_the_same(
    files: LinkKeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("console.adapters.network.link_keys.write_anew", full)
    shown: list[TlsIdentity] = []

    async def show(identity: TlsIdentity, _former: tuple[TlsIdentity, ...]) -> None:
        shown.append(identity)

    files.show = show
    assert await files.renew_if_due(files.own().ends_ms)
    assert shown == [files.identity]


async def test_a_new_key_is_used_after_a_restart_too(files: LinkKeyFiles, tmp_path: Path) -> None:
    old = files.own().tls_pin
    certificate = await files.coming()
    assert await again(tmp_path).coming() == certificate
    assert files.own().tls_pin == old
    pin = spki_pin(certificate)
    assert await files.holds(pin)
    await files.go_over(pin)
    await files.go_over(pin)
    later = again(tmp_path)
    assert later.own().tls_pin == files.own().tls_pin == pin
    assert [spki_pin(former.certificate_pem) for former in later.former] == [old]
    await later.forget_former()
    assert not again(tmp_path).own().former
    assert sorted(p.name for p in (tmp_path / "tls").iterdir()) == [
        "peer-2.crt", "peer-2.key", IN_USE,
    ]  # fmt: skip


async def test_a_renewal_and_a_new_key_at_once_leave_two_whole_pairs(
    files: LinkKeyFiles, tmp_path: Path
) -> None:
    old, ends_ms = files.own().tls_pin, files.own().ends_ms
    new = spki_pin(await files.coming())
    await asyncio.gather(files.renew_if_due(ends_ms), files.go_over(new))
    assert files.own().tls_pin == new
    restarted = again(tmp_path)
    assert restarted.own().tls_pin == new
    assert [spki_pin(pair.certificate_pem) for pair in restarted.former] == [old]


async def test_only_a_key_that_is_here_is_gone_over_to(files: LinkKeyFiles, tmp_path: Path) -> None:
    with pytest.raises(MachineUnusable, match="does not have the TLS key"):
        await files.go_over(b"another")
    (tmp_path / "tls" / "peer-2.key").write_bytes(b"half")
    assert spki_pin(await files.coming())
    (tmp_path / "tls" / IN_USE).write_text("x")
    with pytest.raises(TlsMaterialUnusable, match="damaged"):
        again(tmp_path)


async def test_calls_under_way_are_finished_when_the_key_changes(pair: Pair) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(sender: str, message: bytes) -> bytes:
        begun.set()
        await go_on.wait()
        return message

    await pair.networks[BEN].serve(slow)
    ana = pair.networks[ANA]
    call = asyncio.create_task(ana.call(BEN, b"hello", TIMEOUT_S))
    await begun.wait()
    change = asyncio.create_task(ana.show(renewed(pair.own[ANA], tls_name(ANA)), ()))
    await asyncio.sleep(0)
    go_on.set()
    assert await call == b"hello"
    await change
