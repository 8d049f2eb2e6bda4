"""Beside who somebody is, sealed: what they are called at a kiosk, a first character and stars."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # None for what was sealed before: only the roster's key can tell.
    op.add_column("roster_private", sa.Column("called", sa.String(100)))
