// Values under a finger, live parts, filters that send themselves. The page works without it.

