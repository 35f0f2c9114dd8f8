"""Order codes: what each code, and what codes together, can be among the eleven procedures."""

import re
from importlib.resources import files

import pytest

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.order_studies import check_order_studies, order_studies, read_order_studies
from rules.draft_order import Recognition
from tests.fhir_mappings.test_order_recognition import CPT, CT, LOINC, MRI, SNOMED, TERMINOLOGY, P, recognised


def _codings_of(concepts, systems):
    return [
        (row.system, row.code, row.display)
        for row in TERMINOLOGY.rows
        if row.concept in concepts and row.system in systems
    ]


@pytest.mark.parametrize("concept", sorted(order_studies().by_concept))
def test_every_order_code_is_recognised_as_its_study(concept):
    study = order_studies().by_concept[concept]
    codings = _codings_of({concept}, {CPT, LOINC, SNOMED})
    assert codings, "no code at all"
    for system, code, display in codings:
        expected = order_studies().by_code.get((system, code), study)
        order = recognised([(system, code, "")], sites=("body-site-lumbar-spine",))
        if not expected.ours:
            assert order.recognition is Recognition.NOT_OURS, display
        elif expected.not_rated:
            assert order.recognition is Recognition.NOT_AMONG_ELEVEN, display
        elif len(expected.candidates) == 1:
            assert (order.recognition, {order.procedure}) == (Recognition.CODED, set(expected.candidates)), display
        else:
            assert order.recognition is Recognition.CONTRAST_NOT_STATED, display
            assert set(order.candidates) == set(expected.candidates), display


CODED = [
    # what codes say together
    ([(CPT, "72148", "")], "", P.MRI_WITHOUT),
    ([("urn:oid:2.16.840.1.113883.6.12", "72158", "")], "", P.MRI_WITHOUT_AND_WITH),
    ([("urn:local", "ABC", ""), (CPT, "72149", "")], "", P.MRI_WITH),
    ([(CPT, "72148", ""), (LOINC, "30679-5", "")], "", P.MRI_WITHOUT),
    ([(LOINC, "24968-0", ""), (CPT, "72148", "")], "", P.MRI_WITHOUT),
    ([(SNOMED, "41333006", ""), (CPT, "72158", "")], "", P.MRI_WITHOUT_AND_WITH),
    ([(LOINC, "36067-7", ""), (CPT, "72148", "")], "", P.MRI_WITHOUT),
    # two-code studies
    ([(CPT, "62304", ""), (CPT, "72132", "")], "", P.CT_MYELOGRAPHY),
    ([(CPT, "62284", ""), (CPT, "72265", ""), (CPT, "72132", "")], "", P.CT_MYELOGRAPHY),
    ([(CPT, "62290", ""), (CPT, "72295", "")], "", P.DISCOGRAPHY),
    ([(CPT, "62290", ""), (CPT, "72132", "")], "", P.DISCOGRAPHY),
    ([(CPT, "78306", ""), (CPT, "78803", "")], "", P.BONE_SCAN),
    # a code is sure, whatever the text says
    ([(CPT, "72148", "whatever")], "MRI of something", P.MRI_WITHOUT),
]


@pytest.mark.parametrize(("codings", "text", "procedure"), CODED)
def test_codings_say_together_which_study_it_is(codings, text, procedure):
    order = recognised(codings, text)
    assert (order.recognition, order.procedure) == (Recognition.CODED, procedure)


@pytest.mark.parametrize(
    ("codings", "text", "procedure"),
    [
        ([(LOINC, "24968-0", "")], "MRI lumbar spine w/o contrast", P.MRI_WITHOUT),
        ([(SNOMED, "41333006", "")], "MRI lumbar spine with and without contrast", P.MRI_WITHOUT_AND_WITH),
        ([(LOINC, "36531-2", "")], "MRI lumbar spine", P.MRI_WITHOUT),
        ([("urn:oid:1.2.3", "IMG99", "MR L-SPINE WO CON")], "", P.MRI_WITHOUT),
        ([("urn:oid:1.2.3", "IMG99", "MR L-SPINE WO CON")], "MRI lumbar zq7", P.MRI_WITHOUT),
        ([("", "72148", "MR L-SPINE WO CON")], "", P.MRI_WITHOUT),
    ],
)
def test_text_settles_what_codings_leave_open(codings, text, procedure):
    order = recognised(codings, text)
    assert (order.recognition, order.procedure) == (Recognition.READ_FROM_TEXT, procedure)


@pytest.mark.parametrize(
    ("codings", "text"),
    [
        ([(CPT, "72148", ""), (CPT, "72149", "")], ""),
        ([(CPT, "72148", ""), (CPT, "72100", "")], ""),
        ([(CPT, "72148", ""), (CPT, "72141", "")], ""),
        ([(CPT, "72265", ""), (CPT, "72148", "")], ""),
        ([(LOINC, "24968-0", "")], "CT lumbar spine without contrast"),
        ([(LOINC, "24968-0", "")], "MRI cervical spine"),
        ([("urn:x", "1", "MRI lumbar spine without contrast")], "MRI lumbar spine with contrast"),
    ],
)
def test_what_contradicts_itself_is_not_recognised(codings, text):
    assert recognised(codings, text).recognition is Recognition.NOT_RECOGNISED


@pytest.mark.parametrize(
    ("codings", "candidates"),
    [
        ([(SNOMED, "41333006", "")], (P.MRI_WITHOUT_AND_WITH, P.MRI_WITH)),
        ([(SNOMED, "90523008", "")], (P.CT_WITH, P.CT_WITHOUT_AND_WITH)),
        ([(LOINC, "24968-0", "")], MRI),
        ([(LOINC, "24963-1", "")], CT),
    ],
)
def test_a_code_that_cannot_tell_two_studies_apart_leaves_both(codings, candidates):
    order = recognised(codings)
    assert (order.recognition, order.candidates) == (Recognition.CONTRAST_NOT_STATED, candidates)


@pytest.mark.parametrize("code", ["78803", "78830", "78831", "78832", "78814", "78812", "78300", "78315"])
def test_nuclear_studies_that_are_not_the_rated_one_are_said_to_be_outside(code):
    assert recognised([(CPT, code, "")]).recognition is Recognition.NOT_AMONG_ELEVEN


def test_a_head_ct_is_silence_even_for_back_pain():
    assert recognised(text="CT head", low_back=True).recognition is Recognition.NOT_OURS


def _table() -> str:
    return files("fhir_mappings").joinpath("orders.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"ct_lumbar_spine_with_iv_contrast"]', '"ct_lumbar_spine_with_contrast"]', "is not a valid Procedure"),
        ('"dxa", ', '"dxa", "xr-lumbar", ', "xr-lumbar stands twice"),
        ('concepts = ["pet-ct"]', 'concepts = ["pet-ct"]\nrated = 3', "unknown field `rated`"),
        ('"41333006", ', '"41333006", "41333006", ', "41333006 stands twice"),
    ],
)
def test_a_corrupt_order_table_stops_the_start(old, new, complaint):
    text = _table()
    assert old in text
    with pytest.raises(TerminologyError, match=re.escape(complaint)):
        read_order_studies(text.replace(old, new, 1))


def test_every_order_concept_is_placed_and_every_code_stands_in_a_table():
    codes = {(row.system, row.code) for row in TERMINOLOGY.rows}
    check_order_studies(order_studies(), TERMINOLOGY.manifest, codes)
    missing = read_order_studies(_table().replace('"dxa", ', "", 1))
    with pytest.raises(TerminologyError, match="dxa must stand in exactly one study"):
        check_order_studies(missing, TERMINOLOGY.manifest, codes)
    with pytest.raises(TerminologyError, match=r"41333006 of .* stands in no table"):
        check_order_studies(order_studies(), TERMINOLOGY.manifest, codes - {(SNOMED, "41333006")})
