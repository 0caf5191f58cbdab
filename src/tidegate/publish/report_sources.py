# SPDX-License-Identifier: Apache-2.0
"""What fills the fields of reports from records, by name: templates under `packs/reports` refer to these.

Each is a pure function of what is published and of the model that the report is about; where the report is about the
organisation, it speaks of every model. It gives nothing where no record holds anything.
"""

from collections.abc import Mapping

from tidegate.publish import (
    report_sources_assessment,
    report_sources_evaluations,
    report_sources_model,
    report_sources_policy,
    report_sources_records,
    report_sources_reports,
    report_sources_risk,
    report_sources_thresholds,
)
from tidegate.publish.report_templates import Source

SOURCES: Mapping[str, Source] = {
    **report_sources_model.SOURCES,
    **report_sources_policy.SOURCES,
    **report_sources_thresholds.SOURCES,
    **report_sources_assessment.SOURCES,
    **report_sources_evaluations.SOURCES,
    **report_sources_reports.SOURCES,
    **report_sources_risk.SOURCES,
    **report_sources_records.SOURCES,
}
"""Name -> source."""
