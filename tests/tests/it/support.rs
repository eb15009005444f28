//! What several of the tests use.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use arrow::array::RecordBatch;
use arrow::json::writer::{JsonArray, WriterBuilder};
use ctct_tests::Account;
use datafusion::prelude::SessionContext;
use serde_json::Value;

/// The batches of a query.
pub(crate) async fn batches(session: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    let frame = session.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    frame.collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The rows of a query as JSON objects, nulls included.
pub(crate) async fn rows(session: &SessionContext, sql: &str) -> Vec<Value> {
    let batches = batches(session, sql).await;
    let mut writer =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    for batch in &batches {
        writer.write(batch).expect("every type has a form in JSON");
    }
    writer.finish().expect("a buffer can be written");
    let text = writer.into_inner();
    if text.is_empty() { Vec::new() } else { serde_json::from_slice(&text).expect("JSON") }
}

/// The one number that a query answers with.
pub(crate) async fn number(session: &SessionContext, sql: &str) -> i64 {
    let rows = rows(session, sql).await;
    let row = rows.first().and_then(Value::as_object).expect("one row");
    row.values().next().and_then(Value::as_i64).expect("a number")
}

/// A server that answers each connection with the next of these raw responses, and
/// with the last one from then on; it tells the first line of what it was asked.
pub(crate) fn scripted_server(responses: Vec<String>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
            let mut first = String::new();
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if first.is_empty() {
                    line.trim().clone_into(&mut first);
                }
                line.clear();
            }
            if tell.send(first).is_err() {
                return;
            }
            let response = responses.get(number).or(responses.last());
            // The client may have gone: that is its business.
            drop(stream.write_all(response.map_or("", String::as_str).as_bytes()));
        }
    });
    (format!("http://{address}/v3"), told)
}

/// A whole response with this status and body; the connection is closed after it.
pub(crate) fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The rows of a question, and the requests that it cost, without their cursors.
pub(crate) async fn asked(account: &Account, sql: &str) -> (Vec<Value>, Vec<String>) {
    account.sandbox.clear_requests();
    let rows = rows(&account.session, sql).await;
    let requests = account.sandbox.requests();
    let shown = requests.iter().map(|request| {
        let query = request
            .query
            .split('&')
            .filter(|part| !part.starts_with("cursor=") && !part.starts_with("next="));
        format!("{}?{}", request.path, query.collect::<Vec<_>>().join("&"))
    });
    (rows, shown.collect())
}

/// A member of an object that is text.
pub(crate) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}
