"""Dated, named numbers: thresholds, look-backs and recheck intervals, each with its source or "our choice"."""

import math
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files

import msgspec
from msgspec import Struct


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """The values in force on one day. Units are in the names; sources stand in ``parameters.toml``."""

    acute_days: int
    adequate_care_days: int
    acp_trial_days: int
    episode_gap_days: int
    cauda_equina_window_days: int
    cauda_equina_episode_days: int
    post_void_residual_ml: int
    fever_celsius: float
    fever_lookback_days: int
    iv_drug_lookback_days: int
    bloodstream_lookback_days: int
    recent_infection_lookback_days: int
    inflammatory_marker_lookback_days: int
    esr_raised_mm_h: float
    crp_raised_mg_l: float
    spinal_intervention_lookback_days: int
    weight_loss_percent: float
    weight_loss_min_days: int
    weight_loss_max_days: int
    cancer_age_years: int
    no_improvement_days: int
    trauma_lookback_days: int
    trauma_age_years: int
    older_age_years: int
    acp_older_age_years: int
    corticosteroid_days: int
    corticosteroid_window_days: int
    aortic_window_days: int
    trend_min_days: int
    trend_max_days: int
    trend_change_nrs: float
    trend_change_vas_mm: float
    trend_change_oswestry: float
    trend_change_peg: float
    trend_change_promis_physical_function: float
    egfr_low: float
    egfr_old_days: int
    kidney_injury_lookback_days: int
    adult_age_years: int
    nice_age_years: int
    pregnancy_age_min_years: int
    pregnancy_age_max_years: int
    pregnancy_test_lookback_days: int
    pregnancy_negative_days: int
    recheck_improving_days: int
    recheck_unchanged_days: int
    recheck_worse_days: int
    recheck_mild_weakness_days: int
    override_memory_hours: int


# What a site's own value may be, by the unit in its name: a fever in Fahrenheit, or a look-back of no days, would
# silence a red flag. Our choice: wide enough for any practice that was read of.
_PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "celsius": (36.0, 41.0),
    "days": (1, 3660),
    "years": (1, 120),
    "percent": (1.0, 50.0),
    "hours": (0, 168),  # none, which switches what it is for off, to a week
}
_ANY_OTHER_UNIT = (0.0, 10_000.0)


class ParameterError(ValueError):
    """A parameter file that cannot be used; the message names the file, the parameter and what is wrong."""


def parameters_on(day: date, site_values: Mapping[str, float] | None = None) -> Parameters:
    """The parameters in force on ``day``: the newest entry of each, then a site's own values."""
    return _in_force(_read(), day, site_values or {})


def _read() -> dict[str, list[dict[str, object]]]:
    text = files("rules").joinpath("parameters.toml").read_text(encoding="utf-8")
    table: dict[str, list[dict[str, object]]] = tomllib.loads(text)["parameter"]
    return table


def _in_force(table: Mapping[str, list[dict[str, object]]], day: date, site_values: Mapping[str, float]) -> Parameters:
    values: dict[str, object] = {}
    for name, entries in table.items():
        values[name] = _value_on(name, entries, day)
    unknown = set(site_values) - set(values)
    if unknown:
        raise ParameterError(f"site parameters: unknown name {sorted(unknown)[0]!r}")
    for name, value in site_values.items():
        _require_plausible(name, value)
    values.update(site_values)
    try:
        return msgspec.convert(values, Parameters, strict=True)
    except msgspec.ValidationError as problem:
        raise ParameterError(f"parameters: {problem}") from problem


def _require_plausible(name: str, value: float) -> None:
    least, most = _PLAUSIBLE.get(name.rpartition("_")[2], _ANY_OTHER_UNIT)
    if not (math.isfinite(value) and least <= value <= most):
        raise ParameterError(f"site parameters: {name}: expected {least:g} to {most:g}, not {value:g}")


def _value_on(name: str, entries: list[dict[str, object]], day: date) -> object:
    newest: dict[str, object] | None = None
    for entry in entries:
        start = entry.get("from")
        if not isinstance(start, date) or "value" not in entry or not (entry.get("cites") or entry.get("our_choice")):
            raise ParameterError(
                f"parameters.toml: {name}: an entry needs from (a date), value, and cites or our_choice"
            )
        if newest is not None and start <= newest["from"]:  # type: ignore[operator]
            raise ParameterError(f"parameters.toml: {name}: entries must be in order of their dates")
        if start <= day:
            newest = entry
    if newest is None:
        raise ParameterError(f"parameters.toml: {name}: no value is in force on {day.isoformat()}")
    return newest["value"]
