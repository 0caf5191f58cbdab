# SPDX-License-Identifier: Apache-2.0
"""Scripts that bring a log's database to the newest schema, run by alembic from inside the program."""
