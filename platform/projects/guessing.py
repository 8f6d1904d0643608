"""Slowing down who guesses passwords and tokens, without locking anybody out.

Failures are counted in the database, so that all web processes count together, for one account seen from one
address and for the address as a whole. After the free tries each further one has to wait, twice as long each time
up to a minute; tries made too early are not looked at and do not count. Other addresses never notice, so nobody can
lock a person out of their account by guessing at it.
"""

import hashlib
import ipaddress
import math
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_noop

from projects.models import FailedTries
from web.addresses import address_of
from web.sentences import Refusal

FREE = 10  # for one account from one address
FREE_OF_ADDRESS = 30  # many people may sit behind one
LONGEST = timedelta(minutes=1)
FORGOTTEN_AFTER = timedelta(hours=1)
SLOWED = gettext_noop("Too many wrong tries. Wait %(seconds)s s, then try again.")


class TooManyTries(Refusal):
    """Guessing goes on after a pause."""

    code = "too-many-tries"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(SLOWED, seconds=seconds)
        self.retry_after = seconds


def key_of(*parts: str) -> str:
    """What a row is found by; names that people mistyped (perhaps their passwords) are not kept."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def origin_of(request: HttpRequest) -> str:
    """The address to count by; of IPv6 the network, because one machine has a whole one."""
    address = address_of(request)
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if address.version == 6 else str(address)


class Tries:
    """The tries at one secret from one place."""

    def __init__(self, *limits: tuple[str, int]) -> None:
        self.limits = dict(limits)

    @classmethod
    def at_account(cls, request: HttpRequest, name: str) -> "Tries":
        """Guessing a password."""
        origin = origin_of(request)
        account = key_of("account", origin, name.strip().casefold())
        return cls((account, FREE), (key_of("sign-in", origin), FREE_OF_ADDRESS))

    @classmethod
    def at_secrets(cls, request: HttpRequest) -> "Tries":
        """Guessing a token or the secret of a link."""
        return cls((key_of("secret", origin_of(request)), FREE))

    def check(self) -> None:
        """Raise TooManyTries while the next try has to wait."""
        if seconds := self.wait():
            raise TooManyTries(seconds)

    def wait(self) -> int:
        """Seconds until the next try is looked at; 0: now."""
        now = timezone.now()
        rows = FailedTries.objects.filter(key__in=self.limits, last_at__gt=now - FORGOTTEN_AFTER)
        left = [(row.last_at + self.pause(row) - now).total_seconds() for row in rows]
        return math.ceil(max([0.0, *left]))

    def pause(self, row: FailedTries) -> timedelta:
        """How long after its last failure a row rests."""
        over = row.count - self.limits[row.key]
        return min(timedelta(seconds=2 ** min(over, 10)), LONGEST) if over >= 0 else timedelta(0)

    @transaction.atomic
    def failed(self, secret: str = "") -> None:
        """One more wrong guess. The same wrong token again is a program with an old token, not a guess."""
        now, digest = timezone.now(), key_of("tried", secret) if secret else ""
        forget_old(now)
        for key in self.limits:
            row, _ = FailedTries.objects.get_or_create(key=key, defaults={"last_at": now})
            if not digest or row.last_secret != digest:
                FailedTries.objects.filter(key=key).update(
                    count=F("count") + 1, last_at=now, last_secret=digest
                )

    def succeeded(self) -> None:
        """The account's own count starts anew; the address's does not, or an own account would reset it."""
        FailedTries.objects.filter(key=next(iter(self.limits))).delete()


def forget_old(now: datetime) -> None:
    """Nothing is kept for longer than it is used."""
    FailedTries.objects.filter(last_at__lt=now - FORGOTTEN_AFTER).delete()
