//! Puts the web apps into the binary: what `npm run build` left in `web/`, file by file. Where nothing was built, nothing is put in,
//! and their pages say how it is done.
#![allow(clippy::disallowed_methods, reason = "a build script reads the machine")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where each app is served, and the folder that is served there.
const APPS: [(&str, &str); 4] =
    [("/console", "console/dist"), ("/m", "h5/dist/m"), ("/a", "h5/dist/a"), ("/pos", "h5/dist/pos")];

fn main() -> io::Result<()> {
    let web = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web");
    let mut out = String::from("&[\n");
    for (at, folder) in APPS {
        let folder = web.join(folder);
        watch(&web, &folder);
        let mut files = Vec::new();
        below(&folder, &mut files)?;
        files.sort();
        let written = writeln!(out, "    ({at:?}, &[");
        written.map_err(io::Error::other)?;
        for file in files {
            let name = file.strip_prefix(&folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let path = fs::canonicalize(&file)?;
            let line = writeln!(out, "        ({name:?}, include_bytes!({:?})),", path.display().to_string());
            line.map_err(io::Error::other)?;
        }
        out.push_str("    ]),\n");
    }
    out.push_str("]\n");
    let to = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("apps.rs");
    // As it was, it is not written: what includes it is not compiled anew.
    if fs::read_to_string(&to).is_ok_and(|before| before == out) { Ok(()) } else { fs::write(to, out) }
}

/// Has Cargo look again when something in a folder changes, or comes to be. What is not there would have it look each time: so it is told
/// of what is there and changes with it.
fn watch(web: &Path, folder: &Path) {
    let within = folder.ancestors().take_while(|folder| *folder != web);
    let there = within.filter(|folder| folder.is_dir()).last().filter(|_| !folder.is_dir());
    let there = there.map_or_else(|| folder.to_path_buf(), Path::to_path_buf);
    let packages = web.join("package.json");
    for path in [there, packages, PathBuf::from("build.rs")] {
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

/// Files of a folder and of those in it; none where there is no folder. What begins with a dot is for tools.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() { below(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
