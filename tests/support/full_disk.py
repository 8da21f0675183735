"""A disk that is always full, as Linux has it."""

from pathlib import Path

import pytest

needs_full_disk = pytest.mark.skipif(
    not Path("/dev/full").exists(),
    reason="this system has no /dev/full, and no disk is to be filled for a test",
)
