"""Who wants to know, in the same transaction, when a data set's tags or embeddings changed."""

from collections.abc import Callable

from django.contrib.auth.models import User

from datasets.models import Dataset

Follower = Callable[[Dataset, User | None], None]
_followers: list[Follower] = []


def follow(follower: Follower) -> None:
    """Registered at start-up; what it queues stands or falls with the change."""
    if follower not in _followers:
        _followers.append(follower)


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
    """Said by tagging and by embeddings."""
    for follower in _followers:
        follower(dataset, user)
