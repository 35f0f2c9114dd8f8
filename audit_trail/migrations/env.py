"""What Alembic runs: on the connection that ``schema.py`` hands over, in the transaction that is under way there."""

from __future__ import annotations

from alembic import context

from audit_trail.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
