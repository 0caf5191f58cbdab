# SPDX-License-Identifier: Apache-2.0
"""What people and pipelines read: tables, Markdown, JUnit XML, SARIF, annotations, charts and the HTML report.

Nothing is imported here: rich, jinja2 and altair are only paid for by the outputs that need them.

    tables       rich tables for a terminal or a plain log
    markdown     assessments and explanations as Markdown
    junit        findings and gates as test results
    sarif        findings and gates for code-scanning pages
    annotations  workflow commands of GitHub Actions
    chart        the load line, as SVG
    report       one HTML file
    report_pages     capability and safeguards reports, as Markdown and HTML
    decision_pages   decisions, as Markdown, for a terminal, as data
    case_views       safety cases as trees, Markdown, gsn2x; case_graphs as d2 and Mermaid
    log_pages        entries of the log, and checks of a bundle
    bundle           the archive for outsiders
    verification     what an outsider checks in it
"""
