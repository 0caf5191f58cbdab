# SPDX-License-Identifier: Apache-2.0
"""The transparency hub: a static site that is made from what an organisation publishes.

    speech        the program's own words, in any language
    addresses     where everything stands; links use ids, never titles
    parts         what pages are made of
    site          every page with the digest of what it is made from, rendered on demand
    changes       what changed since the last publication
    archive       each half-year as one page

Nothing is imported here, so that other outputs can link to the hub without making one.
"""
