"""The doctor's looks at the queue and the workers behind it."""

import fcntl
import os
from collections.abc import Iterator

import redis
from django.conf import settings
from django.utils.translation import gettext as _

from config.doctor import Finding, fail, ok, warn
from config.embedded import redis_binary, socket_path
from config.up import LOCK_NAME


def product_runs() -> bool:
    """True while an `up` holds the data folder."""
    path = settings.DATA_DIR / LOCK_NAME
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_embedded() -> bool:
    """True where `up` brings the queue with it."""
    return str(settings.REDIS_URL) == f"unix://{socket_path(settings.DATA_DIR)}"


def queue() -> Iterator[Finding]:
    """That Redis answers, keeps what it is given on disk, and forgets nothing; then its workers."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, socket_timeout=3)
    try:
        info = client.info()
        yield from _configuration(info)
        yield from _workers(client)
    except redis.RedisError as error:
        yield _unreachable(" ".join(str(error).split()))
    finally:
        client.close()


def _unreachable(reason: str) -> Finding:
    if not is_embedded():
        return fail("Redis", reason, _("Check REDIS_URL and that the server runs."))
    if product_runs():
        return fail(
            "Redis", reason, _("See redis.log in the folder `logs` of the data folder, then start again.")
        )
    if redis_binary() is None:
        return fail(
            "Redis", _("None was found."), _("Install redis-server or valkey-server, or set REDIS_URL.")
        )
    return warn(
        "Redis", _("Taxon is not running."), _("`python manage.py up` starts it with everything else.")
    )


def _configuration(info: dict[str, object]) -> Iterator[Finding]:
    shown = str(info.get("redis_version"))
    if not info.get("aof_enabled"):
        mend = _("Set `appendonly yes` in its configuration.")
        yield warn("Redis", _("%(version)s keeps no append-only file.") % {"version": shown}, mend)
    elif (policy := info.get("maxmemory_policy")) not in {None, "noeviction"}:
        says = _("%(version)s may throw entries away (%(policy)s).") % {"version": shown, "policy": policy}
        yield warn("Redis", says, _("Set `maxmemory-policy noeviction`."))
    else:
        yield ok("Redis", _("%(version)s, append-only file on") % {"version": shown})


def _workers(client: redis.Redis) -> Iterator[Finding]:
    from rq import Worker

    served: dict[str, int] = {}
    for worker in Worker.all(connection=client):
        for name in worker.queue_names():
            served[name] = served.get(name, 0) + 1
    for name in settings.QUEUES:
        if served.get(name):
            yield ok(_("Worker %(name)s") % {"name": name}, _("listens"))
        else:
            mend = _("Under `up`, see its log; else start `python manage.py rqworker %(name)s`.") % {
                "name": name
            }
            yield fail(_("Worker %(name)s") % {"name": name}, _("Nobody takes jobs from this queue."), mend)


LOOKS = (queue,)
