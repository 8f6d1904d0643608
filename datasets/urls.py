"""The room's pages."""

from django.urls import path

from datasets.urls_going_out import GOING_OUT
from datasets.urls_insight import INSIGHT
from datasets.views import (
    acts,
    bench,
    choosing,
    conflicts,
    imports,
    labels,
    live,
    mislabels,
    pictures,
    sets,
    trash,
)
from datasets.views.grid import alike, image, images

app_name = "datasets"
urlpatterns = [
    path("projects/<int:project_pk>/datasets/", sets.dataset_list, name="list"),
    path("projects/<int:project_pk>/datasets/new/", sets.new, name="new"),
    path("datasets/<int:pk>/", bench.bench, name="detail"),
    path("datasets/<int:pk>/images/", images, name="images"),
    path("datasets/<int:pk>/tag/", acts.tag, name="tag"),
    path("datasets/<int:pk>/accept/", acts.accept, name="accept"),
    path("datasets/<int:pk>/suggestions/", bench.suggestions, name="suggestions"),
    path("datasets/<int:pk>/skip/", acts.skip, name="skip"),
    path("datasets/<int:pk>/discard/", acts.discard, name="discard"),
    path("datasets/<int:pk>/undo/", acts.undo, name="undo"),
    path("datasets/<int:pk>/live/", live.news, name="live"),
    path("datasets/<int:pk>/live/who/", live.who, name="live-who"),
    path("datasets/<int:pk>/labels/", bench.labels, name="labels"),
    path("datasets/<int:pk>/labels/add/", labels.add, name="label-add"),
    path("datasets/<int:pk>/labels/none-of-these/", labels.add_none, name="label-add-none"),
    path("datasets/<int:pk>/labels/<int:label_pk>/", labels.label, name="label"),
    path("datasets/<int:pk>/labels/<int:label_pk>/change/", labels.change, name="label-change"),
    path("datasets/<int:pk>/labels/<int:label_pk>/example/", labels.example, name="label-example"),
    path("datasets/<int:pk>/labels/<int:label_pk>/delete/", labels.delete, name="label-delete"),
    path("datasets/<int:pk>/mislabels/", mislabels.queue, name="mislabels"),
    path("datasets/<int:pk>/mislabels/<int:image_pk>/accept/", mislabels.take, name="mislabel-accept"),
    path("datasets/<int:pk>/mislabels/<int:image_pk>/dismiss/", mislabels.keep, name="mislabel-dismiss"),
    path("datasets/<int:pk>/mislabels/undo/", mislabels.take_back, name="mislabel-undo"),
    path("datasets/<int:pk>/changes/", sets.changes, name="changes"),
    path("datasets/<int:pk>/changes/under-way/", sets.under_way, name="changes-under-way"),
    path("datasets/<int:pk>/trash/", trash.of_dataset, name="trash"),
    path("projects/<int:project_pk>/trash/", trash.of_project, name="project-trash"),
    path("projects/<int:project_pk>/trash/restore/", trash.bring_back, name="trash-restore"),
    path("projects/<int:project_pk>/trash/release/", trash.let_go, name="trash-release"),
    path("datasets/<int:pk>/settings/", sets.settings, name="settings"),
    path("datasets/<int:pk>/settings/trash/", sets.trash, name="to-trash"),
    path("datasets/<int:pk>/restore/", sets.restore, name="restore"),
    path("datasets/<int:pk>/conflicts/", conflicts.queue, name="conflicts"),
    path(
        "datasets/<int:pk>/conflicts/<int:conflict_pk>/settle/", conflicts.settle_one, name="conflict-settle"
    ),
    path(
        "datasets/<int:pk>/conflicts/<int:conflict_pk>/reopen/", conflicts.reopen_one, name="conflict-reopen"
    ),
    path("datasets/<int:pk>/import/", imports.import_new, name="import"),
    *GOING_OUT,
    *INSIGHT,
    path("imports/<int:pk>/", imports.import_detail, name="import-detail"),
    path("imports/<int:pk>/choose/", choosing.choose_labels, name="import-choose"),
    path("imports/<int:pk>/read-again/", choosing.read_names_again, name="import-read-again"),
    path("imports/<int:pk>/progress/", imports.progress, name="import-progress"),
    path("imports/<int:pk>/cancel/", imports.cancel, name="import-cancel"),
    path("imports/<int:pk>/undo/", imports.undo, name="import-undo"),
    path("images/<int:pk>/", image, name="image"),
    path("images/<int:pk>/alike/", alike, name="alike"),
    path("images/<int:pk>/thumbnail/", pictures.thumbnail, name="thumbnail"),
    path("images/<int:pk>/preview/", pictures.preview, name="preview"),
]
