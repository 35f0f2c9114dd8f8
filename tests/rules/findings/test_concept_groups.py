"""The concept groups load strictly, and facts are indexed once by what reads them."""

import pytest

from rules.concepts import CONCEPTS, GROUPS, GROUPS_OF, ConceptGroupError, by_group, read_groups
from tests.rules.findings.builders import fact

GOOD = '[group.a]\nmeaning = "x"\nconcepts = ["one"]\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD + 'surprise = "y"\n', "surprise"),
        ('[group.a]\nmeaning = "x"\nconcepts = []\n', "'a' is empty"),
        ('[group.a]\nmeaning = "x"\nconcepts = ["one", "one"]\n', "'a' names a concept twice"),
        ('[group.a]\nmeaning = " "\nconcepts = ["one"]\n', "'a' has no meaning"),
        ('[group.a]\nconcepts = ["one"]\n', "meaning"),
        (GOOD + GOOD, "concept_groups.toml"),
        ("[group.a\n", "concept_groups.toml"),
    ],
)
def test_a_file_that_is_not_strictly_right_stops_the_start(text, complaint):
    with pytest.raises(ConceptGroupError, match=complaint):
        read_groups(text)


def test_every_concept_knows_its_groups():
    assert {concept for group in GROUPS.values() for concept in group.concepts} == CONCEPTS
    for concept, groups in GROUPS_OF.items():
        for group in groups:
            assert concept in GROUPS[group].concepts


def test_facts_are_indexed_by_every_group_that_reads_them_and_others_fall_away():
    sciatica, unrelated = fact("sciatica", 3), fact("hypertension", 3)
    index = by_group([sciatica, unrelated])
    assert index["low-back"] == [sciatica]
    assert index["leg-pain"] == [sciatica]
    assert index["radiculopathy-coded"] == [sciatica]
    assert len(index) == 3
