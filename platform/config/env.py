"""Typed reading of the environment; every setting that a person may change comes through here."""

import os
import warnings
from pathlib import Path
from typing import Any

import environ

ROOT = Path(__file__).resolve().parents[2]
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class BadEnvironment(Exception):
    """An environment variable that cannot be understood; the text says which and what is expected."""


def env_str(name: str, default: str = "") -> str:
    """The variable's text, or the default where it is unset or empty."""
    return os.environ.get(name) or default


def env_bool(name: str, default: bool) -> bool:
    """Yes or no, in the usual spellings."""
    text = os.environ.get(name)
    if text is None:
        return default
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise BadEnvironment(f"{name}={text!r}: expected 1 or 0.")


def env_int(name: str, default: int) -> int:
    """A whole number."""
    text = env_str(name, str(default))
    try:
        return int(text)
    except ValueError as error:
        raise BadEnvironment(f"{name}={text!r}: expected a whole number.") from error


def env_path(name: str, default: Path | None = None) -> Path | None:
    """A path, relative ones from the project's root."""
    text = env_str(name)
    return (ROOT / Path(text).expanduser()) if text else default


def env_list(name: str, default: list[str] | None = None) -> list[str]:
    """Values separated by commas."""
    return [part.strip() for part in env_str(name).split(",") if part.strip()] or (default or [])


def env_secret(name: str, default: str = "") -> str:
    """A secret, from the variable itself or from the file that NAME_FILE points to."""
    file = os.environ.get(f"{name}_FILE")
    return Path(file).read_text(encoding="utf8").strip() if file else env_str(name, default)


def data_folder() -> Path:
    """Where everything that must outlive the process lies (TAXON_DATA_DIR)."""
    return env_path("TAXON_DATA_DIR") or ROOT / "var"


def env_database(name: str, default: str) -> dict[str, Any]:
    """Django's entry for a `sqlite:///PATH` or `postgres://user:password@host:port/name` address.

    The text of what is wrong never repeats the address: there may be a password in it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found: dict[str, Any] = environ.Env.db_url_config(env_secret(name, default))
    except (ValueError, UserWarning) as error:
        raise BadEnvironment(NO_DATABASE.format(name)) from error
    kind, place = found.get("ENGINE", ""), found.get("NAME")
    if kind.endswith(".sqlite3") and place:
        found["ENGINE"] = "web.sqlite"
    elif kind.endswith(".postgresql") and place:
        found |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
        found["OPTIONS"] = {"connect_timeout": 5} | found.get("OPTIONS", {})
    else:
        raise BadEnvironment(NO_DATABASE.format(name))
    return found | {"ATOMIC_REQUESTS": False}


NO_DATABASE = (
    "{} is not understood: expected postgres://user:password@host:5432/name or sqlite:////folder/file."
)
