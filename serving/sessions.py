"""The models that this process holds in memory, found by the hash of their file."""

import logging
import threading
from collections import OrderedDict
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_noop

from serving.runtime import ModelFileError, Predictor
from web.sentences import Refusal
from web.storage import hash_of, local_copy

log = logging.getLogger(__name__)
MOST = 8  # models in memory at once; the one that was asked longest ago leaves first


class ModelUnavailable(Refusal):
    """A version's file is missing, damaged or not the one that was trained."""

    code = "model-unavailable"
    status = 503
    retry_after = 10


class Sessions:
    """A bounded cache of predictors, safe under threads: one loads, the others wait for that model alone."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, Predictor] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}
        self.failures: dict[str, str] = {}

    def get(self, key: str, sha256: str) -> Predictor:
        """The predictor of the file under `key`, which must have this hash; raises ModelUnavailable."""
        found = self._find(sha256)
        if found:
            return found
        with self._lock:
            turn = self._loading.setdefault(sha256, threading.Lock())
        with turn:
            return self._find(sha256) or self._keep(sha256, self._load(key, sha256))

    def forget(self) -> None:
        """Drop everything from memory."""
        with self._lock:
            self._loaded.clear()
            self.failures.clear()

    def __len__(self) -> int:
        return len(self._loaded)

    def _find(self, sha256: str) -> Predictor | None:
        with self._lock:
            if sha256 in self._loaded:
                self._loaded.move_to_end(sha256)
            return self._loaded.get(sha256)

    def _keep(self, sha256: str, predictor: Predictor) -> Predictor:
        with self._lock:
            self._loaded[sha256] = predictor
            self._loading.pop(sha256, None)
            self.failures.pop(sha256, None)
            while len(self._loaded) > self._most:
                self._loaded.popitem(last=False)
        return predictor

    def _load(self, key: str, sha256: str) -> Predictor:
        try:
            return load(key, sha256)
        except ModelUnavailable as error:
            self.failures[sha256] = error.sentence.text
            raise


def load(key: str, sha256: str) -> Predictor:
    """Verify, open and warm a stored model file, past any cache; raises ModelUnavailable."""
    try:
        with local_copy(key) as path:
            verify(path, sha256)
            predictor = Predictor.load(path, threads=settings.INFERENCE_THREADS)
        predictor.warm()
    except OSError as error:
        log.error("model file %s cannot be read: %s", key, error)
        raise ModelUnavailable(
            gettext_noop("The version's model file cannot be read from storage.")
        ) from error
    except ModelFileError as error:
        log.error("model file %s is refused: %s", key, error)
        raise ModelUnavailable(
            gettext_noop("The version's model file cannot be used: %(reason)s"), reason=str(error)
        ) from error
    return predictor


def verify(path: Path, sha256: str) -> None:
    """Raise ModelUnavailable unless the file is, byte for byte, the one that was trained."""
    with path.open("rb") as stream:
        found = hash_of(stream)
    if found != sha256:
        log.error("model file %s: expected sha256 %s, found %s", path, sha256, found)
        raise ModelUnavailable(
            gettext_noop("The version's model file is not the one that was trained: its content has changed.")
        )


sessions = Sessions()


def predictor_for(key: str, sha256: str) -> Predictor:
    """This process's predictor of a stored model file; raises ModelUnavailable."""
    return sessions.get(key, sha256)


def degraded() -> str:
    """For /readyz: models that this process could not load when it last tried."""
    return "; ".join(sorted(set(sessions.failures.values())))
