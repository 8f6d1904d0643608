"""Who wants to know, in the same transaction, when a data set's tags or embeddings changed."""

from collections.abc import Callable

from django.contrib.auth.models import User

from datasets.models import Dataset
from jobs import queue
from jobs.models import Job

Follower = Callable[[Dataset, User | None, Job | None], None]
_followers: dict[str, Follower] = {}


def follow(kind: str, follower: Follower) -> None:
    """Registered at start-up with the kind of its job; what it queues stands or falls with the change."""
    _followers[kind] = follower


Reader = Callable[[Dataset], None]
_readers: list[Reader] = []


def read_embeddings(reader: Reader) -> None:
    """Registered at start-up: who works with embeddings once they are there."""
    if reader not in _readers:
        _readers.append(reader)


def embedded(dataset: Dataset) -> None:
    """Said when a data set's pictures have their embeddings."""
    for reader in _readers:
        reader(dataset)


def changed(dataset: Dataset, user: User | None) -> None:
    """Said by tagging and by embeddings. Each hears of its job that waits, if one does.

    That job's row is locked until the change is committed, so it cannot start without seeing the change.
    """
    waiting = queue.waiting(_followers, {"dataset": dataset.pk})
    for kind, follower in _followers.items():
        follower(dataset, user, waiting.get(kind))
