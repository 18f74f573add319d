"""Real faults: power cuts under SQLite, kills of a real process, full disks."""
