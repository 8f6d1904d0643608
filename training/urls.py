"""The room's pages."""

from django.urls import path

from training import (
    views,
    views_acts,
    views_compare,
    views_history,
    views_own,
    views_pinning,
    views_reports,
    views_runs,
)

app_name = "training"
urlpatterns = [
    path("projects/<int:project_pk>/models/", views.models, name="models"),
    path("projects/<int:project_pk>/train/", views.train, name="train"),
    path("projects/<int:project_pk>/train/preview/", views.preview, name="preview"),
    path("models/<int:pk>/", views.model, name="model"),
    path("models/<int:pk>/versions/own/", views_own.own, name="own"),
    path("models/<int:pk>/test-set/pin/", views_pinning.pin, name="pin"),
    path("models/<int:pk>/test-set/unpin/", views_pinning.unpin, name="unpin"),
    path("models/<int:pk>/compare/", views_compare.compare, name="compare"),
    path("models/<int:model_pk>/versions/<int:number>/", views_runs.version, name="version"),
    path("models/<int:model_pk>/versions/<int:number>/live/", views_runs.live, name="live"),
    path("models/<int:model_pk>/versions/<int:number>/stop/", views_runs.stop, name="stop"),
    path("models/<int:model_pk>/versions/<int:number>/cancel/", views_runs.cancel, name="cancel"),
    path("models/<int:model_pk>/versions/<int:number>/report/", views_reports.report, name="report"),
    path("models/<int:model_pk>/versions/<int:number>/pictures/", views_reports.pictures, name="pictures"),
    path("models/<int:model_pk>/versions/<int:number>/again/", views_history.again, name="again"),
    path(
        "models/<int:model_pk>/versions/<int:number>/data/",
        views_history.training_set_page,
        name="training-set",
    ),
    path("models/<int:model_pk>/versions/<int:number>/details/", views_history.details, name="details"),
    path("models/<int:model_pk>/versions/<int:number>/notes/", views_acts.notes, name="notes"),
    path("models/<int:model_pk>/versions/<int:number>/archive/", views_acts.archive, name="archive"),
    path("models/<int:model_pk>/versions/<int:number>/bring-back/", views_acts.bring_back, name="bring-back"),
    path("models/<int:model_pk>/versions/<int:number>/delete/", views_acts.delete, name="delete"),
]
