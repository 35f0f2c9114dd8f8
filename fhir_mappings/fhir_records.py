"""The parts of FHIR R4 resources that a rule can use, typed for one fast pass over a call.

One type per resource type. Fields that every entry needs are typed; the rest stays raw JSON until an entry turns out
to matter (``fhir_mappings.elements`` reads it then). Fields stand in the order in which servers write them, in which
the decoder finds them fastest. Resource types that no rule reads are known by name only, so that their content costs
nothing; a resource of an unknown type or shape fails its bundle, which is then read entry by entry.
"""

from __future__ import annotations

from typing import Any, Union

import msgspec
from msgspec import Raw, Struct, field

NOTHING = Raw(b"")


class Reference(Struct, frozen=True, gc=False):
    """A FHIR Reference: literal, or by identifier only."""

    reference: str | None = None
    identifier: Raw = NOTHING


class Record(Struct, frozen=True, gc=False, rename="camel", tag_field="resourceType"):
    """What every resource may carry. ``modifier_extension``: its meaning may be turned around by something unknown."""

    id: str | None = None
    meta: Raw = NOTHING
    modifier_extension: Raw = NOTHING
    contained: Raw = NOTHING


class AboutPatient(Record, frozen=True, gc=False):
    """A resource about one patient, who is its ``subject`` or (some types, and older FHIR) its ``patient``."""

    status: str | None = None
    code: Raw = NOTHING
    subject: Reference | None = None
    patient: Reference | None = None
    encounter: Reference | None = None


class Patient(Record, frozen=True, gc=False):
    name: Raw = NOTHING
    birth_date: str | None = None
    gender: str | None = None
    identifier: Raw = NOTHING


class Condition(AboutPatient, frozen=True, gc=False):
    clinical_status: Raw = NOTHING
    verification_status: Raw = NOTHING
    body_site: Raw = NOTHING
    stage: Raw = NOTHING
    onset_date_time: str | None = None
    onset_period: Raw = NOTHING
    onset_age: Raw = NOTHING
    onset_range: Raw = NOTHING
    onset_string: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Raw = NOTHING
    abatement_age: Raw = NOTHING
    abatement_range: Raw = NOTHING
    abatement_string: str | None = None
    recorded_date: str | None = None
    asserted_date: str | None = None  # STU3
    date_recorded: str | None = None  # DSTU2


class Observation(AboutPatient, frozen=True, gc=False):
    effective_date_time: str | None = None
    effective_period: Raw = NOTHING
    effective_instant: str | None = None
    issued: str | None = None
    value_quantity: Raw = NOTHING
    value_codeable_concept: Raw = NOTHING
    value_string: Raw = NOTHING
    value_boolean: Raw = NOTHING
    value_integer: Raw = NOTHING
    value_date_time: Raw = NOTHING
    data_absent_reason: Raw = NOTHING
    interpretation: Raw = NOTHING
    reference_range: Raw = NOTHING
    body_site: Raw = NOTHING
    component: Raw = NOTHING


class Procedure(AboutPatient, frozen=True, gc=False):
    performed_date_time: str | None = None
    performed_period: Raw = NOTHING
    not_done: bool | None = None  # STU3
    not_performed: bool | None = None  # DSTU2
    body_site: Raw = NOTHING
    reason_code: Raw = NOTHING
    reason_reference: Raw = NOTHING


class Medication(Record, frozen=True, gc=False):
    code: Raw = NOTHING


class MedicationRecord(AboutPatient, frozen=True, gc=False):
    """What the resources about a medicine have in common."""

    medication_codeable_concept: Raw = NOTHING
    medication_reference: Reference | None = None
    reason_code: Raw = NOTHING
    reason_reference: Raw = NOTHING


class MedicationRequest(MedicationRecord, frozen=True, gc=False):
    intent: str | None = None
    authored_on: str | None = None
    do_not_perform: bool | None = None
    reported_boolean: bool | None = None
    dosage_instruction: Raw = NOTHING
    dispense_request: Raw = NOTHING


class MedicationStatement(MedicationRecord, frozen=True, gc=False):
    effective_date_time: str | None = None
    effective_period: Raw = NOTHING
    date_asserted: str | None = None
    dosage: Raw = NOTHING
    taken: str | None = None  # STU3
    was_not_taken: bool | None = None  # DSTU2


class MedicationDispense(MedicationRecord, frozen=True, gc=False):
    when_handed_over: str | None = None
    when_prepared: str | None = None
    days_supply: Raw = NOTHING
    dosage_instruction: Raw = NOTHING


class MedicationAdministration(MedicationRecord, frozen=True, gc=False):
    effective_date_time: str | None = None
    effective_period: Raw = NOTHING
    dosage: Raw = NOTHING


class ServiceRequest(AboutPatient, frozen=True, gc=False):
    intent: str | None = None
    do_not_perform: bool | None = None
    authored_on: str | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Raw = NOTHING
    body_site: Raw = NOTHING
    performer_type: Raw = NOTHING
    reason_code: Raw = NOTHING
    reason_reference: Raw = NOTHING


class DiagnosticReport(AboutPatient, frozen=True, gc=False):
    effective_date_time: str | None = None
    effective_period: Raw = NOTHING
    issued: str | None = None


class ImagingStudy(AboutPatient, frozen=True, gc=False):
    started: str | None = None
    procedure_code: Raw = NOTHING
    description: Raw = NOTHING
    series: Raw = NOTHING


class Device(AboutPatient, frozen=True, gc=False):
    type: Raw = NOTHING
    device_name: Raw = NOTHING


class DeviceUseStatement(AboutPatient, frozen=True, gc=False):
    device: Reference | None = None
    timing_period: Raw = NOTHING
    timing_date_time: str | None = None


class AllergyIntolerance(AboutPatient, frozen=True, gc=False):
    clinical_status: Raw = NOTHING
    verification_status: Raw = NOTHING
    criticality: str | None = None
    reaction: Raw = NOTHING
    onset_date_time: str | None = None
    recorded_date: str | None = None
    substance: Raw = NOTHING  # DSTU2


class Encounter(AboutPatient, frozen=True, gc=False):
    encounter_class: Raw = field(default=NOTHING, name="class")
    type: Raw = NOTHING
    service_type: Raw = NOTHING
    period: Raw = NOTHING
    reason_code: Raw = NOTHING


class Practitioner(Record, frozen=True, gc=False):
    qualification: Raw = NOTHING


class PractitionerRole(Record, frozen=True, gc=False):
    practitioner: Reference | None = None
    active: bool | None = None
    specialty: Raw = NOTHING
    code: Raw = NOTHING


class Issue(Struct, frozen=True, gc=False):
    severity: str = ""
    code: str = ""


class OperationOutcome(Record, frozen=True, gc=False):
    issue: list[Issue] = []


def _known_by_name(names: str) -> tuple[type[Struct], ...]:
    return tuple(
        msgspec.defstruct(name, [], bases=(Struct,), frozen=True, gc=False, tag_field="resourceType", tag=name)
        for name in names.split()
    )


# R4 4.0.1 types that no rule reads, and the request types of DSTU2 and STU3 that R4 replaced by ServiceRequest and
# MedicationRequest: those are recognised so that an old server's answer is not taken for an empty one.
OLDER_REQUESTS = _known_by_name(
    "MedicationOrder ProcedureRequest ReferralRequest DiagnosticOrder DeviceUseRequest ProcedureResponse"
)
NOT_READ = _known_by_name(
    "Account ActivityDefinition AdverseEvent Appointment AppointmentResponse AuditEvent Basic Binary "
    "BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem "
    "ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest "
    "CompartmentDefinition Composition ConceptMap Consent Contract Coverage CoverageEligibilityRequest "
    "CoverageEligibilityResponse DetectedIssue DeviceDefinition DeviceMetric DeviceRequest DocumentManifest "
    "DocumentReference EffectEvidenceSynthesis Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare "
    "EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal "
    "GraphDefinition Group GuidanceResponse HealthcareService Immunization ImmunizationEvaluation "
    "ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure "
    "MeasureReport Media MedicationKnowledge MedicinalProduct MedicinalProductAuthorization "
    "MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient "
    "MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged "
    "MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader "
    "MolecularSequence NamingSystem NutritionOrder ObservationDefinition OperationDefinition Organization "
    "OrganizationAffiliation Parameters PaymentNotice PaymentReconciliation Person PlanDefinition Provenance "
    "Questionnaire QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition "
    "ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter Slot Specimen "
    "SpecimenDefinition StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid "
    "SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial "
    "SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript "
    "ValueSet VerificationResult VisionPrescription"
)

READ: tuple[type[Record], ...] = (
    Patient,
    Condition,
    Observation,
    Procedure,
    Medication,
    MedicationRequest,
    MedicationStatement,
    MedicationDispense,
    MedicationAdministration,
    ServiceRequest,
    DiagnosticReport,
    ImagingStudy,
    Device,
    DeviceUseStatement,
    AllergyIntolerance,
    Encounter,
    Practitioner,
    PractitionerRole,
    OperationOutcome,
)

AnyRecord: Any = Union[READ + OLDER_REQUESTS + NOT_READ]  # noqa: UP007  a union computed from tuples


def type_name(record: object) -> str:
    """The FHIR resource type of a decoded record."""
    return type(record).__name__
