"""The room's routes in the JSON API: models, their versions, reports and files."""

from ninja import Router

from training.api.models import router as models
from training.api.own import router as own
from training.api.pinning import router as pinning
from training.api.reports import router as reports
from training.api.versions import router as versions

router = Router(tags=["training"])
router.add_router("", models)
router.add_router("", versions)
router.add_router("", own)
router.add_router("", reports)
router.add_router("", pinning)
