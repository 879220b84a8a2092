"""Consent: may this work be used, by whom, for what, at what price?"""
