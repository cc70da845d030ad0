"""Every URL of the site."""

from django.urls import URLPattern, URLResolver, include, path

from webapp.dicomweb import search_views
from webapp.edge.methods import by_method

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.campaigns.urls")),
    path("", include("webapp.readings.urls")),
    path("", include("webapp.intake.urls")),
    path("", include("webapp.releases.urls")),
    # Searched by DICOMweb's reading side; what is stored there (POST) goes to the door.
    path("dicomweb/<slug:slug>/studies", by_method(GET=search_views.studies)),
    path("", include("webapp.dicomweb.urls")),
    path("", include("webapp.pages.urls")),
]
