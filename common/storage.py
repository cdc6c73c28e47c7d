"""How the portal serves its own styles, scripts and fonts."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class PortalStaticStorage(CompressedManifestStaticFilesStorage):
    """Compressed files with their digest in the name: kept by browsers for ever, never stale."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Leave brotli out: where it is installed it makes collecting ten times slower."""
        return Compressor(use_brotli=False, **kwargs)
