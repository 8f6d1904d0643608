"""Addresses of what a data set is like, and of other ways in than files."""

from django.urls import path

from datasets.views import alike, camera, insight, links

INSIGHT = [
    path("datasets/<int:pk>/statistics/", insight.statistics, name="statistics"),
    path("datasets/<int:pk>/look/", insight.look, name="look"),
    path("datasets/<int:pk>/near-duplicates/", alike.near_duplicates, name="near-duplicates"),
    path("datasets/<int:pk>/near-duplicates/keep/", alike.keep_all, name="alike-keep-all"),
    path("datasets/<int:pk>/near-duplicates/undo/", alike.take_back, name="alike-undo"),
    path("datasets/<int:pk>/near-duplicates/<int:group_pk>/keep/", alike.keep, name="alike-keep"),
    path("datasets/<int:pk>/near-duplicates/<int:group_pk>/differ/", alike.differ, name="alike-differ"),
    path("datasets/<int:pk>/import/links/", links.import_links, name="import-links"),
    path("datasets/<int:pk>/import/camera/", camera.camera, name="camera"),
    path("datasets/<int:pk>/import/camera/undo/", camera.undo_burst, name="camera-undo"),
]
