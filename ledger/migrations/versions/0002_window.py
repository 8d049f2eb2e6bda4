"""What a window is restored from: the accepted events of each append, until they are too old."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "window_segments",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("events", sa.LargeBinary, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Short-lived, and read once at most: not worth the time that compressing takes.
        op.execute("ALTER TABLE window_segments ALTER COLUMN events SET STORAGE EXTERNAL")
