"""Signing in, slowed down for who guesses, and joining with an account of one's own."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.utils.translation import gettext as _

from projects.guessing import SLOWED, Tries


class SignInForm(AuthenticationForm):
    """Name and password; wrong ones count, and who guesses too fast waits. No answer tells which accounts exist."""

    def clean(self) -> dict[str, Any]:
        """Look at the password only when it is this browser's turn."""
        assert self.request is not None
        tries = Tries.at_account(self.request, self.cleaned_data.get("username", ""))
        if seconds := tries.wait():
            raise forms.ValidationError(_(SLOWED), code="slowed", params={"seconds": seconds})
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            tries.failed()
            raise
        tries.succeeded()
        return cleaned


class SignIn(LoginView):
    """The one way in, for the administration too."""

    form_class = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form again, with the reason."""
        answer = super().form_invalid(form)
        slowed = [error for error in form.non_field_errors().as_data() if error.code == "slowed"]
        for error in slowed:
            answer.status_code = 429
            answer["Retry-After"] = str((error.params or {})["seconds"])
        return answer
