//! Where ctct keeps its files.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder for what ctct remembers by itself, such as the ledger of requests:
/// `$CTCT_HOME`, else `$XDG_STATE_HOME/ctct`, else `~/.local/state/ctct`; none where
/// there is no home either.
///
/// `variable` gives environment variables; empty ones count as missing, and relative
/// paths of the XDG variable are ignored, as its specification says.
///
/// ```
/// use std::ffi::OsString;
/// use std::path::PathBuf;
///
/// let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/june"));
/// assert_eq!(ctct_client::state_folder(home), Some(PathBuf::from("/home/june/.local/state/ctct")));
/// ```
pub fn state_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path("CTCT_HOME")
        .or_else(|| {
            path("XDG_STATE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("ctct"))
        })
        .or_else(|| path("HOME").map(|home| home.join(".local/state/ctct")))
}

/// The folder for what people configure, such as `env.yaml`: `$CTCT_HOME`, else
/// `$XDG_CONFIG_HOME/ctct`, else `~/.config/ctct`; none where there is no home either.
///
/// Variables are read as by [`state_folder`].
pub fn config_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path("CTCT_HOME")
        .or_else(|| {
            path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).map(|path| path.join("ctct"))
        })
        .or_else(|| path("HOME").map(|home| home.join(".config/ctct")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_special_variable_wins() {
        let all = [("CTCT_HOME", "/ctct"), ("XDG_STATE_HOME", "/state"), ("HOME", "/home/june")];
        let with = |set: &[(&str, &str)]| {
            state_folder(|name| set.iter().find(|(known, _)| *known == name).map(|(_, v)| v.into()))
        };
        assert_eq!(with(&all), Some("/ctct".into()));
        assert_eq!(with(&all[1..]), Some("/state/ctct".into()));
        assert_eq!(
            with(&[("XDG_STATE_HOME", "relative"), all[2]]),
            Some("/home/june/.local/state/ctct".into())
        );
        assert_eq!(with(&[("CTCT_HOME", ""), ("HOME", "")]), None);
    }
}
