//! Who works at this machine: the name of the account that this process runs as, for the audit log.

use std::os::unix::fs::MetadataExt;

use zhiyin_model::role::Grant;

/// Who runs this program. It is asked of the system, never of the environment, which anybody may set.
pub fn system() -> Grant {
    Grant::system(&account())
}

fn account() -> String {
    // What a process is shown as belongs to the account that it runs as; where there is no /proc, a file that it makes does.
    let uid = std::fs::metadata("/proc/self").map(|process| process.uid()).or_else(|_| uid_of_new_file());
    let Ok(uid) = uid else { return "unknown".to_owned() };
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&accounts, uid).unwrap_or_else(|| format!("uid-{uid}"))
}

fn uid_of_new_file() -> std::io::Result<u32> {
    let path = std::env::temp_dir().join(format!("zhiyin-who-{}", std::process::id()));
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    let uid = file.metadata().map(|file| file.uid());
    std::fs::remove_file(&path)?;
    uid
}

/// The name of an account in a list of the form of /etc/passwd.
fn named(accounts: &str, uid: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let own = fields.nth(1)?.parse::<u32>().ok()?;
        (own == uid && !name.is_empty()).then(|| name.chars().take(64).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\n\nbroken\n:x:7:7::/:\nann:x:1000:1000:Ann,,,:/home/ann:/bin/sh\n";
        for (uid, name) in [(0, Some("root")), (1000, Some("ann")), (7, None), (5, None)] {
            assert_eq!(named(accounts, uid).as_deref(), name);
        }
    }

    #[test]
    fn somebody_runs_this() {
        assert!(system().who.len() > "system:".len());
    }
}
