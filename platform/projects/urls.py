"""Pages about projects."""

from django.urls import path

from projects import views, views_joining, views_notices

app_name = "projects"
urlpatterns = [
    path("projects/new/", views.new_project, name="new"),
    path("projects/<int:pk>/settings/", views.settings, name="settings"),
    path("projects/<int:pk>/webhook/", views_notices.webhook, name="webhook"),
    path("projects/<int:pk>/webhook/secret/", views_notices.webhook_secret, name="webhook-secret"),
    path("projects/<int:pk>/webhook/try/", views_notices.webhook_try, name="webhook-try"),
    path(
        "projects/<int:pk>/messages/<int:notice_pk>/again/", views_notices.webhook_again, name="webhook-again"
    ),
    path("projects/<int:pk>/webhook/remove/", views_notices.webhook_remove, name="webhook-remove"),
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
