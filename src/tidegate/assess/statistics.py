# SPDX-License-Identifier: Apache-2.0
"""The statistics of an assessment: plain numbers in, frozen results out, each function citing its source.

The functions live by theme in `intervals`, `attempts`, `comparisons` and `judge`; this module is their one address.
"""

from tidegate.assess.attempts import (
    BetaBinomial,
    PassEstimate,
    best_of_n,
    fit_beta_binomial,
    pass_at_k,
    pass_hat_k,
)
from tidegate.assess.comparisons import (
    Decision,
    ElicitationGap,
    Estimate,
    PairedDifference,
    Ratio,
    Summary,
    Uplift,
    against_line,
    binomial_p_value,
    elicitation_gap,
    holm,
    intersection_union,
    paired_difference,
    summarise,
    uplift,
)
from tidegate.assess.intervals import (
    Interval,
    binomial_lower,
    binomial_upper,
    clustered_binomial_bound,
    clustered_standard_error,
    effective_n,
    mean_bound,
    wilson,
)
from tidegate.assess.judge import CorrectedRate, rogan_gladen

__all__ = [
    "BetaBinomial",
    "CorrectedRate",
    "Decision",
    "ElicitationGap",
    "Estimate",
    "Interval",
    "PairedDifference",
    "PassEstimate",
    "Ratio",
    "Summary",
    "Uplift",
    "against_line",
    "best_of_n",
    "binomial_lower",
    "binomial_p_value",
    "binomial_upper",
    "clustered_binomial_bound",
    "clustered_standard_error",
    "effective_n",
    "elicitation_gap",
    "fit_beta_binomial",
    "holm",
    "intersection_union",
    "mean_bound",
    "paired_difference",
    "pass_at_k",
    "pass_hat_k",
    "rogan_gladen",
    "summarise",
    "uplift",
    "wilson",
]
