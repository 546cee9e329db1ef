"""How much a table has drifted from a reference: measuring, and, apart from it, judging.

`measurement` compares two scans column by column in a few streaming passes, `verdict` says whether that is too much.
"""
