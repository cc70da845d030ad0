"""URLs of the pages."""

from django.urls import path

from webapp.pages import (
    account_views,
    audit_views,
    flag_views,
    guideline_views,
    scan_views,
    story_views,
    token_views,
    views,
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
    path("theme/", account_views.theme, name="theme"),
    path("campaigns/<slug:slug>/", views.campaign, name="campaign"),
    path("campaigns/<slug:slug>/guideline/", guideline_views.guideline, name="guideline"),
    path("campaigns/<slug:slug>/site/", scan_views.default_site, name="default_site"),
    path("campaigns/<slug:slug>/begin/", views.begin_from, name="begin_from"),
    path(CASE, views.case, name="case"),
    path(f"{CASE}picture.png", views.picture, name="picture"),
    path("campaigns/<slug:slug>/flags/", flag_views.flags, name="flags"),
    path(f"{CASE}flags/<int:flag_id>/", flag_views.decide, name="decide_flag"),
    path(f"{CASE}readings/", views.start, name="start"),
    path(f"{CASE}draft/", views.draft_again, name="draft_again"),
    path("readings/<uuid:reading_id>/", views.viewer, name="viewer"),
    path("campaigns/<slug:slug>/audit/", audit_views.campaign_audit, name="campaign_audit"),
    path("campaigns/<slug:slug>/audit/events.csv", audit_views.campaign_events, {"kind": "csv"}),
    path("campaigns/<slug:slug>/audit/events.jsonl", audit_views.campaign_events, {"kind": "jsonl"}),
    path(f"{CASE}story.pdf", story_views.case_story_pdf, name="case_story_pdf"),
    path(f"{CASE}story/", story_views.case_story, name="case_story"),
    path("audit/", audit_views.site_audit, name="site_audit"),
    path("audit/events.csv", audit_views.site_events, {"kind": "csv"}),
    path("audit/events.jsonl", audit_views.site_events, {"kind": "jsonl"}),
    path("audit/verify_audit.py", audit_views.verifier, name="audit_verifier"),
    path("scans/", scan_views.scans, name="scans"),
    path("scans/site/", scan_views.name_sites, name="name_sites"),
    path("scans/<uuid:scan_id>/", scan_views.scan, name="scan"),
    path("scans/<uuid:scan_id>/delete/", scan_views.delete, name="delete_scan"),
    path("scans/<uuid:scan_id>/pictures/<slug:sha256>.webp", scan_views.picture, name="scan_picture"),
    path("patients/<slug:pseudonym>/", scan_views.patient, name="patient"),
]
