"""The API under /api/v1: for programs, with tokens; what the page shows to people, they read and do here."""
