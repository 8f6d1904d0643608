"""Operators prove from time to time that it is still them: the administration asks for the password again."""

import time
from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView, RedirectURLMixin
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from projects import audit
from projects.guessing import SLOWED, Tries

KEPT = "password proved at"  # in the session: seconds since 1970
INSIDE = "/admin/"
ALWAYS_OPEN = ("/admin/logout/", "/admin/login/", "/admin/jsi18n/")


def keep_proof(session: SessionBase) -> None:
    """This moment somebody typed the password."""
    session[KEPT] = int(time.time())


def proof_at_sign_in(*, request: HttpRequest, **_more: Any) -> None:
    """Receives Django's `user_logged_in`: every way in counts, whichever view it goes through."""
    keep_proof(request.session)


def is_proved(session: SessionBase) -> bool:
    """Lately enough; a proof from the future (the clock was set back) is none."""
    age: float = time.time() - session.get(KEPT, 0)
    return -1 <= age <= settings.PROOF_MINUTES * 60


class ProofNeeded:
    """Nothing in the administration happens without a recent password; who asked comes back to where they were."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        inside = path.startswith(INSIDE) and path not in ALWAYS_OPEN and request.user.is_authenticated
        if not inside or is_proved(request.session):
            return self.get_response(request)
        confirm = f"{reverse('confirm_password')}?{urlencode({'next': request.get_full_path()})}"
        if request.method in ("GET", "HEAD"):
            return redirect(confirm)
        # What was typed is still in the browser; sent again after the proof, it arrives whole.
        answer = render(
            request, "registration/nothing_saved.html", {"confirm": confirm, **minutes()}, status=403
        )
        add_never_cache_headers(answer)
        return answer


def minutes() -> dict[str, int]:
    """How long a password counts, for the pages."""
    return {"minutes": settings.PROOF_MINUTES}


class ProofForm(forms.Form):
    """The own password once more; guessing is slowed as at the sign-in, and counts together with it."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        """Right, and not tried too fast."""
        return own_password(self.request, self.cleaned_data["password"])


def own_password(request: HttpRequest, password: str) -> str:
    """The password, if it is that of who is signed in; raises ValidationError, also for guessing too fast."""
    assert isinstance(request.user, User)
    tries = Tries.at_account(request, request.user.get_username())
    if seconds := tries.wait():
        raise forms.ValidationError(_(SLOWED), code="slowed", params={"seconds": seconds})
    if not request.user.check_password(password):
        tries.failed()
        raise forms.ValidationError(_("This is not your password."), code="wrong")
    tries.succeeded()
    return password


class NewPasswordForm(PasswordChangeForm):
    """Who sits down at somebody's open session guesses no faster than at the sign-in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        """Right, and not tried too fast."""
        return own_password(self.request, self.cleaned_data["old_password"])


class NewPassword(PasswordChangeView):
    """The page for the own password."""

    form_class = NewPasswordForm
    http_method_names = ["get", "head", "post"]

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form looks at where the try comes from."""
        return {**super().get_form_kwargs(), "request": self.request}


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class ConfirmPassword(LoginRequiredMixin, RedirectURLMixin, FormView):  # type: ignore[type-arg]
    """The page that asks."""

    form_class = ProofForm
    template_name = "registration/confirm_password.html"
    next_page = "admin:index"
    http_method_names = ["get", "head", "post"]

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form looks at whose password it is and where the try comes from."""
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Where to go on, looked at as at the sign-in: never to another site."""
        return super().get_context_data(next=self.get_redirect_url(), **minutes(), **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """On to where they wanted to go, in a session with a new name."""
        self.request.session.cycle_key()
        keep_proof(self.request.session)
        audit.note(self.request.user, "password.confirm", project=None)
        return redirect(self.get_success_url())

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        """The form again, with the reason."""
        answer = super().form_invalid(form)
        for error in form.errors.as_data().get("password", []):
            if error.code == "slowed":
                answer.status_code = 429
                answer["Retry-After"] = str((error.params or {})["seconds"])
        return answer
