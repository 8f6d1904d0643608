"""`manage.py doctor` tells what is wrong and how to mend it, and its exit code says whether it matters."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from pytest_django.fixtures import Settings

from tests.config.product import manage
from training.extractors import weights_here
from training.hub import ADDRESS, FILES
from training.profiles import PROFILES


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


def test_each_file_says_who_starts_from_it_and_what_is_missing_where_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    for name in ("mobilenet_v2.pth", "vgg11.pth"):
        (tmp_path / "weights" / name).write_bytes(b"weights")
    told = manage(
        "doctor",
        data=tmp_path / "data",
        TAXON_WEIGHTS_DIR=str(tmp_path / "weights"),
        TAXON_WEIGHTS_DOWNLOAD="0",
    ).stdout
    digest = hashlib.sha256(b"weights").hexdigest()
    assert f"mobilenet_v2.pth sha256 {digest}, 0.0 MB, for cloud-general" in told
    assert f"vgg11.pth sha256 {digest}, 0.0 MB, not used" in told
    assert "efficientnet_v2_s would be better; it starts from mobilenet_v2.pth." in told
    assert f"{ADDRESS}{FILES['efficientnet_v2_s']}" in told


def test_the_names_to_fetch_are_torchvisions_own() -> None:
    found = find_spec("torchvision")
    assert found and found.origin
    sources = [path.read_text() for path in (Path(found.origin).parent / "models").glob("*.py")]
    missing = [name for name in FILES.values() if not any(f'"{ADDRESS}{name}"' in text for text in sources)]
    wanted = {backbone for profile in PROFILES.values() for backbone in profile.backbones}
    assert missing == [] and wanted <= set(FILES)


def test_a_file_under_the_hubs_name_is_found_even_where_it_differs_from_the_builders(
    tmp_path: Path, settings: Settings
) -> None:
    settings.WEIGHTS_DIR, settings.DATA_DIR = tmp_path, tmp_path / "data"
    (tmp_path / FILES["efficientnet_b0"]).write_bytes(b"weights")
    assert weights_here("efficientnet_b0") == tmp_path / FILES["efficientnet_b0"]
    assert weights_here("resnet18") is None
