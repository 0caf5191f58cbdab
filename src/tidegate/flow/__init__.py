# SPDX-License-Identifier: Apache-2.0
"""The system on a page: every use case, composed. Nothing else joins stages with storage.

policies      find, check, compare, lock rules before results come in
evidence      import, list, check, audit, restate
assessments   assess, ask the gate, explain
projects      make a project; the demo
planning      can a suite rule a line out at all, before it is run
"""

from tidegate.flow.world import World

__all__ = ["World"]
