"""The zip a workbook is: refused before anything in it is inflated (security.md C1–C5)."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers import expat

from common.errors import InvalidInput

MEGABYTE = 1024 * 1024
MAX_BYTES = 20 * MEGABYTE
MAX_ENTRIES = 200
MAX_INFLATED = 100 * MEGABYTE
MAX_RATIO = 100
# A small sheet of like rows may well shrink to a hundredth.
RATIO_MATTERS_FROM = 5 * MEGABYTE
CHUNK = 256 * 1024

OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
RESAVE = "请在 Excel 或 WPS 里另存为“Excel 工作簿（.xlsx）”后再导入。"
DAMAGED = f"文件已损坏或不是完整的工作簿，{RESAVE}"
# What zipfile and expat raise on what is not what it says it is.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, expat.ExpatError, OSError, EOFError),
    *(ValueError, LookupError, OverflowError, NotImplementedError, RuntimeError),
)


@contextmanager
def open_package(source: Path | bytes) -> Iterator[zipfile.ZipFile]:
    """Open an .xlsx; everything else, and every bomb, is an InvalidInput with one sentence."""
    content = _content_of(source)
    _refuse_other_formats(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_bombs(archive.infolist())
            _refuse_foreign_parts({entry.filename.lower() for entry in archive.infolist()})
            _refuse_declarations(archive)
            yield archive
    except BROKEN as error:
        raise InvalidInput(DAMAGED) from error


def new_parser() -> expat.XMLParserType:
    """Return an XML parser that knows no declarations, so no entity and no outside file."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def feed(parser: expat.XMLParserType, archive: zipfile.ZipFile, name: str) -> None:
    """Stream one part through a parser."""
    with archive.open(name) as part:
        while chunk := part.read(CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _content_of(source: Path | bytes) -> bytes:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > MAX_BYTES:
        limit = MAX_BYTES // MEGABYTE
        raise InvalidInput(f"文件超过 {limit} MB，请删去图片和多余的工作表，或分成几个文件导入。")
    return source if isinstance(source, bytes) else source.read_bytes()


def _refuse_other_formats(content: bytes) -> None:
    if content.startswith(OLE_MAGIC) and ENCRYPTED_STREAM in content:
        raise InvalidInput("文件设有打开密码，请先在 Excel 或 WPS 里取消密码，保存后再导入。")
    if content.startswith(OLE_MAGIC):
        raise InvalidInput(f"这是旧版 .xls 文件，{RESAVE}")
    if not content:
        raise InvalidInput("文件是空的，请重新选择台账文件。")
    if not content.startswith(b"PK\x03\x04"):
        raise InvalidInput(f"这不是 .xlsx 文件，{RESAVE}")


def _refuse_bombs(entries: list[zipfile.ZipInfo]) -> None:
    """Judge by the table of contents; zipfile never gives out more than it promises."""
    if len(entries) > MAX_ENTRIES:
        raise InvalidInput(f"文件里有 {len(entries)} 个部件，太多了，{RESAVE}")
    if len({entry.filename for entry in entries}) < len(entries):
        raise InvalidInput(DAMAGED)
    if any(entry.flag_bits & 1 for entry in entries):
        raise InvalidInput("文件加了密码，请先取消密码，保存后再导入。")
    if sum(entry.file_size for entry in entries) > MAX_INFLATED or any(
        entry.file_size > RATIO_MATTERS_FROM
        and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
        for entry in entries
    ):
        raise InvalidInput(
            "文件解压后过大，不予打开；请删去表格以外的空行、空列和图片，另存后再导入。"
        )


def _refuse_foreign_parts(names: set[str]) -> None:
    if any(name.endswith("vbaproject.bin") for name in names):
        raise InvalidInput(f"文件带有宏，不予打开，{RESAVE}")
    if "xl/workbook.bin" in names:
        raise InvalidInput(f"这是 .xlsb 文件，{RESAVE}")
    if "[content_types].xml" not in names or "_rels/.rels" not in names:
        raise InvalidInput(f"这不是 .xlsx 文件，{RESAVE}")


def _refuse_declarations(archive: zipfile.ZipFile) -> None:
    """Look through every XML part for a DOCTYPE, also through those nobody reads."""
    for name in archive.namelist():
        if not name.lower().endswith((".xml", ".rels")):
            continue
        try:
            feed(new_parser(), archive, name)
        except expat.ExpatError:
            if name.lower().startswith(("xl/", "_rels/", "[content_types]")):
                raise


def _refuse_doctype(*_args: object) -> None:
    raise InvalidInput(f"文件里有不允许的声明（DOCTYPE），不予打开，{RESAVE}")
