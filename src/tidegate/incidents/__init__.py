# SPDX-License-Identifier: Apache-2.0
"""What people and monitors report, and what was done: one record of an incident, and every clock that it starts."""
