# SPDX-License-Identifier: Apache-2.0
"""The only code that touches files of record. Only the flow opens it."""
