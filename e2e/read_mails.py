"""Reads mails with Python's own parser and prints what it found as JSON: one object for each file named."""

import json
import sys
from email import message_from_binary_file
from email.policy import default


def part_of(message, kind):
    part = message.get_body((kind,))
    return None if part is None else part.get_content().replace("\r\n", "\n")


def read(name):
    with open(name, "rb") as file:
        message = message_from_binary_file(file, policy=default)
    return {
        "subject": message["Subject"],
        "messageId": message["Message-ID"],
        "from": message["From"],
        "to": [
            {"name": address.display_name, "address": address.addr_spec}
            for address in message["To"].addresses
        ],
        "deliveredTo": message["Delivered-To"],
        "received": message.get_all("Received"),
        "autoSubmitted": message["Auto-Submitted"],
        "sentAt": message["Date"].datetime.isoformat(),
        "type": message.get_content_type(),
        "text": part_of(message, "plain"),
        "html": part_of(message, "html"),
        "defects": [repr(defect) for part in message.walk() for defect in part.defects],
    }


json.dump([read(name) for name in sys.argv[1:]], sys.stdout)
