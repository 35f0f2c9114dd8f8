"""What a code means here, and why: the row that matched, its file, line and source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.explain_code import explain
from fhir_mappings.terminology import TerminologyOptions, load_terminology

TERMINOLOGY = load_terminology()
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"
SNOMED = "http://snomed.info/sct"


def test_a_listed_code_names_its_row_file_line_and_source():
    found = explain(TERMINOLOGY, "urn:oid:2.16.840.1.113883.6.90", "M5416")
    (reason,) = found.reasons
    assert found.system == ICD
    assert found.concepts == ("lumbar-radiculopathy",)
    assert (reason.how, reason.row, reason.file) == ("listed", "M54.16 Radiculopathy, lumbar region", "icd10cm.csv")
    assert reason.source.startswith("simple-icd-10-cm")
    row = next(row for row in TERMINOLOGY.rows if row.code == "M54.16")
    assert reason.line == row.line


def test_a_code_under_a_category_names_the_category():
    (reason,) = explain(TERMINOLOGY, ICD, "M80.011A").reasons[:1]
    assert reason.how == "under"
    assert reason.row.startswith("M80")


def test_a_code_in_a_later_phase_names_the_row_it_came_from():
    found = explain(TERMINOLOGY, ICD, "S32.010S")
    assert (found.concepts, found.phase) == (("vertebral-fracture-aftercare",), "sequela")
    assert found.reasons[0].row.startswith("S32.0 ")


@pytest.mark.parametrize(
    ("system", "code", "display", "concepts", "how"),
    [
        (CPT, "72148", "", ("mri-lumbar-without-contrast",), "listed"),
        (SNOMED, "6077001", "", ("foot-drop",), "listed"),
        (TERMINOLOGY.own.url, "slr-negative", "", ("straight-leg-raise",), "own code"),
        (TERMINOLOGY.own.url, "anal-tone", "", ("reduced-anal-tone",), "own code"),
        ("urn:product", "1", "predniSONE 20 MG Oral Tablet", ("systemic-corticosteroid",), "ingredient"),
    ],
)
def test_each_way_of_recognising_is_named(system, code, display, concepts, how):
    found = explain(TERMINOLOGY, system, code, display)
    assert found.concepts == concepts
    assert {reason.how for reason in found.reasons} == {how}


@pytest.mark.parametrize(
    ("system", "code", "display", "study"),
    [
        (CPT, "72148", "", "coded: MRI lumbar spine without contrast"),
        ("urn:local", "7", "MR L-SPINE WO CON", "read from text: MRI lumbar spine without contrast"),
        (SNOMED, "41333006", "", "contrast not stated: MRI lumbar spine"),
        (CPT, "72265", "", "not among the rated procedures"),
        (CPT, "72141", "", ""),
    ],
)
def test_an_order_code_says_which_study_it_is(system, code, display, study):
    assert explain(TERMINOLOGY, system, code, display).study == study


def test_an_unknown_code_means_nothing_here_and_its_words_may_matter():
    found = explain(TERMINOLOGY, "urn:local", "X", "weird saddle thing")
    assert (found.concepts, found.reasons, found.red_flag_stem) == ((), (), True)
    assert not explain(TERMINOLOGY, "urn:local", "X", "knee pain").red_flag_stem


def test_a_display_never_speaks_for_a_code():
    found = explain(TERMINOLOGY, "urn:local", "1", "No saddle numbness")
    assert (found.concepts, found.display_says) == ((), ("no saddle-anaesthesia",))
    assert explain(TERMINOLOGY, SNOMED, "6077001", "Saddle numbness").concepts == ("foot-drop",)
    assert explain(TERMINOLOGY, "http://loinc.org", "X", "prednisone level").concepts == ()


def test_a_code_of_a_table_that_was_left_out_is_said_to_be():
    lean = load_terminology(TerminologyOptions(without_cpt=True, without_licensed_snomed=True))
    assert explain(lean, CPT, "72148").unavailable
    assert not explain(lean, "urn:local", "1").unavailable


def test_displays_of_licensed_snomed_are_not_shown():
    (reason,) = explain(TERMINOLOGY, SNOMED, "394451000119106").reasons
    assert reason.row == "394451000119106"


def test_every_row_explains_itself():
    for row in TERMINOLOGY.rows:
        found = explain(TERMINOLOGY, row.system, row.code)
        assert row.concept in found.concepts
        assert any((reason.file, reason.line) == (row.file, row.line) for reason in found.reasons)


@given(st.text(), st.text(), st.text())
def test_anything_can_be_explained(system, code, display):
    assert isinstance(explain(TERMINOLOGY, system, code, display).concepts, tuple)
