"""The CSV dialects, a module for each maker: each looks at a file's head, says whether that maker's instrument wrote
it, and where the columns are. Reads no samples.

Header forms are those of public example files, makers' manuals and public programs that read or write such files.
"""
