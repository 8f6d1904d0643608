"""The room's routes in the JSON API."""

from ninja import Router

from serving.api import online, services, validations

router = Router(tags=["serving"])
for noun in (validations, services, online):
    router.add_router("", noun.router)
