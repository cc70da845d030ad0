"""Audit events of campaigns."""

CAMPAIGN_CREATED = "campaign.created"
PROTOCOL_SET = "campaign.protocol_set"
PICTURE_ADDED = "campaign.guideline_picture_added"
MEMBER_ADDED = "campaign.member_added"
CASE_ADDED = "case.added"
DRAFT_REQUESTED_AGAIN = "case.draft_requested_again"
DEIDENTIFICATION_SET = "campaign.deidentification_set"
