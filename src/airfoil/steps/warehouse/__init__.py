"""The same checks where a table is too large for one machine: counted by Spark or a warehouse, through Ibis.

The engine there counts, exactly; what follows from the counts is computed here, by the code that computes it for local
tables. So verdicts are the same. Reads no file, opens no connection: an Ibis table is handed in.
"""
