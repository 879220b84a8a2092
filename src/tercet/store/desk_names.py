"""Names of a desk's parties by what they look like, so that a new one is compared with few.

`party_sights` follows `party_versions`, from which it can be made anew at any time: it is brought
up to date before it is asked, also after an older Tercet wrote parties, or the table of look-alike
characters became another.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    String,
    Table,
    delete,
    func,
    insert,
    literal_column,
    select,
)

from tercet.consent.licences.names import sights_of, sights_version
from tercet.core.limits import PARTY_NAME_CHARACTERS_MAX
from tercet.store.desk_schema import METADATA, PARTY_VERSIONS, SETTINGS

PARTY_SIGHTS = Table(
    "party_sights",
    METADATA,
    Column("sight", String, primary_key=True),
    Column("party", String, primary_key=True),
    Column("name", String, primary_key=True),
)
"""Every name that a party ever had, by each of its sights (see names.sights_of)."""

_SETTING = "sights"  # "<what they were made by> <number of the last version that is in>"
_NUMBER: ColumnElement[int] = literal_column(
    "rowid", Integer
)  # of an append-only table: a later row has a higher one


def names_like(connection: Connection, names: Iterable[str], party: str) -> dict[str, str]:
    """Return the names, by id, that other parties have now and that look like one of ``names``.

    In a write transaction: the index is brought up to date.
    """
    _follow(connection)
    sights = {
        sight for name in names if len(name) <= PARTY_NAME_CHARACTERS_MAX
        for sight in sights_of(name)
    }  # fmt: skip
    query = select(PARTY_SIGHTS.c.party, PARTY_SIGHTS.c.name).where(
        PARTY_SIGHTS.c.sight.in_(sights), PARTY_SIGHTS.c.party != party
    )
    found = connection.execute(query.distinct()).all()
    return {row.party: row.name for row in found if row.name == _name_now(connection, row.party)}


def _name_now(connection: Connection, party: str) -> str | None:
    query = select(PARTY_VERSIONS.c.name).where(PARTY_VERSIONS.c.party == party)
    return connection.execute(query.order_by(PARTY_VERSIONS.c.version.desc()).limit(1)).scalar()


def _follow(connection: Connection) -> None:
    """Take in the versions that came since; all of them where others are what they look like."""
    query = select(SETTINGS.c.value).where(SETTINGS.c.name == _SETTING)
    made_by, _, last = str(connection.execute(query).scalar() or "").partition(" ")
    if made_by != sights_version():
        connection.execute(delete(PARTY_SIGHTS))
        last = "0"
    latest = select(func.max(_NUMBER)).select_from(PARTY_VERSIONS)
    number = int(connection.execute(latest).scalar() or 0)
    if last == str(number) and made_by == sights_version():
        return
    new = select(PARTY_VERSIONS.c.party, PARTY_VERSIONS.c.name).where(
        _NUMBER.between(int(last) + 1, number)
    )
    rows = [
        {"sight": sight, "party": row.party, "name": row.name}
        for row in connection.execute(new)
        for sight in sights_of(row.name)
    ]
    if rows:
        connection.execute(insert(PARTY_SIGHTS).prefix_with("OR IGNORE"), rows)
    connection.execute(delete(SETTINGS).where(SETTINGS.c.name == _SETTING))
    value = f"{sights_version()} {number}"
    connection.execute(insert(SETTINGS).values(name=_SETTING, value=value))
