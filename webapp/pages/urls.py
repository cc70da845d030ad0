"""URLs of the pages."""

from django.urls import path

from webapp.pages import (
    account_views,
    assignment_views,
    campaign_settings_views,
    guideline_views,
    measured_views,
    people_views,
    protocol_views,
    scan_views,
    team_views,
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
    path("campaigns/new/", campaign_settings_views.new_campaign, name="new_campaign"),
    path("campaigns/import/", campaign_settings_views.import_campaign, name="import_campaign"),
    path("campaigns/<slug:slug>/settings/", campaign_settings_views.settings, name="settings"),
    path("campaigns/<slug:slug>/settings/protocol/", campaign_settings_views.protocol, name="protocol"),
    path("campaigns/<slug:slug>/settings/standing/", campaign_settings_views.change_standing, name="change_standing"),
    path("campaigns/<slug:slug>/settings/export.json", campaign_settings_views.export, name="export_configuration"),
    path("campaigns/<slug:slug>/settings/acceptance/", protocol_views.acceptance, name="acceptance"),
    path("campaigns/<slug:slug>/settings/older/", protocol_views.older_protocol, name="older_protocol"),
    path("campaigns/<slug:slug>/assignment/", assignment_views.assignment, name="assignment"),
    path("campaigns/<slug:slug>/measured/", measured_views.measured, name="measured"),
    path("campaigns/<slug:slug>/team/", team_views.team, name="team"),
    path("campaigns/<slug:slug>/team/<int:member_id>/leave/", team_views.leave, name="leave"),
    path(
        "campaigns/<slug:slug>/team/invitations/<uuid:invitation_id>/revoke/",
        team_views.revoke,
        name="revoke_invitation",
    ),
    path("invitations/<str:secret>/", team_views.invitation, name="invitation"),
    path("people/", people_views.people, name="people"),
    path("people/<uuid:person_id>/campaigns/", people_views.campaign_right, name="campaign_right"),
    path("campaigns/<slug:slug>/", views.campaign, name="campaign"),
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
