"""The dashboard: a reader of the published version, for managers and analysts."""
