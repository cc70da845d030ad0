"""The visual CT severity scores of COVID-19 as scoring forms, ready for a protocol."""

from typing import Any

LOBES = [
    ("rul", "Right upper lobe"),
    ("rml", "Right middle lobe"),
    ("rll", "Right lower lobe"),
    ("lul", "Left upper lobe"),
    ("lll", "Left lower lobe"),
]
# The 18 segments of both lungs; two on the left, fused ones, are scored in two parts each: 20 regions.
YANG_REGIONS = [
    ("rul_apical", "RUL apical"),
    ("rul_posterior", "RUL posterior"),
    ("rul_anterior", "RUL anterior"),
    ("rml_lateral", "RML lateral"),
    ("rml_medial", "RML medial"),
    ("rll_superior", "RLL superior"),
    ("rll_medial_basal", "RLL medial basal"),
    ("rll_anterior_basal", "RLL anterior basal"),
    ("rll_lateral_basal", "RLL lateral basal"),
    ("rll_posterior_basal", "RLL posterior basal"),
    ("lul_apical", "LUL apical (of apicoposterior)"),
    ("lul_posterior", "LUL posterior (of apicoposterior)"),
    ("lul_anterior", "LUL anterior"),
    ("lul_superior_lingular", "LUL superior lingular"),
    ("lul_inferior_lingular", "LUL inferior lingular"),
    ("lll_superior", "LLL superior"),
    ("lll_anterior", "LLL anterior (of anteromedial basal)"),
    ("lll_basal", "LLL basal (of anteromedial basal)"),
    ("lll_lateral_basal", "LLL lateral basal"),
    ("lll_posterior_basal", "LLL posterior basal"),
]


def _scored(
    key: str, title: str, short: str, source: str, regions: list[tuple[str, str]], choices: list[str]
) -> dict[str, Any]:
    """A form of regions that each get one of `choices`, worth 0, 1, 2 and so on, and their sum."""
    field = {
        "key": "region",
        "title": "Regions" if len(regions) > len(LOBES) else "Lobes",
        "kind": "regions",
        "required": True,
        "regions": [{"key": one, "title": name} for one, name in regions],
        "choices": [{"value": value, "title": name} for value, name in enumerate(choices)],
    }
    return {"key": key, "title": title, "source": source, "fields": [field], "sum": {"title": short, "of": ["region"]}}


PRESET_FORMS: dict[str, dict[str, Any]] = {
    "yang_2020": _scored(
        "yang_2020",
        "CT severity score (Yang 2020)",
        "CT-SS",
        "Yang R, Li X, Liu H, et al. Chest CT Severity Score: An Imaging Tool for Assessing Severe COVID-19. "
        "Radiol Cardiothorac Imaging 2020;2(2):e200047. doi:10.1148/ryct.2020200047",
        YANG_REGIONS,
        ["none", "< 50 %", "≥ 50 %"],
    ),
    "pan_2020": _scored(
        "pan_2020",
        "CT score (Pan 2020)",
        "CT score",
        "Pan F, Ye T, Sun P, et al. Time Course of Lung Changes at Chest CT during Recovery from Coronavirus Disease "
        "2019 (COVID-19). Radiology 2020;295(3):715-721. doi:10.1148/radiol.2020200370",
        LOBES,
        ["none", "< 5 %", "5 to < 25 %", "25 to < 50 %", "50 to < 75 %", "≥ 75 %"],
    ),
    "total_severity_score": _scored(
        "total_severity_score",
        "Total severity score",
        "TSS",
        "Bernheim A, Mei X, Huang M, et al. Chest CT Findings in Coronavirus Disease-19 (COVID-19): Relationship to "
        "Duration of Infection. Radiology 2020;295(3):200463. doi:10.1148/radiol.2020200463",
        LOBES,
        ["none", "up to 25 %", "> 25 to 50 %", "> 50 to 75 %", "> 75 %"],
    ),
}
