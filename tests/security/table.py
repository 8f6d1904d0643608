"""The permission table: docs/permissions.md as rows that tests can walk."""

from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# From the weakest on; each may do what the one before may.
ROLES = ("viewer", "labeller", "engineer", "owner")
# own-door: something else than a role opens it, and tests of its own hold it.
DOORS = ("anyone", "person", *ROLES, "operator", "own-door")


@dataclass(frozen=True)
class Row:
    """Who may do this at least, and what a token needs for it (`page`, `session`: no token opens it)."""

    method: str
    route: str
    at_least: str
    token: str

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_page(self) -> bool:
        """Answers browsers (with the sign-in page) rather than programs (with 401)."""
        return self.token == "page"

    @property
    def is_about_a_project(self) -> bool:
        """A role in some project opens it."""
        return self.at_least in ROLES

    @property
    def enough(self) -> tuple[str, ...]:
        """The roles that open it."""
        return ROLES[ROLES.index(self.at_least) :] if self.is_about_a_project else ROLES

    @property
    def too_small(self) -> tuple[str, ...]:
        """The roles that do not."""
        return tuple(role for role in ROLES if role not in self.enough)


def rows() -> list[Row]:
    """Every line of every table in the document whose first cell is a method."""
    found = []
    for line in DOCUMENT.read_text(encoding="utf8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if not line.startswith("|") or not cells[0] or not set(cells[0].split()) <= {*METHODS, "any"}:
            continue
        methods = METHODS if cells[0] == "any" else tuple(cells[0].split())
        found += [Row(method, cells[1], cells[2], cells[3]) for method in methods]
    return found
