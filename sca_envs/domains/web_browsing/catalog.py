"""The names that a generated website is made of."""

from __future__ import annotations

from sca_envs.core.packaged import read_toml

_DATA = read_toml(__package__ or "", "catalog.toml")

CATEGORIES: dict[str, str] = _DATA["categories"]
"""Part of an address -> what an item of that category is called."""
DEPARTMENTS: dict[str, str] = _DATA["departments"]
"""Part of an address -> name of the department."""
ARTICLES: dict[str, str] = _DATA["articles"]
"""Part of an address -> title."""
STYLES: tuple[str, ...] = _DATA["styles"]
"""First words of items' names."""
COMPANIES: tuple[str, ...] = _DATA["companies"]
REMARKS: tuple[str, ...] = _DATA["remarks"]
FIRST_NAMES: tuple[str, ...] = _DATA["first_names"]
LAST_NAMES: tuple[str, ...] = _DATA["last_names"]
SKILLS: tuple[str, ...] = _DATA["skills"]
MAIL_HOSTS: tuple[str, ...] = _DATA["mail_hosts"]
