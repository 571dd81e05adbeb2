"""Addresses of the service."""

from django.urls import include, path
from django.views.static import serve
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.routers import SimpleRouter

from helpers.server import settings, views

router = SimpleRouter(use_regex_path=False)
router.register("backgrounds", views.Backgrounds, basename="background")

handler400 = "rest_framework.exceptions.bad_request"
handler404 = views.not_found
handler500 = "rest_framework.exceptions.server_error"

urlpatterns = [
    path("", views.page, name="page"),
    path("api/v1/", include(router.urls)),
    path("api/v1/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/v1/docs/", views.docs, name="docs"),
    # A style sheet and a script: no second server for them.
    path("static/<path:path>", serve, {"document_root": settings.HERE / "static"}),
]
