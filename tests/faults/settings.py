"""Settings of the processes that the fault tests start: the jobs' rooms alone, and work made for breaking."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as ALL_APPS

ROOMS = {"datasets", "training", "serving", "config"}
INSTALLED_APPS = [*(app for app in ALL_APPS if app not in ROOMS), "tests.faults.fixture_app"]
ROOT_URLCONF = "tests.faults.fixture_app"
JOB_RETRY_SECONDS = (0.5, 1.0)
