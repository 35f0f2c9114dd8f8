"""Used tokens and whose card is whose, for machines that share a store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_token",
        sa.Column("mark", sa.LargeBinary, primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("used_token_until", "used_token", ["until"])
    op.create_table(
        "card_owner",
        sa.Column("mark", sa.LargeBinary, primary_key=True),
        sa.Column("client", sa.LargeBinary, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("card_owner_until", "card_owner", ["until"])
