"""URLs of what a case or a campaign gives to programs; their pages are in webapp.pages."""

from django.urls import path

from webapp.campaigns import api

urlpatterns = [
    path("api/cases/<uuid:case_id>/slabs/<int:index>/<slug:sha256>/", api.case_slab, name="api-case-slab"),
    path("api/cases/<uuid:case_id>/preview/<slug:sha256>/", api.case_preview, name="api-case-preview"),
    path(
        "api/campaigns/<slug:slug>/guideline/pictures/<slug:sha256>/",
        api.guideline_picture,
        name="api-guideline-picture",
    ),
]
