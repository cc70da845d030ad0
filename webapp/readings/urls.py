"""URLs of the viewer's API."""

from django.urls import path

from webapp.readings import api, campaigns_api, comments_api, coordination_api, flags_api, history_api, scoring_api

CAMPAIGN = "api/campaigns/<slug:slug>/"

urlpatterns = [
    path("api/campaigns/", campaigns_api.campaigns, name="api-campaigns"),
    path("api/reviews/", campaigns_api.case_reviews, name="api-case-reviews"),
    path(CAMPAIGN, campaigns_api.campaign_detail, name="api-campaign"),
    path(f"{CAMPAIGN}protocols/", campaigns_api.campaign_protocols, name="api-campaign-protocols"),
    path(f"{CAMPAIGN}members/", campaigns_api.campaign_members, name="api-campaign-members"),
    path(f"{CAMPAIGN}members/remove/", campaigns_api.remove_campaign_member, name="api-campaign-member-removed"),
    path(f"{CAMPAIGN}cases/", campaigns_api.campaign_cases, name="api-campaign-cases"),
    path(f"{CAMPAIGN}cases/add/", campaigns_api.add_campaign_scans, name="api-campaign-scans"),
    path(f"{CAMPAIGN}next/", coordination_api.begin_next_case, name="api-campaign-next"),
    path(f"{CAMPAIGN}readings/", coordination_api.campaign_readings, name="api-campaign-readings"),
    path(f"{CAMPAIGN}standing/", coordination_api.change_campaign_standing, name="api-campaign-standing"),
    path(f"{CAMPAIGN}repeats/", coordination_api.campaign_repeats, name="api-campaign-repeats"),
    path(f"{CAMPAIGN}invitations/", coordination_api.campaign_invitations, name="api-campaign-invitations"),
    path(
        f"{CAMPAIGN}invitations/<uuid:invitation_id>/revoke/",
        coordination_api.revoke_campaign_invitation,
        name="api-campaign-invitation-revoke",
    ),
    path(f"{CAMPAIGN}cases/move/", coordination_api.move_campaign_cases, name="api-campaign-move"),
    path(f"{CAMPAIGN}cases/schedule/", coordination_api.schedule_campaign_cases, name="api-campaign-schedule"),
    path(f"{CAMPAIGN}cases/exclude/", coordination_api.exclude_campaign_cases, name="api-campaign-exclude"),
    path(f"{CAMPAIGN}cases/readmit/", coordination_api.readmit_campaign_cases, name="api-campaign-readmit"),
    path(f"{CAMPAIGN}cases/again/", coordination_api.read_campaign_cases_again, name="api-campaign-again"),
    path(f"{CAMPAIGN}cases/assign/", campaigns_api.assign_campaign_cases, name="api-campaign-assign"),
    path("api/readings/<uuid:reading_id>/", api.reading_detail, name="api-reading"),
    path("api/readings/<uuid:reading_id>/mask/", api.reading_mask, name="api-reading-mask"),
    path("api/readings/<uuid:reading_id>/strokes/", api.reading_strokes, name="api-reading-strokes"),
    path("api/readings/<uuid:reading_id>/strokes/parts/", api.reading_stroke_part, name="api-reading-stroke-part"),
    path("api/readings/<uuid:reading_id>/lease/", api.reading_lease, name="api-reading-lease"),
    path("api/readings/<uuid:reading_id>/lease/release/", api.reading_lease_release, name="api-reading-release"),
    path(
        "api/readings/<uuid:reading_id>/measurements/",
        api.reading_measurements,
        name="api-reading-measurements",
    ),
    path("api/readings/<uuid:reading_id>/sign/", api.reading_sign, name="api-reading-sign"),
    path("api/readings/<uuid:reading_id>/submit/", api.reading_submit, name="api-reading-submit"),
    path("api/readings/<uuid:reading_id>/return/", api.reading_return, name="api-reading-return"),
    path("api/readings/<uuid:reading_id>/amend/", api.reading_amend, name="api-reading-amend"),
    path("api/readings/<uuid:reading_id>/attesting/", api.reading_attesting, name="api-reading-attesting"),
    path("api/readings/<uuid:reading_id>/ledger/", api.reading_ledger, name="api-reading-ledger"),
    path("api/readings/<uuid:reading_id>/forms/", scoring_api.reading_forms, name="api-reading-forms"),
    path("api/readings/<uuid:reading_id>/flags/", flags_api.reading_flags, name="api-reading-flags"),
    path("api/readings/<uuid:reading_id>/comments/", comments_api.reading_comments, name="api-reading-comments"),
    path(
        "api/readings/<uuid:reading_id>/comments/<uuid:thread_id>/",
        comments_api.reading_thread,
        name="api-reading-thread",
    ),
    path(
        "api/readings/<uuid:reading_id>/comments/<uuid:thread_id>/<uuid:comment_id>/",
        comments_api.reading_comment,
        name="api-reading-comment",
    ),
    path("api/readings/<uuid:reading_id>/guideline/", api.reading_guideline, name="api-reading-guideline"),
    path("api/readings/<uuid:reading_id>/scans/<uuid:case_id>/", api.reading_scan_beside, name="api-reading-scan"),
    path("api/readings/<uuid:reading_id>/history/", history_api.reading_history, name="api-reading-history"),
    path(
        "api/readings/<uuid:reading_id>/chapters/<uuid:mask_id>/strokes/",
        history_api.reading_chapter_strokes,
        name="api-reading-chapter-strokes",
    ),
    path(
        "api/readings/<uuid:reading_id>/states/<str:state>/mask/",
        history_api.reading_state_mask,
        name="api-reading-state-mask",
    ),
    path("api/readings/<uuid:reading_id>/difference/", history_api.reading_difference, name="api-reading-difference"),
    path("api/readings/<uuid:reading_id>/provenance/", history_api.reading_provenance, name="api-reading-provenance"),
    path(
        "api/readings/<uuid:reading_id>/provenance/map/",
        history_api.reading_provenance_map,
        name="api-reading-provenance-map",
    ),
    path("api/readings/<uuid:reading_id>/restore/", history_api.reading_restore, name="api-reading-restore"),
    path("api/readings/<uuid:reading_id>/branches/", history_api.reading_branches, name="api-reading-branches"),
    path(
        "api/readings/<uuid:reading_id>/branches/settle/",
        history_api.reading_branch_settle,
        name="api-reading-branch-settle",
    ),
    path("api/readings/<uuid:reading_id>/lease/ask/", history_api.reading_lease_ask, name="api-reading-lease-ask"),
]
