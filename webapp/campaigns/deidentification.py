"""What a campaign keeps of its patients beyond the basic profile, chosen by its coordinators and said in words.

DICOM PS3.15 Annex E calls these the options of the profile; intake carries them out (webapp.intake.profile).
"""

from dataclasses import dataclass, fields
from typing import Any

SHIFT, REMOVE, CLEAN = "shift", "remove", "clean"
DATES = {
    SHIFT: "Dates are moved back by each patient's own number of days; what lies between them stays.",
    REMOVE: "Dates and times are removed. A patient's scans cannot be put in order then.",
}
CHARACTERISTICS = {
    True: "Age (90 for all above 89 years), sex, size, weight, smoking and pregnancy status are kept.",
    False: "Age, sex, size and weight are removed.",
}
DEVICE = {
    True: "The device's identity is kept: station name, serial number, detector and the like.",
    False: "The device's identity is removed. Make and model stay.",
}
DESCRIPTORS = {
    CLEAN: "Descriptions of study, series, protocol and contrast medium keep words of a radiology list alone.",
    REMOVE: "Descriptions are removed.",
}


@dataclass(frozen=True)
class DeidentificationOptions:
    """The options of one campaign. Frozen: scans filed under others keep what they were filed with."""

    dates: str = SHIFT
    characteristics: bool = True
    device: bool = False
    descriptors: str = CLEAN

    def __post_init__(self) -> None:
        if self.dates not in DATES or self.descriptors not in DESCRIPTORS:
            raise ValueError("no such option")
        if type(self.characteristics) is not bool or type(self.device) is not bool:
            raise ValueError("no such option")

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "DeidentificationOptions":
        """From what a campaign's row keeps; what it does not name is the default."""
        return cls(**{field.name: kept[field.name] for field in fields(cls) if field.name in kept})

    @property
    def kept(self) -> dict[str, Any]:
        """What the row keeps, and the audit trail tells."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def code(self) -> str:
        """One short word for each choice: part of the profile's name, and with it of every UID."""
        return "-".join(
            (
                f"dates_{self.dates}",
                "patient_kept" if self.characteristics else "patient_gone",
                "device_kept" if self.device else "device_gone",
                f"text_{self.descriptors}",
            )
        )

    @property
    def words(self) -> list[str]:
        """What the choices mean, a sentence each."""
        return [
            DATES[self.dates],
            CHARACTERISTICS[self.characteristics],
            DEVICE[self.device],
            DESCRIPTORS[self.descriptors],
        ]
