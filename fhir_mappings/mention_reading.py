"""From understood items to mentions: what is there, denied, suspected, past, of the family, on which side, since when.

Doubt about what a negation covers ends the reading: a text is read for certain or not at all.
"""

from collections.abc import Sequence

from msgspec import Struct

from fhir_mappings.text_items import Item
from fhir_mappings.text_times import When

_MODIFIERS = frozenset({"side", "level", "acuity", "course", "severity"})
_PASSED_OVER = _MODIFIERS | {"filler", "history", "suspicion"}


class Doubt(Exception):
    """The text can be understood in more than one way."""


class Draft(Struct):
    """A mention being put together."""

    item: Item
    group: int
    negated: bool = False
    suspected: bool = False
    history: bool = False
    family: bool = False
    sides: list[str] = []
    levels: list[str] = []
    acuity: str = ""
    course: str = ""
    severity: str = ""
    when: When | None = None
    grade: int | None = None
    limb: bool = False
    after_or: bool = False


class _Negation(Struct):
    """An open negation: which word opened it, how many terms it covers, and terms that wait for an "or"."""

    word: str
    covered: int = 0
    waiting: list[Draft] = []
    closed_list: bool = False  # "a, b or c" is complete: nothing may follow after another comma


def read_clauses(items: Sequence[Item]) -> list[Draft]:
    """The mentions of a text; raises ``Doubt``."""
    drafts: list[Draft] = []
    clause: list[Item] = []
    for item in [*items, Item("stop")]:
        if item.kind != "stop":
            clause.append(item)
        elif clause:
            drafts += _Clause(clause).read()
            clause = []
    return drafts


class _Clause:
    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.place = 0
        self.drafts: list[Draft] = []
        self.group = 0
        self.join = ""  # what stands between the last term and this place
        self.ahead: list[Item] = []  # modifiers that wait for the next term
        self.negation: _Negation | None = None
        self.suspected = self.history = self.family = False

    def read(self) -> list[Draft]:
        for place, item in enumerate(self.items):
            self.place = place
            getattr(self, f"_on_{item.kind}")(item)
        self._close_negation()
        if self.ahead or any(d.item.kind == "muscle" and d.grade is None for d in self.drafts):
            raise Doubt
        return self.drafts

    # --- terms

    def _on_term(self, item: Item) -> None:
        draft = Draft(item, self.group, sides=list(item.sides), levels=list(item.levels))
        if self.family and any(earlier.family and earlier.group == self.group for earlier in self.drafts):
            raise Doubt  # "family history of cancer and back pain": whose pain?
        draft.suspected, draft.history, draft.family = self.suspected, self.history, self.family
        draft.after_or = self.join == "or"
        self.history = False  # "history of drug use and fever": the fever is today's
        if self.negation is not None:
            self._cover(draft)
        waiting, self.ahead = self.ahead, []
        self.drafts.append(draft)
        for modifier in waiting:
            self._modify(draft, modifier)
        self.join = ""

    def _on_muscle(self, item: Item) -> None:
        if self.negation is not None or self.suspected or self.family:
            raise Doubt
        grades = [waiting for waiting in self.ahead if waiting.kind == "grade"]
        self.ahead = [waiting for waiting in self.ahead if waiting.kind != "grade"]
        self._on_term(item)
        for grade in grades:
            self._modify(self.drafts[-1], grade)

    def _on_grade(self, item: Item) -> None:
        if self.drafts and self.drafts[-1].group == self.group and self.drafts[-1].grade is None and not self.join:
            self._modify(self.drafts[-1], item)
        else:
            self.ahead.append(item)

    # --- modifiers

    def _on_side(self, item: Item) -> None:
        self._attach(item)

    _on_level = _on_acuity = _on_course = _on_severity = _on_side

    def _attach(self, item: Item) -> None:
        if self._term_follows():
            self.ahead.append(item)
        elif self.drafts:
            self._modify(self.drafts[-1], item)
        else:
            self.ahead.append(item)

    def _term_follows(self) -> bool:
        """Does a term follow at once, with nothing but modifiers and fillers between?"""
        for item in self.items[self.place + 1 :]:
            if item.kind in ("term", "muscle"):
                return True
            if item.kind not in _PASSED_OVER and (item.kind, item.name) != ("join", "colon"):
                return False
        return False

    def _modify(self, draft: Draft, item: Item) -> None:
        if item.kind == "side":
            draft.sides.append(item.name)
        elif item.kind == "level":
            draft.levels.append(item.name)
        elif item.kind == "limb":
            draft.limb = True
        elif item.kind == "time":
            _once(draft.when is None)
            draft.when = item.when
        elif item.kind == "grade":
            _once(draft.grade is None)
            draft.grade = int(item.name)
        else:
            earlier = getattr(draft, item.kind)
            _once(earlier in ("", item.name) or {earlier, item.name} == {"chronic", "acute-on-chronic"})
            setattr(draft, item.kind, item.name)

    def _on_time(self, item: Item) -> None:
        when = item.when
        if when is None:
            raise Doubt
        if self.drafts and not when.ahead and not (when.bare and self._term_follows()):
            last = self.drafts[-1]
            self._modify(last, item)
            for draft in self.drafts[:-1]:
                undated = draft.when is None and not draft.acuity and not draft.history
                if draft.group == last.group and undated and draft.negated == last.negated:
                    draft.when = when
        else:
            self.ahead.append(item)

    # --- joins

    def _on_join(self, item: Item) -> None:
        if self.join in ("and", "or") and item.name == "comma":
            raise Doubt
        self.join = item.name if item.name != "comma" or not self.join else self.join
        if item.name == "colon" and self.drafts:
            self.suspected = self.history = False
        if item.name == "comma":
            self.group += 1
            self.suspected = self.history = False
            if self.family:
                raise Doubt  # "mother: breast cancer, osteoporosis": whose?
            self.join = "comma"

    def _on_filler(self, item: Item) -> None:
        pass

    def _on_no_flags(self, item: Item) -> None:
        """ "No red flags for cauda equina" denies it; "no red flags" says nothing that a rule reads."""
        if self._term_follows():
            if self.items[self.place + 1].kind != "filler":
                raise Doubt  # "no red flags left leg pain"
            self._on_negation(Item("negation", "no"))

    def _on_cause(self, item: Item) -> None:
        self._close_negation()
        self.suspected = self.history = False
        self.group += 1
        self.join = ""

    def _on_limb(self, item: Item) -> None:
        """ "Foot drop, left foot": where the finding before it is."""
        before = self.items[self.place - 1].kind if self.place else ""
        if before == "join" and self.join not in ("comma", "colon"):
            raise Doubt  # "back pain and leg": and what of the leg?
        if before == "side" and self._term_follows():
            self.ahead.append(item)  # "right leg sciatica"
            return
        if before not in ("side", "join") or not self.drafts or self.ahead:
            raise Doubt
        self.drafts[-1].limb = True

    # --- negation

    def _on_negation(self, item: Item) -> None:
        if item.name == "after" or self._stands_behind(item):
            self._deny_last()
            return
        if self.negation is not None and not self.negation.covered:
            raise Doubt  # "not without", "denies no"
        if self.suspected or (self.ahead and self._term_follows()):
            raise Doubt  # "?no fracture"; "worsening no weakness"
        self._close_negation()
        self.negation = _Negation(item.name, waiting=[])

    def _stands_behind(self, item: Item) -> bool:
        """Is this "no" the answer to the term before it ("saddle numbness: no")?"""
        if item.name != "no" or not self.drafts or self.drafts[-1].group != self.group:
            return False
        following = self.items[self.place + 1] if self.place + 1 < len(self.items) else None
        ends_here = following is None or (following.kind == "join" and following.name == "comma")
        return ends_here and self.join in ("", "colon")

    def _deny_last(self) -> None:
        joined = [draft for draft in self.drafts if draft.group == self.group]
        if len(joined) != 1 or joined[0].negated or self.join not in ("", "colon"):
            raise Doubt
        joined[0].negated = True

    def _cover(self, draft: Draft) -> None:
        negation = self.negation
        assert negation is not None  # noqa: S101  the caller asked
        first = negation.covered == 0 and not negation.waiting
        if first or self.join == "or" or (self.join == "and" and negation.word == "denies"):
            if negation.closed_list and draft.group != self.drafts[-1].group:
                raise Doubt
            draft.negated = True
            negation.covered += 1
            if not first and negation.waiting:
                for waiting in negation.waiting:
                    waiting.negated = True
                negation.waiting = []
            negation.closed_list = not first
        elif self.join == "comma" and not negation.closed_list:
            negation.waiting.append(draft)
        else:
            raise Doubt  # "no fever and saddle numbness", "no fever with numbness"

    def _close_negation(self) -> None:
        if self.negation is not None:
            if self.negation.waiting or not self.negation.covered:
                raise Doubt  # "no fever, saddle numbness": is the second denied?
            self.negation = None

    def _on_affirmation(self, item: Item) -> None:
        if item.name == "after" and self.drafts and not self.join:
            if self.drafts[-1].negated or self.negation is not None:
                raise Doubt
            return
        self._close_negation()
        self.suspected = self.history = self.family = False
        self.group += 1
        self.join = ""

    # --- suspicion, history, family

    def _on_suspicion(self, item: Item) -> None:
        if self.negation is not None and not self.negation.covered:
            raise Doubt
        if self._term_follows():
            self._close_negation()
            self.suspected = True
        elif self.drafts and not self.drafts[-1].negated:
            self._suspect_last()
        else:
            raise Doubt

    def _suspect_last(self) -> None:
        """ "Cancer or infection suspected": both are."""
        for draft in reversed(self.drafts):
            draft.suspected = True
            if not draft.after_or:
                return

    def _on_history(self, item: Item) -> None:
        if self._term_follows():
            self.history = True
        elif self.drafts and self.drafts[-1].group == self.group:
            self.drafts[-1].history = True
        else:
            raise Doubt

    def _on_family(self, item: Item) -> None:
        if self.negation is not None and self.negation.covered:
            raise Doubt
        if not self._term_follows():
            raise Doubt  # "breast cancer in mother": hers, not the patient's
        self.family = True
        self.history = False


def _once(fits: bool) -> None:
    if not fits:
        raise Doubt
