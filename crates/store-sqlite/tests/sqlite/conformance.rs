//! What every store promises, one test each.

use crate::folder::Folder;

zhiyin_store::conformance!(Folder::new());
