# SPDX-License-Identifier: Apache-2.0
"""What is due, to whom, by when: cadences, triggers and statutory clocks, computed from events."""
