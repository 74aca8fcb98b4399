"""The licences of Quorate and of what is installed with it."""

LICENCES = """Quorate is licensed under the Apache License, Version 2.0.

It uses, unmodified and replaceable in its installation folder: Qt 6 and PySide6 (LGPL-3.0), \
qasync (BSD-2-Clause), segno (BSD-3-Clause), msgspec (BSD-3-Clause), cryptography (Apache-2.0 or \
BSD-3-Clause), grpcio (Apache-2.0), coincurve (MIT or Apache-2.0), PyNaCl (Apache-2.0), \
python-pkcs11 (MIT), sqlcipher3 (zlib), solders (Apache-2.0), python-bitcoinlib (LGPL-3.0 or \
later), web3, eth-abi, eth-utils, py-ecc, platformdirs, rich, tomli-w and typer (MIT), aiohttp \
(Apache-2.0 and MIT), structlog (MIT or Apache-2.0), boto3 (Apache-2.0), and what these bring along.

The icons were drawn for Quorate and share its licence. The fonts Inter and JetBrains Mono are \
under the SIL Open Font License 1.1:

"""
