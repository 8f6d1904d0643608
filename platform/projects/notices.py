"""Who is told of what happens in a project: e-mails that people want, and the project's webhook."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop

from projects import audit
from projects.models import Channel, Notice, NoticeState, NoticeWish, Project, Webhook
from web.outgoing import parsed
from web.sentences import Conflict, Refusal

KEPT = 50  # the last notices of a project
SHOWN = 10
PURPOSE = "taxon.webhook"

# Set by the room that has the queue: asked to send a notice, in the transaction that made it.
senders: list[Callable[[Notice], None]] = []


class NotGivenUp(Conflict):
    """It arrived, or still waits for its next try."""

    code = "not-given-up"


class BadAddress(Refusal):
    """Not where a webhook can be sent."""

    code = "webhook-address"
    status = 422


def secret_of(webhook: Webhook) -> str:
    """What the receiver checks signatures with: made from the installation's key, so no row holds it."""
    return "txw_" + salted_hmac(PURPOSE, f"{webhook.pk}:{webhook.salt}", algorithm="sha256").hexdigest()


def signature(secret: str, at: int, body: bytes) -> str:
    """The header's value: `t=SECONDS,v1=HMAC-SHA256(secret, "SECONDS." + body)` in hex."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def checked(url: str) -> str:
    """The address as it is kept. Raises BadAddress; whether the name is a public one is asked when sending."""
    found = parsed(url)
    if found is None:
        raise BadAddress(gettext_noop("Write an address that begins with https:// or http://."))
    if found[2] not in settings.LINK_PORTS:
        ports = ", ".join(map(str, settings.LINK_PORTS))
        raise BadAddress(
            gettext_noop("Webhooks go to these ports alone: %(ports)s. The operator can open others."),
            ports=ports,
        )
    return url.strip()


@transaction.atomic
def set_webhook(*, project: Project, url: str, user: User) -> tuple[Webhook, str]:
    """Where the project's notices go; a new webhook's secret, once, or "" where only the address changed."""
    url = checked(url)
    webhook = Webhook.objects.select_for_update().filter(project=project).first()
    fresh = webhook is None
    if webhook is None:
        webhook = Webhook.objects.create(
            project=project, url=url, created_by=user, salt=secrets.token_hex(16)
        )
    else:
        webhook.url = url
        webhook.save(update_fields=["url"])
    audit.note(user, "webhook.set", project=project, target=urlsplit(url).hostname or "")
    return webhook, secret_of(webhook) if fresh else ""


@transaction.atomic
def new_secret(*, webhook: Webhook, user: User) -> str:
    """Another secret; the old one signs nothing any more."""
    webhook.salt = secrets.token_hex(16)
    webhook.save(update_fields=["salt"])
    audit.note(user, "webhook.secret", project=webhook.project)
    return secret_of(webhook)


@transaction.atomic
def remove_webhook(*, webhook: Webhook, user: User) -> None:
    """Nothing is sent any more; what was sent is forgotten with it."""
    audit.note(user, "webhook.remove", project=webhook.project)
    webhook.delete()


def wish_of(user: User) -> NoticeWish:
    """What this person wants to be told by e-mail; nothing, unless they said so."""
    return NoticeWish.objects.filter(user=user).first() or NoticeWish(user=user)


def mails(user: User | None) -> bool:
    """Whether an e-mail goes to this person: wanted, with an address, and a mail server to send it."""
    if user is None or not settings.MAIL_SERVER or not user.is_active or not user.email:
        return False
    return wish_of(user).mail


@transaction.atomic
def tell(
    *, project: Project, user: User | None, about: str, subject: dict[str, Any], body: dict[str, Any]
) -> None:
    """Queue what is to be told of one event, once: `about` names the event and is never used for another.

    `subject`: a Sentence's JSON, spoken in the reader's language; `body`: the facts, with `event` and `url`.
    """
    if user is not None and mails(user):
        _queue(Channel.MAIL, project, about, subject, body, user=user)
    webhook = Webhook.objects.filter(project=project).first()
    if webhook is not None:
        _queue(Channel.WEBHOOK, project, about, subject, body, webhook=webhook)


def try_webhook(webhook: Webhook, *, user: User, url: str) -> None:
    """Send something harmless, so that the owner sees whether it arrives."""
    body = {"event": "webhook.test", "project": webhook.project.name, "url": url}
    subject = {"text": gettext_noop("A test"), "values": {}}
    about = f"test:{secrets.token_hex(8)}"
    with transaction.atomic():
        _queue(Channel.WEBHOOK, webhook.project, about, subject, body, webhook=webhook)
        audit.note(user, "webhook.test", project=webhook.project)


@transaction.atomic
def send_again(notice: Notice, *, user: User) -> None:
    """Queue a given-up message once more, with all its tries, under its old number. Raises NotGivenUp."""
    given_up = Notice.objects.filter(pk=notice.pk, state=NoticeState.GIVEN_UP)
    if not given_up.update(state=NoticeState.WAITING, tries=0):
        raise NotGivenUp(
            gettext_noop("This message was not given up: it arrived, or waits for its next try.")
        )
    for sender in senders:
        sender(notice)
    audit.note(user, "webhook.again", project=notice.project, target=notice.about)


def _queue(
    channel: Channel, project: Project, about: str, subject: dict[str, Any], body: dict[str, Any], **to: Any
) -> None:
    made = {"project": project, "subject": subject, "body": json.loads(json.dumps(body))}
    notice, is_new = Notice.objects.get_or_create(channel=channel, about=about, **to, defaults=made)
    if not is_new:
        return
    for sender in senders:
        sender(notice)
    old = Notice.objects.filter(project=project, channel=channel).order_by("-id").values_list("pk", flat=True)
    Notice.objects.filter(pk__in=list(old[KEPT : KEPT + 100])).delete()
