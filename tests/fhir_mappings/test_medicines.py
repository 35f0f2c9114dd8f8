"""Medicines by ingredient: code, or name as a whole word; local forms of steroids are not systemic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.medicines import concepts_of_medicine, medicines
from fhir_mappings.terminology import load_terminology

TERMINOLOGY = load_terminology()
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def named(text):
    return list(concepts_of_medicine([("urn:product", "1", text)], "", TERMINOLOGY))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("predniSONE 20 MG Oral Tablet", ["systemic-corticosteroid"]),
        ("Prednisolone 5mg tablets", ["systemic-corticosteroid"]),
        ("methylPREDNISolone acetate 40 MG/ML Injectable Suspension", ["systemic-corticosteroid"]),
        ("Budesonide 3 MG Delayed Release Oral Capsule", ["systemic-corticosteroid"]),
        ("Alendronic acid 10 MG Oral Tablet", ["osteoporosis-treatment"]),
        ("1 ML denosumab 60 MG/ML Prefilled Syringe", ["osteoporosis-treatment"]),
        ("zoledronic acid 5 mg infusion", ["osteoporosis-treatment"]),
        ("Acetaminophen 300 MG / HYDROcodone Bitartrate 5 MG Oral Tablet", ["acetaminophen", "opioid-analgesic"]),
        ("Co-codamol: codeine 8mg with paracetamol 500mg", ["opioid-analgesic", "acetaminophen"]),
        ("Naproxen sodium 220 MG Oral Tablet", ["nsaid"]),
        ("Diclofenac sodium 1% gel", ["nsaid"]),
        ("cycloSPORINE 50 MG Oral Capsule", ["immunosuppressant-drug"]),
        ("ciclosporin 25mg capsules", ["immunosuppressant-drug"]),
        ("Methotrexate 10 MG Oral Tablet", ["immunosuppressant-drug"]),
        ("mycophenolate mofetil 500 MG", ["immunosuppressant-drug"]),
        ("Amitriptyline 10mg tablets", ["tricyclic"]),
        ("gabapentin 300 MG Oral Capsule", ["gabapentinoid"]),
        ("DULoxetine 30 MG Delayed Release Oral Capsule", ["snri"]),
        ("Cyclobenzaprine hydrochloride 10 MG", ["muscle-relaxant"]),
        ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", ["metformin"]),
        ("capsaicin 8% patch", ["neuropathic-medicine"]),
        ("Gadobutrol", ["gadolinium-contrast-substance"]),
        ("Iodinated contrast media", ["iodinated-contrast-substance"]),
        ("IV contrast", ["contrast-substance-unspecified"]),
        ("aspirin 81 MG", ["aspirin"]),
        # forms that act where they are put
        ("Hydrocortisone 10 MG/ML Topical Cream", []),
        ("120 ACTUAT budesonide 0.16 MG/ACTUAT / formoterol 0.0045 MG/ACTUAT Metered Dose Inhaler", []),
        ("budesonide-formoterol 160-4.5", []),
        ("Triamcinolone acetonide 55 MCG nasal spray", []),
        ("prednisoLONE acetate 10 MG/ML Ophthalmic Suspension", []),
        ("Dexamethasone eye drops", []),
        ("Betamethasone valerate scalp lotion", []),
        ("hydrocortisone rectal foam", []),
        ("cyclosporine 0.5 MG/ML Ophthalmic Emulsion", []),
        ("tacrolimus 1 MG/G Topical Ointment", []),
        ("Ketorolac tromethamine 5 MG/ML Ophthalmic Solution", []),
        # a name is a whole word
        ("apomorphine", []),
        ("Hydroxyzine", []),
        ("prednisonelike", []),
        ("fluticasone / salmeterol Diskus", []),
        ("Simvastatin 10 MG Oral Tablet", []),
        ("", []),
    ],
)
def test_a_medicine_is_known_by_the_name_of_its_ingredient(text, expected):
    assert named(text) == expected


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("8640", "", ["systemic-corticosteroid"]),
        ("5492", "", ["systemic-corticosteroid"]),
        ("5492", "Topical", []),
        ("5492", "apply to skin", []),
        ("19831", "Inhalation route", []),
        ("46041", "", ["osteoporosis-treatment"]),
        ("704", "at night", ["tricyclic"]),
        ("6809", "", ["metformin"]),
        ("1", "", []),
    ],
)
def test_a_medicine_is_known_by_the_code_of_its_ingredient_unless_its_route_is_local(code, text, expected):
    assert list(concepts_of_medicine([(RXNORM, code, "")], text, TERMINOLOGY)) == expected


def test_a_code_and_a_name_are_one_medicine():
    assert concepts_of_medicine([(RXNORM, "5640", "Ibuprofen")], "ibuprofen 200", TERMINOLOGY) == ("nsaid",)


def test_every_ingredient_with_a_code_is_known_by_its_name_too():
    for row in TERMINOLOGY.rows:
        if row.system == RXNORM:
            assert row.concept in named(row.display), row.display


def test_every_group_is_a_concept():
    assert set(medicines().groups) <= set(TERMINOLOGY.concepts)


@given(st.text())
def test_any_text_is_read_and_never_fails(text):
    assert isinstance(named(text), list)


def test_a_hostile_text_is_not_gone_through():
    assert named("zoledronic " * 100_000) == []
