"""The guideline tables are read strictly: each corruption stops the start and names the file and the row."""

import copy
import tomllib
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from rules.conditions import TableError
from rules.edition import RANK
from rules.guidelines import FILES, build_guidelines, load_guidelines
from rules.parameters import ParameterError, parameters_on
from rules.procedures import MRI, Procedure
from rules.recommendation import Category
from rules.safety_rules import safety_notes
from tests.rules.answers import TODAY, answers, no, safety, unknown, yes

GUIDELINES = load_guidelines(TODAY)
ACR = "acr_low_back_pain_2021.toml"

# Ratings 1-9 by variant 1 to 7 (ACR Low Back Pain 2021, appendix): a second transcription beside the edition's file.
SCORES = {
    Procedure.RADIOGRAPHY: (1, 1, 5, 1, 7, 8, 5),
    Procedure.MRI_WITH: (1, 1, 3, 3, 2, 1, 2),
    Procedure.MRI_WITHOUT_AND_WITH: (1, 1, 5, 7, 9, 5, 9),
    Procedure.MRI_WITHOUT: (1, 1, 9, 9, 7, 9, 7),
    Procedure.BONE_SCAN: (1, 1, 4, 1, 1, 3, 3),
    Procedure.CT_WITH: (1, 1, 1, 1, 3, 1, 5),
    Procedure.CT_WITHOUT: (1, 1, 5, 5, 6, 8, 5),
    Procedure.DISCOGRAPHY: (1, 1, 3, 1, 1, 1, 1),
    Procedure.CT_WITHOUT_AND_WITH: (1, 1, 1, 1, 1, 1, 3),
    Procedure.CT_MYELOGRAPHY: (1, 1, 5, 5, 5, 5, 5),
    Procedure.FDG_PET_CT: (1, 1, 1, 1, 1, 1, 3),
}
RADIATION = {
    Procedure.RADIOGRAPHY: 3,
    Procedure.BONE_SCAN: 3,
    Procedure.CT_WITH: 3,
    Procedure.CT_WITHOUT: 3,
    Procedure.DISCOGRAPHY: 3,
    Procedure.CT_WITHOUT_AND_WITH: 4,
    Procedure.CT_MYELOGRAPHY: 4,
    Procedure.FDG_PET_CT: 4,
}


def tables() -> dict[str, dict[str, Any]]:
    read = {name: files("rules").joinpath("editions", name).read_text(encoding="utf-8") for name in FILES}
    return copy.deepcopy({name: tomllib.loads(text) for name, text in read.items()})


@pytest.mark.parametrize("procedure", list(Procedure))
@pytest.mark.parametrize("variant", range(1, 8))
def test_every_cell_of_the_acr_table_is_as_printed(procedure, variant):
    study = GUIDELINES.acr.variants[variant].studies[procedure]
    assert study.score == SCORES[procedure][variant - 1]
    assert study.radiation == RADIATION.get(procedure, 0)


def test_one_cell_alone_carries_the_panel_disagreement():
    cells = [
        (number, study.procedure)
        for number, variant in GUIDELINES.acr.variants.items()
        for study in variant.studies.values()
        if study.category is Category.MAY_BE_DISAGREEMENT
    ]
    assert cells == [(7, Procedure.RADIOGRAPHY)]


Corruption = Callable[[dict[str, dict[str, Any]]], object]
CORRUPTIONS: list[tuple[str, Corruption, str]] = [
    ("a missing cell", lambda t: t[ACR]["variant"][3]["ratings"].pop("radiography_lumbar_spine"), "variant 4"),
    ("an unknown procedure", lambda t: t[ACR]["variant"][0]["ratings"].update(mri_neck={}), "variant 1"),
    (
        "a score outside its category",
        lambda t: t[ACR]["variant"][3]["ratings"]["mri_lumbar_spine_without_iv_contrast"].update(score=3),
        "score 3",
    ),
    (
        "an unknown category",
        lambda t: t[ACR]["variant"][3]["ratings"]["radiography_lumbar_spine"].update(category="maybe"),
        "maybe",
    ),
    ("a variant left out", lambda t: t[ACR]["variant"].pop(2), "1 to 7"),
    ("a missing radiation level", lambda t: t[ACR]["radiation"].pop("radiography_lumbar_spine"), "radiation"),
    ("a criterion without a citation", lambda t: t["criteria.toml"]["criterion"][0].update(cites=[]), "cauda-equina"),
    ("an unknown key", lambda t: t["criteria.toml"]["criterion"][0].update(prority=1), "prority"),
    (
        "a condition on no finding",
        lambda t: t["criteria.toml"]["criterion"][0].update(when=["coda_equina"]),
        "coda_equina",
    ),
    ("variant and topic at once", lambda t: t["criteria.toml"]["criterion"][0].update(topic="x"), "cauda-equina"),
    ("an urgency level left out", lambda t: t["urgency.toml"]["urgency"].pop(0), "falling order"),
    ("an unknown priority", lambda t: t["urgency.toml"]["urgency"][0].update(priority="now"), "now"),
    ("an urgency rule without a source", lambda t: t["urgency.toml"]["urgency"][0]["rules"][0].pop("cites"), "cites"),
    ("an ACP action that does not exist", lambda t: t["acp.toml"]["row"][0].update(action="later"), "acp_imm"),
    ("ACP without its ground row", lambda t: t["acp.toml"]["row"].pop(), "ground row"),
    ("a NICE verdict that does not exist", lambda t: t["nice.toml"]["row"][0].update(verdict="fine"), "ng59_1_1_1"),
    ("NICE without a last row for everybody", lambda t: t["nice.toml"]["row"].pop(), "last row"),
    ("a safety row without a condition", lambda t: t["safety.toml"]["row"][0].update(when=[]), "mr_aneurysm_clip"),
    ("a safety row of unknown studies", lambda t: t["safety.toml"]["row"][0].update(studies="pet"), "pet"),
    (
        "a preference outside the best category",
        lambda t: t["better_test.toml"]["preference"][1].update(procedure="radiography_lumbar_spine"),
        "highest category",
    ),
    ("a variant without a preference", lambda t: t["better_test.toml"]["preference"].pop(0), "variant 3"),
    (
        "an alternative to MRI that is usually not appropriate",
        lambda t: t["better_test.toml"]["no_mri"][1].update(procedures=["radiography_lumbar_spine"]),
        "no alternative",
    ),
    ("a flip of no finding", lambda t: t["flips.toml"]["flip"][0].update(finding="luck"), "luck"),
]


@pytest.mark.parametrize(("corrupt", "named"), [row[1:] for row in CORRUPTIONS], ids=[row[0] for row in CORRUPTIONS])
def test_a_corrupt_table_stops_the_start_and_is_named(corrupt, named):
    changed = tables()
    corrupt(changed)
    with pytest.raises(TableError, match=named):
        build_guidelines(changed, parameters_on(TODAY))


def test_the_tables_as_shipped_are_accepted():
    assert len(build_guidelines(tables(), parameters_on(TODAY)).criteria) == len(GUIDELINES.criteria)


def test_only_known_guidelines_rate():
    with pytest.raises(TableError, match="payer"):
        load_guidelines(TODAY, "payer")


def test_preferences_are_in_the_best_category_and_alternatives_are_not_mri():
    for preference in GUIDELINES.preferences:
        studies = GUIDELINES.acr.variants[preference.variant].studies
        assert RANK[studies[preference.procedure].category] == 3
    assert not {procedure for row in GUIDELINES.no_mri.values() for procedure in row} & MRI


def test_a_parameter_before_its_first_entry_is_refused_by_name():
    with pytest.raises(ParameterError, match="acute_days"):
        parameters_on(date(2001, 1, 1))


def test_a_site_changes_a_parameter_by_name_and_a_typo_is_refused():
    assert parameters_on(TODAY, {"older_age_years": 75}).older_age_years == 75
    with pytest.raises(ParameterError, match="oldest_age"):
        parameters_on(TODAY, {"oldest_age": 75})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fever_celsius", 100.4),  # Fahrenheit: no temperature would ever be a fever
        ("fever_celsius", float("nan")),
        ("fever_celsius", -5.0),
        ("fever_lookback_days", 0),
        ("iv_drug_lookback_days", 99_999),
        ("fever_lookback_days", 2.5),
        ("weight_loss_percent", 0.05),
        ("crp_raised_mg_l", float("inf")),
        ("trend_change_nrs", -1.0),
    ],
)
def test_a_site_value_that_would_silence_a_rule_is_refused_by_name(name, value):
    with pytest.raises(ParameterError, match=name):
        parameters_on(TODAY, {name: value})


PREGNANT = {"pregnancy": yes("pregnancy")}
MAYBE_PREGNANT = {"pregnancy": unknown("pregnancy", "possible")}
LOW_EGFR = {"kidney": yes("kidney", "", "egfr-below-30")}
METFORMIN = {"metformin": yes("metformin")}
SAFETY = [
    # safety answers, study, rows that speak (asks left out)
    ({}, Procedure.MRI_WITHOUT, []),
    ({"mr_device": yes("mr_device", "", "mr_aneurysm_clip")}, Procedure.MRI_WITHOUT, ["mr_aneurysm_clip"]),
    ({"mr_device": yes("mr_device", "", "mr_aneurysm_clip")}, Procedure.CT_WITHOUT, []),
    (
        {"mr_device": yes("mr_device", "", "mr_cardiac_device_unlabelled")},
        Procedure.MRI_WITH,
        ["mr_cardiac_device_unlabelled"],
    ),
    ({"mr_device": yes("mr_device", "", "mr_cochlear_implant")}, Procedure.MRI_WITHOUT, ["mr_cochlear_implant"]),
    ({"mr_device": yes("mr_device", "", "mr_neurostimulator")}, Procedure.MRI_WITHOUT, ["mr_neurostimulator"]),
    ({"mr_device": yes("mr_device", "", "mr_infusion_pump")}, Procedure.MRI_WITHOUT, ["mr_infusion_pump"]),
    ({"mr_device": yes("mr_device", "", "mr_orbital_metal")}, Procedure.MRI_WITHOUT, ["mr_orbital_metal"]),
    (
        {"mr_device": yes("mr_device", "", "mr_other_active_or_magnet")},
        Procedure.MRI_WITHOUT,
        ["mr_other_active_or_magnet"],
    ),
    ({"passive_metal": yes("passive_metal")}, Procedure.MRI_WITHOUT, ["mr_passive_orthopaedic"]),
    ({"claustrophobia": yes("claustrophobia")}, Procedure.MRI_WITHOUT, ["mr_claustrophobia"]),
    ({"claustrophobia": yes("claustrophobia")}, Procedure.RADIOGRAPHY, []),
    (LOW_EGFR, Procedure.MRI_WITHOUT, []),
    (LOW_EGFR, Procedure.MRI_WITHOUT_AND_WITH, ["gbca_group_ii_iii_ckd"]),
    (LOW_EGFR, Procedure.CT_WITH, ["icm_high_risk"]),
    (LOW_EGFR, Procedure.CT_MYELOGRAPHY, ["icm_high_risk"]),
    (LOW_EGFR, Procedure.CT_WITHOUT, []),
    (PREGNANT, Procedure.MRI_WITHOUT, []),
    (PREGNANT, Procedure.MRI_WITH, ["gbca_pregnancy"]),
    (PREGNANT, Procedure.RADIOGRAPHY, ["preg_modality"]),
    (MAYBE_PREGNANT, Procedure.CT_WITHOUT, ["preg_modality"]),
    (PREGNANT, Procedure.BONE_SCAN, ["preg_modality"]),
    ({"contrast_reaction": yes("contrast_reaction", "", "gadolinium")}, Procedure.MRI_WITH, ["gbca_reaction"]),
    ({"contrast_reaction": yes("contrast_reaction", "", "gadolinium")}, Procedure.CT_WITH, []),
    ({"contrast_reaction": yes("contrast_reaction", "", "iodinated")}, Procedure.CT_WITH, ["icm_reaction"]),
    ({"contrast_reaction": yes("contrast_reaction", "", "iodinated")}, Procedure.MRI_WITH, []),
    ({"contrast_reaction": yes("contrast_reaction", "", "unspecified")}, Procedure.MRI_WITH, ["gbca_reaction"]),
    ({"contrast_reaction": yes("contrast_reaction", "", "unspecified")}, Procedure.CT_WITH, ["icm_reaction"]),
    (METFORMIN, Procedure.CT_WITH, ["icm_metformin_category_i"]),
    (METFORMIN | LOW_EGFR, Procedure.CT_WITH, ["icm_metformin_category_ii", "icm_high_risk"]),
    (METFORMIN, Procedure.MRI_WITH, ["gbca_metformin"]),
    (METFORMIN, Procedure.CT_WITHOUT, []),
]


@pytest.mark.parametrize(("given", "study", "rows"), SAFETY)
def test_each_safety_row_speaks_about_its_own_studies(given, study, rows):
    notes = safety_notes(study, answers(safety=safety(**given)), GUIDELINES)
    assert sorted(note.row for note in notes if not note.ask) == sorted(rows)


ASKS = [
    (safety(), Procedure.MRI_WITHOUT, ["mr_order_time_screen"]),
    (safety(mr_device=no("mr_device", "screen-done")), Procedure.MRI_WITHOUT, []),
    (safety(), Procedure.CT_WITHOUT, []),
    (safety(could_be_pregnant=True), Procedure.CT_WITHOUT, ["preg_ask"]),
    (safety(could_be_pregnant=True), Procedure.MRI_WITHOUT, ["mr_order_time_screen"]),
    (safety(could_be_pregnant=True, pregnancy=no("pregnancy")), Procedure.CT_WITHOUT, []),
    (safety(could_be_pregnant=True, **PREGNANT), Procedure.CT_WITHOUT, []),
]


@pytest.mark.parametrize(("given", "study", "rows"), ASKS)
def test_only_what_the_chosen_study_needs_is_asked(given, study, rows):
    notes = safety_notes(study, answers(safety=given), GUIDELINES)
    assert [note.row for note in notes if note.ask] == rows


def test_the_most_severe_safety_row_comes_first():
    both = yes("mr_device", "", "mr_aneurysm_clip", "mr_cochlear_implant")
    given = safety(mr_device=both, claustrophobia=yes("claustrophobia"))
    rows = [note.row for note in safety_notes(Procedure.MRI_WITHOUT, answers(safety=given), GUIDELINES)]
    assert rows == ["mr_aneurysm_clip", "mr_cochlear_implant", "mr_claustrophobia"]
