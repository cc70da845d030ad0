"""The door's addresses; what is stored by DICOMweb stands in webapp.urls, where it is searched too."""

from django.urls import path

from webapp.intake import api, campaign_views, views

BATCH = "intake/batches/<uuid:batch_id>/"

urlpatterns = [
    path("intake/", views.index, name="intake"),
    path("campaigns/<slug:slug>/de-identification/", campaign_views.deidentification, name="intake-deidentification"),
    path("api/uploads/", api.uploads, name="intake-uploads"),
    path("intake/batches/", api.batches, name="intake-batches"),
    path(BATCH, views.batch, name="intake-batch"),
    path(f"{BATCH}known/", api.known, name="intake-known"),
    path(f"{BATCH}files/", api.files, name="intake-files"),
    path(f"{BATCH}finish/", api.finish, name="intake-finish"),
    path(f"{BATCH}discard/", api.discard, name="intake-discard"),
    path(f"{BATCH}take/", views.take, name="intake-take"),
    path(f"{BATCH}again/", views.again, name="intake-again"),
    path(f"{BATCH}destroy/", views.destroy, name="intake-destroy"),
]
