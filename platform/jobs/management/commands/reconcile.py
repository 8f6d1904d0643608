"""`manage.py reconcile`: keeps rows and queue in line, for ever or once."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseTrouble
from django.db import close_old_connections, connection
from redis.exceptions import RedisError

from jobs import periodic, reconcile

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Runs beside the workers; safe to run more than once."""

    help = "Re-enqueue jobs that lost their worker or their queue entry (every 15 s)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one pass, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while True:
            close_old_connections()
            try:
                reconcile.reconcile()
                periodic.queue_due()
            except (DatabaseTrouble, RedisError) as error:
                log.warning("rows and queue could not be compared: %s", error)
                connection.close()
            if options["once"] or stop.wait(reconcile.EVERY_SECONDS):
                return
