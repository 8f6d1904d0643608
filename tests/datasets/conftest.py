"""What the tests of this room share."""

import pytest

from datasets import embeddings


@pytest.fixture(autouse=True)
def built_in_extractor(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about imports and tags: no weights are loaded, the built-in extractor stands in."""
    monkeypatch.setattr(embeddings, "_providers", [])
