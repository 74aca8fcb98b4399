"""Repair of a lost share: t owners compute it for its owner without learning it (docs/spec 6.3).

Repairable threshold scheme of Laing and Stinson, with commitments to the parts, so that whoever
cheats can be named. The epoch stays: if the lost device may have been stolen, refresh next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import H, Tag
from console.protocols.keygen.complaints import complain
from console.protocols.keygen.messages import Split, SplitSum, Subshare
from console.protocols.keygen.share import KeyShare, PublicKeyPackage, encode_public
from console.protocols.keygen.share_proof import exchange_proofs
from console.protocols.math.feldman import ShareMismatch, parse_commitment
from console.protocols.math.group import BadEncoding, Group, Point
from console.protocols.math.polynomial import lagrange


@dataclass(frozen=True, slots=True)
class RepairParameters:
    """What all parties must agree on: the key, who lost its share, and who helps.

    The one who lost its share takes `public` from the key's certificate. `helpers` ascend.
    """

    public: PublicKeyPackage
    lost: int
    helpers: tuple[int, ...]
    context: bytes

    def check(self) -> None:
        """Check that the key is sound and the helpers can help. Raises: BadShare; ValueError."""
        self.public.check()
        owners = set(self.public.indices)
        if self.lost not in owners or not set(self.helpers) <= owners - {self.lost}:
            raise ValueError("a party does not own the key, or helps itself")
        if list(self.helpers) != sorted(set(self.helpers)):
            raise ValueError("the helpers do not ascend")
        if len(self.helpers) < self.public.threshold:
            raise ValueError("there are fewer helpers than the threshold")


@dataclass(frozen=True, slots=True)
class RepairResult:
    """The share for its owner, None for a helper; and 32 bytes, the same at every party."""

    share: KeyShare | None
    transcript: bytes


async def repair(
    party: Party, parameters: RepairParameters, share: KeyShare | None, random: Random
) -> RepairResult:
    """Restore the share of party `lost`; `share` is ours, None for that party.

    Raises: BadShare if our share is not sound; ProtocolAbort BLAME naming all who failed a check
    of the round. A wrong sum is visible only to the one who is repaired, and blamed there.
    """
    parameters.check()
    _check_ours(party, parameters, share)
    public, lost, helpers = parameters.public, parameters.lost, parameters.helpers
    group = public.group
    wiped: list[SecretBytes] = []
    parts: dict[int, SecretBytes] = {}
    if share is not None:
        parts = split_share(group, share, parameters, random)
        wiped += parts.values()
    try:
        # Round 1: split zeta_i * x_i among the helpers, and commit to the parts.
        ours = Split(tuple(group.base(group.parse_scalar(parts[h].view())) for h in parts))
        await party.broadcast(ours)
        for j in party.others:
            await party.send(j, Subshare(parts.get(j) or SecretBytes(b"")))
        splits = {party.me: ours, **await party.gather(Split)}
        subshares = {i: m.share for i, m in (await party.gather(Subshare)).items()}
        wiped += subshares.values()
        points = _check_splits(parameters, splits)

        # Round 2: complain about parts that do not fit, which ends the session.
        received = {
            i: part for i, part in subshares.items() if i in helpers and party.me in helpers
        }
        await complain(party, helpers, helpers, _fits(group, points), received)

        # Round 3: each helper sums up its parts for the one who is repaired.
        mine = [parts[party.me], *received.values()] if share is not None else []
        sums = await _exchange_sums(party, lost, group, mine, wiped)
        new = None
        if share is None:
            _check_sums(group, points, sums)
            new = KeyShare(lost, sum_of_parts(group, list(sums.values())), public)
            wiped.append(new.secret)
            new.check()

        # Last round: the repaired party proves to hold its share.
        transcript = _transcript(party, parameters, splits)
        tag = Tag.REPAIR_SHARE_PROOF
        proofs = await exchange_proofs(party, tag, public, (lost,), new, transcript, random)
        if new is not None:
            new = KeyShare(lost, SecretBytes(bytes(new.secret.view())), public)
        return RepairResult(new, H(Tag.REPAIR_TRANSCRIPT, transcript, proofs))
    finally:
        for item in wiped:
            item.wipe()


def _check_ours(party: Party, parameters: RepairParameters, share: KeyShare | None) -> None:
    """Check that we take part as we should, with a sound share if we help."""
    if party.parties != tuple(sorted((*parameters.helpers, parameters.lost))):
        raise ValueError("the parties are the helpers and the one who lost its share")
    if (share is None) != (party.me == parameters.lost):
        raise ValueError("every helper brings its share")
    if share is not None:
        if share.public != parameters.public or share.index != party.me:
            raise ValueError("our share is of another key")
        share.check()


def split_share(
    group: Group, share: KeyShare, parameters: RepairParameters, random: Random
) -> dict[int, SecretBytes]:
    """Split zeta_i * x_i into random parts d_ih, one for each helper; ours is the rest."""
    helpers, me = parameters.helpers, share.index
    zeta = group.scalar(lagrange(me, helpers, group.order, parameters.lost))
    rest = group.multiply_scalars(zeta, group.secret_scalar(share.secret))
    parts: dict[int, SecretBytes] = {}
    for h in helpers:
        if h != me:
            part = group.random_scalar(random)
            rest = group.add_scalars(rest, group.negate_scalar(part))
            parts[h] = SecretBytes(part)
    parts[me] = SecretBytes(rest)
    return dict(sorted(parts.items()))


def _check_splits(
    parameters: RepairParameters, splits: Mapping[int, Split]
) -> dict[int, dict[int, Point]]:
    """Check that each helper's parts add up to zeta_i * Y_i, and return all D_ih by i and h."""
    public, helpers = parameters.public, parameters.helpers
    group = public.group
    accusations = Accusations()
    points: dict[int, dict[int, Point]] = {}
    for i, split in sorted(splits.items()):
        if i not in helpers:
            if split.points:
                accusations.add(i, "role")
            continue
        try:
            row = parse_commitment(group, len(helpers), split.points)
        except BadEncoding:
            accusations.add(i, "split-point")
            continue
        zeta = lagrange(i, helpers, group.order, parameters.lost)
        if group.sum(row) != group.multiply_public(zeta, public.public_share(i)):
            accusations.add(i, "split-sum")
        points[i] = dict(zip(helpers, row, strict=True))
    accusations.raise_if_any()
    return points


def _fits(
    group: Group, points: Mapping[int, Mapping[int, Point]]
) -> Callable[[int, int, SecretBytes], None]:
    def check(dealer: int, receiver: int, part: SecretBytes) -> None:
        _check_part(group, points[dealer][receiver], part)

    return check


def _check_part(group: Group, expected: Point, part: SecretBytes) -> None:
    try:
        scalar = group.parse_scalar(part.view())
    except BadEncoding:
        raise ShareMismatch("the part is not a canonical scalar") from None
    if group.base(scalar) != expected:
        raise ShareMismatch("the part does not fit the commitment")


async def _exchange_sums(
    party: Party, lost: int, group: Group, parts: list[SecretBytes], wiped: list[SecretBytes]
) -> dict[int, SecretBytes]:
    """Send the sum of our parts to the one who is repaired, and nothing to the others."""
    total = sum_of_parts(group, parts)
    wiped.append(total)
    for j in party.others:
        helps = j == lost and party.me != lost
        await party.send(j, SplitSum(total if helps else SecretBytes(b"")))
    sums = {i: m.share for i, m in (await party.gather(SplitSum)).items()}
    wiped += sums.values()
    return sums


def _check_sums(
    group: Group, points: Mapping[int, Mapping[int, Point]], sums: Mapping[int, SecretBytes]
) -> None:
    accusations = Accusations()
    for h, total in sorted(sums.items()):
        try:
            _check_part(group, group.sum(row[h] for row in points.values()), total)
        except ShareMismatch:
            accusations.add(h, "repair-sum")
    accusations.raise_if_any()


def sum_of_parts(group: Group, parts: list[SecretBytes]) -> SecretBytes:
    """Add up parts for a receiver, or receivers' sums for the one who is repaired."""
    total = group.scalar(0)
    for part in parts:
        total = group.add_scalars(total, group.parse_scalar(part.view()))
    return SecretBytes(total)


def _transcript(
    party: Party,
    parameters: RepairParameters,
    splits: Mapping[int, Split],
) -> bytes:
    """Hash the parameters and the splits; there were no complaints."""
    rows = [(i, splits[i].points) for i in sorted(splits)]
    return H(
        Tag.REPAIR_PARAMETERS,
        party.session_id,
        encode_public(parameters.public),
        parameters.lost,
        parameters.helpers,
        parameters.context,
        rows,
    )
