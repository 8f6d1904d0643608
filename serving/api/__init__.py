"""The room's routes in the JSON API."""

from ninja import Router

router = Router(tags=["serving"])
