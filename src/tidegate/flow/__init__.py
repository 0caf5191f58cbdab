# SPDX-License-Identifier: Apache-2.0
"""The system on a page: every use case, composed. Nothing else joins stages with storage.

policies      find, check, compare, lock rules before results come in
evidence      import, list, check, audit, restate
assessments   assess, ask the gate, explain
projects      make a project; the demo
planning      can a suite rule a line out at all, before it is run
keys          make, add, rotate, revoke: whose key speaks for whom, in which roles
ledgers       begin the log, enter what stands in the files, compare the two
logs          look at the log, prove an entry, sign a checkpoint, be a witness, export tiles
governing     the log read whole and checked: what people decided, for the gate
reports       draft, make final, criticise, answer
cases         safety cases: build, check, draw, review, record
decisions     propose, review, recuse, dissent, sign, reaffirm, revoke
noncompliance reports from people, routed around whoever is implicated
retention     content outside the log: legal holds, erasing
bundles       one file for outsiders, and checking it
obligations   what is due, met, late or waived; events and waivers on record; the compliance review
incidents     one record of an incident: times, questions, clocks, notices
commitments   which items of frameworks are answered, by what; the claim linter
publishing    everything that is published, collected once, what is withheld taken out
hub           the transparency hub: a static site, written as far as it changed
public_reports  HAIP, the reports of laws and policies, OSCAL
text_redactions  words withheld from publication
"""

from tidegate.flow.world import World

__all__ = ["World"]
