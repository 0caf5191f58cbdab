# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every test may use."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real input beside the checkout."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the folder of real input is not beside this checkout (../shared/data)")
    return SHARED
