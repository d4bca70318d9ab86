"""The course: every config under `configs/course` run, and one offline site that shows them.

`lessons` says what there is, `text` reads what is told about it, `workers` runs it, `running` puts
runs and site together, `site` and `notebooks` write the pages. Nothing here computes.
"""
