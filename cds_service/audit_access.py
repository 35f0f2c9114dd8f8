"""Access to the audit store from the command line: every command is recorded before it shows or changes anything."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from audit_trail.checkpoints import KeyProblem, Signer, signer_at
from audit_trail.queries import Queries
from audit_trail.record import AccessRecord
from audit_trail.store import Store
from cds_service.settings import Settings, SettingsError
from cds_service.store_of_process import store_of

ROLE: Final = "operator"  # whoever can run commands as the service's account


class CommandLine(Struct, frozen=True):
    """Who sits at the command line, and the store that they see."""

    store: Store
    queries: Queries
    signer: Signer
    who: str

    def accessed(self, action: str, *, decision: str = "", filter: str = "", records: int = 0) -> None:
        """Records what is about to be shown or done; raises ``NotRecorded``, and then it must not be."""
        access = AccessRecord(
            at=datetime.now(UTC),
            who=self.who,
            role=ROLE,
            through="command line",
            action=action,
            decision=decision,
            filter=filter,
            records=records,
        )
        self.store.accessed(self.signer.writer, access)


def at_the_command_line(settings: Settings) -> CommandLine:
    """The store of these settings, for whoever runs the command."""
    store = store_of(settings, unhurried=True)
    if store is None:
        raise SettingsError("LUMBAR_CDS_AUDIT_STORE: off; there is no store to look into")
    try:
        signer = signer_at(settings.audit_key)
    except KeyProblem as problem:
        raise SettingsError(str(problem)) from None
    return CommandLine(store.store(), store.queries(), signer, account())


def account() -> str:
    """The account on the machine; with sudo, the person's own beside it."""
    name = getpass.getuser()
    person = os.environ.get("SUDO_USER", "")
    return f"{person} as {name}" if person and person != name else name
