"""5. A spike gets a memory and a timeline."""
