"""Audit events of masks. Strokes are no events: each version cut writes their head here."""

VERSION_CUT = "mask.version_cut"
LEASE_TAKEN = "mask.lease_taken"
MASK_RESTORED = "mask.restored"
BRANCH_SETTLED = "mask.branch_settled"
DATA_SET_NAMED = "data_set.named"
MASK_IMPORTED = "mask.imported"
LABEL_SET_MADE = "label_set.made"
