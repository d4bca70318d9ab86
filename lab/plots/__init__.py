"""Figures from labelled arrays: for slides, for print, for readers without colour or sight.

Every function here takes arrays and returns a `Figure`, and none of them evaluates a loss. What
lives here knows matplotlib, never pyplot, and leaves no setting changed.
"""

from lab.plots.basins import basins
from lab.plots.chart import Panel, chart
from lab.plots.curves import curves
from lab.plots.figure import Animation, Figure
from lab.plots.files import FigureFiles, save
from lab.plots.gallery import gallery
from lab.plots.graph import Vertex, graph, written
from lab.plots.guides import Guide, Note
from lab.plots.images import Contours, Image
from lab.plots.marks import Area, Arrows, Bars, Line, Mark, Points, Polygon
from lab.plots.outcomes import outcomes
from lab.plots.paths import paths
from lab.plots.scaling import memory, scaling
from lab.plots.sensitivity import sensitivity
from lab.plots.sharpness import sharpness
from lab.plots.styles import Style, styles
from lab.plots.themes import theme
from lab.plots.throughput import ratios, shares

__all__ = [
    "Animation",
    "Area",
    "Arrows",
    "Bars",
    "Contours",
    "Figure",
    "FigureFiles",
    "Guide",
    "Image",
    "Line",
    "Mark",
    "Note",
    "Panel",
    "Points",
    "Polygon",
    "Style",
    "Vertex",
    "basins",
    "chart",
    "curves",
    "gallery",
    "graph",
    "memory",
    "outcomes",
    "paths",
    "ratios",
    "save",
    "scaling",
    "sensitivity",
    "shares",
    "sharpness",
    "styles",
    "theme",
    "written",
]
