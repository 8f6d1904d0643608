"""Pages about background work."""

from django.urls import path

from jobs import views

app_name = "jobs"
urlpatterns = [
    path("projects/<int:project_pk>/jobs/", views.project_jobs, name="list"),
    path("projects/<int:project_pk>/jobs/count/", views.job_count, name="count"),
    path("jobs/<int:pk>/progress/", views.job_progress, name="progress"),
    path("jobs/<int:pk>/cancel/", views.cancel_job, name="cancel"),
    path("jobs/<int:pk>/again/", views.try_job_again, name="again"),
]
