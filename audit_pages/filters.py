"""Which calls a page is about, as its address says it: nothing in it names a patient, and clinicians are pseudonyms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from msgspec import structs

from audit_trail.selection import InCommon, Selection

DEFAULT_DAYS: Final = 30
LONGEST_DAYS: Final = 3660
_FIRST_DAY: Final = date(2000, 1, 1)  # nothing was recorded before; days can be counted back from it
# Names in addresses, and what each stands for: mostly the same.
_OTHERWISE: Final = {"procedure": "study", "rule_row": "rule", "indicator": "card"}
_SHARED: Final = {_OTHERWISE.get(each, each): each for each in InCommon.__struct_fields__}
_NAMES: Final = {**_SHARED, "clinician": "clinician", "silent": "silent"}


class Filters(InCommon, frozen=True, kw_only=True):
    """What was chosen. Days are whole, and the last one is included."""

    first: date
    last: date
    clinician: str = ""  # a pseudonym
    silent: str = ""  # yes, no

    def query(self, **changes: str) -> str:
        """The address's query for this choice, with some of it changed; an empty value takes a part away."""
        chosen = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        chosen |= self.narrowed
        chosen |= changes
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def narrowed(self) -> dict[str, str]:
        """What was chosen beside the period."""
        chosen = {name: getattr(self, member) for name, member in _NAMES.items()}
        return {name: value for name, value in chosen.items() if value}

    def of_last_days(self, days: int, today: date) -> str:
        """The query of the same choice for the last so many days."""
        return structs.replace(self, first=today - timedelta(days=days - 1), last=today).query()

    def selection(self, people: Callable[[str], tuple[str, ...]]) -> Selection:
        """For the store; ``people`` finds whom a pseudonym stands for."""
        return Selection(
            since=datetime.combine(self.first, time(), UTC),
            until=datetime.combine(self.last + timedelta(days=1), time(), UTC),
            people=people(self.clinician) if self.clinician else None,
            silent={"yes": True, "no": False}.get(self.silent),
            **{member: getattr(self, member) for member in _SHARED.values()},
        )


def read_filters(arguments: Mapping[str, str], today: date, days: int = DEFAULT_DAYS) -> Filters:
    """The choice that an address makes; what cannot be read is as if it were not there."""
    last = min(_day(arguments.get("to", "")) or today, today)
    first = _day(arguments.get("from", "")) or last - timedelta(days=days - 1)
    first, last = min(first, last), max(first, last)
    first = max(first, last - timedelta(days=LONGEST_DAYS))
    # No column holds a NUL, and not every database lets itself be asked for one.
    rest = {member: arguments.get(name, "")[:300].replace("\0", "") for name, member in _NAMES.items()}
    return Filters(first=first, last=last, **rest)


def _day(text: str) -> date | None:
    try:
        return max(date.fromisoformat(text), _FIRST_DAY)
    except ValueError:
        return None
