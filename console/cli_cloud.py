"""The options of `quorate init --module kms`."""

from typing import Annotated

import typer

from console.provisioning import KMS, CloudKeys

Region = Annotated[str, typer.Option(help="AWS region of the keys (--module kms).")]
SealingKey = Annotated[
    str, typer.Option(help="ARN of a symmetric KMS key; without both keys, both are made.")
]
IdentityKey = Annotated[str, typer.Option(help="ARN of a KMS key ECC_NIST_P256 that signs.")]
EndpointUrl = Annotated[str, typer.Option(help="KMS at another address than the region's own.")]
AwsProfile = Annotated[str, typer.Option(help="Profile in the AWS configuration of this user.")]


def cloud_keys(module: str, options: dict[str, str]) -> CloudKeys | None:
    """Return where the keys are, None for another module. Raises: BadParameter."""
    given = [name for name, value in options.items() if value]
    if module != KMS:
        if given:
            raise typer.BadParameter(f"only with --module kms: {', '.join(given)}")
        return None
    if not options["--region"]:
        raise typer.BadParameter("missing: --region")
    return CloudKeys(
        region=options["--region"],
        sealing_key=options["--sealing-key"],
        identity_key=options["--identity-key"],
        endpoint_url=options["--endpoint-url"],
        profile=options["--aws-profile"],
    )
