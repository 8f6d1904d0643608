"""Signing in and out, and the own password."""

from django.contrib.auth import views
from django.urls import path, reverse_lazy
from django.views.decorators.http import require_http_methods

from projects.proving import ConfirmPassword, NewPassword
from projects.signing_in import SignIn
from projects.views_notices import own_notices

PLAIN = ["get", "head", "post"]
urlpatterns = [
    path("login/", require_http_methods(["GET", "HEAD", "POST"])(SignIn.as_view()), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("notices/", own_notices, name="notices"),
    path("confirm/", ConfirmPassword.as_view(), name="confirm_password"),
    path(
        "password/",
        NewPassword.as_view(success_url=reverse_lazy("home")),
        name="password_change",
    ),
    # Reached by a link that the operator made (`manage.py reset_link`).
    path(
        "reset/<uidb64>/<token>/",
        views.PasswordResetConfirmView.as_view(success_url=reverse_lazy("login"), http_method_names=PLAIN),
        name="password_reset_confirm",
    ),
]
