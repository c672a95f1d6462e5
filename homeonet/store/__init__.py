"""Results on disk: written whole or not at all, with checksums that every reader verifies.

Nothing here knows what the results mean.
"""

from homeonet.store._atomic import (
    disk_errors,
    require_writable,
    write_atomically,
    write_bytes,
    write_json,
    write_text,
)
from homeonet.store._folders import locked, publish_folder, whole_folder
from homeonet.store._records import load_records, open_recordings, write_records

__all__ = [
    "disk_errors",
    "load_records",
    "locked",
    "open_recordings",
    "publish_folder",
    "require_writable",
    "whole_folder",
    "write_atomically",
    "write_bytes",
    "write_json",
    "write_records",
    "write_text",
]
