"""A folder for each label, as torchvision's ImageFolder and people expect it; pictures without a label at the top.

Where each picture has a label and a wish for the split, the wishes are the folders above: train/cat/1.jpg. What
folders cannot say stands in labels.csv: names of labels that no folder can have, and wishes of some pictures alone.
"""

from collections.abc import Sequence

from datasets.exports.arranging import Arrangement, Names, Picture, file_name, safe, table
from datasets.formats.documents import split_of

PAPER, LABELS = "labels.csv", "taxon-labels.json"  # no label's folder may be called so


def arrange(pictures: Sequence[Picture]) -> Arrangement:
    """The folders, and the table where it is needed."""
    sides = bool(pictures) and all(picture.label and picture.split for picture in pictures)
    folders = folders_of(pictures)
    inside: dict[str, Names] = {}
    paths = []
    for picture in pictures:
        above = [picture.split] if sides else []
        folder = "/".join([*above, folders[picture.label]] if picture.label else above)
        names = inside.setdefault(folder, Names([] if folder else [PAPER, *folders.values()]))
        name = names.free(file_name(picture))
        paths.append(f"{folder}/{name}" if folder else name)
    told = all(label == folder for label, folder in folders.items())
    if told and (sides or not any(picture.split for picture in pictures)):
        return Arrangement(paths, [])
    rows = [(path, each.label, each.split) for path, each in zip(paths, pictures, strict=True)]
    return Arrangement(paths, [(PAPER, table(("path", "label", "split"), rows))])


def folders_of(pictures: Sequence[Picture]) -> dict[str, str]:
    """Each label's folder; none that our import would take for a side of the split."""
    names = Names([PAPER, LABELS])
    labels = sorted({each.label for each in pictures} - {""})
    return {label: names.free(f"_{label}" if split_of(label) else safe(label)) for label in labels}
