# SPDX-License-Identifier: Apache-2.0
"""What follows from policy and evidence. Pure functions: the same inputs give the same verdict anywhere."""

from tidegate.assess.assessment import assess
from tidegate.assess.model import Assessment, Gate, ModelAssessment, ThresholdFinding

__all__ = ["Assessment", "Gate", "ModelAssessment", "ThresholdFinding", "assess"]
