"""A package, for IPython and others put a package of this name on the path as well."""
