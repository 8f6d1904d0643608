"""Why a picture was refused, in the reader's language, with the status that says whose fault it is."""

from django.utils.translation import gettext_noop

from datasets.pixels import UnreadableImage
from web.sentences import Refusal, Sentence

SENTENCES = {
    "empty": gettext_noop("The file is empty."),
    "broken": gettext_noop("The picture is damaged or cut short and cannot be decoded."),
    "not-an-image": gettext_noop("The file is not a picture."),
    "type-not-taken": gettext_noop("%(type)s is not taken. Use JPEG, PNG, BMP, WebP or HEIC."),
    "too-many-pixels": gettext_noop("The picture has more than %(limit_mp)g megapixels."),
    "too-many-bytes": gettext_noop("The picture has more than %(limit_mb)g MB."),
}
STATUSES = {"type-not-taken": 415, "too-many-pixels": 413, "too-many-bytes": 413}


def sentence_of(error: UnreadableImage) -> Sentence:
    """The reason as a sentence that can be kept and translated."""
    values = dict(error.numbers)
    if error.code == "too-many-bytes":
        values["limit_mb"] = float(values["limit"]) / 1024**2
    return Sentence(SENTENCES[error.code], **values)


class BadPicture(Refusal):
    """One picture of a request cannot be read; nothing of the request is answered."""

    def __init__(self, error: UnreadableImage, *, number: int, of: int, name: str = "") -> None:
        self.code, self.status, self.number = error.code, STATUSES.get(error.code, 400), number
        reason = sentence_of(error)
        super().__init__(reason.text, **reason.values)
        self._place = (number, of, name)

    def __str__(self) -> str:
        number, of, name = self._place
        if of == 1:
            return str(self.sentence)
        which = f"{number} ({name})" if name else str(number)
        return str(
            Sentence(
                gettext_noop("Picture %(which)s of %(of)s: %(reason)s"),
                which=which,
                of=of,
                reason=self.sentence,
            )
        )


class TooManyPictures(Refusal):
    """More pictures than one request may carry."""

    code = "too-many-pictures"
    status = 413

    def __init__(self, most: int) -> None:
        super().__init__(gettext_noop("At most %(most)s pictures at a time."), most=most)


class TooManyBytes(Refusal):
    """A body that is larger than can be taken, refused before it was read."""

    code = "too-many-bytes"
    status = 413

    def __init__(self, most: int) -> None:
        super().__init__(gettext_noop("A picture may have %(mb)g MB at most."), mb=most / 1024**2)


class NoPicture(Refusal):
    """A request without a picture."""

    code = "no-picture"
