"""4. A series becomes findings, and some of them spikes."""
