"""The door's addresses, under /intake/."""

from django.urls import path

from webapp.intake import views

urlpatterns = [
    path("intake/", views.index, name="intake"),
    path("intake/batches/", views.batches, name="intake-batches"),
    path("intake/batches/<uuid:batch_id>/", views.batch, name="intake-batch"),
    path("intake/batches/<uuid:batch_id>/files/", views.files, name="intake-files"),
    path("intake/batches/<uuid:batch_id>/finish/", views.finish, name="intake-finish"),
]
