"""Files that let a project run on a server: read from what is shipped, filled in for one project, given back as text.

Must not start anything, and must not write: the command line does that.
"""
