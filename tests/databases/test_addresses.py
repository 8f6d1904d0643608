"""A database or storage address that cannot be meant is refused at the start, in one sentence, without its secrets."""

from pathlib import Path

import pytest

from config.env import BadEnvironment, env_database
from web.storage import storage_settings


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "ftp://x/y",
        "mysql://hunter2@host/b",
        "postgres://u:hunter2@host:port/x",
        "postgres://u@host/",
    ],
)
def test_a_database_that_is_none_of_ours_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    with pytest.raises(
        BadEnvironment, match="DATABASE_URL is not understood: expected postgres://"
    ) as refused:
        env_database("DATABASE_URL", "")
    assert "hunter2" not in str(refused.value)


def test_postgresql_is_asked_for_briefly_and_its_connections_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db.example/taxon?sslmode=require")
    found = env_database("DATABASE_URL", "")
    assert found["ENGINE"] == "django.db.backends.postgresql" and found["CONN_HEALTH_CHECKS"]
    assert found["OPTIONS"] == {"connect_timeout": 5, "sslmode": "require"}


@pytest.mark.parametrize("address", ["ftp://host/x", "s3:/bucket", "s3://", "files", "/srv/files"])
def test_a_storage_that_is_none_of_ours_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="expected `file` or `s3://bucket/prefix`"):
        storage_settings(address, Path("/x"), "")


def test_a_bucket_with_a_prefix_is_understood() -> None:
    options = storage_settings("s3://bucket/a/b/", Path("/x"), "http://s3.example")["OPTIONS"]
    assert options == {"bucket_name": "bucket", "location": "a/b", "endpoint_url": "http://s3.example"}
