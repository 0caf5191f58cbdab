# SPDX-License-Identifier: Apache-2.0
"""What the organisation promised: policies as records, loaded with positions and compared by meaning."""

from tidegate.policy.load import LoadedPolicy, load_pack, load_policy, load_policy_text, pack_names, refuse_label_reuse
from tidegate.policy.model import ACTIONS, Action, Policy, Threshold

__all__ = [
    "ACTIONS",
    "Action",
    "LoadedPolicy",
    "Policy",
    "Threshold",
    "load_pack",
    "load_policy",
    "load_policy_text",
    "pack_names",
    "refuse_label_reuse",
]
