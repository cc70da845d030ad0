"""What is decided about a case once its readings are signed: accepted, or sent to an adjudicator."""

from collections.abc import Sequence
from typing import Any

from webapp.audit.refusal import ActionRefused, Refusal
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import ONE_OF_THEM
from webapp.campaigns.queries import protocol_of
from webapp.masks.consensus import consensus_version
from webapp.masks.models import Version
from webapp.readings import events
from webapp.readings.actions import held_case
from webapp.readings.comparing import objections, one_of, signatures_to_compare
from webapp.readings.models import Comparison, Reference, Signature
from webapp.readings.standing import name_reference, settle
from webapp.readings.telling import tell_adjudicators


@audited(events.READINGS_COMPARED)
def decide_case(*, case: Case, signatures: Sequence[Signature], pairs: Sequence[dict[str, Any]], by: Any) -> Comparison:
    """Write down how the readings of a case compare, and what their protocol's rule makes of it.

    `pairs` are the figures of `signatures` by webapp.readings.comparing. Accepted readings give the case its reference.
    """
    case = held_case(case)
    if case.state != Case.COMPARING:
        raise ActionRefused(Refusal("decided", "This case does not wait for a comparison."))
    stage = protocol_of(case).stage(case.stage)
    if [one.pk for one in signatures_to_compare(case, stage.name)] != [one.pk for one in signatures]:
        raise ActionRefused(Refusal("changed_meanwhile", "Another reading was signed meanwhile: compare again."))
    protocol = protocol_of(case)
    reasons = objections(pairs, protocol.said.acceptance)
    comparison = Comparison.objects.create(
        case=case,
        protocol=protocol,
        stage=stage.name,
        signatures=[one.pk for one in signatures],
        pairs=list(pairs),
        accepted=not reasons,
        reasons=reasons,
    )
    reference = None
    if comparison.accepted:
        version = _accepted_version(case, [one.version for one in signatures], by)
        reference = name_reference(
            case, version=version, protocol=protocol, how=Reference.ACCEPTED, comparison=comparison
        )
    settle(case)
    record(
        events.READINGS_COMPARED,
        by=by,
        chain=chain_of(case.campaign),
        subject=f"case:{case.pk}",
        case=case.number,
        stage=stage.name,
        pairs=list(pairs),
        accepted=comparison.accepted,
        reasons=reasons,
        reference_sha256=reference.version.sha256 if reference else None,
    )
    if not comparison.accepted:
        tell_adjudicators(case)
    return comparison


def _accepted_version(case: Case, versions: Sequence[Version], by: Any) -> Version:
    acceptance = protocol_of(case).said.acceptance
    takes = acceptance.takes if acceptance else ONE_OF_THEM
    if takes == ONE_OF_THEM:
        return one_of(case, versions)
    return consensus_version(versions=versions, rule=takes, by=by, chain=chain_of(case.campaign))
