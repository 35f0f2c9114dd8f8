"""A site's own code map and order catalogue: read after ours, strictly, in both directions."""

import re

import pytest

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.order_recognition import recognise
from fhir_mappings.terminology import Meaning, TerminologyOptions, load_terminology
from rules.draft_order import Recognition
from rules.procedures import Procedure

EPIC = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
MAP = "system,code,display,concept,polarity\n"
CATALOGUE = "system,code,display,concept,emit\n"


@pytest.fixture
def load(tmp_path):
    def loaded(code_map="", catalogue=""):
        options = {}
        for name, text in (("site_code_maps", code_map), ("order_catalogues", catalogue)):
            if text:
                path = tmp_path / f"{name}.csv"
                path.write_text(text, encoding="utf-8")
                options[name] = (str(path),)
        return load_terminology(TerminologyOptions(**options))

    return loaded


def test_local_codes_mean_what_the_map_says(load):
    terminology = load(
        MAP
        + "urn:oid:1.2.840.114350,DX1,Saddle numbness,saddle-anaesthesia,present\n"
        + "urn:oid:1.2.840.114350,DX2,No saddle numbness,saddle-anaesthesia,absent\n"
        + "urn:oid:2.16.840.1.113883.6.90,Z99.89,Home sling,other-implant,present\n"
    )
    assert terminology.meanings("urn:oid:1.2.840.114350", "DX1") == (Meaning("saddle-anaesthesia"),)
    assert terminology.meanings("urn:oid:1.2.840.114350", "DX2") == (Meaning("saddle-anaesthesia", absent=True),)
    assert terminology.meanings("http://hl7.org/fhir/sid/icd-10-cm", "Z99.89") == (Meaning("other-implant"),)
    assert terminology.knows_system("urn:oid:1.2.840.114350")
    assert terminology.rows_for("urn:oid:1.2.840.114350", "DX1")[0].file == "site_code_maps.csv"


def test_a_catalogue_is_read_in_both_directions(load):
    terminology = load(
        catalogue=CATALOGUE
        + f"{EPIC},1001,MR L-SPINE,mri-lumbar-without-contrast,yes\n"
        + f"{EPIC},1002,MR L-SPINE LTD,mri-lumbar-without-contrast,no\n"
        + f"{EPIC},1003,MR L-SPINE WWO,mri-lumbar-without-and-with-contrast,yes\n"
        + f"{EPIC},1004,MR HIP,mri-pelvis,no\n"
    )
    for code in ("1001", "1002"):
        order = recognise([(EPIC, code, "")], "", (), None, terminology)
        assert (order.recognition, order.procedure) == (Recognition.CODED, Procedure.MRI_WITHOUT)
    assert recognise([(EPIC, "1004", "")], "", (), True, terminology).recognition is Recognition.NOT_OURS
    emitted = terminology.catalogue.orderables_for("mri-lumbar-without-contrast")
    assert [(entry.system, entry.code) for entry in emitted] == [(EPIC, "1001")]
    assert terminology.catalogue.orderables_for("xr-lumbar") == ()


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("urn:x,1,Pain,backpain,present", "unknown concept 'backpain'"),
        ("urn:x,1,Pain,low-back-pain,yes", "polarity must be absent or present, not 'yes'"),
        ("urn:x,,Pain,low-back-pain,present", "code is empty or has blanks"),
        (",1,Pain,low-back-pain,present", "system is empty or has blanks"),
        ("urn:x,1,Pain,low-back-pain", "4 cells, expected 5"),
        ("http://snomed.info/sct,6077002,Pain,low-back-pain,present", "6077002 is no SNOMED CT concept id"),
        ("urn:oid:2.16.840.1.113883.6.1,30797-1,XR,xr-lumbar,present", "30797-1 is no LOINC code"),
    ],
)
def test_a_corrupt_code_map_stops_the_start_and_names_file_and_line(load, row, complaint):
    with pytest.raises(TerminologyError, match=re.escape(complaint)) as caught:
        load(MAP + "urn:x,0,Pain,low-back-pain,present\n" + row + "\n")
    assert "site_code_maps.csv:3" in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["urn:x,1,a,xr-lumbar,yes", "urn:x,2,b,xr-lumbar,yes"], "xr-lumbar has two codes to emit, 1 and 2"),
        (["urn:x,1,a,xr-lumbar,yes", "urn:x,1,a,ct-lumbar-with-contrast,no"], "1 is xr-lumbar already"),
        (["urn:x,0,z,xr-hip,no", "urn:x,1,a,low-back-pain,yes"], "low-back-pain is no study or other order"),
        (["urn:x,0,z,xr-hip,no", "urn:x,1,a,xr-lumbar,maybe"], "emit must be yes or no, not 'maybe'"),
    ],
)
def test_a_corrupt_catalogue_stops_the_start_and_names_file_and_line(load, rows, complaint):
    with pytest.raises(TerminologyError, match=re.escape(complaint)) as caught:
        load(catalogue=CATALOGUE + "\n".join(rows) + "\n")
    assert "order_catalogues.csv:3" in str(caught.value)


def test_a_map_cannot_turn_our_tables_around(load):
    with pytest.raises(
        TerminologyError, match=r"C44: malignant-neoplasm and non-melanoma-skin-cancer exclude each other"
    ):
        load(MAP + "http://hl7.org/fhir/sid/icd-10-cm,C44,Skin,malignant-neoplasm,present\n")
    with pytest.raises(TerminologyError, match=r"M54\.9: back-pain-unspecified again"):
        load(MAP + "http://hl7.org/fhir/sid/icd-10-cm,M54.9,Pain,back-pain-unspecified,absent\n")


@pytest.mark.parametrize("text", ["a,b\n", "", MAP.upper()])
def test_a_file_with_other_columns_stops_the_start(load, text):
    with pytest.raises(
        TerminologyError, match=r"site_code_maps\.csv:1: the columns must be system,code,display,concept,polarity"
    ):
        load(text or "\n")


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path):
    with pytest.raises(TerminologyError, match=r"missing\.csv"):
        load_terminology(TerminologyOptions(site_code_maps=(str(tmp_path / "missing.csv"),)))
    path = tmp_path / "latin.csv"
    path.write_bytes(MAP.encode() + b"urn:x,1,\xe9,low-back-pain,present\n")
    with pytest.raises(TerminologyError, match=r"latin\.csv"):
        load_terminology(TerminologyOptions(site_code_maps=(str(path),)))


def test_a_byte_order_mark_from_a_spreadsheet_is_no_column(load):
    terminology = load("\ufeff" + MAP + "urn:x,1,Pain,low-back-pain,present\n")
    assert terminology.meanings("urn:x", "1") == (Meaning("low-back-pain"),)
