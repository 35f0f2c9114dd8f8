"""How a feature of cauda equina syndrome weighs today: by its date, its course, and who names it."""

from enum import IntEnum

from rules.dates import DateInterval, within_days
from rules.facts import Fact, FactKind
from rules.findings.reading import Reading, clearly_older, happened_within, named_now


class Weight(IntEnum):
    """From the heaviest down, so that ``min`` is the heavier of two."""

    NOW = 0  # new, worse, named by this order or encounter, or begun within an episode of up to twelve weeks
    NOW_UNCERTAIN = 1  # may be so: its date, or the episode's, leaves it open
    POSSIBLE = 2  # undated, or older than the window in a longer episode
    OLD = 3  # stable for longer than the episode, or over


def weigh(reading: Reading, fact: Fact, *, strong: bool, by_name: bool = True) -> Weight:
    """How a present feature weighs. Strong ones count undated too, and are not taken for long-standing on one entry.

    ``by_name=False``: by its dates only, for one half of a feature that is only complete with the other.
    """
    window = reading.parameters.cauda_equina_window_days
    if not fact.current:  # over: it counts where it is dated inside the window; "a history of it" seen today is not
        dated = fact.kind is FactKind.CONDITION and fact.began is not None
        return Weight.NOW if dated and happened_within(fact, reading.as_of, window) else Weight.OLD
    if by_name and named_now(reading, fact):
        return Weight.NOW
    if fact.began is None:
        return Weight.NOW_UNCERTAIN if strong or fact.course == "worsening" else Weight.POSSIBLE
    recent = within_days(fact.began, reading.as_of, window)
    if recent:
        return Weight.NOW
    if recent is None or (fact.course == "worsening" and fact.kind is FactKind.CONDITION):
        return Weight.NOW_UNCERTAIN  # in the second case the onset is dated, the worsening is not
    return _weigh_by_episode(reading, fact.began, strong, strong and clearly_older(reading, fact))


def weigh_date(reading: Reading, began: DateInterval | None) -> Weight:
    """How something that began then weighs, where nothing else is known of it."""
    if began is None:
        return Weight.POSSIBLE
    recent = within_days(began, reading.as_of, reading.parameters.cauda_equina_window_days)
    if recent is not False:
        return Weight.NOW if recent else Weight.NOW_UNCERTAIN
    return _weigh_by_episode(reading, began, strong=False, clearly_old=False)


def _weigh_by_episode(reading: Reading, began: DateInterval, strong: bool, clearly_old: bool) -> Weight:
    """Older than the window: does it belong to an episode of up to twelve weeks?"""
    inside = reading.episode.holds(began, reading.as_of)
    if inside is False:
        return Weight.NOW_UNCERTAIN if strong and not clearly_old else Weight.OLD
    days = reading.episode.shown.days
    limit = reading.parameters.cauda_equina_episode_days
    short = days is not None and days.longest is not None and days.longest <= limit
    if inside and (short or strong):
        return Weight.NOW
    return Weight.NOW_UNCERTAIN if short or strong else Weight.POSSIBLE
