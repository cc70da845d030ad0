"""URLs of the viewer's API."""

from django.urls import path

from webapp.readings import api

urlpatterns = [
    path("api/readings/<uuid:reading_id>/", api.reading_detail, name="api-reading"),
    path(
        "api/readings/<uuid:reading_id>/slabs/<int:index>/<slug:sha256>/",
        api.reading_slab,
        name="api-reading-slab",
    ),
    path("api/readings/<uuid:reading_id>/mask/", api.reading_mask, name="api-reading-mask"),
    path("api/readings/<uuid:reading_id>/strokes/", api.reading_strokes, name="api-reading-strokes"),
    path("api/readings/<uuid:reading_id>/lease/", api.reading_lease, name="api-reading-lease"),
    path("api/readings/<uuid:reading_id>/lease/release/", api.reading_lease_release, name="api-reading-release"),
    path(
        "api/readings/<uuid:reading_id>/measurements/",
        api.reading_measurements,
        name="api-reading-measurements",
    ),
    path("api/readings/<uuid:reading_id>/sign/", api.reading_sign, name="api-reading-sign"),
]
