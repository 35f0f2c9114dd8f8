"""An imaging order that is not signed yet, as the decision sees it."""

from msgspec import Struct

from rules.closed import Closed
from rules.facts import Fact
from rules.procedures import Procedure


class Recognition(Closed):
    """How sure we are which study was ordered."""

    CODED = "coded"
    READ_FROM_TEXT = "read from text"
    CONTRAST_NOT_STATED = "contrast not stated"  # DraftOrder.candidates holds the choices
    NOT_RECOGNISED = "not recognised"  # lumbar imaging, or spine without a level for a low-back reason
    NOT_AMONG_ELEVEN = "not among the rated procedures"  # plain and MR myelography
    NOT_OURS = "not lumbar imaging"  # silence


class DraftOrder(Struct, frozen=True):
    """One unsigned order. ``procedure`` is set for CODED and READ_FROM_TEXT only.

    ``reasons`` are the facts read from reasonCode (kind REASON), answers of the clinician among them;
    ``reason_references`` are the chart entries that reasonReference points to ("Condition/12").
    ``unread_reasons`` are reasons that could not be read, as plain text to be quoted.
    ``name`` is how the order is called on a card (our own words for a recognised study, else the order's text).
    """

    reference: str
    recognition: Recognition
    procedure: Procedure | None = None
    candidates: tuple[Procedure, ...] = ()
    name: str = ""
    priority: str = ""  # routine, urgent, asap, stat; empty when the order states none
    reasons: tuple[Fact, ...] = ()
    reason_references: tuple[str, ...] = ()
    unread_reasons: tuple[str, ...] = ()
    unread_reason_has_red_flag_stem: bool = False
    has_any_reason: bool = False
    status: str = "draft"
    selected: bool = True
    level_not_stated: bool = False  # a spine study without a level
