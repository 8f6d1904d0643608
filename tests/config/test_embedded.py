"""The data folder, its secret key, and the private folder for sockets."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded import (
    CannotStart,
    make_private,
    prepare_data_folder,
    redis_command,
    run_folder,
    socket_path,
)
from config.env import ROOT
from tests.config.product import manage


def test_the_secret_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    prepare_data_folder(tmp_path / "data")
    key = tmp_path / "data" / "secret_key"
    first = key.read_text()
    prepare_data_folder(tmp_path / "data")
    assert key.read_text() == first
    assert len(first) > 50
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    text = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'platform')!r}); from pathlib import Path;"
        f" from config.embedded import prepare_data_folder; p = Path({str(tmp_path)!r}) / 'd';"
        " sys.stdin.readline(); prepare_data_folder(p); print((p / 'secret_key').read_text())"
    )
    racers = [
        subprocess.Popen((sys.executable, "-c", text), stdin=-1, stdout=-1, text=True) for _number in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    keys = {racer.communicate()[0] for racer in racers}
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["secret_key"]


def test_a_data_folder_that_cannot_be_written_is_said_in_one_sentence() -> None:
    refused = manage("doctor", data=Path("/proc/taxon"))
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "TAXON_DATA_DIR" in refused.stderr


def test_a_bad_setting_is_said_in_one_sentence(tmp_path: Path) -> None:
    refused = manage("doctor", data=tmp_path, TAXON_TRAINING_THREADS="many")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "TAXON_TRAINING_THREADS='many': expected a whole number."


def test_the_socket_is_short_and_each_data_folder_has_its_own(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 40)
    assert len(str(socket_path(deep))) < 60
    assert socket_path(deep) == socket_path(deep.parent / "." / deep.name)
    assert socket_path(deep) != socket_path(tmp_path)


def test_naming_the_socket_makes_nothing(tmp_path: Path) -> None:
    socket_path(tmp_path / "never")
    assert not (tmp_path / "never").exists()
    assert not run_folder(tmp_path / "never").exists()


def test_a_folder_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "planted").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotStart, match="belongs to another user"):
        make_private(tmp_path / "planted")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    os.chown(planted, 12345, 12345)
    with pytest.raises(CannotStart, match="belongs to another user"):
        make_private(planted)


def test_the_embedded_redis_keeps_a_file_evicts_nothing_and_opens_no_port(tmp_path: Path) -> None:
    command = " ".join(redis_command(tmp_path))
    assert "--port 0 " in command
    assert "--appendonly yes --appendfsync everysec" in command
    assert "--maxmemory-policy noeviction" in command


def test_a_runtime_folder_too_long_for_a_socket_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXON_RUNTIME_DIR", str(tmp_path / ("long" * 30)))
    with pytest.raises(CannotStart, match="too long"):
        redis_command(tmp_path)


def test_without_any_redis_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("config.embedded.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(CannotStart, match="install redis-server"):
        redis_command(tmp_path)
