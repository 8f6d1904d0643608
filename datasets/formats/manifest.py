"""A table of our own: `path,label[,split]`, with or without a first row that says so."""

from datasets.formats.documents import Document, Said, split_of

PATHS = {
    "path", "file", "filename", "file_name", "file name", "image", "image_path", "name", "picture",
    "路径", "文件", "文件名", "文件名称", "文件路径", "图片", "图片名", "图片名称", "图片路径", "图像", "名称",
}  # fmt: skip
LABELS = {"label", "class", "category", "tag", "标签", "类别", "分类", "标注", "种类", "类"}
SPLITS = {"split", "set", "subset", "usage", "划分", "子集", "数据划分", "用途"}


def read(document: Document) -> list[Said] | None:
    """What the table says; a row that lacks a cell is a problem of its own."""
    rows = document.table
    if not rows or len(rows[0][1]) < 2:
        return None
    columns = named(document.header)
    if columns:
        rows = rows[1:]
    path, label, split = columns or (0, 1, 2)
    return [said(number, row, path, label, split) for number, row in rows]


def named(header: list[str]) -> tuple[int, int, int] | None:
    """Where the path, the label and the split stand, by the first row; None: it names nothing."""
    places = [
        next((at for at, cell in enumerate(header) if cell in names), -1) for names in (PATHS, LABELS, SPLITS)
    ]
    return (places[0], places[1], places[2]) if min(places[:2]) >= 0 else None


def said(number: int, row: list[str], path: int, label: int, split: int) -> Said:
    """One row."""
    if max(path, label) >= len(row) or not row[path]:
        return Said(number, row[path] if path < len(row) else "", problem="manifest-row")
    wish = split_of(row[split]) if 0 <= split < len(row) else ""
    return Said(number, row[path], row[label], wish)
