# SPDX-License-Identifier: Apache-2.0
"""One script for each version of the schema."""
