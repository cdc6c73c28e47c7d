"""`vendor_assets`: take the front-end files the portal uses out of the installed packages."""

import re
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

PACKAGES = settings.BASE_DIR / "node_modules"
ICONS = "@tabler/icons-webfont/dist"
# From a package to where it lies below vendor/; the icon styles find their fonts beside them.
ASSETS = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    f"{ICONS}/tabler-icons.min.css": "tabler-icons.min.css",
    f"{ICONS}/fonts/tabler-icons.woff2": "fonts/tabler-icons.woff2",
    f"{ICONS}/fonts/tabler-icons.woff": "fonts/tabler-icons.woff",
    f"{ICONS}/fonts/tabler-icons.ttf": "fonts/tabler-icons.ttf",
}
# Names a file that is not copied: browsers would ask for it, collectstatic would refuse it.
SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=\S+ \*/|^//# sourceMappingURL=\S+$", re.MULTILINE)


class Command(BaseCommand):
    """Copy styles, scripts and fonts to where the static files are collected from."""

    help = "Copy the front-end files the portal uses from node_modules to build/vendor."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace the folder's content; refuse when a package is missing."""
        if missing := [source for source in ASSETS if not (PACKAGES / source).is_file()]:
            raise CommandError(f"前端组件缺少文件 {missing[0]}，请先执行 ./run setup。")
        shutil.rmtree(settings.VENDOR_DIR, ignore_errors=True)
        for source, target in ASSETS.items():
            copy_asset(PACKAGES / source, settings.VENDOR_DIR / target)
        self.stdout.write(f"已复制 {len(ASSETS)} 个前端文件到 {settings.VENDOR_DIR}")


def copy_asset(source: Path, target: Path) -> None:
    """Copy one file; text loses its pointer to a source map."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix not in (".css", ".js"):
        shutil.copyfile(source, target)
        return
    text = SOURCE_MAP.sub("", source.read_text(encoding="utf-8"))
    target.write_text(text, encoding="utf-8")
