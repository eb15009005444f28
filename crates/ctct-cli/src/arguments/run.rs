//! The arguments of `ctct run`.

use std::path::PathBuf;

use clap::Args;

/// `ctct run`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "\
Examples:
  ctct run -r replication.yaml                      all streams of the file
  ctct run -r replication.yaml --dry-run            what would be read and written (sends nothing)
  ctct run -r replication.yaml --streams contacts   one of them
  ctct run -r replication.yaml --verify             whether the target has what the source has
  ctct run --src-conn CONSTANT_CONTACT --src-stream contacts --tgt-conn MY_POSTGRES --tgt-object crm.contacts

Exit codes: 0 done, 3 some streams failed, or differ, 5 the day's requests are used up (run again to go on)")]
pub(crate) struct RunCommand {
    /// The replication file
    #[arg(short = 'r', long, value_name = "FILE", required_unless_present = "src_stream")]
    pub(crate) replication: Option<PathBuf>,

    /// Runs these streams only; `tag:x` names those with a tag
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) streams: Vec<String>,

    /// Writes all streams in this mode: full-refresh, incremental, truncate, snapshot, backfill
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<String>,

    /// Reads this many rows of each stream at most
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,

    /// The first and the last day of a backfill: 2024-01-01,2024-06-30
    #[arg(long, value_name = "FIRST,LAST")]
    pub(crate) range: Option<String>,

    /// Shows what would be read and written, and sends nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Compares the target with the source, by counts and by a sample of rows, and writes nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) verify: bool,

    /// Waits where the day's requests are used up, and goes on when they are renewed
    #[arg(long)]
    pub(crate) wait: bool,

    /// Deletes rows that are gone from the source, instead of marking them
    #[arg(long)]
    pub(crate) hard_deletes: bool,

    /// Lets most rows of a table go at once, which is taken for a mistake otherwise
    #[arg(long)]
    pub(crate) accept_deletes: bool,

    /// Reads incremental streams as a whole once more after this many days
    #[arg(long, value_name = "DAYS")]
    pub(crate) full_every: Option<u64>,

    /// The connection to read, without a file
    #[arg(long, value_name = "NAME", conflicts_with = "replication")]
    pub(crate) src_conn: Option<String>,

    /// The table to read, without a file
    #[arg(long, value_name = "TABLE", conflicts_with = "replication", requires = "tgt_conn")]
    pub(crate) src_stream: Option<String>,

    /// The connection to write, without a file
    #[arg(long, value_name = "NAME", conflicts_with = "replication")]
    pub(crate) tgt_conn: Option<String>,

    /// The table to write, without a file
    #[arg(long, value_name = "OBJECT", conflicts_with = "replication")]
    pub(crate) tgt_object: Option<String>,
}
