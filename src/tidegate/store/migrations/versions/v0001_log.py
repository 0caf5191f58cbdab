# SPDX-License-Identifier: Apache-2.0
"""The log: entries, tiles, head, documents, sealed content, checkpoints, and what entries concern."""

import hashlib

import sqlalchemy as sa
from alembic import op  # noqa: TID253 - only alembic loads this

from tidegate.store.schema import guards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LEVEL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, the first head and the triggers."""
    _make_tables()
    op.create_index("entries_kind", "entries", ["kind", "position"])
    op.create_index("concerns_subject", "concerns", ["subject", "position"])
    head = sa.table("head", sa.column("id"), sa.column("size"), sa.column("frontier"), sa.column("root"))
    empty = {"id": 1, "size": 0, "frontier": b"", "root": hashlib.sha256(b"").digest()}
    op.bulk_insert(head, [empty])
    connection = op.get_bind()
    for statement in guards(connection.dialect.name):
        connection.exec_driver_sql(statement)


def _make_tables() -> None:
    op.create_table(
        "entries",
        sa.Column("position", COUNT, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("acted_at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("id", name="entries_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "tiles",
        sa.Column("level", LEVEL, primary_key=True, autoincrement=False),
        sa.Column("number", COUNT, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", COUNT, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("id = 1", name="head_is_one_row"),
        sqlite_strict=True,
    )
    op.create_table(
        "documents",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sealed",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("retain_until", sa.Text),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoints",
        sa.Column("number", COUNT, primary_key=True, autoincrement=False),
        sa.Column("size", COUNT, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "concerns",
        sa.Column("position", COUNT, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.Text, primary_key=True),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
