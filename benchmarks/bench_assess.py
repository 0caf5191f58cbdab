# SPDX-License-Identifier: Apache-2.0
"""Assessing 50 models against 40 thresholds from 20,000 records, and how the time grows with the records.

The peer is the same assessment with the index taken away: every indicator looks through every record.
"""

import argparse
import json
import time
from collections.abc import Sequence
from datetime import date

from tidegate.assess import assess
from tidegate.assess.capability import Subject, _asked, indicator_finding, known_evidence
from tidegate.evidence.model import Evidence, EvidenceSet, Measurement, Provenance
from tidegate.evidence.model import Subject as Measured
from tidegate.evidence.models import Model
from tidegate.policy.model import Domain, Indicator, Line, Policy, Requirement, Rule, Threshold

AT = date(2026, 6, 1)
TARGET_SECONDS = 2.0


def a_policy(thresholds: int) -> Policy:
    made = tuple(
        Threshold(
            id=f"T{number}",
            domain="d",
            indicators=(
                Indicator(
                    id=f"T{number}.i",
                    evaluation=f"eval {number}",
                    rule=Rule(rule_out=Line(value=0.5), reach=Line(value=0.8)),
                    falsifier="more",
                ),
            ),
            requirements=(Requirement(id=f"R{number}", kind="halt", actions=("general",), force="must"),),
        )
        for number in range(thresholds)
    )
    return Policy.model_validate(
        {"schema": "tidegate/policy/v1", "id": "bench", "version": "1", "title": "Bench", "publisher": "Bench",
         "preregistration": "flagged", "domains": (Domain(id="d"),), "thresholds": made}
    )  # fmt: skip


def a_set(models: int, thresholds: int, records: int) -> EvidenceSet:
    made = []
    for number in range(records):
        n = 50 + number % 150
        k = number * 7919 % (n // 2)
        made.append(
            Evidence(
                id=f"r{number}",
                subject=Measured(model=f"m{number % models}"),
                measurement=Measurement(
                    evaluation=f"eval {number // models % thresholds}",
                    metric="accuracy",
                    value=k / n,
                    n=n,
                    successes=k,
                    binary=True,
                ),
                finished="2026-01-15",
                provenance=Provenance(format="bench"),
            )
        )
    return EvidenceSet(records=tuple(made))


def timed(policy: Policy, evidence: EvidenceSet, models: Sequence[Model]) -> float:
    start = time.process_time()
    assess(policy, evidence, models, AT)
    return time.process_time() - start


def without_index(policy: Policy, evidence: EvidenceSet, models: Sequence[Model], some: int) -> float:
    """Time the same readings with every indicator looking through every record, for a few models, and scale up."""
    known = known_evidence(evidence, models, AT)
    start = time.process_time()
    for model in models[:some]:
        subject = Subject(policy, model, None, known)
        for threshold in policy.thresholds:
            for indicator in threshold.indicators:
                records = [
                    record
                    for record in evidence.records
                    if record.subject.model == model.id
                    and record.measurement
                    and record.measurement.evaluation == indicator.evaluation
                ]
                indicator_finding(records, _asked(subject, threshold, indicator))
    return (time.process_time() - start) * len(models) / some


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    policy, models = a_policy(40), [Model(id=f"m{number}") for number in range(50)]
    sizes = {records: a_set(50, 40, records) for records in (5_000, 10_000, 20_000)}
    assess(policy, sizes[5_000], models, AT)
    for evidence in sizes.values():
        evidence.digest  # noqa: B018 - the digest of the inputs is part of loading, and cached
    seconds = {records: min(timed(policy, evidence, models) for _ in range(3)) for records, evidence in sizes.items()}
    naive = without_index(policy, sizes[20_000], models, 5)
    fresh = a_set(50, 40, 20_000)
    start = time.process_time()
    digest = fresh.digest
    found = {
        "seconds": {str(records): round(value, 3) for records, value in seconds.items()},
        "growth_from_10000_to_20000": round(seconds[20_000] / seconds[10_000], 2),
        "seconds_without_index": round(naive, 2),
        "times_faster_than_without_index": round(naive / seconds[20_000], 1),
        "seconds_digest_of_20000_records": round(time.process_time() - start, 3),
        "target_seconds": TARGET_SECONDS,
    }
    del digest
    if arguments.json:
        print(json.dumps(found))
    else:
        print("assess: 50 models x 40 thresholds, CPU seconds")
        for records, value in seconds.items():
            print(f"  {records:>6} records  {value:6.2f} s")
        print(f"  doubling the records takes {found['growth_from_10000_to_20000']} times as long")
        print(f"  without the index {naive:.1f} s: {found['times_faster_than_without_index']} times slower")
        print(f"  digest of 20,000 records, once per set: {found['seconds_digest_of_20000_records']} s")
    return 0 if seconds[20_000] < TARGET_SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())
