"""Whether a table is what its contract says: measured in few passes over a scan, judged apart from measuring.

`contract` says what is asked, `measuring.measure` counts, `verdict.judge` decides, `inference.infer_contract` writes a
first contract from a table that is known to be good. Must not know where a table lies.
"""
