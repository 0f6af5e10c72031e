"""The plots, each from plain figures to SVG."""
