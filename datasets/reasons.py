"""Why an import does not take a file: every stable code with its sentence and the way out, in one table."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_noop

from datasets.links.reasons import LINK_REASONS
from datasets.pixels import UnreadableImage
from web.sentences import Sentence

REASONS: dict[str, str] = {
    # the file itself
    "empty": gettext_noop("The file is empty. Copy it again from where it came from."),
    "broken": gettext_noop("The picture is damaged or cut short. Copy it again from where it came from."),
    "not-an-image": gettext_noop("This is not a picture, whatever its name says."),
    "type-not-taken": gettext_noop("%(type)s is not taken. Save it as JPEG, PNG, BMP, WebP or HEIC."),
    "too-many-pixels": gettext_noop("The picture has more than %(limit_mp)s megapixels. Scale it down."),
    "too-many-bytes": gettext_noop("The file is larger than %(limit_mb)s MB. Scale the picture down."),
    "too-small": gettext_noop(
        "The picture is %(width)s × %(height)s pixels; the shorter side needs more than %(least)s."
    ),
    "too-long": gettext_noop(
        "The picture is %(width)s × %(height)s pixels; one side may be at most %(ratio)s times the"
        " other. Crop it."
    ),
    "too-large": gettext_noop(
        "The picture is %(width)s × %(height)s pixels and %(mb)s MB; the longer side must be under %(most)s"
        " pixels and the file at most %(limit_mb)s MB. Scale it down."
    ),
    # where it lay
    "bad-label": gettext_noop(
        "Its folder “%(folder)s” cannot be a label: at most 64 characters, without / \\ : and control"
        " characters. Rename the folder."
    ),
    "too-many-labels": gettext_noop(
        "Its folder would be label number %(limit)s + 1 of the data set. Use fewer folders,"
        " or a second data set."
    ),
    "left-out": gettext_noop("“%(folder)s” was left out when the labels of this import were chosen."),
    "unsafe-name": gettext_noop("Its name in the zip points outside of the archive. Pack the folder again."),
    # the archive and its entries
    "not-a-zip": gettext_noop(
        "The zip cannot be read: it is damaged, cut short, empty, or no zip at all. Pack it again."
    ),
    "encrypted": gettext_noop("It is protected with a password. Pack the zip without one."),
    "link": gettext_noop("It is a link to another file, not a picture. Pack the picture itself."),
    "special-file": gettext_noop("It is a device or pipe, not a picture."),
    "unknown-compression": gettext_noop(
        "It is compressed in a way that is not taken (method %(method)s). Pack with ordinary zip (Deflate)."
    ),
    "damaged-entry": gettext_noop("Its part of the zip is damaged. Pack or upload the zip again."),
    "nested-archive": gettext_noop("It is an archive inside the archive. Unpack it first."),
    "archive-bomb": gettext_noop(
        "The zip unpacks to far more than its size, and reading stopped before this file."
        " Upload fewer pictures at once."
    ),
    # what a file of labels says
    "manifest-row": gettext_noop("Row %(row)s of %(manifest)s cannot be read: it needs a path and a label."),
    "pixels-row": gettext_noop(
        "Row %(row)s of %(manifest)s cannot be read: it needs a number and the grey values (0 to 255) of a square"
        " picture, parted by spaces."
    ),
    "manifest-labels": gettext_noop(
        "Row %(row)s of %(manifest)s gives “%(path)s” several labels; a picture has one. Choose one."
    ),
    "manifest-no-file": gettext_noop(
        "Row %(row)s of %(manifest)s names “%(path)s”, which is not among the files that were sent."
    ),
    "manifest-link": gettext_noop(
        "Row %(row)s of %(manifest)s is a link, and links are not fetched. Put the picture itself into the zip."
    ),
    "manifest-several": gettext_noop(
        "Row %(row)s of %(manifest)s: several files are called “%(path)s”. Write more of its folders."
    ),
    "manifest-again": gettext_noop(
        "Row %(row)s of %(manifest)s gives “%(path)s” another label than an earlier row; the earlier one counts."
    ),
    **LINK_REASONS,
    # what is there already
    "duplicate": gettext_noop("The same picture is in the data set already, as “%(name)s”."),
    "duplicate-other-label": gettext_noop(
        "The same picture is in the data set already, as “%(name)s” with the label “%(label)s”;"
        " here it lies under “%(folder)s”."
    ),
}


# The same in a few words, for counting them before anything is taken in
BRIEFLY: dict[str, str] = {
    "empty": gettext_noop("empty"),
    "broken": gettext_noop("damaged"),
    "damaged-entry": gettext_noop("damaged"),
    "not-an-image": gettext_noop("no picture"),
    "type-not-taken": gettext_noop("type not taken"),
    "too-many-pixels": gettext_noop("too large"),
    "too-many-bytes": gettext_noop("too large"),
    "too-large": gettext_noop("too large"),
    "too-small": gettext_noop("too small"),
    "too-long": gettext_noop("too narrow"),
    "encrypted": gettext_noop("protected with a password"),
    "nested-archive": gettext_noop("an archive inside the archive"),
    "manifest-no-file": gettext_noop("in the list, but not sent"),
    "manifest-row": gettext_noop("unreadable row of the list"),
    "manifest-labels": gettext_noop("several labels in the list"),
    "manifest-several": gettext_noop("several files of this name"),
}


def briefly(codes: Mapping[str, int]) -> str:
    """“damaged: 3 · no picture: 1”, the most frequent first."""
    counts = Counter[str]()
    for code, count in codes.items():
        counts[gettext(BRIEFLY.get(code, gettext_noop("for another reason")))] += count
    return " · ".join(
        gettext("%(why)s: %(count)s") % {"why": why, "count": count} for why, count in counts.most_common()
    )


class NotAccepted(Exception):
    """A file that is not taken: a stable code, and the numbers of its sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    @property
    def sentence(self) -> Sentence:
        """The reason, to keep in a row."""
        return Sentence(REASONS[self.code], **self.values)

    @classmethod
    def because_of(cls, error: UnreadableImage) -> "NotAccepted":
        """The pixel path's refusal in the words of this table."""
        values = {
            key: f"{value:g}" if isinstance(value, float) else value for key, value in error.numbers.items()
        }
        if error.code == "too-many-bytes":
            values["limit_mb"] = f"{int(error.numbers['limit']) / 1024**2:g}"
        return cls(error.code, **values)
