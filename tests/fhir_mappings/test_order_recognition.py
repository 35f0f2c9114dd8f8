"""Which study an order is: by any coding, else by its text, never a guess between two procedures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.order_recognition import recognise
from fhir_mappings.order_studies import order_studies
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


@pytest.mark.parametrize("procedure", [procedure for procedure in Procedure if procedure in ONLY_FOR_BACK_PAIN])
def test_bone_scan_and_pet_are_ours_only_for_back_pain(procedure):
    (code,) = {P.BONE_SCAN: ["78306"], P.FDG_PET_CT: ["78816"]}[procedure]
    for coding, text in (((CPT, code, ""), ""), (None, TEXTS[procedure][0])):
        codings = [coding] if coding else []
        assert recognised(codings, text, low_back=True).procedure is procedure
        assert recognised(codings, text, low_back=False).recognition is Recognition.NOT_OURS
        assert recognised(codings, text, low_back=None).recognition is Recognition.NOT_OURS


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
def test_a_hostile_text_is_not_gone_through(text):
    order = recognised(text=text)
    assert order.procedure is None


def test_a_long_text_that_names_lumbar_imaging_is_not_silent():
    assert recognised(text="MRI lumbar spine " + "see the letter " * 100).recognition is Recognition.NOT_RECOGNISED


def test_words_are_read_the_same_in_any_case():
    assert read_order_words("mri LUMBAR spine W/O Contrast") == read_order_words("MRI lumbar SPINE w/o contrast")
