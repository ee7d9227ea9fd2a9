//! Nothing but tests: what a home says through a platform, proven against the simulator ([`zhiyin_platform_sim`]).
