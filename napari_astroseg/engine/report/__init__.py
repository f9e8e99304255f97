"""Report: an evaluation as table, plots, JSON and one page; torch-free, so the window may ask."""
