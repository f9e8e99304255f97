"""Written: surveys and kept fields as tooltips."""

from __future__ import annotations

from napari_astroseg.sky.surveys.kept import KeptField
from napari_astroseg.sky.surveys.survey import Survey


def survey_tip(survey: Survey) -> str:
    """What is known of a survey, line by line."""
    resolution, unit = survey.resolution_arcsec, survey.unit or "unit not declared"
    told = [
        "" if survey.wavelength_um is None else _wavelength(survey.wavelength_um),
        "" if resolution is None else f"resolution {resolution:g}″",
        unit,
    ]
    lines = (
        survey.name,
        ", ".join(each for each in told if each),
        survey.coverage and f"Covers: {survey.coverage}",
        survey.credit,
        f"HiPS {survey.hips}",
    )
    return "\n".join(line for line in lines if line)


def _wavelength(micron: float) -> str:
    return f"{micron:g} µm" if micron < 1000 else f"{micron / 1000:g} mm"


def kept_tip(kept: KeptField) -> str:
    """What is known of a kept field, line by line."""
    size = f"{kept.field.width_px} × {kept.field.height_px} px"
    return f"{kept.words}\n{size}; no network is needed to show it\n{kept.survey.credit}"
