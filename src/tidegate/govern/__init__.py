# SPDX-License-Identifier: Apache-2.0
"""Who decided, on what, and why: people, keys, rules of access, decisions, reports, noncompliance."""
