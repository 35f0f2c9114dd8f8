"""Age thresholds on a birth date that may be partial: uncertain is never guessed."""

from functools import lru_cache

from rules.evidence import Evidence
from rules.facts import AgeRange


def older_than(age: AgeRange | None, years: int) -> bool | None:
    """Is the patient older than ``years`` (completed years)? ``None``: the birth date leaves it open, or is unknown."""
    if age is None:
        return None
    if age.youngest > years:
        return True
    return False if age.oldest <= years else None


@lru_cache(maxsize=256)
def age_evidence(age: AgeRange | None) -> Evidence:
    """The age as an entry that can be shown: it stands in the Patient resource."""
    if age is None:
        return Evidence("Patient", "age not known")
    years = str(age.youngest) if age.youngest == age.oldest else f"{age.youngest} to {age.oldest}"
    return Evidence("Patient", f"age {years} years")
