"""What a data set becomes when it leaves: a small module a format, all read back by our own import.

A module has one function, `arrange(pictures) -> Arrangement`: under which path each picture lies in the zip, and
which papers lie beside them. Its line comes into FORMATS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from datasets.exports import huggingface, imagefolder, label_studio, table, vertex
from datasets.exports.arranging import Arrangement, Picture

Arrange = Callable[[Sequence[Picture]], Arrangement]


@dataclass(frozen=True)
class Format:
    """A format by the name that clients use, and what people read about it."""

    name: str
    title: "str | Promise"
    text: "str | Promise"
    arrange: Arrange


FORMATS = {
    each.name: each
    for each in (
        Format(
            "imagefolder",
            "ImageFolder",
            _("A folder for each label. For PyTorch, Keras, and people."),
            imagefolder.arrange,
        ),
        Format(
            "csv", "CSV", _("All pictures in one folder, and a table of paths and labels."), table.arrange
        ),
        Format(
            "huggingface",
            "Hugging Face",
            _('Pictures with a metadata.csv, as load_dataset("imagefolder") reads it.'),
            huggingface.arrange,
        ),
        Format(
            "labelstudio",
            "Label Studio",
            _("Pictures and tasks with their annotations."),
            label_studio.arrange,
        ),
        Format(
            "vertex",
            "Vertex AI",
            _("Pictures and JSON Lines. Put the name of your bucket in the place of BUCKET."),
            vertex.arrange,
        ),
    )
}
