"""A clone and its image, made once for all tests of the stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compose.stack import ASKER, build, clone, own


@pytest.fixture(scope="session")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone the repository, for a user who is not the one that runs the engine."""
    folder = clone(tmp_path_factory.mktemp("clone") / "parley")
    build(folder)
    own(folder, ASKER)
    for above in folder.parents[:3]:  # pytest's own folders let nobody in
        above.chmod(0o755)
    return folder
