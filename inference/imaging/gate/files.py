"""Rows about a file as such: before anything is known of what it shows."""

from inference.imaging.gate.table import refused

AGAIN = "Export the series again from the archive that it came from."

ROWS = (
    refused("empty", "The series has no slices.", "There is nothing to read.", AGAIN),
    refused(
        "unreadable",
        "{name} cannot be opened.",
        "The file is not there, or may not be read.",
        "Check that the file exists and may be read.",
    ),
    refused("empty_file", "{name} is empty.", "A transfer broke off before the first byte.", AGAIN),
    refused(
        "not_dicom",
        "{name} is not a DICOM file.",
        "It has no DICOM prefix and does not begin with a data element.",
        "Send the DICOM files themselves; notes and pictures beside them are not needed.",
    ),
    refused(
        "broken_file",
        "{name} is a broken {kind} file.",
        "Its structure cannot be parsed: it is cut short or damaged.",
        AGAIN,
    ),
    refused(
        "not_image",
        "{name} is not a DICOM image.",
        "It holds no image (a report or a directory, say).",
        "Leave it out.",
    ),
)
