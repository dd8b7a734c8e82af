"""Quality: how good a result is.

``measures``       the measures: pure functions over arrays, each with its source
``streaming``      the measures frame by frame, in flat memory
``motion``         motion that steadiness is judged along, estimated; ``true_motion``: where it is known, from ``truth``,
                   which is all that is known of rendered footage
``compare``        two files, frame against frame (``restyle measure``)
``report``         the report of a job: one page, and the same as JSON. ``report_data`` is what it says; ``page`` its sections,
                   ``page_plots`` and ``plots`` its curves, ``lettering`` its figures in words, ``pictures`` its pictures
``stored_report``  what a job's report.json says, read back
``contact_sheet``  pictures with captions, in rows
``neighbours``     contact sheets of neighbouring frames (``restyle sheets``)
"""
