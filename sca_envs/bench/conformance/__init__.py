"""The conformance test of domains: what every domain must fulfil, ours or yours.

`battery` has `check_domain` and the list of checks, `sample` what they look at, `report` what they
find; each other module has checks of one kind.
"""
