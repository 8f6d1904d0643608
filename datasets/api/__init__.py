"""The room's routes in the JSON API, a module a noun."""

from ninja import Router

from datasets.api import choices, conflicts, exports, images, imports, labels, mislabels, sets, tagging, uploads

router = Router(tags=["datasets"])
for part in (sets, imports, choices, conflicts, uploads, labels, images, tagging, mislabels, exports):
    router.add_router("", part.router)
