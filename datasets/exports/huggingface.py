"""Hugging Face's `imagefolder`: metadata.csv with `file_name`. https://huggingface.co/docs/datasets/image_dataset"""

from collections.abc import Sequence

from datasets.exports.arranging import Arrangement, Picture, in_one_folder, table


def arrange(pictures: Sequence[Picture]) -> Arrangement:
    """One folder, one table; the column of wishes only where there are some."""
    paths = in_one_folder(pictures)
    wishes = any(each.split for each in pictures)
    header = ("file_name", "label", "split") if wishes else ("file_name", "label")
    rows = [(path, each.label, each.split) for path, each in zip(paths, pictures, strict=True)]
    return Arrangement(paths, [("metadata.csv", table(header, [row[: len(header)] for row in rows]))])
