"""URLs of the pages."""

from django.urls import path

from webapp.pages import (
    account_views,
    guideline_views,
    notice_views,
    progress_views,
    scan_views,
    token_views,
    views,
    worklist_views,
)

app_name = "pages"
CASE = "campaigns/<slug:slug>/cases/<int:number>/"

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", account_views.sign_in, name="sign_in"),
    path("sign-out/", account_views.sign_out, name="sign_out"),
    path("password/", account_views.password, name="password"),
    path("profile/", token_views.profile, name="profile"),
    path("profile/tokens/<uuid:token_id>/revoke/", token_views.end_token, name="end_token"),
    path("notices/", notice_views.notices, name="notices"),
    path("notices/bell/", notice_views.bell, name="bell"),
    path("notices/<uuid:notice_id>/", notice_views.follow, name="notice"),
    path("theme/", account_views.theme, name="theme"),
    path("campaigns/<slug:slug>/", worklist_views.campaign, name="campaign"),
    path("campaigns/<slug:slug>/progress/", progress_views.page, name="progress"),
    path("campaigns/<slug:slug>/progress/figures/", progress_views.figures, name="progress_figures"),
    path("campaigns/<slug:slug>/progress/table.csv", progress_views.table, name="progress_table"),
    path("campaigns/<slug:slug>/next/", worklist_views.take_next, name="take_next"),
    path("campaigns/<slug:slug>/views/", worklist_views.keep_view, name="keep_view"),
    path("campaigns/<slug:slug>/views/<uuid:view_id>/forget/", worklist_views.forget_view, name="forget_view"),
    path("campaigns/<slug:slug>/guideline/", guideline_views.guideline, name="guideline"),
    path("campaigns/<slug:slug>/site/", scan_views.default_site, name="default_site"),
    path("campaigns/<slug:slug>/begin/", views.begin_from, name="begin_from"),
    path(CASE, views.case, name="case"),
    path(f"{CASE}picture.png", views.picture, name="picture"),
    path(f"{CASE}readings/", views.start, name="start"),
    path(f"{CASE}draft/", views.draft_again, name="draft_again"),
    path("readings/<uuid:reading_id>/", views.viewer, name="viewer"),
    path("scans/", scan_views.scans, name="scans"),
    path("scans/site/", scan_views.name_sites, name="name_sites"),
    path("scans/<uuid:scan_id>/", scan_views.scan, name="scan"),
    path("scans/<uuid:scan_id>/delete/", scan_views.delete, name="delete_scan"),
    path("scans/<uuid:scan_id>/pictures/<slug:sha256>.webp", scan_views.picture, name="scan_picture"),
    path("patients/<slug:pseudonym>/", scan_views.patient, name="patient"),
]
