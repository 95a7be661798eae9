"""What runs inside the confined process.

`main` is started by exec as a file, with an empty environment and without site-packages: these
modules use the standard library only and import nothing of the package around them. Names here
are visible to the code that runs, through frames; none of them is a secret.
"""
