"""How gunicorn serves Taxon; read from the project's root by `gunicorn -c gunicorn.conf.py`."""

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "platform"))
sys.path.insert(1, str(ROOT))

from config.env import env_int  # noqa: E402  (needs the path above)

wsgi_app = "config.wsgi"
worker_class = "gthread"
bind = f"{os.environ.get('TAXON_HOST') or '127.0.0.1'}:{env_int('PORT', 8000)}"
workers = env_int("TAXON_WEB_WORKERS", 1)
threads = env_int("TAXON_WEB_THREADS", 8)
timeout = env_int("TAXON_WEB_TIMEOUT", 120)
graceful_timeout = 5
keepalive = 5
backlog = 512
limit_request_line = 8190
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  (heartbeats: no disk wait)
control_socket_disable = True
forwarded_allow_ips = os.environ.get("TAXON_FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"
accesslog = None  # TAXON_ACCESS_LOG: web.logs writes the lines, with ids and without secrets
errorlog = "-"


def on_starting(server: Any) -> None:
    """Metrics of several processes meet in a folder, which starts empty."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for old in Path(folder).glob("*.db"):
            old.unlink()


def post_fork(server: Any, worker: Any) -> None:
    """A worker must not outlive its master (Linux; elsewhere gunicorn notices within a second)."""
    from jobs.leash import die_with_parent

    die_with_parent()


def child_exit(server: Any, worker: Any) -> None:
    """Metrics of several processes: forget the gauges of the one that ended."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
