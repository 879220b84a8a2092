"""The store: files, tables and (later) SQL behind the pillars' own Protocols."""
