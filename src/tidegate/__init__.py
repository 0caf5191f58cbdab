# SPDX-License-Identifier: Apache-2.0
"""Tidegate makes a frontier AI developer's safety policy run.

The policy is code, evaluations are evidence, the verdict is computed.
`tidegate.flow` shows the whole system on a page.
"""

__version__ = "0.1.0"
