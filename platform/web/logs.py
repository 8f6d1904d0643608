"""Log lines to be trusted: a request's or job's id on each, control characters made visible, secrets hidden."""

import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from rq import get_current_job

HEADER = "X-Request-Id"
current_request: ContextVar[str] = ContextVar("request id", default="")
log = logging.getLogger("taxon.request")

# Access tokens, invitations, links to a new password, and passwords inside addresses of databases and queues.
SECRETS = re.compile(r"(tx[a-z]?_)[\w-]{8,}|(/reset/)[^\s\"']+|(\w+://[^\s:/@]*:)[^\s@/]+(?=@)")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
GOOD_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


def masked(text: str) -> str:
    """Without secrets: what is left says what kind it was."""
    return SECRETS.sub(lambda found: f"{found[1] or found[2] or found[3]}…", text)


def visible(text: str) -> str:
    """Control characters as text, so that nobody writes lines of their own or moves a terminal's cursor."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Ids(logging.Filter):
    """Puts the id of the request that is answered, or of the job that runs, on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        job = get_current_job()
        record.job_id = job.id if job else ""
        record.request_id = "" if job else current_request.get()
        return True


class Lines(logging.Formatter):
    """One line a record; a traceback's lines follow it indented, so that none of them can pass for a record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(ids)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        ids = [getattr(record, name, "") for name in ("request_id", "job_id")]
        record.ids = "".join(f" [{each}]" for each in ids if each)
        return visible(masked(super().format(record)))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's own name)
        return super().formatMessage(record).replace("\n", "\\n")

    def formatException(self, ei: object) -> str:  # noqa: N802
        return indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return indented(stack_info)


def indented(text: str) -> str:
    """A traceback as it hangs below its record."""
    return "\n".join(f"    {line}" for line in text.splitlines())


class JsonLines(logging.Formatter):
    """One JSON object a record, for machines that collect logs (TAXON_LOG_FORMAT=json)."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            "request": getattr(record, "request_id", ""),
            "job": getattr(record, "job_id", ""),
        }
        if record.exc_info:
            said["traceback"] = masked(self.formatException(record.exc_info))
        return json.dumps({key: value for key, value in said.items() if value})


class RequestIds:
    """Every request has an id, the caller's own where it is a plain one; the answer and the log carry it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.headers.get(HEADER, "")
        # It stays until the thread's next request: Django logs a refusal after the last middleware.
        current_request.set(asked if GOOD_ID.fullmatch(asked) else secrets.token_hex(8))
        start = time.perf_counter()
        response = self.get_response(request)
        response[HEADER] = current_request.get()
        took = (time.perf_counter() - start) * 1000
        log.info("%s %s %s %.0f ms", request.method, request.path, response.status_code, took)
        return response


def settings_for(*, level: str, as_json: bool, every_request: bool) -> dict[str, object]:
    """Django's LOGGING. Requests that went well are lines of their own only where the operator wants them."""
    formatter = "web.logs.JsonLines" if as_json else "web.logs.Lines"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"ids": {"()": "web.logs.Ids"}},
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["ids"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "taxon.request": {"level": "INFO" if every_request else "WARNING"},
            "botocore": {"level": "WARNING"},  # it tells of each look for credentials
            # Django adds handlers of its own to these; ours says it once.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }
