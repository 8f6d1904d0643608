"""The room's pages."""

from django.urls import path

from training.views import acts, compare, history, models, own, pinning, reports, runs

app_name = "training"
urlpatterns = [
    path("projects/<int:project_pk>/models/", models.models, name="models"),
    path("projects/<int:project_pk>/train/", models.train, name="train"),
    path("projects/<int:project_pk>/train/preview/", models.preview, name="preview"),
    path("models/<int:pk>/", models.model, name="model"),
    path("models/<int:pk>/versions/own/", own.own, name="own"),
    path("models/<int:pk>/test-set/pin/", pinning.pin, name="pin"),
    path("models/<int:pk>/test-set/unpin/", pinning.unpin, name="unpin"),
    path("models/<int:pk>/compare/", compare.compare, name="compare"),
    path("models/<int:model_pk>/versions/<int:number>/", runs.version, name="version"),
    path("models/<int:model_pk>/versions/<int:number>/live/", runs.live, name="live"),
    path("models/<int:model_pk>/versions/<int:number>/stop/", runs.stop, name="stop"),
    path("models/<int:model_pk>/versions/<int:number>/cancel/", runs.cancel, name="cancel"),
    path("models/<int:model_pk>/versions/<int:number>/report/", reports.report, name="report"),
    path("models/<int:model_pk>/versions/<int:number>/pictures/", reports.pictures, name="pictures"),
    path("models/<int:model_pk>/versions/<int:number>/again/", history.again, name="again"),
    path(
        "models/<int:model_pk>/versions/<int:number>/data/",
        history.training_set_page,
        name="training-set",
    ),
    path("models/<int:model_pk>/versions/<int:number>/details/", history.details, name="details"),
    path("models/<int:model_pk>/versions/<int:number>/notes/", acts.notes, name="notes"),
    path("models/<int:model_pk>/versions/<int:number>/archive/", acts.archive, name="archive"),
    path("models/<int:model_pk>/versions/<int:number>/bring-back/", acts.bring_back, name="bring-back"),
    path("models/<int:model_pk>/versions/<int:number>/delete/", acts.delete, name="delete"),
]
