"""Loaded by pytest before the settings are: tests keep their files in a folder of their own."""

import os
import tempfile

DATA = tempfile.TemporaryDirectory(prefix="kashgar-tests-")  # removed when the process ends
os.environ["DATA_DIR"] = DATA.name
