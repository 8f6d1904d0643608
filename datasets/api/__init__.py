"""The room's routes in the JSON API, a module a noun."""

from ninja import Router

from datasets.api import (
    choices,
    conflicts,
    copies,
    exports,
    images,
    imports,
    labels,
    mislabels,
    sets,
    snapshots,
    tagging,
    trash,
    uploads,
)

router = Router(tags=["datasets"])
for part in (
    sets, imports, choices, conflicts, uploads, labels, images, tagging, mislabels, exports, snapshots, copies, trash,
):  # fmt: skip
    router.add_router("", part.router)
