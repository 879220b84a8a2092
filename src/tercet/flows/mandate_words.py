"""What a collective's notice says to a member in plain words, as a message to send."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from tercet.consent.licences.notice import Notice, NoticeKind
from tercet.core.canonical import canonical_json
from tercet.store.desk_mandates import KeptNotice

_SUBJECT = {
    NoticeKind.LICENSED: "Your works were licensed",
    NoticeKind.LICENCE_ENDED: "A licence of your works has ended",
    NoticeKind.REVOCATION_RECEIVED: "Your mandate is revoked",
}


def notice_text(notice: Notice) -> str:
    """Return what a notice says, in English."""
    lines = [f"{notice.collective.name} tells {notice.member.name}:", ""]
    if notice.kind is NoticeKind.LICENSED and notice.terms is not None:
        licensee = notice.terms.licensee
        grant = notice.terms.grant
        lines += [
            f"An agreement with {licensee.name if licensee else 'a licensee'} covers "
            f"{notice.work_count:,} works that you mandated.",
            f"  for        {', '.join(grant.usages)}",
            f"  from       {grant.period.start} until {grant.period.end or 'no end'}",
            f"  agreement  {notice.agreement}",
            "",
            "All its terms are in the attached document.",
        ]
    elif notice.kind is NoticeKind.LICENCE_ENDED:
        lines += [
            f"The agreement {notice.agreement}, which covered {notice.work_count:,} works that you "
            f"mandated, ended on {notice.effective_on}.",
        ]
    else:
        lines += [
            "Your revocation was received. Your works are in no new licence from now on.",
            f"Agreements that run already hold until {notice.effective_on}, as your mandate says.",
        ]
    return "\n".join([*lines, "", f"Mandate: {notice.mandate}", ""])


def notice_message(kept: KeptNotice, *, sender: str, to: str) -> EmailMessage:
    """Return a notice as a message, with its signed document attached."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = f"{_SUBJECT[kept.notice.kind]} ({kept.notice.collective.name})"
    made_at = datetime.strptime(kept.notice.made_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    message["Date"] = format_datetime(made_at)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(notice_text(kept.notice))
    message.add_attachment(
        canonical_json(kept.document),
        maintype="application",
        subtype="json",
        filename="notice.json",
    )
    return message
