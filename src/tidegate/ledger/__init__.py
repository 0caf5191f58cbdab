# SPDX-License-Identifier: Apache-2.0
"""A tamper-evident log of every act, verifiable offline by anyone."""
