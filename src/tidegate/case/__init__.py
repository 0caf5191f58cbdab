# SPDX-License-Identifier: Apache-2.0
"""The argument: claims, evidence, assumptions and defeaters as one graph, built by template and checked by rules."""
