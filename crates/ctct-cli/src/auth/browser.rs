//! Opening an address in somebody's browser.

use std::process::{Command, Stdio};

use ctct_client::holds_connection;

/// Opens the address, where there is a browser; whether one was started.
///
/// The address is an argument of its own, and no shell ever reads it. Variables that hold
/// connections are not handed on: a browser has no business with their secrets.
pub(super) fn open(url: &str) -> bool {
    let mut commands = chosen(url);
    if commands.is_empty() {
        commands = open::commands(url);
    }
    commands.into_iter().any(|mut command| start(&mut command))
}

/// The browsers of `$BROWSER`: commands separated by colons, `%s` for the address.
fn chosen(url: &str) -> Vec<Command> {
    let Ok(browsers) = std::env::var("BROWSER") else { return Vec::new() };
    let commands = browsers.split(':').filter_map(|browser| {
        let mut words = browser.split_whitespace();
        let mut command = Command::new(words.next()?);
        let mut named = false;
        for word in words {
            named |= word.contains("%s");
            command.arg(word.replace("%s", url));
        }
        if !named {
            command.arg(url);
        }
        Some(command)
    });
    commands.collect()
}

fn start(command: &mut Command) -> bool {
    for (name, value) in std::env::vars_os() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        if holds_connection(name, value) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}
