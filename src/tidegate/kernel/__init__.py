# SPDX-License-Identifier: Apache-2.0
"""What every stage stands on: errors, canonical JSON, records, documents, durations."""
