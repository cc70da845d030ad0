"""URLs of the DICOMweb roots: one a campaign, in the standard's own words (PS3.18 10.1), without closing slashes.

`{root}/studies` and a study itself stand in webapp.urls: they are read here and stored to at the door (webapp.intake).
"""

from django.urls import path

from webapp.dicomweb import frame_views, picture_views, retrieve_views, search_views

app_name = "dicomweb"
ROOT = "dicomweb/<slug:slug>"
STUDY = f"{ROOT}/studies/<str:study_uid>"
SERIES = f"{STUDY}/series/<str:series_uid>"
INSTANCE = f"{SERIES}/instances/<str:sop_uid>"
FRAMES = f"{INSTANCE}/frames/<str:numbers>"

urlpatterns = [
    # Search (10.6)
    path(f"{ROOT}/series", search_views.series),
    path(f"{ROOT}/instances", search_views.instances),
    path(f"{STUDY}/series", search_views.studys_series),
    path(f"{STUDY}/instances", search_views.studys_instances),
    path(f"{SERIES}/instances", search_views.seriess_instances),
    # Instances and metadata (10.4.1.1.1, 10.4.1.1.2)
    path(SERIES, retrieve_views.series),
    path(INSTANCE, retrieve_views.instance),
    path(f"{STUDY}/metadata", retrieve_views.study_metadata),
    path(f"{SERIES}/metadata", retrieve_views.series_metadata),
    path(f"{INSTANCE}/metadata", retrieve_views.instance_metadata),
    # Frames and bulk data
    path(FRAMES, frame_views.frames),
    path(f"{STUDY}/bulkdata", frame_views.study_bulkdata),
    path(f"{SERIES}/bulkdata", frame_views.series_bulkdata),
    path(f"{INSTANCE}/bulkdata", frame_views.instance_bulkdata),
    path(f"{INSTANCE}/bulkdata/<str:tag>", frame_views.bulkdata),
    # Pictures (10.4.1.1.3, 10.4.1.1.4)
    path(f"{STUDY}/rendered", picture_views.rendered_study),
    path(f"{SERIES}/rendered", picture_views.rendered_series),
    path(f"{INSTANCE}/rendered", picture_views.rendered_instance),
    path(f"{FRAMES}/rendered", picture_views.rendered_frames),
    path(f"{STUDY}/thumbnail", picture_views.study_thumbnail),
    path(f"{SERIES}/thumbnail", picture_views.series_thumbnail),
    path(f"{INSTANCE}/thumbnail", picture_views.instance_thumbnail),
    path(f"{FRAMES}/thumbnail", picture_views.frame_thumbnail),
]
