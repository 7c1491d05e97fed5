"""Pictures as SVG. Each part draws on an `Axis`, which counts in percents on a page and in pixels in a picture."""
