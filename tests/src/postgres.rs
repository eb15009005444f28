//! A PostgreSQL of the tests' own: one server for each test program, a database for each test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// A database that nothing else uses.
#[derive(Debug, Clone)]
pub struct Database {
    folder: PathBuf,
    /// Its name.
    pub name: String,
}

impl Database {
    /// An empty database, on a server that is started where it does not run yet.
    ///
    /// # Panics
    /// Where there is no PostgreSQL on this machine, or it does not start.
    pub async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let folder = tokio::task::spawn_blocking(server).await.expect("a server");
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let first = Self { folder: folder.clone(), name: "postgres".to_owned() };
        let client = first.connect().await;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
        Self { folder, name }
    }

    /// The connection's settings, as a variable has them.
    pub fn settings(&self) -> String {
        format!(
            "{{ type: postgres, host: \"{}\", user: postgres, database: {}, sslmode: disable }}",
            self.folder.display(),
            self.name
        )
    }

    /// The socket that the server listens on.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// `psql`, connected to the database, for one command.
    pub fn psql(&self, command: &str) -> Command {
        let mut psql = Command::new("psql");
        psql.arg("-h").arg(&self.folder).args(["-U", "postgres", "-d", &self.name]);
        psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-c", command]);
        psql
    }

    /// A connection to the database.
    ///
    /// # Panics
    /// Where there is none to be had.
    pub async fn connect(&self) -> tokio_postgres::Client {
        let mut config = tokio_postgres::Config::new();
        config.host_path(&self.folder).user("postgres").dbname(&self.name);
        let (client, connection) =
            config.connect(tokio_postgres::NoTls).await.expect("PostgreSQL lets us in");
        // Ends with the client.
        drop(tokio::runtime::Handle::current().spawn(async move { drop(connection.await) }));
        client
    }
}

/// The folder of the server's socket. The server ends with this program.
fn server() -> PathBuf {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(start).clone()
}

fn start() -> PathBuf {
    let programs = programs().expect(
        "PostgreSQL is needed for these tests (Debian: apt-get install postgresql); tests/run installs it",
    );
    let folder = std::env::temp_dir().join(format!("ctct-tests-postgres-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder");
    let data = folder.join("data");
    // The server refuses to run as root.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    if is_root {
        let owned = Command::new("chown").arg("postgres").arg(&folder).status();
        assert!(owned.expect("chown runs").success(), "the folder has no new owner");
    }
    let program = |name: &str, dies_with_us: bool| {
        let mut command = Command::new("setpriv");
        if is_root {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        if dies_with_us {
            command.arg("--pdeathsig=INT");
        }
        command.arg(programs.join(name)).current_dir(&folder).env("TZ", "UTC");
        command
    };
    let made = program("initdb", false)
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "-D"])
        .arg(&data)
        .stdout(Stdio::null())
        .status();
    assert!(made.expect("initdb runs").success(), "initdb failed");
    let mut command = program("postgres", true);
    command.arg("-D").arg(&data).arg("-k").arg(&folder);
    command.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    // The server goes with the thread that started it, so that thread stays.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut process = command.spawn().expect("postgres runs");
        tell.send(()).expect("somebody waits");
        drop(process.wait());
    });
    told.recv().expect("it was started");
    wait_for(&folder.join(".s.PGSQL.5432"));
    folder
}

fn wait_for(socket: &Path) {
    let began = Instant::now();
    while std::os::unix::net::UnixStream::connect(socket).is_err() {
        assert!(began.elapsed() < PATIENCE, "PostgreSQL does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    // It listens a moment before it lets anybody in.
    std::thread::sleep(Duration::from_millis(300));
}

/// Where the server's programs are: the newest version's.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}
