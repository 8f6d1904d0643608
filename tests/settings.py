"""The product's settings with a data folder of the tests' own."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="taxon-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["TAXON_DATA_DIR"] = _folder
os.environ["SECRET_KEY"] = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
os.environ["EMAIL_URL"] = "memorymail://"
# `postgresql`: on a server that the tests start (tests/databases/cluster.py); anything else: SQLite.
POSTGRESQL_FOLDER = Path(f"{_folder}-pg")
if os.environ.get("TAXON_TEST_DATABASE") == "postgresql":
    os.environ["DATABASE_URL"] = f"postgres://taxon@/postgres?host={POSTGRESQL_FOLDER}"
else:
    os.environ.pop("DATABASE_URL", None)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, RQ_QUEUES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Here rather than by a fixture: a page left open asks between two tests, too, and what it is answered with stays.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# A file, so that the thread that keeps a job's lease sees the same database.
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"].setdefault("TEST", {})["NAME"] = str(Path(_folder) / "test.sqlite3")
QUEUE_SOCKET = Path(_folder) / "redis.sock"
REDIS_URL = f"unix://{QUEUE_SOCKET}"
for _queue in RQ_QUEUES.values():
    _queue["URL"] = REDIS_URL
JOB_RETRY_SECONDS = (0.0,)  # in production a pause gives what was missing time to come back
