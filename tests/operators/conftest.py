"""What the tests of this folder share."""

import pytest

from datasets import embeddings


@pytest.fixture(autouse=True)
def built_in_extractor(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about what is kept: no weights are loaded, the built-in extractor stands in."""
    monkeypatch.setattr(embeddings, "_providers", [])
