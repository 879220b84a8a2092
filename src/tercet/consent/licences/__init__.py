"""Licences: terms, offers, negotiations, agreements, mandates and letters. Pure."""
