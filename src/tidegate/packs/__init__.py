# SPDX-License-Identifier: Apache-2.0
"""Data that ships with Tidegate: policies, published figures, the starter project. YAML only."""
