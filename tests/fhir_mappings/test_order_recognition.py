"""Which study an order is: by any coding, else by its text, never a guess between two procedures."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.order_recognition import recognise
from fhir_mappings.order_studies import check_order_studies, order_studies, read_order_studies
from fhir_mappings.order_text import read_order_words
from fhir_mappings.terminology import load_terminology
from rules.draft_order import Recognition
from rules.procedures import ONLY_FOR_BACK_PAIN, Procedure

TERMINOLOGY = load_terminology()
CPT = "http://www.ama-assn.org/go/cpt"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"

P = Procedure
MRI = (P.MRI_WITHOUT, P.MRI_WITHOUT_AND_WITH, P.MRI_WITH)
CT = (P.CT_WITHOUT, P.CT_WITH, P.CT_WITHOUT_AND_WITH)


def recognised(codings=(), text="", sites=(), low_back=True):
    return recognise(list(codings), text, sites, low_back, TERMINOLOGY)


TEXTS = {
    P.MRI_WITHOUT: [
        "MR L-SPINE WO CON",
        "MRI LUMBAR SPINE WITHOUT CONTRAST",
        "MRI L SPINE W/O",
        "mri lumbar spine w/o contrast",
        "MRI L-S SPINE W/O CONTRAST",
        "MRI Lumbar Spine non-contrast",
        "MRI lumbosacral spine without gadolinium",
        "MRI of the lumbar spine, no contrast",
        "MR Lumbar spine WO IV contrast",
        "Open MRI Lumbar Spine WO contrast",
        "MRI L4-S1 w/o contrast",
        "IMG1234 MRI L SPINE WO",
        "MRI lumbar spine noncon",
        "Magnetic resonance imaging lumbar spine unenhanced",
        "MRI thoracolumbar spine without contrast",
        "MRI plain lumbar spine",
        "MRI LSPINE W/O CONT",
        "MRI lumbar spine wo con stat",
        "MRI Lumbar Spine without contrast, low back pain",
        "MR T/L spine wo contrast",
        "MRI lumbar spine with sedation without contrast",
    ],
    P.MRI_WITHOUT_AND_WITH: [
        "MRI LUMBAR SPINE W WO CONTRAST",
        "MRI LUMBAR SPINE W/WO IV CONTRAST",
        "MRI lumbar spine with and without contrast",
        "MRI L Spine w/ and w/o con",
        "MRI lumbar spine WWO",
        "MRI LUMBAR SPINE PRE AND POST CONTRAST",
        "MR L SPINE W & W/O CONTRAST",
        "MRI lumbar spine without and with gad",
        "MRI L-SPINE W + W/O CON",
    ],
    P.MRI_WITH: [
        "MR LUMBAR SPINE W CON",
        "MRI lumbar spine with contrast",
        "MRI L SPINE W/ GADOLINIUM",
        "MRI lumbar spine post contrast",
    ],
    P.CT_WITHOUT: [
        "CT L SPINE W/O",
        "CT lumbar spine non contrast",
        "CT LUMBAR SPINE WO CONTRAST",
        "CAT scan lumbar spine without contrast",
        "Computed tomography of lumbar spine without contrast",
        "CT L-spine plain",
    ],
    P.CT_WITH: ["CT LUMBAR SPINE W/ CONTRAST", "CT L-SPINE W IV CON"],
    P.CT_WITHOUT_AND_WITH: ["CT LUMBAR SPINE W WO CONTRAST", "CT L SPINE WITHOUT AND WITH CONTRAST"],
    P.RADIOGRAPHY: [
        "XR LS SPINE 2-3 VWS",
        "XR LUMBAR SPINE 2-3 VIEWS",
        "Lumbar spine X-ray AP & lateral",
        "LUMBAR SPINE 2-3 VIEWS",
        "X-ray lumbosacral spine, 4 views",
        "Plain films lumbar spine",
        "XR SPINE LUMBAR FLEX/EXT",
        "XRAY L-SPINE",
        "x-ray low back",
        "XR L-Spine AP/LAT/OBL",
        "XR thoracolumbar junction 2 views",
        "Radiographs of lumbar spine, standing",
        "DX SPINE LUMBOSACRAL 2 OR 3 VIEWS",
    ],
    P.CT_MYELOGRAPHY: [
        "CT myelogram lumbar spine",
        "CT LUMBAR SPINE W CONTRAST IT",
        "Post myelogram CT lumbar",
        "CT L-spine with intrathecal contrast",
    ],
    P.DISCOGRAPHY: ["Lumbar discogram", "discography lumbar spine", "CT lumbar discography"],
    P.BONE_SCAN: ["NM bone scan whole body", "Whole body bone scan", "bone scan with SPECT"],
    P.FDG_PET_CT: ["PET CT whole body", "PET/CT skull base to mid thigh", "FDG PET-CT whole body"],
}

OPEN = [
    ("MRI Lumbar Spine", MRI),
    ("MRI L-spine", MRI),
    ("MRI LS spine", MRI),
    ("MRI lumbar spine +/- contrast", MRI),
    ("MRI lumbar spine with or without contrast", MRI),
    ("MRI lumbar spine with contrast if needed", MRI),
    ("MRI lumbar spine contrast per radiology", MRI),
    ("MRI lumbar spine wo flexion", MRI),
    ("CT lumbar spine", CT),
    ("CT L SPINE", CT),
    ("MRI lumbar spine contrast", (P.MRI_WITHOUT_AND_WITH, P.MRI_WITH)),
    ("CT lumbar spine IV contrast", (P.CT_WITH, P.CT_WITHOUT_AND_WITH)),
]

NOT_RECOGNISED = [
    "MRI lumbar spine zq7",
    "MRI lumbar and pelvis",
    "MRI cervical and lumbar spine",
    "CT L-spine recon from CT abdomen",
    "Lumbar spine",
    "lumbar imaging",
    "MRI or CT lumbar spine",
    "XR lumbar spine with contrast",
    "MRI lumbar spine and hip",
    "MRI lumbar spine (72148)",
    "SPECT lumbar spine",
    "MRI L-spine, patient of Dr. Who",
    "lumbar MRI before epidural injection",
    "MRI spine",
    "XR spine 1 view",
    "MRI lumbar complete spine scoliosis",
    "Irm lombaire MRI lumbar",
]

NOT_AMONG = [
    "Myelogram lumbar",
    "MR myelography lumbar spine",
    "Ultrasound lumbar spine",
    "MRA lumbar spine",
    "NM BONE SCAN 3 PHASE",
    "PET whole body",
    "Fluoroscopy lumbar spine",
]

NOT_OURS = [
    "MRI cervical spine",
    "MRI brain",
    "Brain MRI",
    "XR knee left",
    "MRI whole spine",
    "MRI C/T/L spine",
    "CT cervical thoracic lumbar spine",
    "MRI lumbosacral plexus",
    "MRI sacrum",
    "SI joint x-ray",
    "MRI pelvis",
    "XR hip",
    "CT abdomen pelvis",
    "XR scoliosis series",
    "CT guided lumbar biopsy",
    "Lumbar epidural steroid injection",
    "lumbar puncture",
    "Physical therapy lumbar spine",
    "DEXA lumbar spine",
    "Lumbar brace",
    "Referral to spine surgery for lumbar pain",
    "MRI thoracic spine",
    "CT head without contrast",
    "Chest X-ray",
    "CBC",
    "Urinalysis",
    "Ibuprofen 600 mg",
    "PET CT brain",
    "bone density lumbar spine",
    "XR coccyx",
    "Lumbar corset",
    "Wound care",
    "",
    "🩻",
]


@pytest.mark.parametrize(
    ("text", "procedure"), [(text, procedure) for procedure, texts in TEXTS.items() for text in texts]
)
def test_a_text_that_names_one_study_for_certain_is_that_study(text, procedure):
    order = recognised(text=text)
    assert (order.recognition, order.procedure) == (Recognition.READ_FROM_TEXT, procedure)
    assert order.name == order_studies().procedures[procedure].name


@pytest.mark.parametrize(("text", "candidates"), OPEN)
def test_a_text_that_leaves_contrast_open_names_the_choices(text, candidates):
    order = recognised(text=text)
    assert (order.recognition, order.candidates) == (Recognition.CONTRAST_NOT_STATED, candidates)


@pytest.mark.parametrize("text", NOT_RECOGNISED)
def test_a_text_that_names_lumbar_imaging_but_not_for_certain_is_never_silent(text):
    order = recognised(text=text)
    assert (order.recognition, order.procedure, order.name) == (Recognition.NOT_RECOGNISED, None, text)


@pytest.mark.parametrize("text", NOT_AMONG)
def test_studies_outside_the_eleven_are_said_to_be(text):
    assert recognised(text=text).recognition is Recognition.NOT_AMONG_ELEVEN


@pytest.mark.parametrize("text", NOT_OURS)
def test_anything_else_is_silence(text):
    assert recognised(text=text).recognition is Recognition.NOT_OURS


@pytest.mark.parametrize("text", ["MRI spine", "XR spine 2 views", "CT spine without contrast"])
def test_spine_without_a_level_is_ours_only_for_a_low_back_reason(text):
    assert recognised(text=text, low_back=False).recognition is Recognition.NOT_OURS
    assert recognised(text=text, low_back=None).recognition is Recognition.NOT_OURS
    asked = recognised(text=text, low_back=True)
    assert asked.recognition is Recognition.NOT_RECOGNISED
    assert asked.level_not_stated


def test_a_body_site_supplies_the_level():
    site = ("body-site-lumbar-spine",)
    assert recognised(text="MRI spine without contrast", sites=site, low_back=None).procedure is P.MRI_WITHOUT
    assert recognised([(LOINC, "36531-2", "")], sites=site, low_back=None).procedure is P.MRI_WITHOUT
    assert recognised([(CPT, "72020", "")], sites=("body-site-disc-level",), low_back=None).procedure is P.RADIOGRAPHY
    assert recognised([(LOINC, "36531-2", "")], sites=("body-site-cervical-spine",)).recognition is Recognition.NOT_OURS
    assert (
        recognised([(CPT, "72148", "")], sites=("body-site-cervical-spine",)).recognition is Recognition.NOT_RECOGNISED
    )


@pytest.mark.parametrize("procedure", sorted(ONLY_FOR_BACK_PAIN, key=lambda procedure: procedure.value))
def test_bone_scan_and_pet_are_ours_only_for_back_pain(procedure):
    (code,) = {P.BONE_SCAN: ["78306"], P.FDG_PET_CT: ["78816"]}[procedure]
    for coding, text in (((CPT, code, ""), ""), (None, TEXTS[procedure][0])):
        codings = [coding] if coding else []
        assert recognised(codings, text, low_back=True).procedure is procedure
        assert recognised(codings, text, low_back=False).recognition is Recognition.NOT_OURS
        assert recognised(codings, text, low_back=None).recognition is Recognition.NOT_OURS


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


@given(st.text(max_size=200))
def test_any_text_is_recognised_or_not_and_never_fails(text):
    assert recognised(text=text).recognition in Recognition


@given(
    st.sampled_from([text for texts in TEXTS.values() for text in texts]),
    st.from_regex(r"[bdfgjkqz]{5}", fullmatch=True),
)
def test_an_unknown_word_makes_a_certain_text_uncertain(text, word):
    order = recognised(text=f"{text} {word}")
    assert order.procedure is None


@pytest.mark.parametrize("text", ["MRI lumbar spine " + "w/o " * 300_000, "x" * 1_000_000, "w/" * 500_000])
def test_a_hostile_text_costs_no_time(text):
    started = time.perf_counter()
    order = recognised(text=text)
    assert time.perf_counter() - started < 0.05
    assert order.procedure is None


def test_a_long_text_that_names_lumbar_imaging_is_not_silent():
    assert recognised(text="MRI lumbar spine " + "see the letter " * 100).recognition is Recognition.NOT_RECOGNISED


def test_words_are_read_the_same_in_any_case():
    assert read_order_words("mri LUMBAR spine W/O Contrast") == read_order_words("MRI lumbar SPINE w/o contrast")


def _table() -> str:
    from importlib.resources import files

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
