"""The small parts of a workbook: which sheets, which texts, which formats."""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

from common.excel.package import feed, new_parser

Attributes = dict[str, str]
# Dates that Chinese Excel knows by number only, without writing their format into the file.
CHINESE_DATE_FORMATS = frozenset({*range(27, 37), *range(50, 59)})
DATE, PERCENT, PLAIN = "date", "percent", ""


@dataclass(frozen=True)
class SheetPart:
    """A visible worksheet and where in the package it lies."""

    name: str
    path: str


@dataclass(frozen=True)
class Parts:
    """What all sheets share."""

    sheets: list[SheetPart]
    strings: list[str]
    # Kind of number format of each cell style: DATE, PERCENT or PLAIN.
    formats: list[str]
    counts_from_1904: bool


def read_parts(archive: zipfile.ZipFile) -> Parts:
    """Read what stands beside the sheets; hidden sheets are left out."""
    home = _targets(archive, "")["officeDocument"][0]
    elements = list(_elements(archive, home))
    by_kind = _targets(archive, home)
    properties = next((a for name, a in elements if name == "workbookPr"), {})
    return Parts(
        sheets=list(_visible_sheets(archive, home, elements)),
        strings=_strings(archive, by_kind.get("sharedStrings", [])),
        formats=_formats(archive, by_kind.get("styles", [])),
        counts_from_1904=properties.get("date1904") in ("1", "true"),
    )


def local_name(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return name[name.rfind(" ") + 1 :]


def _elements(archive: zipfile.ZipFile, path: str) -> Iterator[tuple[str, Attributes]]:
    """All elements of a small part in their order, with plain attribute names."""
    found: list[tuple[str, Attributes]] = []

    def start(name: str, attributes: Attributes) -> None:
        plain = {local_name(key): value for key, value in attributes.items()}
        found.append((local_name(name), plain))

    parser = new_parser()
    parser.StartElementHandler = start
    feed(parser, archive, path)
    return iter(found)


def _relations(archive: zipfile.ZipFile, path: str) -> Iterator[Attributes]:
    folder, name = posixpath.split(path)
    relations = posixpath.join(folder, "_rels", f"{name}.rels")
    if relations not in archive.namelist():
        return
    for element, attributes in _elements(archive, relations):
        if element == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes["Target"]
            absolute = target if target.startswith("/") else posixpath.join("/", folder, target)
            path_inside = posixpath.normpath(absolute).lstrip("/")
            yield attributes | {"Target": path_inside, "Type": attributes["Type"].split("/")[-1]}


def _targets(archive: zipfile.ZipFile, path: str) -> dict[str, list[str]]:
    """Paths of the parts another part refers to, by kind."""
    found: dict[str, list[str]] = {}
    for relation in _relations(archive, path):
        found.setdefault(relation["Type"], []).append(relation["Target"])
    return found


def _visible_sheets(
    archive: zipfile.ZipFile, home: str, elements: list[tuple[str, Attributes]]
) -> Iterator[SheetPart]:
    relations = {relation["Id"]: relation for relation in _relations(archive, home)}
    for element, attributes in elements:
        if element != "sheet" or attributes.get("state", "visible") != "visible":
            continue
        relation = relations[attributes["id"]]
        if relation["Type"] == "worksheet":
            yield SheetPart(attributes["name"], relation["Target"])


def _strings(archive: zipfile.ZipFile, paths: list[str]) -> list[str]:
    """The table of texts; phonetic guides (rPh) are no part of a text."""
    strings: list[str] = []
    pieces: list[str] = []
    inside: list[str] = []

    def start(name: str, _attributes: Attributes) -> None:
        inside.append(local_name(name))

    def end(name: str) -> None:
        inside.pop()
        if local_name(name) == "si":
            strings.append("".join(pieces))
            pieces.clear()

    def text(data: str) -> None:
        if inside[-1] == "t" and "rPh" not in inside:
            pieces.append(data)

    for path in paths[:1]:
        parser = new_parser()
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = text
        feed(parser, archive, path)
    return strings


def _formats(archive: zipfile.ZipFile, paths: list[str]) -> list[str]:
    codes: dict[int, str] = dict(BUILTIN_FORMATS)
    kinds: list[str] = []
    in_cell_styles = False
    for path in paths[:1]:
        for element, attributes in _elements(archive, path):
            if element == "numFmt":
                codes[int(attributes["numFmtId"])] = attributes["formatCode"]
            elif element in ("cellXfs", "cellStyles", "dxfs"):
                in_cell_styles = element == "cellXfs"
            elif element == "xf" and in_cell_styles:
                kinds.append(_kind(int(attributes.get("numFmtId", 0)), codes))
    return kinds


def _kind(number: int, codes: dict[int, str]) -> str:
    code = codes.get(number, "")
    if is_date_format(code) or (not code and number in CHINESE_DATE_FORMATS):
        return DATE
    return PERCENT if "%" in code else PLAIN
