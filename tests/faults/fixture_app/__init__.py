"""An app that only the fault tests install: kinds of job that misbehave, and a clerk to ask for them."""

urlpatterns: list[object] = []
