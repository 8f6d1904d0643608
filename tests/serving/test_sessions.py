"""The models in a process's memory: verified, bounded, loaded once."""

import threading
from pathlib import Path

import pytest

from serving import sessions as module
from serving.sessions import ModelUnavailable, Sessions, predictor_for
from tests.factories import Team, picture
from tests.serving.makers import make_version
from training.models import ModelVersion


def spoil(tmp_path: Path, version: ModelVersion) -> None:
    path = tmp_path / "files" / version.file_key
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.disk
def test_a_file_with_another_content_is_refused(version: ModelVersion, tmp_path: Path) -> None:
    spoil(tmp_path, version)
    with pytest.raises(ModelUnavailable, match="content has changed"):
        predictor_for(version.file_key, version.file_sha256)
    assert "content has changed" in module.degraded()


@pytest.mark.disk
def test_a_model_in_memory_outlives_its_damaged_file(version: ModelVersion, tmp_path: Path) -> None:
    predictor_for(version.file_key, version.file_sha256)
    spoil(tmp_path, version)
    assert predictor_for(version.file_key, version.file_sha256).predict([picture("red")]).argmax() == 0


@pytest.mark.disk
def test_a_missing_file_is_refused(version: ModelVersion, tmp_path: Path) -> None:
    (tmp_path / "files" / version.file_key).unlink()
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        predictor_for(version.file_key, version.file_sha256)


def test_many_threads_load_a_model_once(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    real = module.load

    def counted(key: str, sha256: str):  # type: ignore[no-untyped-def]
        loads.append(key)
        return real(key, sha256)

    monkeypatch.setattr(module, "load", counted)
    kept, found = Sessions(), []
    threads = [
        threading.Thread(target=lambda: found.append(kept.get(version.file_key, version.file_sha256)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1 and len({id(each) for each in found}) == 1 and len(found) == 8


def test_memory_is_bounded_and_the_longest_unasked_leaves(team: Team) -> None:
    kept = Sessions(most=2)
    first, second, third = (make_version(team.project, sharpness=float(n)) for n in (2, 3, 4))
    a = kept.get(first.file_key, first.file_sha256)
    kept.get(second.file_key, second.file_sha256)
    kept.get(first.file_key, first.file_sha256)
    kept.get(third.file_key, third.file_sha256)
    assert len(kept) == 2
    assert kept.get(first.file_key, first.file_sha256) is a
