"""`manage.py doctor` tells what is wrong and how to mend it, and its exit code says whether it matters."""

import hashlib
from pathlib import Path

from tests.config.product import manage


def test_a_fresh_folder_has_warnings_but_nothing_broken(tmp_path: Path) -> None:
    told = manage("doctor", data=tmp_path / "fresh", TAXON_WEIGHTS_DIR="")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "OK    Secret key" in told.stdout
    assert "WARN  Database: There is none yet." in told.stdout
    assert "WARN  Weights: TAXON_WEIGHTS_DIR is not set." in told.stdout
    assert not (tmp_path / "fresh" / "taxon.sqlite3").exists()
    assert told.stdout.strip().splitlines()[-1].startswith("Everything needed works")


def test_what_is_broken_is_named_with_its_mending_and_the_exit_code_is_one(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "resnet18-00000000.pth").write_bytes(b"cut short")
    told = manage(
        "doctor",
        data=tmp_path / "data",
        REDIS_URL="redis://127.0.0.1:1/0",
        TAXON_WEIGHTS_DIR=str(tmp_path / "weights"),
    )
    assert told.returncode == 1
    assert "FAIL  Redis:" in told.stdout
    assert "→ Check REDIS_URL and that the server runs." in told.stdout
    assert "FAIL  Weights: resnet18-00000000.pth is damaged" in told.stdout
    assert "2 must be mended" in told.stdout
    assert "Traceback" not in told.stderr


def test_sound_weights_are_listed_with_their_checksum(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    (tmp_path / f"resnet18-{digest[:8]}.pth").write_bytes(b"weights")
    told = manage("doctor", data=tmp_path / "data", TAXON_WEIGHTS_DIR=str(tmp_path))
    assert f"OK    Weights: resnet18-{digest[:8]}.pth sha256 {digest[:16]}" in told.stdout


def test_a_key_that_others_can_read_must_be_mended(tmp_path: Path) -> None:
    manage("doctor", data=tmp_path)
    (tmp_path / "secret_key").chmod(0o644)
    told = manage("doctor", data=tmp_path)
    assert told.returncode == 1
    assert f"chmod 600 {tmp_path / 'secret_key'}" in told.stdout
