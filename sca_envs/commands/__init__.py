"""The commands of `sca` by group; each module is light to import."""
