# SPDX-License-Identifier: Apache-2.0
"""Noun-verb commands: parse, call the flow, print. Heavy imports happen inside commands."""
