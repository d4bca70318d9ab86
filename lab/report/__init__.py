"""The report: one HTML file that says what was asked, what was found, and how to see it again.

Fill a `Page` and `render` it. Nothing here computes; figures come ready from `lab.plots.save`.
"""

from lab.plots.files import FigureFiles
from lab.report.page import Column, Page, Table
from lab.report.render import notebook_html, render

__all__ = ["Column", "FigureFiles", "Page", "Table", "notebook_html", "render"]
