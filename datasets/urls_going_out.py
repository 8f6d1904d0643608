"""Pages of what is frozen and of what goes out: snapshots, exports, copies."""

from django.urls import path

from datasets.views import copies, exports, snapshots

GOING_OUT = [
    path("datasets/<int:pk>/snapshots/", snapshots.snapshot_list, name="snapshots"),
    path("datasets/<int:pk>/snapshots/take/", snapshots.take, name="snapshot-take"),
    path("datasets/<int:pk>/snapshots/<int:snapshot_pk>/rename/", snapshots.rename, name="snapshot-rename"),
    path(
        "datasets/<int:pk>/snapshots/<int:snapshot_pk>/compare/", snapshots.compare, name="snapshot-compare"
    ),
    path(
        "datasets/<int:pk>/snapshots/<int:snapshot_pk>/restore/", snapshots.restore, name="snapshot-restore"
    ),
    path("datasets/<int:pk>/exports/", exports.export_list, name="exports"),
    path("datasets/<int:pk>/exports/<int:export_pk>/progress/", exports.progress, name="export-progress"),
    path("datasets/<int:pk>/exports/<int:export_pk>/download/", exports.download, name="export-download"),
    path("datasets/<int:pk>/exports/<int:export_pk>/remove/", exports.remove, name="export-remove"),
    path("datasets/<int:pk>/copy/", copies.copy, name="copy"),
    path("datasets/<int:pk>/move/", copies.move, name="move"),
]
