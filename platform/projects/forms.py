"""Forms about projects, their members and tokens."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.access import SCOPES_OF
from projects.models import Membership, NoticeWish, Project, Role


class ProjectForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new project."""

    class Meta:
        model = Project
        fields = ["name", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an owner may change."""

    class Meta:
        model = Project
        fields = [
            "name",
            "description",
            "minimum_images",
            "exports_from",
            "requests_approve_themselves",
            "four_eyes",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class MemberForm(forms.Form):
    """Somebody with an account joins the project."""

    username = forms.CharField(label=_("User name"), max_length=150)
    role = forms.TypedChoiceField(label=_("Role"), choices=Role.choices, coerce=int, initial=Role.LABELLER)

    def clean_username(self) -> User:
        """The account behind the name."""
        user = User.objects.filter(username=self.cleaned_data["username"], is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("There is no account with this name. The operator can make one."))
        return user


class InvitationForm(forms.Form):
    """A link for somebody who may not have an account yet."""

    name = forms.CharField(
        label=_("For whom"),
        max_length=80,
        required=False,
        help_text=_("For your own list; the person is not told."),
    )
    role = forms.TypedChoiceField(label=_("Role"), choices=Role.choices, coerce=int, initial=Role.LABELLER)


LIFETIMES = [
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("One year")),
    ("", _("Until it is revoked")),
]


class TokenForm(forms.Form):
    """A new access token with some of what the person's role allows."""

    name = forms.CharField(label=_("Name"), max_length=80)
    scopes = forms.MultipleChoiceField(label=_("May"), widget=forms.CheckboxSelectMultiple)
    expires_at = forms.ChoiceField(label=_("Good for"), choices=LIFETIMES, initial="365", required=False)

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = sorted(SCOPES_OF[Role(membership.role)])
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(scope, scope) for scope in allowed]
        field.initial = [scope for scope in allowed if scope in ("read", "predict")]

    def clean_expires_at(self) -> datetime | None:
        """The moment from which on it opens nothing."""
        days = self.cleaned_data["expires_at"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class NoticeForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which e-mails somebody wants, where, and in which language."""

    email = forms.EmailField(label=_("E-mail address"), required=False)
    language = forms.ChoiceField(label=_("Language of e-mails"), choices=settings.LANGUAGES)

    class Meta:
        model = NoticeWish
        fields = ["mail", "language"]

    field_order = ["mail", "email", "language"]

    def clean(self) -> dict[str, Any]:
        """An e-mail needs an address."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("mail") and not found.get("email") and "email" not in self.errors:
            self.add_error("email", _("Write the address that e-mails should go to."))
        return found

    def save(self, commit: bool = True) -> NoticeWish:
        """The wish, and the address, which is the account's own."""
        wish: NoticeWish = super().save(commit)
        wish.user.email = self.cleaned_data["email"]
        wish.user.save(update_fields=["email"])
        return wish
