"""Tiny seeded skies with known truth, written as the real layouts are."""

from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from napari_astroseg.sky.files.writing import write_image


def galactic_wcs(scale_deg=11.5 / 3600, lon=30.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.cdelt = [-scale_deg, scale_deg]
    wcs.wcs.crpix = [50.5, 50.5]
    wcs.wcs.crval = [lon, 0.0]
    return wcs


def write_four_maps(folder: Path, stem="000", shape=(192, 256), seed=0, gap=True) -> Path:
    """One field of straight bright bars on a smooth noisy background; gives its image's path."""
    rng = np.random.default_rng(seed)
    target = np.zeros(shape, np.uint8)
    for _ in range(12):
        y, x = rng.integers(8, shape[0] - 20), rng.integers(8, shape[1] - 50)
        target[y : y + 6, x : x + 40] = 1
    log_density = 22 + 0.1 * gaussian_filter(rng.normal(size=shape), 2) + 0.4 * target
    image = (10**log_density).astype(np.float32)
    missing = np.ones(shape, np.uint8)
    if gap:
        missing[:10, :10] = 0
        image[:10, :10] = np.nan
    header = galactic_wcs(lon=30.0 + seed).to_header()
    near = gaussian_filter(target.astype(float), 6) > 0.01
    background = (~near & (target == 0)).astype(np.uint8)
    write_image(folder / f"{stem}_image.fits", image, header, "cm-2")
    for name, plane in (("target", target), ("background", background), ("missing", missing)):
        write_image(folder / f"{stem}_{name}.fits", plane, header)
    return folder / f"{stem}_image.fits"


def lively(net):
    """An untrained network whose batch norms fit noise: every layer lets a signal through.

    Half of its answers to noise lie above one half.
    """
    import torch

    net.train()
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # a plain average, settled after one pass
    with torch.no_grad():
        noise = torch.randn(2, 1, 128, 128)
        net(noise)
        net.eval()
        net.head.bias -= net(noise).median()
    return net
