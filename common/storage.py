"""How the portal serves its own styles, scripts and fonts."""

from whitenoise.storage import CompressedStaticFilesStorage


class PortalStaticStorage(CompressedStaticFilesStorage):
    """Compressed files under their own names."""
