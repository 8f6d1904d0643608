"""Pages about projects."""

from django.urls import path

from projects import views

app_name = "projects"
urlpatterns = [
    path("projects/new/", views.new_project, name="new"),
    path("projects/<int:pk>/settings/", views.settings, name="settings"),
    path("projects/<int:pk>/members/", views.members, name="members"),
    path("projects/<int:pk>/members/add/", views.member_add, name="member-add"),
    path("projects/<int:pk>/members/<int:member_pk>/change/", views.member_change, name="member-change"),
    path("projects/<int:pk>/tokens/", views.tokens, name="tokens"),
    path("projects/<int:pk>/tokens/<int:token_pk>/revoke/", views.token_revoke, name="token-revoke"),
]
