"""Pages about projects."""

from django.urls import path

from projects import views, views_joining

app_name = "projects"
urlpatterns = [
    path("projects/new/", views.new_project, name="new"),
    path("projects/<int:pk>/settings/", views.settings, name="settings"),
    path("projects/<int:pk>/members/", views.members, name="members"),
    path("projects/<int:pk>/members/add/", views.member_add, name="member-add"),
    path("projects/<int:pk>/members/<int:member_pk>/change/", views.member_change, name="member-change"),
    path("projects/<int:pk>/invitations/", views_joining.invitation_make, name="invitation-make"),
    path(
        "projects/<int:pk>/invitations/<int:invitation_pk>/withdraw/",
        views_joining.invitation_withdraw,
        name="invitation-withdraw",
    ),
    path("join/", views_joining.joining, name="joining"),
    path("join/<str:secret>/", views_joining.join, name="join"),
    path("projects/<int:pk>/tokens/", views.tokens, name="tokens"),
    path("projects/<int:pk>/tokens/<int:token_pk>/revoke/", views.token_revoke, name="token-revoke"),
]
