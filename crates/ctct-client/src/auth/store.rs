//! Where tokens are kept: a folder for each application, a file for each of its accounts.
//!
//! A rotating refresh token is spent by the request that renews it, and its successor is
//! in the answer alone. So the file that will hold the successor is made, filled to its
//! size and flushed *before* the request is sent ([`Locked::reserve`]); the answer is
//! written over it, flushed, and renamed. A process that dies on the way leaves the old
//! file whole, and beside it a note of when it began, or already the whole new grant,
//! which the next process takes up ([`Locked::recover`]).
//!
//! Whoever changes anything holds the application's lock, a file of its own that is never
//! renamed. The system releases it when its holder dies.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::grant::{Grant, mark};
use super::stop::stop_point;
use crate::{Error, ErrorKind, Result, files};

/// Room for the largest answer that is expected, so that a disk that is full after the
/// answer came cannot lose it.
const RESERVED: usize = 16 << 10;
/// How often a lock that somebody else holds is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(25);
/// The name of the account that nobody knows yet.
const UNKNOWN: &str = "new";

/// The folder that holds the tokens of all applications.
#[derive(Debug, Clone)]
pub struct TokenStore {
    folder: PathBuf,
    patience: Duration,
}

/// The lock of one application, held until this is dropped.
#[derive(Debug)]
pub(super) struct Locked {
    folder: PathBuf,
    // Closing the file releases the lock.
    _lock: File,
}

/// A file that is ready to hold a new grant.
#[derive(Debug)]
pub(super) struct Reservation {
    file: File,
    path: PathBuf,
}

/// What a refresh that did not end left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Interrupted {
    /// When the refresh began, in seconds since 1970.
    pub(super) refresh_began_at: i64,
    /// The mark of the refresh token that was about to be spent.
    pub(super) spending: String,
}

impl Reservation {
    /// Gives a reservation up: nothing was sent, or the answer was a plain no.
    pub(super) fn release(self) {
        // A leftover is taken for an interrupted refresh, which costs a sentence at worst.
        drop(files::remove_durably(&self.path));
    }
}

impl TokenStore {
    /// The store in this folder, which is made when it is first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), patience: Duration::from_mins(1) }
    }

    /// The same store with another patience for a lock that somebody else holds; a minute
    /// unless told otherwise.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where a connection's tokens are, as far as it has any.
    pub(super) fn place(&self, client_id: &str, account: &str) -> PathBuf {
        grant_path(&self.of(client_id), account)
    }

    /// The account that a connection is logged in to.
    pub(super) fn account_of(&self, client_id: &str, connection: &str) -> Result<Option<String>> {
        Ok(read_links(&self.of(client_id))?.remove(&connection.to_lowercase()))
    }

    /// What is stored for an account. No lock is needed: a file is replaced as a whole.
    pub(super) fn read(&self, client_id: &str, account: &str) -> Result<Option<Grant>> {
        read_grant(&self.place(client_id, account))
    }

    /// Takes the lock of an application.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`], naming the process that holds it, when the store's
    /// patience is over; [`ErrorKind::Storage`] where there can be no lock at all.
    pub(super) fn lock(&self, client_id: &str) -> Result<Locked> {
        let folder = self.of(client_id);
        let failed = |error: io::Error| storage("the folder for tokens", &folder, "written", error);
        files::private_folder(&folder).map_err(failed)?;
        for path in [&self.folder, &folder] {
            if files::make_private(path).map_err(failed)? {
                tracing::warn!("others could read {}; they cannot any more", path.display());
            }
        }
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut lock = options.open(&path).map_err(failed)?;
        let until = Instant::now() + self.patience;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(ASK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => return Err(held(&mut lock)),
                Err(TryLockError::Error(error)) => {
                    return Err(storage("the lock for tokens", &path, "taken", error).with_hint(
                        "tokens need a folder whose files can be locked; name one with CTCT_HOME",
                    ));
                }
            }
        }
        // Only for whoever has to wait: failing to say who we are is no reason to stop.
        drop(sign(&mut lock));
        Ok(Locked { folder, _lock: lock })
    }

    fn of(&self, client_id: &str) -> PathBuf {
        self.folder.join(file_name(client_id))
    }
}

impl Locked {
    /// What is stored for an account.
    pub(super) fn read(&self, account: &str) -> Result<Option<Grant>> {
        read_grant(&grant_path(&self.folder, account))
    }

    /// Makes the file that a new grant will be written to, or says why that is impossible.
    pub(super) fn reserve(&self, account: Option<&str>, note: &Interrupted) -> Result<Reservation> {
        let path = next_path(&self.folder, account.unwrap_or(UNKNOWN));
        let failed = |error| {
            storage("the file for the new tokens", &path, "made", error)
                .with_hint("nothing was sent and no token was spent; make room, or mend the folder's permissions")
        };
        let mut file = files::create_private(&path).map_err(failed)?;
        let note = serde_json::to_string(note).map_err(|error| failed(error.into()))?;
        let filled =
            file.write_all(format!("{note:<RESERVED$}").as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = filled {
            drop(fs::remove_file(&path));
            return Err(failed(error));
        }
        stop_point("reserved");
        Ok(Reservation { file, path })
    }

    /// Stores a grant in the file that was reserved for it.
    pub(super) fn store(&self, mut reservation: Reservation, grant: &Grant) -> Result<()> {
        let path = grant_path(&self.folder, &grant.account.id);
        let failed = |error: io::Error| storage("the new tokens", &path, "stored", error);
        let text = grant.to_text().map_err(|error| failed(error.into()))?;
        let file = &mut reservation.file;
        stop_point("answered");
        file.rewind().map_err(failed)?;
        // Padded to the reserved size first: the blanks behind a JSON text are part of no
        // value, and the file is never shorter than its content.
        file.write_all(text.expose_secret().as_bytes()).map_err(failed)?;
        stop_point("written");
        let length = text.expose_secret().len() as u64;
        file.set_len(length).and_then(|()| file.sync_all()).map_err(failed)?;
        stop_point("flushed");
        files::rename_durably(&reservation.path, &path).map_err(failed)?;
        stop_point("renamed");
        Ok(())
    }

    /// Takes up what a process left that died: the whole new grant, if it came so far, is
    /// stored for good; a note of the refresh is given back.
    pub(super) fn recover(&self, account: Option<&str>) -> Result<Option<Interrupted>> {
        let path = next_path(&self.folder, account.unwrap_or(UNKNOWN));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // Whatever it is, it is not what was written: the old grant is what there is.
            Err(_) => String::new(),
        };
        if let Ok(note) = serde_json::from_str::<Interrupted>(text.trim()) {
            return Ok(Some(note));
        }
        let Ok(grant) = Grant::from_text(text.trim()) else {
            return Ok(Some(Interrupted { refresh_began_at: 0, spending: String::new() }));
        };
        let stored = self.read(&grant.account.id)?;
        let follows = match &stored {
            Some(stored) => grant.previous.is_some() && grant.previous == stored.refresh_mark(),
            None => true,
        };
        if follows {
            let target = grant_path(&self.folder, &grant.account.id);
            let renamed = File::open(&path)
                .and_then(|file| file.sync_all())
                .and_then(|()| files::rename_durably(&path, &target));
            renamed.map_err(|error| storage("the new tokens", &target, "stored", error))?;
        } else {
            drop(files::remove_durably(&path));
        }
        Ok(None)
    }

    /// Notes which account a connection is logged in to; none for no account any more.
    pub(super) fn link(&self, connection: &str, account: Option<&str>) -> Result<()> {
        let mut links = read_links(&self.folder)?;
        let key = connection.to_lowercase();
        let changed = match account {
            Some(account) => links.insert(key, account.to_owned()).as_deref() != Some(account),
            None => links.remove(&key).is_some(),
        };
        if !changed {
            return Ok(());
        }
        let path = links_path(&self.folder);
        let failed = |error| storage("the list of logins", &path, "stored", error);
        let text = serde_json::to_vec_pretty(&links).map_err(|error| failed(error.into()))?;
        files::write_private(&path, &text).map_err(failed)
    }

    /// The connections that are logged in to an account.
    pub(super) fn linked(&self, account: &str) -> Result<Vec<String>> {
        let links = read_links(&self.folder)?;
        Ok(links
            .into_iter()
            .filter(|(_, linked)| linked == account)
            .map(|(name, _)| name)
            .collect())
    }

    /// Writes down a login that has begun.
    pub(super) fn begin(&self, connection: &str, text: &SecretString) -> Result<()> {
        let path = self.pending(connection);
        files::write_private(&path, text.expose_secret().as_bytes())
            .map_err(|error| storage("the login that has begun", &path, "stored", error))
    }

    /// Reads what [`begin`](Self::begin) wrote.
    pub(super) fn begun(&self, connection: &str) -> Result<Option<SecretString>> {
        let path = self.pending(connection);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(storage("the login that has begun", &path, "read", error)),
        }
    }

    /// Forgets a login that has begun, because it has ended.
    pub(super) fn end(&self, connection: &str) -> Result<()> {
        let path = self.pending(connection);
        files::remove_durably(&path)
            .map_err(|error| storage("the login that has begun", &path, "removed", error))
    }

    fn pending(&self, connection: &str) -> PathBuf {
        self.folder.join(format!("{}.begun", file_name(&connection.to_lowercase())))
    }

    /// Forgets an account's tokens, if they are still those with this refresh token: who
    /// has newer ones keeps them.
    pub(super) fn forget(&self, account: &str, refresh_mark: Option<&str>) -> Result<bool> {
        let path = grant_path(&self.folder, account);
        let same = self.read(account)?.is_some_and(|stored| {
            refresh_mark.is_none_or(|mark| stored.refresh_mark().as_deref() == Some(mark))
        });
        if same {
            let removed = files::remove_durably(&path)
                .and_then(|()| files::remove_durably(&next_path(&self.folder, account)));
            removed.map_err(|error| storage("the tokens", &path, "removed", error))?;
        }
        Ok(same)
    }
}

fn grant_path(folder: &Path, account: &str) -> PathBuf {
    folder.join(format!("{}.json", file_name(account)))
}

fn next_path(folder: &Path, account: &str) -> PathBuf {
    files::with_suffix(&grant_path(folder, account), ".next")
}

fn links_path(folder: &Path) -> PathBuf {
    folder.join("logins")
}

/// A name that is one harmless component of a path, and another one for each text.
fn file_name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !text.is_empty() && text.len() <= 64 && text.chars().all(plain) && text != UNKNOWN {
        return text.to_owned();
    }
    format!("x{}", mark(&text.to_owned().into()))
}

fn read_grant(path: &Path) -> Result<Option<Grant>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(storage("the tokens", path, "read", error)),
    };
    match files::make_private(path) {
        Ok(true) => tracing::warn!("others could read {}; they cannot any more", path.display()),
        Ok(false) => {}
        Err(error) => return Err(storage("the tokens", path, "made private", error)),
    }
    Grant::from_text(&text).map(Some).map_err(|why| {
        Error::new(
            ErrorKind::Storage,
            format!("the tokens in {} cannot be read: {why}", path.display()),
        )
        .with_hint("remove the file and log in again: ctct auth login")
    })
}

fn read_links(folder: &Path) -> Result<BTreeMap<String, String>> {
    let path = links_path(folder);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map_err(|error| storage("the list of logins", &path, "read", error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(storage("the list of logins", &path, "read", error)),
    }
}

fn storage(what: &str, path: &Path, done: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("{what} ({}) cannot be {done}: {error}", path.display()))
        .with_source(error)
}

/// Writes this process's number into the lock.
fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    write!(lock, "{}", std::process::id())
}

fn held(lock: &mut File) -> Error {
    let mut holder = String::new();
    let read = lock.rewind().and_then(|()| lock.read_to_string(&mut holder));
    let holder: String = holder.chars().filter(char::is_ascii_digit).take(10).collect();
    let holder = match read {
        Ok(_) if !holder.is_empty() => format!("process {holder}"),
        _ => "another process".to_owned(),
    };
    Error::new(
        ErrorKind::Unavailable,
        format!("{holder} has been renewing the tokens for too long"),
    )
    .with_hint("no token was spent; try again, or stop that process")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::response::Tokens;

    fn grant(refresh: &str) -> Grant {
        let tokens = Tokens {
            access_token: "a".into(),
            refresh_token: Some(refresh.into()),
            scopes: Vec::new(),
            lifetime: Some(86_400),
            account: None,
        };
        Grant::new("key", "SHOP", tokens, 0)
    }

    fn note() -> Interrupted {
        Interrupted { refresh_began_at: 7, spending: "m".to_owned() }
    }

    fn store() -> (tempfile::TempDir, TokenStore) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = TokenStore::new(folder.path().join("tokens"));
        (folder, store.with_patience(Duration::from_millis(60)))
    }

    #[test]
    fn a_grant_is_stored_whole_and_found_by_its_account() {
        let (_folder, store) = store();
        let locked = store.lock("key").expect("locked");
        let reservation = locked.reserve(Some("shop"), &note()).expect("reserved");
        locked.store(reservation, &grant("r1")).expect("stored");
        locked.link("SHOP", Some("shop")).expect("linked");
        assert_eq!(store.account_of("key", "Shop").expect("read").as_deref(), Some("shop"));
        let read = store.read("key", "shop").expect("read").expect("there");
        assert_eq!(read.refresh_mark(), grant("r1").refresh_mark());
        assert_eq!(locked.recover(Some("shop")).expect("read"), None, "nothing is left over");
        assert!(store.read("other", "shop").expect("read").is_none(), "another application's");
    }

    #[test]
    fn what_a_dead_process_left_is_taken_up() {
        let (_folder, store) = store();
        let locked = store.lock("key").expect("locked");
        let stored = locked.reserve(Some("shop"), &note()).expect("reserved");
        locked.store(stored, &grant("r1")).expect("stored");
        // Dead before the answer: only a note.
        drop(locked.reserve(Some("shop"), &note()).expect("reserved"));
        assert_eq!(locked.recover(Some("shop")).expect("read"), Some(note()));
        // Dead in the midst of writing: neither note nor grant.
        let path = next_path(&locked.folder, "shop");
        fs::write(&path, "{\"version\": 1, \"cli").expect("written");
        assert!(locked.recover(Some("shop")).expect("read").is_some());
        // Dead before the rename, the blanks still behind the text: the whole new grant.
        let mut next = grant("r2");
        next.previous = grant("r1").refresh_mark();
        let text = next.to_text().expect("text");
        fs::write(&path, format!("{}   ", text.expose_secret())).expect("written");
        assert_eq!(locked.recover(Some("shop")).expect("read"), None);
        let read = store.read("key", "shop").expect("read").expect("there");
        assert_eq!(read.refresh_mark(), grant("r2").refresh_mark());
        // One that does not follow from what is stored is of the past.
        fs::write(&path, text.expose_secret()).expect("written");
        assert_eq!(locked.recover(Some("shop")).expect("read"), None);
        assert!(!path.exists());
    }

    #[test]
    fn only_the_tokens_that_died_are_forgotten() {
        let (_folder, store) = store();
        let locked = store.lock("key").expect("locked");
        let reservation = locked.reserve(Some("shop"), &note()).expect("reserved");
        locked.store(reservation, &grant("r2")).expect("stored");
        let mark = |refresh: &str| grant(refresh).refresh_mark();
        assert!(!locked.forget("shop", mark("r1").as_deref()).expect("kept"));
        assert!(store.read("key", "shop").expect("read").is_some());
        assert!(locked.forget("shop", mark("r2").as_deref()).expect("forgotten"));
        assert!(store.read("key", "shop").expect("read").is_none());
    }

    #[test]
    fn a_lock_has_one_holder_and_names_it() {
        let (_folder, store) = store();
        let held = store.lock("key").expect("locked");
        let error = store.lock("key").expect_err("held");
        assert!(error.is_temporary());
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        assert!(store.lock("other").is_ok(), "another application's");
        drop(held);
        assert!(store.lock("key").is_ok());
    }

    #[test]
    fn no_name_leaves_the_folder() {
        for text in ["../../etc/passwd", "", ".", "a/b", "A", "new", &"x".repeat(300), "nul\0"] {
            let name = file_name(text);
            assert!(name.len() == 33 && name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        }
        assert_ne!(file_name("a"), file_name("A"), "also on disks that ignore case");
        assert_eq!(file_name("5a4db0c5-0000-4000"), "5a4db0c5-0000-4000");
    }

    #[cfg(unix)]
    #[test]
    fn a_t12_files_are_private_whatever_they_were() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, store) = store();
        let locked = store.lock("key").expect("locked");
        let reservation = locked.reserve(Some("shop"), &note()).expect("reserved");
        locked.store(reservation, &grant("r1")).expect("stored");
        locked.link("SHOP", Some("shop")).expect("linked");
        let path = store.place("key", "shop");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        for entry in fs::read_dir(&locked.folder).expect("readable") {
            let path = entry.expect("an entry").path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
        assert_eq!(mode(&locked.folder), 0o700);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("set");
        assert!(store.read("key", "shop").expect("read").is_some());
        assert_eq!(mode(&path), 0o600, "repaired");
        // A link in the place of the file is replaced; what it names is left alone.
        let elsewhere = locked.folder.join("elsewhere");
        fs::rename(&path, &elsewhere).expect("moved");
        std::os::unix::fs::symlink(&elsewhere, &path).expect("linked");
        let before = fs::read(&elsewhere).expect("readable");
        let reservation = locked.reserve(Some("shop"), &note()).expect("reserved");
        locked.store(reservation, &grant("r3")).expect("stored");
        assert_eq!(fs::read(&elsewhere).expect("readable"), before);
        assert!(!fs::symlink_metadata(&path).expect("there").is_symlink());
    }
}
