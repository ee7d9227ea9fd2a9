//! The engine's tests on whole homes: a package of their own, since they are much to compile and need not be quick
//! (`[profile.release.package.zhiyin-pipeline-tests]`).
