"""Sets of images, series and events, by name or of one's own: found, verified, split and resized.

Holds no model code and no encoder.
"""

from homeonet.data._catalogue import NAMES
from homeonet.data._checks import check_images
from homeonet.data._corruptions import CORRUPTIONS, SEVERITIES, corrupt
from homeonet.data._dataset import Dataset
from homeonet.data._geometric import make_geometric
from homeonet.data._inventory import InventoryRow, describe, inventory
from homeonet.data._load import load
from homeonet.data._own import pinned
from homeonet.data._paths import EVENTS
from homeonet.data._resize import resize_images
from homeonet.data._select import selected
from homeonet.data._series import SERIES

__all__ = [
    "CORRUPTIONS",
    "EVENTS",
    "NAMES",
    "SERIES",
    "SEVERITIES",
    "Dataset",
    "InventoryRow",
    "check_images",
    "corrupt",
    "describe",
    "inventory",
    "load",
    "make_geometric",
    "pinned",
    "resize_images",
    "selected",
]
