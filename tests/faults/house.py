"""Settings of the processes that break whole rooms: everything installed, and the clerk."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as ALL_APPS

INSTALLED_APPS = [*ALL_APPS, "tests.faults.fixture_app"]
JOB_RETRY_SECONDS = (0.5, 1.0)
WEIGHTS_DIR, WEIGHTS_DOWNLOAD = None, False
