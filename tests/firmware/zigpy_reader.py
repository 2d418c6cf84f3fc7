"""A process of its own: reads upgrade files with zigpy (GPL-3.0), and prints what that finds, one JSON object a file.

Run by an interpreter that has zigpy; nothing of the rig is imported here, and nothing of zigpy anywhere else.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from zigpy.ota.image import OTAImage

NAMES = {
    "upgrade_file_id": "ota_upgrade_file_identifier",
    "header_version": "ota_header_version",
    "header_length": "ota_header_length",
    "field_control": "ota_header_field_control",
    "manufacturer_id": "manufacturer_code",
    "image_type": "image_type",
    "file_version": "file_version",
    "stack_version": "zigbee_stack_version",
    "image_size": "total_image_size",
    "security_credential_version": "security_credential_version",
    "minimum_hardware_version": "minimum_hardware_version",
    "maximum_hardware_version": "maximum_hardware_version",
}


def read(file: str) -> dict[str, object]:
    data = Path(file).read_bytes()
    try:
        image, rest = OTAImage.deserialize(data)
        again = image.serialize()
    except (ValueError, AssertionError) as error:
        return {"refused": str(error)}
    values = {ours: getattr(image.header, theirs) for theirs, ours in NAMES.items()}
    address = image.header.upgrade_file_destination
    return {
        "header": {name: None if value is None else int(value) for name, value in values.items()}
        | {"upgrade_file_destination": None if address is None else str(address)},
        "elements": [
            {"tag": int(e.tag_id), "length": len(e.data), "sha256": hashlib.sha256(bytes(e.data)).hexdigest()}
            for e in image.subelements
        ],
        "rest": len(rest),
        "same_again": again == data,
    }


print(json.dumps([read(file) for file in sys.argv[1:]]))
