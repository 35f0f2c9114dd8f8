"""The eleven lumbar imaging procedures that ACR rates, as names; nothing about codes."""

from rules.closed import Closed


class Procedure(Closed):
    """Values are the procedure ids of the ACR low back pain table (rows of ``acr_low_back_pain_2021``)."""

    RADIOGRAPHY = "radiography_lumbar_spine"
    MRI_WITHOUT = "mri_lumbar_spine_without_iv_contrast"
    MRI_WITHOUT_AND_WITH = "mri_lumbar_spine_without_and_with_iv_contrast"
    MRI_WITH = "mri_lumbar_spine_with_iv_contrast"
    CT_WITHOUT = "ct_lumbar_spine_without_iv_contrast"
    CT_WITH = "ct_lumbar_spine_with_iv_contrast"
    CT_WITHOUT_AND_WITH = "ct_lumbar_spine_without_and_with_iv_contrast"
    CT_MYELOGRAPHY = "ct_myelography_lumbar_spine"
    DISCOGRAPHY = "discography_and_post_discography_ct_lumbar_spine"
    BONE_SCAN = "bone_scan_whole_body_with_spect_or_spect_ct_complete_spine"
    FDG_PET_CT = "fdg_pet_ct_whole_body"


MRI = frozenset({Procedure.MRI_WITHOUT, Procedure.MRI_WITHOUT_AND_WITH, Procedure.MRI_WITH})
GADOLINIUM = frozenset({Procedure.MRI_WITHOUT_AND_WITH, Procedure.MRI_WITH})
IODINATED = frozenset(
    {Procedure.CT_WITH, Procedure.CT_WITHOUT_AND_WITH, Procedure.CT_MYELOGRAPHY, Procedure.DISCOGRAPHY}
)
IONISING = frozenset(Procedure) - MRI
# Ordered for many other reasons; ours only when back pain or sciatica is the reason.
ONLY_FOR_BACK_PAIN = frozenset({Procedure.BONE_SCAN, Procedure.FDG_PET_CT})
