//! `ctct conns`: what can be written after it.

use clap::{Args, Subcommand};

const SET_EXAMPLES: &str = "\
Examples:
  ctct conns set CONSTANT_CONTACT type=api spec=constant-contact secrets='{ client_id: …, client_secret: … }'
  ctct conns set CONSTANT_CONTACT type=api spec=constant-contact secrets=@secrets.yaml
  ctct conns set CONSTANT_CONTACT type=api spec=constant-contact secrets=-   (from standard input)
  ctct conns set CONSTANT_CONTACT inputs.anchor_date=2020-01-01
  ctct conns set MY_POSTGRES type=postgres url=-

What stands on the command line can be seen by others of this machine while ctct runs, and stays in the
shell's history: for secrets, a file (@) or standard input (-) is better.

Inputs: anchor_date, redirect_uri, requests_per_second, requests_per_day, quota_reserve";

/// `ctct conns`.
#[derive(Debug, Clone, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct ConnsCommand {
    #[command(subcommand)]
    pub(crate) action: ConnsAction,
}

/// What to do with connections.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConnsAction {
    /// Writes settings of a connection into ctct's env.yaml
    #[command(after_help = SET_EXAMPLES)]
    Set {
        /// The connection's name, such as `CONSTANT_CONTACT`
        name: String,
        /// A key and its value; `@FILE` reads the value from a file, `-` from standard input
        #[arg(value_name = "KEY=VALUE", required = true)]
        settings: Vec<String>,
    },
    /// Takes a connection out of ctct's env.yaml
    Unset {
        /// The connection's name
        name: String,
    },
    /// Lists all connections and where each comes from
    List,
    /// Tries a connection with one request
    Test {
        /// The connection's name; needed only where several are configured
        name: Option<String>,
        /// Tries these tables instead, with a request each
        #[arg(long, value_name = "TABLES", value_delimiter = ',')]
        endpoints: Vec<String>,
    },
    /// Lists the tables, what is pushed down to the API, and what is read incrementally
    Discover {
        /// The connection's name
        name: Option<String>,
        /// Lists only tables of this form, such as `contact_*`
        #[arg(long, value_name = "GLOB")]
        pattern: Option<String>,
        /// Lists the tables' columns
        #[arg(long)]
        columns: bool,
    },
    /// Runs SQL over a connection
    Exec {
        /// The connection's name
        name: String,
        /// The SQL to run
        sql: String,
    },
}
