//! What can be written on the command line.

mod auth;
mod conns;
mod run;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{ArgMatches, Args, Parser, Subcommand, ValueEnum};

pub(crate) use auth::{AuthAction, AuthCommand, LoginOptions};
pub(crate) use conns::{ConnsAction, ConnsCommand};
pub(crate) use run::RunCommand;

const EXAMPLES: &str = "\
Examples:
  ctct --sandbox                                    a shell over a made-up account
  ctct --sandbox -f sql/tour.sql                    a tour of what can be asked
  ctct -c \"SELECT count(*) FROM contacts\"           one question
  ctct --format csv -c \"SELECT * FROM contact_lists\" > lists.csv
  ctct -c \"COPY contacts TO 'contacts.parquet'\"
  ctct -c \"EXPLAIN SELECT * FROM contacts LIMIT 3\"  what would be sent (sends nothing)
  ctct run -r replication.yaml                      tables into PostgreSQL

An account of your own:
  ctct conns set CONSTANT_CONTACT type=api spec=constant-contact secrets='{ client_id: …, client_secret: … }'
  ctct auth login
";

/// Examples come first: they are what most people look for.
const TEMPLATE: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}";

const AFTER: &str =
    "ctct help exit-codes lists the exit codes; in the shell, \\? lists its commands";

/// Constant Contact as SQL tables.
///
/// Without -c and -f: runs the SQL on standard input, or opens a shell on a terminal.
#[derive(Debug, Clone, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    name = "ctct",
    version = version(),
    before_help = EXAMPLES,
    after_help = AFTER,
    help_template = TEMPLATE,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    /// Runs this SQL (several statements are separated by semicolons) and exits
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    pub(crate) statements: Vec<String>,

    /// Runs the SQL in this file and exits; `-` is standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Uses this connection; needed only where several are configured
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) conn: Option<String>,

    /// How results are written
    #[arg(long, value_enum, default_value_t = Format::Table, global = true)]
    pub(crate) format: Format,

    /// Shows each row as lines of name and value
    #[arg(long, value_enum, default_value_t = Expanded::Auto, num_args = 0..=1, default_missing_value = "on", value_name = "WHEN")]
    pub(crate) expanded: Expanded,

    /// Shows at most so many rows of a table; 0 shows all (a terminal shows 1000 otherwise)
    #[arg(long, value_name = "N")]
    pub(crate) maxrows: Option<usize>,

    /// Writes this for a null, instead of NULL in tables and nothing in CSV
    #[arg(long, value_name = "TEXT")]
    pub(crate) null: Option<String>,

    /// Writes long tables without a pager
    #[arg(long)]
    pub(crate) no_pager: bool,

    /// When messages have colours: `NO_COLOR` is respected, too
    #[arg(long, value_enum, default_value_t = Colours::Auto, value_name = "WHEN", global = true)]
    pub(crate) color: Colours,

    /// Runs this file when the shell starts, instead of `ctctrc` in the configuration's folder
    #[arg(long, value_name = "FILE", conflicts_with = "no_rc")]
    pub(crate) rc: Option<PathBuf>,

    /// Starts the shell without a file to run first
    #[arg(long)]
    pub(crate) no_rc: bool,

    /// Uses a built-in sandbox: a made-up account, no token, no network
    #[arg(long)]
    pub(crate) sandbox: bool,

    #[command(flatten)]
    pub(crate) account: SandboxAccount,

    /// Overrides the connection's requests per second (`unlimited` on this machine only)
    #[arg(long, value_name = "N")]
    pub(crate) requests_per_second: Option<String>,

    /// Stops with an error rather than send more requests than this
    #[arg(long, value_name = "N")]
    pub(crate) max_requests: Option<u64>,

    /// Goes on without asking where a statement takes more than a fifth of the day's requests
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Shows each statement's comment before its result
    #[arg(long)]
    pub(crate) echo: bool,

    /// Says nothing but results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Asks nothing, not even to log in
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What else ctct does.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Sets, lists and tries connections
    Conns(ConnsCommand),
    /// Logs in and out
    Auth(AuthCommand),
    /// Replicates tables to PostgreSQL, as a replication file says
    Run(Box<RunCommand>),
    /// Shows what the connection's API key has used of its day, and what is left
    Quota,
    /// Serves the sandbox to other programs
    Sandbox(SandboxCommand),
    /// Writes what a shell needs to complete ctct's commands and options
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the manual page
    Man,
    /// Explains a topic, or a command
    Help {
        /// `exit-codes`, `shell`, `connections`, or a command
        topic: Vec<String>,
    },
}

/// The version, with that of the engine, and the commit where whoever builds names one.
fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let commit = option_env!("CTCT_COMMIT").map(|commit| format!(", {commit}"));
        let commit = commit.unwrap_or_default();
        let engine = datafusion::DATAFUSION_VERSION;
        format!("{} (DataFusion {engine}{commit})", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}

/// When rows are shown as lines of name and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expanded {
    /// Where a few rows are too wide for the terminal
    Auto,
    /// Always
    On,
    /// Never
    Off,
}

/// When messages have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colours {
    /// On a terminal that can show them
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `ctct sandbox`.
#[derive(Debug, Clone, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct SandboxCommand {
    #[command(subcommand)]
    pub(crate) action: SandboxAction,
}

/// What to do with the sandbox.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SandboxAction {
    /// Serves a made-up account over HTTP until it is interrupted
    Serve {
        /// Where to listen; port 0 lets the system choose
        #[arg(long, default_value = "127.0.0.1:8026", value_name = "ADDRESS")]
        listen: SocketAddr,
        #[command(flatten)]
        account: SandboxAccount,
    },
}

/// What the sandbox's account is made from.
#[derive(Debug, Clone, Copy, Args)]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
pub(crate) struct SandboxAccount {
    /// How many contacts the sandbox's account has
    #[arg(long, default_value_t = 5_000, value_name = "N", help_heading = "Sandbox")]
    pub(crate) sandbox_contacts: u32,

    /// Lets the sandbox refuse more requests a second than this, as the real one does with 4
    #[arg(long, value_name = "N", help_heading = "Sandbox")]
    pub(crate) sandbox_per_second: Option<u32>,

    /// Lets the sandbox refuse more requests a day than this, as the real one does with 10000
    #[arg(long, value_name = "N", help_heading = "Sandbox")]
    pub(crate) sandbox_per_day: Option<u32>,

    /// What the sandbox's account is derived from
    #[arg(long, default_value_t = 1, value_name = "SEED", help_heading = "Sandbox")]
    pub(crate) sandbox_seed: u64,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people to read
    Table,
    /// Comma-separated, with a header; lists and objects as JSON
    Csv,
    /// Tab-separated, in the same way
    Tsv,
    /// One array of objects
    Json,
    /// One object a line
    Ndjson,
    /// A Markdown table
    Markdown,
    /// Arrow IPC stream
    Arrow,
    /// Parquet
    Parquet,
}

impl Format {
    /// Whether it is for files, and not for people to read.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

/// Where SQL comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The command line.
    Text(String),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Input,
}

impl Arguments {
    /// Whether a shell is to be opened.
    pub(crate) fn is_shell(&self) -> bool {
        self.command.is_none()
            && self.statements.is_empty()
            && self.files.is_empty()
            && std::io::stdin().is_terminal()
    }
}

/// The SQL to run, in the order in which it was named; standard input where none was.
pub(crate) fn scripts(arguments: &Arguments, matches: &ArgMatches) -> Vec<Source> {
    let places = |name| matches.indices_of(name).into_iter().flatten();
    let texts = arguments.statements.iter().cloned().map(Source::Text);
    let files = arguments
        .files
        .iter()
        .cloned()
        .map(|file| if file.as_os_str() == "-" { Source::Input } else { Source::File(file) });
    let mut all: Vec<(usize, Source)> =
        places("statements").zip(texts).chain(places("files").zip(files)).collect();
    all.sort_by_key(|(place, _)| *place);
    let sources: Vec<Source> = all.into_iter().map(|(_, source)| source).collect();
    if sources.is_empty() && !arguments.is_shell() { vec![Source::Input] } else { sources }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn scripts_run_in_the_order_in_which_they_are_named() {
        let line = ["ctct", "-f", "a.sql", "-c", "SELECT 1", "-f", "-"];
        let matches = Arguments::command().get_matches_from(line);
        let arguments = Arguments::from_arg_matches(&matches).expect("valid");
        assert_eq!(
            scripts(&arguments, &matches),
            [Source::File("a.sql".into()), Source::Text("SELECT 1".into()), Source::Input]
        );
    }
}
