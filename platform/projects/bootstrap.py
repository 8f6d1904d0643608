"""The first start: one superuser, owner of the first project."""

import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from projects.creation import create_project


@transaction.atomic
def ensure_first_admin() -> tuple[str, str] | None:
    """Make the first superuser and project where there is none yet.

    Returns the user name and the password where one was generated here (to be printed once), else None.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    name = settings.ADMIN_USER or "admin"
    password = settings.ADMIN_PASSWORD or secrets.token_urlsafe(12)
    user = User.objects.create_superuser(name, password=password)
    create_project(user=user, name=_("My first project"))
    return None if settings.ADMIN_PASSWORD else (name, password)
