"""Set-up of members whose keys are in AWS KMS: check, make, remove."""

from dataclasses import dataclass
from pathlib import Path

import structlog
from msgspec import structs

from console.bootstrap import kms_settings
from console.domain.ids import member_id
from console.protocols.kernel.secret import SecretBytes
from console.settings import MemberFiles, MemberSettings, VaultSettings
from hsm import Capabilities, SetUp, Standing
from hsm.kms import KmsSetUp, check_kms, provision_kms, remove_kms

log = structlog.get_logger(__name__)

KMS = "kms"
"""What `--module` is called for a member whose keys are in AWS KMS."""
_NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudKeys:
    """The options of a set-up with keys in KMS; without the two keys, both are made."""

    region: str
    sealing_key: str = ""
    identity_key: str = ""
    endpoint_url: str = ""
    profile: str = ""

    def vault(self) -> VaultSettings:
        """Return the settings of the vault."""
        return VaultSettings(
            kind=KMS,
            region=self.region,
            sealing_key=self.sealing_key,
            identity_key=self.identity_key,
            endpoint_url=self.endpoint_url,
            profile=self.profile,
        )


def check_cloud(home: Path, keys: CloudKeys, member: str) -> Capabilities:
    """Return what the named keys have of what a member needs; nothing is left. Blocking.

    Raises: SettingsInvalid, HsmError.
    """
    me = member_id(member or _NOBODY)
    return check_kms(kms_settings(MemberFiles(home / me), me, keys.vault()))


def make_cloud_keys(
    files: MemberFiles,
    settings: MemberSettings,
    passphrase: SecretBytes,
    how: SetUp,
    *,
    resumed: bool,
) -> tuple[bytes, Standing, VaultSettings]:
    """Make a member's keys, or use those given; return the identity key and where they are.

    Wipes the passphrase. Blocking. Raises: SettingsInvalid, HsmError.
    """
    place = kms_settings(files, settings.member, settings.vault)
    made = provision_kms(place, passphrase, _with(how, resumed=resumed))
    vault = structs.replace(
        settings.vault,
        sealing_key=made.place.sealing_key,
        identity_key=made.place.identity_key,
    )
    return made.identity_key, made.place.standing, vault


def remove_cloud_keys(files: MemberFiles, vault: VaultSettings, member: str, how: SetUp) -> None:
    """Have the keys deleted that an unfinished set-up made. Blocking. Raises: HsmError."""
    removed = remove_kms(kms_settings(files, member, vault), _with(how, resumed=True))
    if removed:
        log.warning("kms-keys-are-deleted-in-7-days", keys=len(removed), member=member)


def _with(how: SetUp, *, resumed: bool) -> KmsSetUp:
    return KmsSetUp(
        identifier=how.identifier,
        identity_key=how.identity_key,
        original=how.original,
        before_removal=how.before_removal,
        resumed=resumed,
    )
