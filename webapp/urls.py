"""Every URL of the site."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from webapp.dicomweb import retrieve_views, search_views
from webapp.edge.methods import by_method
from webapp.intake import stow

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.campaigns.urls")),
    path("", include("webapp.readings.urls")),
    path("", include("webapp.intake.urls")),
    path("", include("webapp.releases.urls")),
    # Searched and read by DICOMweb's reading side; what is stored there (POST) goes to the door.
    path("dicomweb/<slug:slug>/studies", by_method(GET=search_views.studies, POST=stow.studies)),
    path("dicomweb/<slug:slug>/studies/<str:study_uid>", by_method(GET=retrieve_views.study, POST=stow.studies)),
    path("", include("webapp.dicomweb.urls")),
    path("", include("webapp.pages.urls")),
]
