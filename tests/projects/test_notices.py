"""Notices arrive: e-mails by a real mail server in the reader's language, webhooks signed, to public addresses."""

import email
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import gettext_noop
from pytest_django.fixtures import Settings

from jobs import outgoing
from jobs.reconcile import wake_waiting
from projects.models import Membership, Notice, NoticeState, NoticeWish, Project, Webhook
from projects.notices import BadAddress, set_webhook, tell
from tests.factories import Team
from web import outgoing as web_outgoing

Page = Callable[[str], Client]
Work = Callable[[], None]


# ---- a mail server
@dataclass
class Post:
    """A running SMTP server: what it got, and how often it shall refuse first."""

    port: int
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    refusals: int = 0


class Mailbox(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs."""

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        post: Post = self.server.post  # type: ignore[attr-defined]
        to = ""
        self.say("220 here")
        for raw in self.rfile:
            verb = raw[:4].upper()
            if verb == b"RCPT":
                to = raw.decode().partition(":")[2].strip().strip("<>")
            if verb == b"DATA":
                if post.refusals:
                    post.refusals -= 1
                    self.say("451 later")
                    continue
                self.say("354 go on")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                post.messages.append((to, b"".join(lines)))
            self.say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    """A mail server, and the product set to use it."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)
    server.daemon_threads = True
    server.post = found = Post(server.server_address[1])  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_SERVER = "127.0.0.1", found.port, True
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.BASE_URL = "https://ml.example.org"
    yield found
    server.shutdown()
    server.server_close()


# ---- a receiver of webhooks
@dataclass
class Ear:
    """A running HTTP server: what it heard, and what it answers, the last for ever."""

    port: int
    answers: list[int] = field(default_factory=lambda: [200])
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=b"


@pytest.fixture
def ear(settings: Settings) -> Iterator[Ear]:
    """It listens on this machine, which is opened for the test as an operator would open a network."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            found.heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{found.port}/elsewhere")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Ear(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.LINK_NETWORKS, settings.LINK_PORTS = ["127.0.0.1/32"], [found.port]
    yield found
    server.shutdown()
    server.server_close()


def ended(team: Team, about: str = "training.ended:1:1", **more: Any) -> None:
    """As a room tells of an event."""
    subject = {
        "text": gettext_noop("%(model)s, version %(number)s is ready"),
        "values": {"model": "Discs\nBcc: x@y", "number": 3},
    }
    body = {
        "event": "training.ended",
        "project": {"id": team.project.pk, "name": "Animals"},
        "url": "https://ml.example.org/models/1/",
    }
    user = team.people["engineer"]
    tell(project=team.project, user=user, about=about, subject=subject, body=body | {"say": [subject]} | more)


def wants_mail(team: Team, language: str = "en") -> None:
    user = team.people["engineer"]
    user.email = "engineer@example.org"
    user.save()
    NoticeWish.objects.create(user=user, mail=True, language=language)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "PAUSES", (timedelta(0),) * 2)


def hooked(project: Project, ear: Ear, team: Team) -> str:
    return set_webhook(project=project, url=ear.url, user=team.people["owner"])[1]


# ---- e-mail
def test_an_email_arrives_with_a_link_in_the_persons_language(work: Work, team: Team, post: Post) -> None:
    wants_mail(team, "zh-hans")
    ended(team)
    ended(team)  # told of again, after a crash say: the same event
    work()
    [(to, raw)] = post.messages
    message = email.message_from_bytes(raw, policy=policy.default)
    assert to == "engineer@example.org"
    assert message["Subject"] == "Discs Bcc: x@y 版本 3 已就绪" and message["Bcc"] is None
    assert "https://ml.example.org/models/1/" in message.get_content()
    assert "https://ml.example.org/accounts/notices/" in message.get_content()
    assert Notice.objects.get().state == NoticeState.SENT


def test_a_mail_server_that_refuses_is_asked_again(work: Work, team: Team, post: Post, at_once: None) -> None:
    wants_mail(team)
    post.refusals = 1
    ended(team)
    work()
    assert (Notice.objects.get().state, post.messages) == (NoticeState.WAITING, [])
    wake_waiting()
    work()
    notice = Notice.objects.get()
    assert (notice.state, notice.tries, len(post.messages)) == (NoticeState.SENT, 2, 1)


def test_who_did_not_ask_or_left_the_project_gets_no_email(work: Work, team: Team, post: Post) -> None:
    ended(team)
    assert not Notice.objects.exists()
    wants_mail(team)
    ended(team)
    Membership.objects.filter(user=team.people["engineer"]).delete()
    work()
    assert (Notice.objects.get().state, post.messages) == (NoticeState.GIVEN_UP, [])


def test_without_a_mail_server_nothing_is_queued_and_the_page_says_so(
    team: Team, page: Page, settings: Settings
) -> None:
    settings.MAIL_SERVER = False
    wants_mail(team)
    ended(team)
    assert not Notice.objects.exists()
    assert "has no mail server" in page("engineer").get("/accounts/notices/").content.decode()


def test_a_person_chooses_emails_with_address_and_language(team: Team, page: Page) -> None:
    client = page("viewer")
    none = client.post("/accounts/notices/", {"mail": "on", "email": "", "language": "en"})
    assert "Write the address" in none.content.decode()
    answer = client.post(
        "/accounts/notices/", {"mail": "on", "email": "v@example.org", "language": "zh-hans"}
    )
    wish = NoticeWish.objects.select_related("user").get()
    assert answer.status_code == 302
    assert (wish.mail, wish.language, wish.user.email) == (True, "zh-hans", "v@example.org")


# ---- webhooks
def test_a_webhook_gets_json_that_it_can_prove_to_be_ours(work: Work, team: Team, ear: Ear) -> None:
    secret = hooked(team.project, ear, team)
    ended(team)
    work()
    [(headers, body)] = ear.heard
    parts = dict(part.split("=", 1) for part in headers["Taxon-Signature"].split(","))
    signed = parts["t"].encode() + b"." + body
    assert hmac.compare_digest(parts["v1"], hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest())
    told = json.loads(body)
    assert told["event"] == headers["Taxon-Event"] == "training.ended"
    assert told["id"] == int(headers["Taxon-Delivery"]) and "say" not in told
    assert told["project"] == {"id": team.project.pk, "name": "Animals"}
    assert headers["Host"] == f"127.0.0.1:{ear.port}"


def test_an_error_is_tried_again_and_then_given_up(work: Work, team: Team, ear: Ear, at_once: None) -> None:
    hooked(team.project, ear, team)
    ear.answers = [500, 302, 503]  # a redirect is an error too: it is not followed
    ended(team)
    for _ in range(4):
        work()
        wake_waiting()
    notice = Notice.objects.get()
    assert (notice.state, notice.tries, len(ear.heard)) == (NoticeState.GIVEN_UP, 3, 3)
    assert str(notice.answer_sentence) == "127.0.0.1 answered 503."


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://10.1.2.3/"]
)
def test_private_addresses_get_nothing(work: Work, team: Team, url: str) -> None:
    set_webhook(project=team.project, url=url, user=team.people["owner"])
    ended(team)
    work()
    notice = Notice.objects.get()
    assert notice.state == NoticeState.GIVEN_UP and "not on the public internet" in str(
        notice.answer_sentence
    )


def test_a_name_that_turns_private_is_called_at_no_other_address(
    work: Work, team: Team, ear: Ear, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter([["127.0.0.1"], ["10.0.0.1"]])  # the second answer would be for the connection
    monkeypatch.setattr(web_outgoing, "resolve", lambda host, port: next(turns))
    url = f"http://hooks.example.org:{ear.port}/"
    set_webhook(project=team.project, url=url, user=team.people["owner"])
    ended(team)
    work()
    assert ear.heard[0][0]["Host"] == f"hooks.example.org:{ear.port}" and next(turns) == ["10.0.0.1"]


def test_an_operator_may_switch_webhooks_off(work: Work, team: Team, ear: Ear, settings: Settings) -> None:
    hooked(team.project, ear, team)
    settings.WEBHOOKS = False
    ended(team)
    work()
    assert not ear.heard and Notice.objects.get().state == NoticeState.GIVEN_UP


@pytest.mark.parametrize(
    "url", ["", "ftp://x/", "file:///etc/passwd", "https://u:p@example.org/", "http://example.org:22/"]
)
def test_what_is_no_address_for_a_webhook_is_refused(team: Team, page: Page, url: str) -> None:
    with pytest.raises(BadAddress):
        set_webhook(project=team.project, url=url, user=team.people["owner"])
    answer = page("owner").post(f"/projects/{team.project.pk}/webhook/", {"url": url})
    assert answer.status_code == 422 and not Webhook.objects.exists()


def test_the_secret_is_shown_once_and_a_new_one_differs(team: Team, page: Page) -> None:
    at, client = f"/projects/{team.project.pk}/webhook/", page("owner")
    made = client.post(at, {"url": "https://example.org/a"}).content.decode()
    assert "txw_" in made and "txw_" not in client.get(at).content.decode()
    assert client.post(at, {"url": "https://example.org/b"}).status_code == 302
    secret = made.partition("txw_")[2][:64]
    assert secret not in str(list(Webhook.objects.values())) and Webhook.objects.get().url.endswith("/b")
    again = client.post(f"{at}secret/").content.decode()
    assert "txw_" in again and secret not in again


def test_an_owner_tries_and_removes_it(work: Work, team: Team, page: Page, ear: Ear) -> None:
    hooked(team.project, ear, team)
    at, client = f"/projects/{team.project.pk}/webhook/", page("owner")
    assert client.post(f"{at}try/").status_code == 302
    work()
    assert json.loads(ear.heard[0][1])["event"] == "webhook.test"
    assert "127.0.0.1 answered 200." in client.get(at).content.decode()
    assert client.post(f"{at}remove/").status_code == 302 and not Webhook.objects.exists()


@pytest.mark.parametrize("verb", ["", "secret/", "try/", "remove/"])
def test_only_owners_come_near_a_webhook(team: Team, page: Page, verb: str) -> None:
    at = f"/projects/{team.project.pk}/webhook/{verb}"
    assert page("engineer").post(at, {"url": "https://example.org"}).status_code == 403
    assert page("stranger").post(at).status_code == 404
    assert page("owner").put(at).status_code == 405


def test_a_given_up_message_is_sent_again_by_hand(
    work: Work, team: Team, ear: Ear, page: Page, at_once: None
) -> None:
    hooked(team.project, ear, team)
    ear.answers = [500, 500, 500, 200]
    ended(team)
    for _ in range(4):
        work()
        wake_waiting()
    notice = Notice.objects.get()
    assert notice.state == NoticeState.GIVEN_UP
    there = f"/projects/{team.project.pk}/webhook/"
    again = f"/projects/{team.project.pk}/messages/{notice.pk}/again/"
    assert "Send again" in page("owner").get(there).content.decode()
    assert page("engineer").post(again).status_code == 403
    assert page("stranger").post(again).status_code == 404
    assert page("owner").post(f"/projects/{team.other.pk}/messages/{notice.pk}/again/").status_code == 404
    answer = page("owner").post(again, follow=True).content.decode()
    assert "on its way again" in answer and "Send again" not in answer
    work()
    notice.refresh_from_db()
    assert (notice.state, notice.tries, len(ear.heard)) == (NoticeState.SENT, 1, 4)
    first, last = (headers["Taxon-Delivery"] for headers, _ in (ear.heard[0], ear.heard[-1]))
    assert first == last == str(notice.pk)
    assert "was not given up" in page("owner").post(again, follow=True).content.decode()
    work()
    assert len(ear.heard) == 4
