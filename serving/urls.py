"""The room's pages."""

from django.urls import path

from serving import publication, views, views_service

app_name = "serving"
urlpatterns = [
    path("projects/<int:project_pk>/services/", views.services, name="list"),
    path("models/<int:model_pk>/versions/<int:number>/validate/", views.validate_version, name="validate"),
    path("models/<int:model_pk>/versions/<int:number>/publish/", views.publish, name="publish"),
    path("services/<slug:slug>/", views_service.detail, name="detail"),
    path("services/<slug:slug>/status/", views_service.status, name="status"),
    path("services/<slug:slug>/try/", views_service.try_it, name="try"),
    path("services/<slug:slug>/approve/", views_service.decide, {"act": publication.approve}, name="approve"),
    path("services/<slug:slug>/reject/", views_service.decide, {"act": publication.reject}, name="reject"),
    path(
        "services/<slug:slug>/offline/",
        views_service.decide,
        {"act": publication.take_offline},
        name="offline",
    ),
    path(
        "services/<slug:slug>/online/", views_service.decide, {"act": publication.bring_online}, name="online"
    ),
    path("services/<slug:slug>/switch/", views_service.switch, name="switch"),
    path("services/<slug:slug>/rollback/", views_service.rollback, name="rollback"),
    path("services/<slug:slug>/release/", views_service.release, name="release"),
    path("services/<slug:slug>/tokens/", views_service.make_token, name="token-make"),
    path("services/<slug:slug>/tokens/<int:pk>/revoke/", views_service.revoke_token, name="token-revoke"),
]
