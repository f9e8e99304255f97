"""References: what to cite for a recipe and the software below it, as BibTeX."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A work to cite.

    Parameters
    ----------
    key
        By which it is cited.
    kind
        BibTeX's: `article`, `inproceedings`, `misc`, …
    fields
        Names and values, in their order.
    """

    key: str
    kind: str
    fields: dict[str, str]

    @property
    def bibtex(self) -> str:
        """The entry."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def _article(key: str, author: str, title: str, journal: str, **further: str) -> Reference:
    told = {
        "author": author,
        "title": f"{{{title}}}" if title else "",
        "journal": journal,
        **further,
    }
    return Reference(key, "article", {name: value for name, value in told.items() if value})


def _paper(key: str, author: str, title: str, booktitle: str, year: str) -> Reference:
    told = {"author": author, "title": f"{{{title}}}", "booktitle": booktitle, "year": year}
    return Reference(key, "inproceedings", told)


OF_LAYOUT = {
    "four_maps": (
        _article(
            "Zavagno2023",
            "Zavagno, A. and Dup{\\'e}, F.-X. and Bensaid, S. and Schisano, E. and Li Causi, G. "
            "and Gray, M. and others",
            "Supervised machine learning on Galactic filaments. Revealing the filamentary "
            "structure of the Galactic interstellar medium",
            "Astronomy \\& Astrophysics",
            volume="669", pages="A120", year="2023", doi="10.1051/0004-6361/202244103",
        ),
    ),
    "gz3d": (
        _article(
            "ReyDeutsch2023",
            "Rey Deutsch, T. and Bignone, L. and Pedrosa, S.",
            "",
            "Bolet{\\'i}n de la Asociaci{\\'o}n Argentina de Astronom{\\'i}a",
            volume="64", year="2023",
        ),
        _article(
            "Masters2021",
            "Masters, K. L. and Krawczyk, C. and Shamsi, S. and others",
            "Galaxy Zoo: 3D -- crowdsourced bar, spiral, and foreground star masks for MaNGA "
            "target galaxies",
            "Monthly Notices of the Royal Astronomical Society",
            volume="507", pages="3923", year="2021",
        ),
    ),
    "astro_rcnn": (
        _article(
            "Burke2019",
            "Burke, C. J. and Aleo, P. D. and Chen, Y.-C. and others",
            "Deblending and classifying astronomical sources with Mask R-CNN deep learning",
            "Monthly Notices of the Royal Astronomical Society",
            volume="490", pages="3952", year="2019",
        ),
    ),
    "blended": (
        Reference(
            "Bretonniere2021",
            "misc",
            {
                "author": "Bretonni{\\`e}re, H. and Boucaud, A. and Huertas-Company, M.",
                "title": "{Probabilistic segmentation of overlapping galaxies for large "
                "cosmological surveys}",
                "note": "Fourth Workshop on Machine Learning and the Physical Sciences (NeurIPS)",
                "year": "2021",
                "eprint": "2111.15455",
                "archivePrefix": "arXiv",
            },
        ),
    ),
    "bubbles": (
        _article(
            "Nishimoto2025",
            "Nishimoto, S. and Onishi, T. and Nishimura, A. and others",
            "Infrared bubble recognition in the Milky Way and beyond using deep learning",
            "Publications of the Astronomical Society of Japan",
            volume="77", pages="403--424", year="2025", doi="10.1093/pasj/psaf008",
        ),
        _article(
            "Jayasinghe2019",
            "Jayasinghe, T. and Dixon, D. and Povich, M. S. and others",
            "The Milky Way Project second data release: bubbles and bow shocks",
            "Monthly Notices of the Royal Astronomical Society",
            volume="488", pages="1141", year="2019",
        ),
    ),
}  # fmt: skip
"""By the layout of the data, which tells the systems apart: the paper, and that of its truth."""

_UNET = _paper(
    "Ronneberger2015",
    "Ronneberger, O. and Fischer, P. and Brox, T.",
    "U-Net: Convolutional Networks for Biomedical Image Segmentation",
    "Medical Image Computing and Computer-Assisted Intervention (MICCAI)",
    "2015",
)
OF_NETWORK: dict[str, tuple[str, Reference]] = {
    "unet5": ("a U-Net of five levels", _UNET),
    "unet38": ("a U-Net of 38 hidden layers", _UNET),
    "unet++": (
        "a U-Net++",
        _paper(
            "Zhou2018",
            "Zhou, Z. and Rahman Siddiquee, M. M. and Tajbakhsh, N. and Liang, J.",
            "UNet++: A Nested U-Net Architecture for Medical Image Segmentation",
            "Deep Learning in Medical Image Analysis (DLMIA)",
            "2018",
        ),
    ),
    "probunet": (
        "a probabilistic U-Net",
        _paper(
            "Kohl2018",
            "Kohl, S. A. A. and Romera-Paredes, B. and Meyer, C. and others",
            "A Probabilistic U-Net for Segmentation of Ambiguous Images",
            "Advances in Neural Information Processing Systems 31",
            "2018",
        ),
    ),
    "ssd300": (
        "a single-shot multibox detector",
        _paper(
            "Liu2016",
            "Liu, W. and Anguelov, D. and Erhan, D. and others",
            "SSD: Single Shot MultiBox Detector",
            "European Conference on Computer Vision (ECCV)",
            "2016",
        ),
    ),
    "maskrcnn": (
        "a Mask R-CNN",
        _paper(
            "He2017",
            "He, K. and Gkioxari, G. and Doll{\\'a}r, P. and Girshick, R.",
            "Mask R-CNN",
            "IEEE International Conference on Computer Vision (ICCV)",
            "2017",
        ),
    ),
}
"""By a built-in family's kind: what it is in a sentence, and where it comes from."""

SOFTWARE = (
    _article(
        "Astropy2022",
        "{Astropy Collaboration} and Price-Whelan, A. M. and Lim, P. L. and others",
        "The Astropy Project: Sustaining and Growing a Community-oriented Open-source Project and "
        "the Latest Major Release (v5.0) of the Core Package",
        "The Astrophysical Journal",
        volume="935", pages="167", year="2022",
    ),
    _article(
        "VanDerWalt2014",
        "van der Walt, S. and Sch{\\\"o}nberger, J. L. and Nunez-Iglesias, J. and others",
        "scikit-image: image processing in Python",
        "PeerJ",
        volume="2", pages="e453", year="2014",
    ),
    _paper(
        "Paszke2019",
        "Paszke, A. and Gross, S. and Massa, F. and others",
        "PyTorch: An Imperative Style, High-Performance Deep Learning Library",
        "Advances in Neural Information Processing Systems 32",
        "2019",
    ),
)  # fmt: skip
"""What every answer is made with."""


def ours(version: str) -> Reference:
    """The entry of this package."""
    told = {
        "author": "{The napari-astroseg developers}",
        "title": "{napari-astroseg: find, judge and catalogue structures in big sky maps}",
        "note": f"version {version}",
    }
    return Reference("napariastroseg", "misc", told)
