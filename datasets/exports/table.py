"""A table of our own, `path,label,split`, beside one folder of pictures: `datasets/formats/manifest.py` reads it."""

from collections.abc import Sequence

from datasets.exports.arranging import Arrangement, Picture, in_one_folder, table


def arrange(pictures: Sequence[Picture]) -> Arrangement:
    """One folder, one table."""
    paths = in_one_folder(pictures)
    rows = [(path, each.label, each.split) for path, each in zip(paths, pictures, strict=True)]
    return Arrangement(paths, [("labels.csv", table(("path", "label", "split"), rows))])
