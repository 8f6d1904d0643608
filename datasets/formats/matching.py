"""From what a format says about pictures to the pictures themselves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.utils.translation import gettext_noop

from datasets.archive_names import parts_of, shown
from datasets.archives import Offered
from datasets.formats import ENDINGS, said_by
from datasets.formats.documents import Said, is_link, path_of, split_of
from datasets.reasons import NotAccepted
from web.sentences import Refusal

MOST_DESCRIPTIONS = 20  # more such files than this are notes of something else, one a picture


class NotUnderstood(Refusal):
    """A file of labels in no known format."""

    code = "manifest-not-understood"
    status = 422


def with_labels(files: Sequence[Offered], manifests: Iterable[tuple[str, bytes]] = ()) -> list[Offered]:
    """The files with the labels and wishes that descriptions among or beside them give, in their fixed order.

    A description that is understood and names a file is no picture and is left out; each of its rows that fits no
    file becomes an offer that is refused with the row's number. Raises NotUnderstood for a manifest.
    """
    found: list[tuple[Offered | None, str, list[Said]]] = []
    for name, content in manifests:
        found.append((None, name, rows_of(name, content)))
    index = Index(files)
    candidates = [each for each in files if each.name.lower().endswith(ENDINGS)]
    for each in candidates if len(candidates) <= MOST_DESCRIPTIONS else []:
        said = understood(each)
        if said and any(index.fitting(row.path, each.name) for row in said):
            found.append((each, each.name, said))
    if not found:
        return with_split_folders(files)
    return labelled(files, index, found)


def rows_of(name: str, content: bytes) -> list[Said]:
    """What a manifest says. Raises NotUnderstood."""
    said = said_by(name, content)
    if not said:
        raise NotUnderstood(
            gettext_noop("“%(name)s” holds no labels that can be read: it needs rows of path,label."),
            name=shown(name, 80),
        )
    return said


def understood(offered: Offered) -> list[Said] | None:
    """What a file among the pictures says, if it says anything."""
    try:
        return said_by(offered.name, offered.load())
    except NotAccepted:
        return None


class Index:
    """The files by their last part."""

    def __init__(self, files: Iterable[Offered]) -> None:
        self._by_name = defaultdict[str, list[tuple[list[str], Offered]]](list)
        for each in files:
            parts = parts_of(each.name)
            self._by_name[parts[-1]].append((parts, each))

    def fitting(self, address: str, manifest: str = "") -> list[Offered]:
        """The files that an address may mean: beside its manifest, or where one path ends with the other."""
        parts = parts_of(path_of(address))
        if not parts:
            return []
        same = self._by_name.get(parts[-1], [])
        beside = parts_of(manifest)[:-1] + parts
        if exact := [each for there, each in same if there in (beside, parts)]:
            return exact[:1]
        return [each for there, each in same if ends_with(there, parts) or ends_with(parts, there)]


def ends_with(longer: list[str], shorter: list[str]) -> bool:
    """Whether one path ends with the other."""
    return longer[-len(shorter) :] == shorter


def labelled(
    files: Sequence[Offered], index: Index, found: Sequence[tuple[Offered | None, str, list[Said]]]
) -> list[Offered]:
    """Each file with what is said of it, then the rows that fit none."""
    said_of: dict[int, Said] = {}
    problems: list[Offered] = []
    for _, name, said in found:
        for row in said:
            fitting = index.fitting(row.path, name)
            code = problem_of(row, fitting, said_of)
            if code:
                problems.append(refused(code, name, row))
            else:
                said_of.setdefault(id(fitting[0]), row)
    papers = {id(paper) for paper, _, _ in found}
    # Folders that hold files of the description are not labels, for the files it forgot neither.
    plain = {each.folder for each in files if id(each) in said_of and said_of[id(each)].label is not None}
    return [told(each, said_of.get(id(each)), plain) for each in files if id(each) not in papers] + problems


def problem_of(row: Said, fitting: Sequence[Offered], said_of: dict[int, Said]) -> str:
    """The code of what is wrong with a row; empty: nothing."""
    if row.problem:
        return row.problem
    if not fitting:
        return "manifest-link" if is_link(row.path) else "manifest-no-file"
    if len(fitting) > 1:
        return "manifest-several"
    earlier = said_of.get(id(fitting[0]))
    return "manifest-again" if earlier and earlier.label != row.label else ""


def refused(code: str, manifest: str, row: Said) -> Offered:
    """A row as an offer that cannot be taken."""

    def load() -> bytes:
        raise NotAccepted(code, row=row.row, manifest=shown(manifest, 80), path=shown(row.path, 120))

    return Offered(shown(f"{manifest}:{row.row} {row.path}"), "", load)


def told(each: Offered, said: Said | None, plain: set[str]) -> Offered:
    """A file with its row's word."""
    if said is None:
        folder = "" if each.folder in plain else each.folder
        return replace(
            each, folder=folder, split=each.split or split_in(parts_of(each.name)[: -2 if folder else -1])
        )
    if said.label is None:
        return replace(each, split=said.split or split_in(parts_of(each.name)[:-2]))
    return replace(each, folder=said.label, split=said.split or split_in(parts_of(each.name)[:-1]))


def with_split_folders(files: Sequence[Offered]) -> list[Offered]:
    """train/cat/1.jpg and cat/train/1.jpg: the label is cat, and train a wish for the split."""
    inner = [parts_of(each.name) for each in files]
    below = bool(files) and all(len(parts) > 2 and split_of(parts[-2]) for parts in inner)
    labels = {parts[-3] for parts in inner} if below else set()
    below = len(labels) > 1 and not any(map(split_of, labels))
    return [
        replace(
            each,
            folder=parts[-3] if below else each.folder,
            split=each.split or split_in(parts[: -1 if below else -2]),
        )
        for parts, each in zip(inner, files, strict=True)
    ]


def split_in(folders: Sequence[str]) -> str:
    """The wish that a folder on the way states, the innermost first."""
    return next((wish for wish in map(split_of, reversed(folders)) if wish), "")
