"""Objects that tests need, made the way the product makes them."""

import io
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from projects.creation import create_project
from projects.models import Membership, Project, Role
from projects.tokens import make_token


@dataclass
class Team:
    """A project, its people by role, and a stranger who owns another project."""

    project: Project
    other: Project
    people: dict[str, User] = field(default_factory=dict)

    @classmethod
    def make(cls) -> "Team":
        """Everybody the permission rules speak of."""
        people = {
            name: User.objects.create_user(name, password="secret-word-1") for name in ROLES | {"stranger": 0}
        }
        project = create_project(user=people["owner"], name="Animals")
        for name, role in ROLES.items():
            if name != "owner":
                Membership.objects.create(project=project, user=people[name], role=role)
        return cls(project, create_project(user=people["stranger"], name="Elsewhere"), people)

    def program(self, role: str, *, scopes: list[str] | None = None) -> Client:
        """An HTTP client with this person's token."""
        project = self.other if role == "stranger" else self.project
        _, secret = make_token(project=project, user=self.people[role], name="test", scopes=scopes)
        return Client(headers={"Authorization": f"Bearer {secret}"})


ROLES = {"viewer": Role.VIEWER, "labeller": Role.LABELLER, "engineer": Role.ENGINEER, "owner": Role.OWNER}


def picture(colour: str = "red", size: tuple[int, int] = (64, 48), form: str = "PNG") -> bytes:
    """An encoded picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()
