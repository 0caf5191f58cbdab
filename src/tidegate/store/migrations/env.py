# SPDX-License-Identifier: Apache-2.0
"""Run the scripts on the connection that the program hands over, inside its transaction."""

from alembic import context  # noqa: TID253 - only alembic loads this

from tidegate.store.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
