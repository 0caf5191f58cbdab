# SPDX-License-Identifier: Apache-2.0
"""The argument: claims, evidence, assumptions and defeaters as one graph, built by template and checked by rules."""

from tidegate.case.build import build
from tidegate.case.checks import CaseFinding, Examination, check, examine
from tidegate.case.diff import diff
from tidegate.case.draft import CaseRequest
from tidegate.case.load import load_case
from tidegate.case.model import SafetyCase
from tidegate.case.setting import CaseContext

__all__ = [
    "CaseContext",
    "CaseFinding",
    "CaseRequest",
    "Examination",
    "SafetyCase",
    "build",
    "check",
    "diff",
    "examine",
    "load_case",
]
