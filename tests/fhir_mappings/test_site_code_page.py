"""The examples in docs/site-codes.md load as they stand."""

import re
from pathlib import Path

from fhir_mappings.terminology import Meaning, TerminologyOptions, load_terminology

PAGE = Path(__file__).parents[2] / "docs" / "site-codes.md"


def test_the_examples_of_the_page_load(tmp_path):
    code_map, catalogue = re.findall(r"```csv\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name, text in (("map.csv", code_map), ("orders.csv", catalogue)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    terminology = load_terminology(
        TerminologyOptions(
            site_code_maps=(str(tmp_path / "map.csv"),), order_catalogues=(str(tmp_path / "orders.csv"),)
        )
    )
    assert terminology.meanings("urn:oid:1.2.3.4.5", "EXAM-SADDLE-N") == (Meaning("saddle-anaesthesia", absent=True),)
    assert [entry.code for entry in terminology.catalogue.orderables_for("xr-lumbar")] == ["IMG110"]
