# SPDX-License-Identifier: Apache-2.0
"""Before the run: can this suite rule the line out at all, and how many samples would it need."""
