//! `ctct auth`: what can be written after it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `ctct auth`.
#[derive(Debug, Clone, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct AuthCommand {
    #[command(subcommand)]
    pub(crate) action: AuthAction,
}

/// What to do with a connection's login.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AuthAction {
    /// Logs in with a browser, once; tokens are renewed from then on
    Login {
        /// The connection's name; needed only where several are configured
        name: Option<String>,
        #[command(flatten)]
        options: LoginOptions,
    },
    /// Begins a login for a machine without a browser: prints the address to open anywhere
    Url {
        /// The connection's name
        name: Option<String>,
        /// Asks for these scopes only
        #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
        scopes: Vec<String>,
        /// Writes the address into this file, too
        #[arg(long, value_name = "PATH")]
        url_file: Option<PathBuf>,
    },
    /// Ends a login that `auth url` began: reads the address that the browser ended at
    Finish {
        /// The connection's name
        name: Option<String>,
        /// Reads the address from this file instead of standard input
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Takes a code without its address, which nothing can tell from another login's
        #[arg(long)]
        allow_bare_code: bool,
    },
    /// Shows account, scopes, and how long the login lasts; sends nothing
    Status {
        /// The connection's name
        name: Option<String>,
    },
    /// Renews the tokens now
    Refresh {
        /// The connection's name
        name: Option<String>,
    },
    /// Removes the tokens from this machine
    Logout {
        /// The connection's name
        name: Option<String>,
    },
    /// Writes the login to standard output, to be imported on another machine
    Export {
        /// The connection's name
        name: Option<String>,
        /// Removes it here afterwards, because a rotating login lives on one machine
        #[arg(long = "move")]
        moves: bool,
    },
    /// Takes over a login from standard input, or from a file
    Import {
        /// The connection's name
        name: Option<String>,
        /// Reads the login from this file
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// How to log in.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct LoginOptions {
    /// Opens no browser; the address is only shown
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Listens also where the redirect address is one of https, with a certificate of its own
    #[arg(
        long,
        long_help = "Listens at a redirect_uri of https://localhost[:PORT] with a certificate that is made for \
                     the occasion, and that the browser will warn of. Without a port it needs port 443."
    )]
    pub(crate) tls_listener: bool,
    /// Logs in by a code that is typed on another machine
    #[arg(long, conflicts_with_all = ["tls_listener", "allow_bare_code"])]
    pub(crate) device: bool,
    /// Takes a code without its address, which nothing can tell from another login's
    #[arg(long)]
    pub(crate) allow_bare_code: bool,
    /// Asks for these scopes only
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    pub(crate) scopes: Vec<String>,
    /// Writes the address into this file, too
    #[arg(long, value_name = "PATH")]
    pub(crate) url_file: Option<PathBuf>,
}
