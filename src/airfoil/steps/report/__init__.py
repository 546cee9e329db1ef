"""What was found in a dataset, as one record and as one page that needs nothing from elsewhere.

`DatasetReport` holds what quality, drift and anomalies said, `render_page` shows it to people. Measures and judges
nothing; knows no server and writes no file.
"""

from airfoil.steps.report.dataset_report import DatasetReport
from airfoil.steps.report.page import render_page

__all__ = ["DatasetReport", "render_page"]
