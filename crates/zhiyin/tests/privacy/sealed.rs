//! Homes for these tests, made and asked by the program itself, and the search through all that it wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::planted::{PEOPLE, Person, input, same, spellings};
use crate::served::Served;

static GROUNDS: AtomicU64 = AtomicU64::new(0);

/// On which database homes are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Where {
    File,
    Postgres,
}

/// A folder for homes, removed at the end; all that the program said is kept.
pub struct Ground {
    at: Where,
    name: String,
    folder: PathBuf,
    said: Mutex<Vec<u8>>,
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
        if self.at == Where::Postgres && !std::thread::panicking() {
            let schemas = format!(
                "DO $$ DECLARE s text; BEGIN FOR s IN SELECT nspname FROM pg_namespace WHERE nspname LIKE '{}%' \
                 LOOP EXECUTE 'DROP SCHEMA ' || s || ' CASCADE'; END LOOP; END $$",
                self.name
            );
            sql(&schemas);
        }
    }
}

fn server() -> String {
    std::env::var("ZHIYIN_TEST_POSTGRES").expect("`./run test` starts a PostgreSQL and names it")
}

/// Asks the server; each row of one text column.
fn sql(statement: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&server(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let said = client.simple_query(statement).await.unwrap();
        let row = |message: &tokio_postgres::SimpleQueryMessage| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        said.iter().filter_map(row).collect()
    })
}

/// Who is found in these bytes, and how it is written there. All numbers, addresses and names begin alike: where that is
/// nowhere, none of them is.
pub fn found(bytes: &[u8]) -> Option<String> {
    for start in ["138001370", "@nowhere.example", "Planted Person"] {
        for spelling in spellings(start) {
            if bytes.windows(spelling.len()).any(|window| window == spelling) {
                return Some(format!("{start} as {:?}", String::from_utf8_lossy(&spelling)));
            }
        }
    }
    None
}

impl Ground {
    pub fn new(at: Where) -> Self {
        let n = GROUNDS.fetch_add(1, Ordering::Relaxed);
        let name = format!("privacy_{}_{n}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        let ground = Self { at, name, folder, said: Mutex::default() };
        for key in ["master", "other"] {
            ground.done(
                &ground.command("home", "").args(["keys", "new-master", &ground.path(key)]).output().unwrap(),
            );
        }
        ground
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn command(&self, home: &str, key: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhiyin"));
        command.env("RUST_LOG", "debug").env_remove("ZHIYIN_MASTER_KEY").stdin(Stdio::null());
        command.arg("--home").arg(self.path(home));
        if !key.is_empty() {
            command.arg("--master-key-file").arg(self.path(key));
        }
        if self.at == Where::Postgres {
            let url = server();
            let and = if url.contains('?') { '&' } else { '?' };
            command.arg("--database").arg(format!("{url}{and}home={}_{home}&shards=2", self.name));
        }
        command
    }

    /// What it printed; what it logged is searched at the end.
    fn done(&self, output: &Output) -> String {
        let (out, log) = (&output.stdout, &output.stderr);
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(log));
        self.said.lock().unwrap().extend_from_slice(log);
        String::from_utf8(out.clone()).unwrap()
    }

    pub fn run_with(&self, home: &str, key: &str, arguments: &[&str]) -> String {
        self.done(&self.command(home, key).args(arguments).output().unwrap())
    }

    pub fn run(&self, home: &str, arguments: &[&str]) -> String {
        self.run_with(home, if home == "plain" { "" } else { "master" }, arguments)
    }

    /// Why it refused.
    pub fn refused(&self, home: &str, key: &str, arguments: &[&str]) -> String {
        let output = self.command(home, key).args(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Brings items in; their file, which is not the home's, is gone afterwards.
    pub fn import(&self, home: &str, source: &str, items: &str) -> String {
        self.import_as(home, &["--source", source], items)
    }

    fn import_as(&self, home: &str, how: &[&str], items: &str) -> String {
        let file = self.path("items.jsonl");
        std::fs::write(&file, items).unwrap();
        let told = self.run(home, &[&["import", &file], how].concat());
        std::fs::remove_file(file).unwrap();
        told
    }

    /// Some who were two turn out to be one.
    pub fn merge(&self, home: &str, pairs: &[(Person, Person)]) {
        let told = self.import_as(home, &["--source", "till2", "--desk"], &same(pairs));
        assert!(told.contains(&format!(" {} accepted", pairs.len())), "{told}");
    }

    /// The brand's tree, with staff who have names.
    pub fn staff(&self, home: &str, people: &[Person]) {
        let (places, staff) = (self.path("places.csv"), self.path("staff.csv"));
        std::fs::write(&places, "code,kind,parent,name_en\nms,brand,,Mingpin\ns1,store,ms,First\n").unwrap();
        let lines = people.iter().map(|person| format!("{},s1,{},clerk\n", person.0, person.name()));
        std::fs::write(&staff, format!("code,place,name,role\n{}", lines.collect::<String>())).unwrap();
        let key = if home == "plain" { "" } else { "master" };
        self.run_with(home, key, &["places", "import", &places, "--staff", &staff]);
        std::fs::remove_file(places).unwrap();
        std::fs::remove_file(staff).unwrap();
    }

    /// A home in which all fifty have lived.
    pub fn fill(&self, home: &str, sealed: bool) {
        let key = if sealed { "master" } else { "" };
        self.run_with(home, key, &["apply", "variety-store"]);
        let people: Vec<Person> = (0..PEOPLE).map(Person).collect();
        let told = self.import(home, "till", &input(&people));
        assert!(told.contains(" 50 rejected") && told.contains("50 of them dead letters"), "{told}");
        self.merge(home, &[(Person(10), Person(11)), (Person(12), Person(13))]);
        let rejects = self.path("items.jsonl.rejects.jsonl");
        if !sealed {
            std::fs::remove_file(rejects).unwrap();
        }
    }

    /// Has a home served; what the server logs lies in a file of this folder.
    pub fn serve(&self, home: &str) -> Served {
        let mut command = self.command(home, "master");
        let log = std::fs::File::create(self.path("server.log")).unwrap();
        command.args(["serve", "--listen", "127.0.0.1:0", "--open"]).stdout(Stdio::piped()).stderr(log);
        Served::of(command.spawn().unwrap())
    }

    /// What a server says that anybody may ask for, while its files are searched.
    pub fn serve_and_ask(&self, home: &str) -> Vec<u8> {
        let server = self.serve(home);
        let all = ["/metrics", "/", "/readyz"].map(|path| server.ask("GET", path, "", "").whole).concat();
        self.search_all(home);
        assert!(String::from_utf8_lossy(&all).contains("zhiyin_"), "no metrics");
        all
    }

    /// Every file that is there.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(&self.folder, &mut files);
        files
    }

    /// Nobody is found in these bytes, however they are written.
    pub fn search(&self, bytes: &[u8], what: &str) {
        assert_eq!(found(bytes), None, "{what}");
    }

    /// Nor in any file, table or log.
    pub fn search_all(&self, home: &str) {
        for (what, bytes) in self.written(home) {
            self.search(&bytes, &what);
        }
    }

    /// All that was written, by where it lies.
    pub fn written(&self, home: &str) -> Vec<(String, Vec<u8>)> {
        let file = |path: PathBuf| (path.display().to_string(), std::fs::read(&path).unwrap());
        let mut all: Vec<_> = self.files().into_iter().map(file).collect();
        all.push(("the log".to_owned(), self.said.lock().unwrap().clone()));
        if self.at == Where::Postgres {
            let of = format!("{}_{home}", self.name);
            let tables = sql(&format!(
                "SELECT table_schema || '.' || table_name FROM information_schema.tables \
                 WHERE table_schema LIKE '{of}%' AND table_type = 'BASE TABLE'"
            ));
            assert!(tables.len() > 20, "{tables:?}");
            for table in tables {
                // Bytes are shown in digits: what is text within is found as such.
                let rows = sql(&format!("SELECT t::text FROM {table} t")).join("\n");
                all.push((table, rows.into_bytes()));
            }
        }
        all
    }

    /// All that a home says of anybody to who has its key.
    pub fn everything_told(&self, home: &str, gone: &[Person]) -> String {
        let mut told = self.run(home, &["report", "members", "--format", "json"]);
        told.push_str(&self.run(home, &["dead-letters"]));
        let everybody: Vec<String> = (0..PEOPLE).map(|n| Person(n).mail()).collect();
        for (n, mail) in everybody.iter().enumerate() {
            // These are not there any more; and a giver's item names whom it gave to, unless that was erased.
            let file = self.path("told.json");
            let name = format!("user:{mail}");
            let output = self.command(home, "master").args(["member", "export", &name, &file]).output();
            if output.unwrap().status.success() {
                told.push_str(&std::fs::read_to_string(&file).unwrap());
                std::fs::remove_file(&file).unwrap();
            } else {
                assert!(gone.iter().any(|gone| gone.0 == n as u64), "{mail}");
            }
        }
        told
    }
}
