"""What machines may send: SOP classes by name, and the transfer syntaxes whose pixels are decoded here."""

# Of each the images and objects that a case is made of. Secondary captures, reports and documents are none: they may
# show a name.
SOP_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.66.4": "Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.481.3": "RT Structure Set Storage",
}
VERIFICATION = "1.2.840.10008.1.1"
# In the order in which a sender that offers several is answered: lossless and small first.
TRANSFER_SYNTAXES = (
    "1.2.840.10008.1.2.1",  # explicit VR, little endian
    "1.2.840.10008.1.2",  # implicit VR, little endian
    "1.2.840.10008.1.2.4.80",  # JPEG-LS, lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000, lossless
    "1.2.840.10008.1.2.4.201",  # HTJ2K, lossless
    "1.2.840.10008.1.2.4.202",  # HTJ2K, lossless, progressive
    "1.2.840.10008.1.2.4.70",  # JPEG, lossless, first order
    "1.2.840.10008.1.2.4.57",  # JPEG, lossless
    "1.2.840.10008.1.2.5",  # RLE
    "1.2.840.10008.1.2.1.99",  # deflated
    "1.2.840.10008.1.2.2",  # explicit VR, big endian
    "1.2.840.10008.1.2.4.81",  # JPEG-LS, near lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.203",  # HTJ2K
    "1.2.840.10008.1.2.4.51",  # JPEG, 12 bits
    "1.2.840.10008.1.2.4.50",  # JPEG, 8 bits
    "1.2.840.10008.1.2.4.53",  # JPEG, spectral selection
    "1.2.840.10008.1.2.4.55",  # JPEG, full progression
)
