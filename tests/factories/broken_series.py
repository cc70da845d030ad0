"""Examples for the rows of the gate that speak of DICOM series."""

import copy
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEGLSNearLossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from inference.imaging.dicom import read_file, volume_from_datasets, volume_from_files
from inference.phantoms.enhanced import write_enhanced_series
from tests.factories.gate_examples import Bench, example, moved, on_series, on_slice

ORIGINAL = ["ORIGINAL", "PRIMARY"]

on_slice("Modality", "MR", "modality")
on_slice("SOPClassUID", SecondaryCaptureImageStorage, "secondary_capture")
on_slice("SamplesPerPixel", 3, "colour")
on_series("localiser", ImageType=[*ORIGINAL, "LOCALIZER"])
on_slice("ImageType", [*ORIGINAL, "LOCALIZER"], "localisers_left_out", 0)
on_series("projection", ImageType=["DERIVED", "SECONDARY", "AXIAL", "MIP"])
on_series("computed_map", ImageType=["DERIVED", "PRIMARY", "AXIAL", "EFF_ATOMIC_NUM"])
on_series("multi_energy", ImageType=["DERIVED", "PRIMARY", "AXIAL", "VMI"])
on_series("reformat", ImageType=["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"])
on_series("derived", ImageType=["DERIVED", "PRIMARY", "AXIAL"])
on_slice("NumberOfFrames", 2, "multi_frame")
on_slice("Rows", None, "size")
on_slice("PixelSpacing", [float("nan"), 1.0], "pixel_spacing")
on_slice("ImagePositionPatient", None, "position")
on_slice("ImageOrientationPatient", [1, 0, 0, 0.8, 0.6, 0], "orientation")
on_series("not_axial", ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
on_series("oblique", ImageOrientationPatient=[1, 0, 0, 0, np.cos(0.2), np.sin(0.2)])
on_series("gantry_tilt_declared", GantryDetectorTilt="-12")
on_slice("PatientID", "OTHER", "two_patients")
on_slice("SeriesInstanceUID", "1.2.3", "two_series")
on_slice("FrameOfReferenceUID", "1.2.3", "mixed_frame_of_reference")
on_slice("Rows", 12, "mixed_size")
on_slice("ImageOrientationPatient", [0, 1, 0, -1, 0, 0], "mixed_orientation")
on_slice("PixelSpacing", [2.5, 3.0], "mixed_spacing")
on_slice("RescaleType", "US", "mixed_rescale")
on_slice("SliceThickness", "2", "mixed_thickness")
on_series("thick_slices", SliceThickness="3.5")
on_series("overlapping_slices", SliceThickness="3")
on_series("slice_gaps", SliceThickness="1")
on_slice("PixelData", None, "no_pixels")
on_slice("PixelData", b"\0" * 100, "pixels")
on_slice("BitsStored", 20, "bits")
on_slice("RescaleSlope", 0, "rescale")
on_series("no_hu", RescaleType="US")
on_series("no_air", RescaleIntercept="1000")
on_series("clipped", RescaleIntercept="32000")
on_series("rounded", RescaleSlope="1.5", RescaleIntercept="-1024.25")
on_series("rescale_slope", RescaleSlope="2")
on_slice("RescaleIntercept", "-1000", "per_slice_rescale")
on_series("monochrome1", PhotometricInterpretation="MONOCHROME1")
on_series("lossy", LossyImageCompression="01")
on_series("contrast", ContrastBolusAgent="ISOVUE300/100")
on_series("sharp_kernel", ConvolutionKernel="B70f")


@example("no_modality")
def _no_modality(bench: Bench) -> Any:
    for dataset in bench.slices:
        del dataset.Modality
    return bench.read()


@example("empty")
def _empty(bench: Bench) -> Any:
    return volume_from_datasets([])


@example("unreadable")
def _unreadable(bench: Bench) -> Any:
    return read_file(bench.folder / "gone.dcm")


@example("empty_file")
def _empty_file(bench: Bench) -> Any:
    (bench.folder / "empty.dcm").touch()
    return read_file(bench.folder / "empty.dcm")


@example("not_dicom")
def _not_dicom(bench: Bench) -> Any:
    (bench.folder / "notes.dcm").write_text("not an image " * 50)
    return read_file(bench.folder / "notes.dcm")


@example("broken_file")
def _broken_file(bench: Bench) -> Any:
    bench.slices[0].file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = bench.folder / "garbled.dcm"
    bench.slices[0].save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes()[:900])
    return read_file(path)


@example("not_image")
def _not_image(bench: Bench) -> Any:
    report = bench.slices[0]
    for keyword in ("SOPClassUID", "Rows", "PixelData"):
        del report[keyword]
    report.save_as(bench.folder / "report.dcm", enforce_file_format=False)
    return read_file(bench.folder / "report.dcm")


@example("frames")
def _frames(bench: Bench) -> Any:
    [path] = write_enhanced_series(bench.phantom, bench.folder / "enhanced")
    dataset = dcmread(path)
    dataset.NumberOfFrames = 9
    return volume_from_datasets([dataset])


@example("concatenation")
def _concatenation(bench: Bench) -> Any:
    return volume_from_files(write_enhanced_series(bench.phantom, bench.folder / "enhanced", parts=3)[:2])


@example("too_many_slices")
def _too_many_slices(bench: Bench) -> Any:
    return volume_from_datasets(bench.slices * 501)


def _twin(bench: Bench, index: int) -> Dataset:
    twin = copy.deepcopy(bench.slices[index])
    twin.SOPInstanceUID = generate_uid()
    bench.slices.append(twin)
    return twin


@example("repeated_image")
def _repeated_image(bench: Bench) -> Any:
    _twin(bench, 3)
    series = bench.read()
    assert np.array_equal(series.volume.hu, bench.volume.hu)
    return series


@example("two_in_one_place")
def _two_in_one_place(bench: Bench) -> Any:
    _twin(bench, 3).PixelData = bench.slices[4].PixelData
    return bench.read()


@example("missing_slice")
def _missing_slice(bench: Bench) -> Any:
    del bench.slices[3]
    return bench.read()


@example("irregular_spacing")
def _irregular_spacing(bench: Bench) -> Any:
    bench.slices[3].ImagePositionPatient = moved(bench.slices[3], (0, 0, 0.8))
    return bench.read()


@example("uneven_spacing")
def _uneven_spacing(bench: Bench) -> Any:
    bench.slices[3].ImagePositionPatient = moved(bench.slices[3], (0, 0, 0.04))
    return bench.read()


@example("gantry_tilt")
def _gantry_tilt(bench: Bench) -> Any:
    bench.on_all("ImagePositionPatient", lambda d: moved(d, (0, float(d.ImagePositionPatient[2]) * 0.2, 0)))
    return bench.read()


@example("single_slice")
def _single_slice(bench: Bench) -> Any:
    return volume_from_datasets(bench.slices[:1])


@example("no_thickness")
def _no_thickness(bench: Bench) -> Any:
    del bench.slices[0].SliceThickness
    return volume_from_datasets(bench.slices[:1])


@example("transfer_syntax")
def _transfer_syntax(bench: Bench) -> Any:
    bench.slices[3].file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.110"
    return bench.read()


@example("padding")
def _padding(bench: Bench) -> Any:
    for dataset in bench.slices:
        pixels = dataset.pixel_array.copy()
        pixels[:3] = -2000
        dataset.PixelPaddingValue, dataset.PixelData = -2000, pixels.astype("<i2").tobytes()
    return bench.read()


@example("padding_as_tissue")
def _padding_as_tissue(bench: Bench) -> Any:
    for dataset in bench.slices:
        pixels = dataset.pixel_array.copy()
        pixels[:3] = 1064
        dataset.PixelPaddingValue, dataset.PixelData = 1064, pixels.astype("<i2").tobytes()
    return bench.read()


@example("high_bits")
def _high_bits(bench: Bench) -> Any:
    for dataset in bench.slices:
        pixels = np.clip(dataset.pixel_array.astype(np.int32), 0, 4095) << 4
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 15, 0
        dataset.PixelData = pixels.astype("<u2").tobytes()
    series = bench.read()
    assert np.array_equal(series.volume.hu, np.clip(bench.volume.hu, -1024, 3071))
    return series


@example("big_endian")
def _big_endian(bench: Bench) -> Any:
    for dataset in bench.slices:
        dataset.PixelData = dataset.pixel_array.astype(">i2").tobytes()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    series = bench.read()
    assert np.array_equal(series.volume.hu, bench.volume.hu)
    return series


@example("deflated")
def _deflated(bench: Bench) -> Any:
    paths = []
    for number, dataset in enumerate(bench.slices):
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        paths.append(bench.folder / f"deflated-{number}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    series = volume_from_files(paths)
    assert np.array_equal(series.volume.hu, bench.volume.hu)
    return series


def near_lossless(bench: Bench) -> Any:
    """Slices compressed with a small loss, which no element mentions."""
    for dataset in bench.slices:
        dataset.compress(JPEGLSNearLossless, jls_error=2)
    return bench.read()
