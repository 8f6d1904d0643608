"""The integrity oracle: whether rows and files, sums and states agree."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from web.storage import DAY


@dataclass(frozen=True)
class Wrong:
    """One thing that does not hold. `code` is stable, `where` names the row or file."""

    code: str
    where: str
    says: str

    def __str__(self) -> str:
        return f"{self.code}: {self.where}: {self.says}"


@dataclass(frozen=True)
class Looking:
    """How closely to look. `grace`: seconds for which a file may wait for its row, or a writer for its end."""

    quick: bool = False
    grace: float = DAY


Look = Callable[[Looking], Iterator[Wrong]]


def findings(*, quick: bool = False, grace: float = DAY) -> Iterator[Wrong]:
    """All that is wrong. `quick` reads no file; `grace=0` where nobody is at work."""
    from config import verify_files, verify_rows

    how = Looking(quick, grace)
    looks: tuple[Look, ...] = (*verify_rows.LOOKS, *verify_files.LOOKS)
    for look in looks:
        yield from look(how)
