//! Files that are their owner's alone, and that are whole at every moment.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes a folder for its owner alone, with those above it that are missing.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes a file or folder from everybody but its owner; whether that was necessary.
///
/// On systems without Unix permissions nothing is done: a home folder is private there.
#[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "Unix can fail"))]
pub(crate) fn make_private(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut permissions = fs::metadata(path)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(permissions.mode() & 0o700);
            fs::set_permissions(path, permissions)?;
            return Ok(true);
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(false)
}

/// A new file for its owner alone; an older one of the name is gone.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives a file its name for good: also a power cut leaves the old file or the new one.
pub(crate) fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(to)
}

/// Removes a file for good; it need not be there.
pub(crate) fn remove_durably(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    sync_folder(path)
}

/// Writes a whole file for its owner alone, beside its place first. Where the place is a
/// link, the file that it names is written, so that people may keep theirs elsewhere.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = place.parent() {
        private_folder(folder)?;
    }
    let beside = with_suffix(&place, &format!(".{}.new", std::process::id()));
    let written = create_private(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.and_then(|()| rename_durably(&beside, &place)).inspect_err(|_| {
        // The failure to write is what matters; a leftover is harmless.
        drop(fs::remove_file(&beside));
    })
}

/// The path with something after its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> Option<u32> {
        fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777)
    }

    #[test]
    fn files_are_private_and_a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = folder.path().join("elsewhere/real.yaml");
        write_private(&real, b"a").expect("written");
        assert_eq!(
            (mode(&real), mode(&folder.path().join("elsewhere"))),
            (Some(0o600), Some(0o700))
        );
        let link = folder.path().join("link.yaml");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        write_private(&link, b"b").expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&real).expect("readable"), b"b");
        assert_eq!(fs::read_dir(folder.path().join("elsewhere")).expect("readable").count(), 1);
    }

    #[test]
    fn what_others_could_read_is_taken_from_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("open");
        fs::write(&file, "secret").expect("written");
        fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("set");
        assert!(make_private(&file).expect("changed"));
        assert_eq!(mode(&file), Some(0o600));
        assert!(!make_private(&file).expect("as it should be"));
    }
}
