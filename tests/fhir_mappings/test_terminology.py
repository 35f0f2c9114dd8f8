"""Code tables: what each code means under every name of its system, and what a table must not hold."""

import csv
import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings import code_rows, terminology
from fhir_mappings.check_digits import is_loinc, is_snomed_concept
from fhir_mappings.code_rows import TerminologyError, load_manifest, read_packaged
from fhir_mappings.terminology import Meaning, TerminologyOptions, load_terminology
from rules.concepts import CONCEPTS

TERMINOLOGY = load_terminology()
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def concepts(system, code):
    return [meaning.concept for meaning in TERMINOLOGY.meanings(system, code)]


@pytest.mark.parametrize("system", TERMINOLOGY.manifest.system, ids=lambda system: system.name)
def test_every_row_is_found_under_every_name_of_its_system(system):
    rows = [row for row in TERMINOLOGY.rows if row.system == system.uri]
    assert rows
    names = [system.uri, *system.variants]
    names += (
        [f"{name}|2026-03" for name in names] + [f"{name}/" for name in names] + [f" {name.upper()} " for name in names]
    )
    if system.edition_suffix:
        names += [f"{system.uri}/900000000000207008/version/20260301", f"{system.uri}/731000124108"]
    removed = {pair.concept: set(pair.others) for pair in TERMINOLOGY.manifest.excludes}
    for name in names:
        for row in rows:
            found = TERMINOLOGY.meanings(name, row.code)
            assert Meaning(row.concept, row.absent, row.side, row.site) in found or any(
                row.concept in removed.get(meaning.concept, ()) for meaning in found
            ), (name, row.code)


@pytest.mark.parametrize(
    "row", [row for row in TERMINOLOGY.rows if row.system == ICD and "." in row.code], ids=lambda row: row.code
)
def test_icd10cm_codes_are_the_same_without_their_dot_and_in_any_case(row):
    dotted = TERMINOLOGY.meanings(ICD, row.code)
    for written in (row.code.replace(".", ""), row.code.lower(), f" {row.code} "):
        assert TERMINOLOGY.meanings(ICD, written) == dotted


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("C50.911", ["malignant-neoplasm"]),
        ("C50911", ["malignant-neoplasm"]),
        ("C79.51", ["bone-metastasis", "malignant-neoplasm"]),
        ("C4A.9", ["malignant-neoplasm"]),
        ("C44.91", ["non-melanoma-skin-cancer"]),
        ("Z85.828", ["non-melanoma-skin-cancer"]),
        ("Z85.3", ["malignancy-history"]),
        ("M54.5", ["low-back-pain"]),
        ("M54.50", ["low-back-pain"]),
        ("M51.36", ["lumbar-disc-degeneration"]),
        ("M51.360", ["lumbar-disc-degeneration"]),
        ("E11.42", ["peripheral-neuropathy", "diabetes"]),
        ("I71.010", ["aortic-dissection"]),
        ("N18.31", ["ckd-3"]),
        # never matched above the region character
        ("M54.1", []),
        ("M54.12", []),
        ("M51.1", []),
        ("M48.0", []),
        ("M48.02", []),
        ("M47.2", []),
        ("M43.1", []),
        ("D05.1", []),
        ("Z32.02", ["pregnancy"]),
        ("Z79.51", ["inhaled-steroid-long-term"]),
        ("", []),
        ("M", []),
        ("M54.5XXXXXXX", []),
    ],
)
def test_icd10cm_categories_reach_their_descendants_and_nothing_else(code, expected):
    assert concepts(ICD, code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("S32.010A", [("traumatic-vertebral-fracture", "new"), ("vertebral-fracture", "new")]),
        ("S32010A", [("traumatic-vertebral-fracture", "new"), ("vertebral-fracture", "new")]),
        ("S32.010G", [("vertebral-fracture-aftercare", "healing"), ("vertebral-fracture", "healing")]),
        ("S32.010S", [("vertebral-fracture-aftercare", "sequela")]),
        ("M80.08XA", [("vertebral-fracture", "new"), ("fragility-fracture", "new"), ("osteoporosis", "new")]),
        (
            "M80.08XS",
            [("vertebral-fracture", "sequela"), ("fragility-fracture", "sequela"), ("osteoporosis", "sequela")],
        ),
        ("W19.XXXA", [("fall", "new")]),
        ("W19.XXXS", []),
        ("V43.52XS", []),
        ("S34.3XXA", [("cauda-equina-syndrome", "new"), ("spinal-cord-injury", "new")]),
    ],
)
def test_the_seventh_character_says_whether_an_injury_is_new(code, expected):
    found = [(meaning.concept, meaning.phase) for meaning in TERMINOLOGY.meanings(ICD, code)]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("system", "code", "side", "site"),
    [
        (ICD, "M21.371", "right", ""),
        (ICD, "M21.372", "left", ""),
        (ICD, "M54.42", "left", ""),
        (ICD, "G83.14", "left", ""),
        (SNOMED, "16018391000119104", "left", ""),
        (SNOMED, "212222004", "", "l5"),
        (SNOMED, "300948004", "", "knee-extension"),
    ],
)
def test_a_code_that_states_side_or_site_passes_it_on(system, code, side, site):
    assert {(meaning.side, meaning.site) for meaning in TERMINOLOGY.meanings(system, code)} == {(side, site)}


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (SNOMED, "999999999"),
        ("urn:local", "M54.5"),
        ("", "M54.5"),
        (None, "M54.5"),
        (ICD, None),
        (LOINC, "72148"),
        (CPT, "30679-5"),
        (ICD, "m54.5\u200b"),
        ("http://snomed.info/sctx", "6077001"),
    ],
)
def test_an_unknown_code_means_nothing_here(system, code):
    assert TERMINOLOGY.meanings(system, code) == ()


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (SNOMED, "281900007", [Meaning("no-abnormality-detected", absent=True)]),
        ("http://hl7.org/fhir/v2/0078", "POS", [Meaning("interpretation-positive")]),
        ("http://terminology.hl7.org/CodeSystem/v2-0136", "N", [Meaning("value-no")]),
        (LOINC, "LA33-6", [Meaning("value-yes")]),
    ],
)
def test_answers_and_absence_are_read_from_standard_codes(system, code, expected):
    assert list(TERMINOLOGY.meanings(system, code)) == expected


def test_every_concept_that_the_rules_read_is_known_and_can_be_supplied():
    from fhir_mappings.medicines import medicines
    from fhir_mappings.text_vocabulary import vocabulary

    known = set(TERMINOLOGY.concepts)
    assert known >= CONCEPTS
    supplied = {row.concept for row in TERMINOLOGY.rows} | {code.concept for code in TERMINOLOGY.own.codes.values()}
    supplied |= {concept for _, term in vocabulary().named for concept in (*term.concepts, *term.denies)}
    supplied |= set(medicines().groups) | set(TERMINOLOGY.manifest.derived)
    supplied |= {phase.becomes for phase in TERMINOLOGY.manifest.phase}
    assert supplied >= CONCEPTS
    assert known >= supplied - {""}


# --- licences


def test_cpt_and_licensed_snomed_can_be_left_out_and_the_service_says_what_it_cannot_recognise():
    lean = load_terminology(TerminologyOptions(without_cpt=True, without_licensed_snomed=True))
    assert lean.meanings(CPT, "72148") == ()
    assert lean.meanings(SNOMED, "394451000119106") == ()
    assert lean.meanings(LOINC, "30679-5") == (Meaning("mri-lumbar-without-contrast"),)
    assert [(table.licence, table.codes > 50) for table in lean.unavailable] == [
        ("snomed-affiliate", True),
        ("cpt", True),
    ]
    assert not lean.knows_system(CPT)
    assert TERMINOLOGY.unavailable == ()
    assert lean.version != TERMINOLOGY.version


def test_the_version_changes_with_the_content_and_with_nothing_else(tmp_path):
    assert load_terminology().version == TERMINOLOGY.version
    path = tmp_path / "map.csv"
    path.write_text("system,code,display,concept,polarity\nurn:x,1,Pain,low-back-pain,present\n")
    assert load_terminology(TerminologyOptions(site_code_maps=(str(path),))).version != TERMINOLOGY.version


def test_licensed_displays_are_not_in_files_of_another_licence():
    free = {row["code"] for row in _packaged("snomed_gps.csv")}
    licensed = {row["code"] for row in _packaged("snomed_licensed.csv")}
    assert not free & licensed
    assert all(len(row["display"]) <= 80 for row in _packaged("cpt.csv"))


def _packaged(name):
    return list(csv.DictReader(read_packaged(name).splitlines()))


@pytest.mark.parametrize("name", [file.name for file in TERMINOLOGY.manifest.file])
def test_every_row_names_its_source(name):
    assert all(len(row["source"]) > 5 for row in _packaged(name))


# --- strictness: what stops the start, with file and line

GOOD = "concept,code,display,match,polarity,detail,source,note"


def _load_with(monkeypatch, name, text):
    original = code_rows.read_packaged
    monkeypatch.setattr(terminology, "read_packaged", lambda asked: text if asked == name else original(asked))
    return load_terminology()


@pytest.mark.parametrize(
    ("name", "row", "complaint"),
    [
        ("snomed_gps.csv", "foot-drop,6077002,Foot-drop,exact,present,,x,", "6077002 is no SNOMED CT concept id"),
        ("snomed_gps.csv", "foot-drop,241093004,X-ray,exact,present,,x,", "241093004 is no SNOMED CT concept id"),
        ("loinc.csv", "xr-lumbar,30797-1,XR,exact,present,,x,", "30797-1 is no LOINC code"),
        ("icd10cm.csv", "sciatica,M5431,Sciatica,exact,present,,x,", "M5431 is no ICD-10-CM code"),
        ("cpt.csv", "xr-lumbar,7210,X-ray,exact,present,,x,", "7210 is no CPT code"),
        ("rxnorm.csv", "nsaid,0161,x,exact,present,,x,", "0161 is no RxNorm identifier"),
        ("nucc.csv", "specialty-pmr,20810,x,exact,present,,x,", "20810 is no NUCC taxonomy code"),
        ("icd10cm.csv", "sciatica,M54.31,Sciatica,exact,present,,x,", "M54.31: sciatica again (first at icd10cm.csv:"),
        ("icd10cm.csv", "sciatica,M54.31,Sciatica,exact,absent,,x,", "M54.31: sciatica again (first at icd10cm.csv:"),
        (
            "icd10cm.csv",
            "malignant-neoplasm,C44,Skin,descendants,present,,x,",
            "C44: malignant-neoplasm and non-melanoma-skin-cancer exclude each other",
        ),
        ("icd10cm.csv", "backpain,M54.9,Pain,exact,present,,x,", "unknown concept 'backpain'"),
        ("icd10cm.csv", "sciatica,M54.9,Pain,prefix,present,,x,", "match must be exact or descendants, not 'prefix'"),
        ("icd10cm.csv", "sciatica,M54.9,Pain,exact,maybe,,x,", "polarity must be present or absent, not 'maybe'"),
        ("icd10cm.csv", "sciatica,M54.9,Pain,exact,present,,,", "source is empty"),
        ("icd10cm.csv", "sciatica,M54.9,,exact,present,,x,", "display is empty"),
        ("icd10cm.csv", "sciatica, M54.9,Pain,exact,present,,x,", "code has blanks at an end"),
        ("icd10cm.csv", "sciatica,M54.9,Pain,exact,present,links,x,", "detail must be like 'side:left site:l5'"),
        ("icd10cm.csv", "sciatica,M54.9,Pain,exact,present", "5 cells, expected 8"),
        ("icd10cm.csv", 'sciatica,M54.9,"Pain,exact,present,,x,', "unexpected end of data"),
    ],
)
def test_a_corrupt_row_stops_the_start_and_names_file_and_line(monkeypatch, name, row, complaint):
    lines = read_packaged(name).rstrip("\n").split("\n")
    text = "\n".join([*lines, row]) + "\n"
    with pytest.raises(TerminologyError, match=re.escape(complaint)) as caught:
        _load_with(monkeypatch, name, text)
    assert str(caught.value).startswith(f"{name}:{len(lines) + 1}:")


def test_a_file_with_other_columns_stops_the_start(monkeypatch):
    with pytest.raises(TerminologyError, match=r"cpt\.csv:1: the columns must be concept,code"):
        _load_with(monkeypatch, "cpt.csv", "code,concept\n")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('shape = "sctid"', 'shape = "sct"', "unknown shape 'sct'"),
        ('option = "cpt"', 'option = "ama"', "unknown option 'ama'"),
        ('concept = "osteopenia"', 'concept = "osteopaenia"', "osteopaenia stands in no group"),
        ('becomes = "vertebral-fracture-aftercare"', 'becomes = "aftercare"', "aftercare stands in no group"),
        ('"tricyclic", ', '"tricyclic", "dxa", ', "dxa stands in order and in medicines"),
        ('licence = "loinc"', 'licence = "loinc"\ncolour = "red"', "unknown field `colour`"),
        ("[groups]", "[groups", "Expected ']'"),
    ],
)
def test_a_corrupt_manifest_stops_the_start(old, new, complaint):
    text = read_packaged("manifest.toml")
    assert old in text
    with pytest.raises(TerminologyError, match=re.escape(complaint)):
        load_manifest(text.replace(old, new, 1))


@pytest.mark.parametrize("code", ["6077001", "394451000119106", "16018391000119104"])
def test_a_changed_digit_breaks_a_snomed_check_digit(code):
    assert is_snomed_concept(code)
    for place in range(len(code)):
        for digit in "0123456789":
            changed = code[:place] + digit + code[place + 1 :]
            assert is_snomed_concept(changed) == (changed == code)


@pytest.mark.parametrize("code", ["30679-5", "600-7", "98979-8"])
def test_a_changed_digit_breaks_a_loinc_check_digit(code):
    assert is_loinc(code)
    for place, character in enumerate(code):
        for digit in "0123456789":
            changed = code[:place] + digit + code[place + 1 :]
            if character != "-":
                assert is_loinc(changed) == (changed == code)


# --- robustness


def test_what_is_learned_from_callers_stays_bounded():
    fresh = load_terminology()
    for number in range(20_000):
        fresh.meanings(ICD, f"A{number}")
        fresh.meanings(f"urn:oid:{number}", "1")
    assert len(fresh._codes[ICD]._learned) <= terminology._LEARNED_LIMIT
    assert len(fresh._names._learned) <= 1024


@given(st.text(), st.text())
def test_any_system_and_code_can_be_looked_up(system, code):
    assert isinstance(TERMINOLOGY.meanings(system, code), tuple)
    TERMINOLOGY.observable(system, code)
    TERMINOLOGY.rows_for(system, code)


@given(st.sampled_from([system.uri for system in TERMINOLOGY.manifest.system]), st.text())
def test_any_code_of_a_known_system_can_be_looked_up(system, code):
    assert isinstance(TERMINOLOGY.meanings(system, code), tuple)


def test_packaged_files_are_those_of_the_manifest():
    listed = {file.name for file in TERMINOLOGY.manifest.file} | {"manifest.toml"}
    assert {entry.name for entry in files("fhir_mappings").joinpath("value_sets").iterdir()} == listed
