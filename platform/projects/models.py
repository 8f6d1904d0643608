"""Projects, who belongs to them, the tokens of programs, and the audit trail."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from web.sentences import Sentence


class Role(models.IntegerChoices):
    """Cumulative: each may do what the one before may."""

    VIEWER = 10, _("Viewer")
    LABELLER = 20, _("Labeller")
    ENGINEER = 30, _("Engineer")
    OWNER = 40, _("Owner")


class Project(models.Model):
    """What a team works in; every other object belongs to one."""

    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"), blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    minimum_images = models.PositiveIntegerField(_("pictures a label needs for training"), default=5)
    requests_approve_themselves = models.BooleanField(_("services go online without approval"), default=False)
    exports_from = models.PositiveSmallIntegerField(
        _("who may export data"), choices=Role.choices, default=Role.ENGINEER
    )
    four_eyes = models.BooleanField(_("somebody else than the requester approves a service"), default=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="Membership",
        through_fields=("project", "user"),
        related_name="projects",
    )

    class Meta:
        verbose_name, verbose_name_plural = _("project"), _("projects")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(_("role"), choices=Role.choices, default=Role.LABELLER)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("member"), _("members")
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_a_member")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class TokenQuerySet(models.QuerySet["AccessToken"]):
    """Reads of tokens."""

    def live(self) -> "TokenQuerySet":
        """Neither revoked nor expired, of people who may still sign in."""
        now = timezone.now()
        return self.filter(revoked_at=None, user__is_active=True).exclude(expires_at__lte=now)


class AccessToken(models.Model):
    """A program's key to one project. The secret is shown once and kept as a hash.

    `resource` narrows a token to one object of a higher room, as an opaque string (`service:7`).
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_tokens")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=16, db_index=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    resource = models.CharField(max_length=80, blank=True, db_index=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("access token"), _("access tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def has_expired(self) -> bool:
        """Its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def revoke(self, *, at: datetime | None = None) -> None:
        """From this moment on nobody gets in with it."""
        self.revoked_at = at or timezone.now()
        self.save(update_fields=["revoked_at"])


class AuditEntry(models.Model):
    """Who did what to which object; kept when the person or the project goes."""

    project = models.ForeignKey(Project, models.SET_NULL, null=True, related_name="audit")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    token_prefix = models.CharField(max_length=16, blank=True)
    action = models.CharField(max_length=64, db_index=True)
    target = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name, verbose_name_plural = _("audit entry"), _("audit trail")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.user} {self.action} {self.target}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Reads of invitations."""

    def open(self) -> "InvitationQuerySet":
        """Still good: not used, not withdrawn, not too old, of a living project, made by who is still its owner."""
        owned = Membership.objects.filter(
            project=models.OuterRef("project"), user=models.OuterRef("created_by"), role=Role.OWNER
        )
        unused = self.filter(used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
        return unused.filter(models.Exists(owned), project__archived_at=None, created_by__is_active=True)


class Invitation(models.Model):
    """A link that lets one person into a project. The secret in it is shown once and kept as a hash."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="invitations")
    role = models.PositiveSmallIntegerField(_("role"), choices=Role.choices, default=Role.LABELLER)
    name = models.CharField(_("for whom"), max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("invitation"), _("invitations")

    def __str__(self) -> str:
        return f"{self.name or self.pk} · {self.get_role_display()}"


class FailedTries(models.Model):
    """How often somebody guessed wrong lately, by a hash of who and what: what `projects.guessing` slows down by."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    last_secret = models.CharField(
        max_length=64, blank=True
    )  # a hash: repeating one wrong token is no guessing

    def __str__(self) -> str:
        return f"{self.key[:8]} ×{self.count}"


class NoticeWish(models.Model):
    """What a person wants to be told by e-mail, and in which language."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_wish")
    mail = models.BooleanField(_("an e-mail when a training that I started ends"), default=False)
    language = models.CharField(_("language of e-mails"), max_length=16, default="en")

    def __str__(self) -> str:
        return f"{self.user}"


class Webhook(models.Model):
    """Where a project's notices go. Its secret is made from `salt` and the installation's key, never kept."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="webhook")
    url = models.CharField(_("address"), max_length=2000)
    salt = models.CharField(max_length=32, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("webhook"), _("webhooks")

    def __str__(self) -> str:
        return f"{self.project}"


class Channel(models.TextChoices):
    """How somebody is told."""

    MAIL = "mail", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")


class NoticeState(models.TextChoices):
    """waiting → sent | given-up."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    GIVEN_UP = "given-up", _("Given up")


class Notice(models.Model):
    """One message about one event, to one person or one webhook: sent once, tried again until it arrives."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="notices")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    webhook = models.ForeignKey(Webhook, models.CASCADE, null=True, related_name="notices")
    about = models.CharField(max_length=80)  # the event: nobody is told of it twice
    subject = models.JSONField(default=dict)
    body = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=NoticeState.choices, default=NoticeState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(default=dict, blank=True)  # what came back last, as a sentence
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("notice"), _("notices")
        indexes = [models.Index(fields=["project", "channel", "-id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["about", "user"], condition=models.Q(channel="mail"), name="one_mail_an_event"
            ),
            models.UniqueConstraint(
                fields=["about", "webhook"], condition=models.Q(channel="webhook"), name="one_call_an_event"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.about}"

    @property
    def answer_sentence(self) -> Sentence:
        """What became of the last try, in the reader's language."""
        return Sentence.from_json(self.answer)
