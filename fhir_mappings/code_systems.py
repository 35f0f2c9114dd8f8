"""The code systems we read and the many names that records give them."""

from msgspec import Struct

_LEARNED_LIMIT = 1024  # names of systems seen in calls; a hostile caller can send any number of them


class CodeSystem(Struct, frozen=True):
    """One code system: ``uri`` is the name we emit, ``variants`` the other names that records use."""

    uri: str
    name: str
    shape: str
    variants: tuple[str, ...] = ()
    edition_suffix: bool = False  # SNOMED CT: an edition and version may follow the URI


class SystemNames:
    """From any name of a code system to its URI; unknown systems keep their own name."""

    def __init__(self, systems: tuple[CodeSystem, ...]) -> None:
        self._known: dict[str, str] = {}
        self._editions: list[tuple[str, str]] = []
        for system in systems:
            for name in (system.uri, *system.variants):
                self._known[_plain(name)] = system.uri
                if system.edition_suffix and name.startswith("http"):
                    self._editions.append((_plain(name) + "/", system.uri))
        self._learned: dict[str, str] = {}

    def uri_of(self, name: str) -> str:
        """The URI we use for a system that a record calls ``name``."""
        found = self._learned.get(name)
        if found is not None:
            return found
        uri = self._work_out(name)
        if len(self._learned) >= _LEARNED_LIMIT:
            self._learned.clear()
        self._learned[name] = uri
        return uri

    def _work_out(self, name: str) -> str:
        plain = _plain(name)
        known = self._known.get(plain)
        if known is not None:
            return known
        for start, uri in self._editions:
            if plain.startswith(start):
                return uri
        return name.strip().split("|", 1)[0]


def _plain(name: str) -> str:
    return name.strip().split("|", 1)[0].rstrip("/").lower()
