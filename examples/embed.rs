//! Constant Contact's tables inside a program of one's own.
//!
//! Runs against a sandbox, so that it needs no account; with one, the connection is all
//! that changes.

use ctct_sandbox::{ACCESS_TOKEN, CLIENT_ID, Sandbox, Settings};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion_ctct::{Connection, Pace, SessionBuilder};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example shows its result")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An account of one's own: Connection::new("SHOP", "my-api-key",
    // "https://api.cc.email/v3")?.with_access_token(token), at the pace that is allowed.
    let sandbox = Sandbox::start(Settings::default()).await?;
    let connection = Connection::new("SHOP", CLIENT_ID, &sandbox.base_url())?
        .with_access_token(ACCESS_TOKEN.to_owned())
        .with_pace(Pace::Unlimited);

    // An ordinary DataFusion session, with the account's tables as its default schema.
    let session = SessionBuilder::new().with_connection(connection).build()?;

    // Planning sends nothing; polling the stream sends one request a page.
    let frame = session
        .sql(
            "SELECT l.name, count(*) AS new_members
             FROM contact_lists l
             JOIN (SELECT created_at, unnest(list_memberships) AS list_id FROM contacts) c USING (list_id)
             WHERE c.created_at >= '2025-12-01'
             GROUP BY l.name ORDER BY new_members DESC LIMIT 5",
        )
        .await?;
    println!("{}", pretty_format_batches(&frame.collect().await?)?);

    // What it cost is a table, too.
    let cost = session.sql("SELECT path, query, bytes FROM ctct.system.requests").await?;
    println!("{}", pretty_format_batches(&cost.collect().await?)?);
    Ok(())
}
