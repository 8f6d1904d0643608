"""The room's pages."""

from django.urls import path

from training import views, views_reports, views_runs

app_name = "training"
urlpatterns = [
    path("projects/<int:project_pk>/models/", views.models, name="models"),
    path("projects/<int:project_pk>/train/", views.train, name="train"),
    path("projects/<int:project_pk>/train/preview/", views.preview, name="preview"),
    path("models/<int:pk>/", views.model, name="model"),
    path("models/<int:model_pk>/versions/<int:number>/", views_runs.version, name="version"),
    path("models/<int:model_pk>/versions/<int:number>/live/", views_runs.live, name="live"),
    path("models/<int:model_pk>/versions/<int:number>/stop/", views_runs.stop, name="stop"),
    path("models/<int:model_pk>/versions/<int:number>/cancel/", views_runs.cancel, name="cancel"),
    path("models/<int:model_pk>/versions/<int:number>/report/", views_reports.report, name="report"),
    path("models/<int:model_pk>/versions/<int:number>/pictures/", views_reports.pictures, name="pictures"),
]
