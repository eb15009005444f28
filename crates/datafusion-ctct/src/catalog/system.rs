//! The schema `system`: what this process knows of itself.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, SchemaRef};
use async_trait::async_trait;
use ctct_client::{Client, Connection, Quota, RequestRecord};
use datafusion::catalog::{MemTable, SchemaProvider, Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::TableType;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

/// `requests` (what was sent), `quota` (what is left), `endpoints` (what can be read) and
/// `connections`.
#[derive(Debug)]
pub struct SystemSchema {
    clients: Arc<Vec<Arc<Client>>>,
}

type Snapshot = fn(&[Arc<Client>]) -> Result<RecordBatch>;

const TABLES: &[(&str, Snapshot)] = &[
    ("columns", super::declared::columns),
    ("connections", connections),
    ("endpoints", super::declared::endpoints),
    ("quota", quota),
    ("requests", requests),
];

impl SystemSchema {
    /// The system tables over these clients.
    pub fn new(clients: Vec<Arc<Client>>) -> Self {
        Self { clients: Arc::new(clients) }
    }
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        TABLES.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some((_, snapshot)) = TABLES.iter().find(|(known, _)| *known == name) else {
            return Ok(None);
        };
        let schema = snapshot(&[])?.schema();
        let clients = Arc::clone(&self.clients);
        Ok(Some(Arc::new(SystemTable { schema, snapshot: *snapshot, clients })))
    }

    fn table_exist(&self, name: &str) -> bool {
        TABLES.iter().any(|(known, _)| *known == name)
    }
}

/// A table whose rows are taken when a query is planned.
#[derive(Debug)]
struct SystemTable {
    schema: SchemaRef,
    snapshot: Snapshot,
    clients: Arc<Vec<Arc<Client>>>,
}

#[async_trait]
impl TableProvider for SystemTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = (self.snapshot)(&self.clients)?;
        let table = MemTable::try_new(Arc::clone(&self.schema), vec![vec![rows]])?;
        table.scan(session, projection, filters, limit).await
    }
}

fn connections(clients: &[Arc<Client>]) -> Result<RecordBatch> {
    let of = |value: fn(&Client) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(clients.iter().map(|client| value(client))))
    };
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("name", of(|client| client.connection().name.clone()), false),
        ("schema", of(|client| client.connection().schema_name()), false),
        ("origin", of(|client| client.connection().origin.clone()), false),
        ("credentials", of(|client| credentials(client.connection()).to_owned()), false),
    ])?)
}

/// How a connection is let in, as far as its configuration tells.
fn credentials(connection: &Connection) -> &'static str {
    match (&connection.refresh_token, &connection.access_token) {
        (Some(_), _) => "refresh token",
        (None, Some(_)) => "access token",
        (None, None) => "login",
    }
}

/// A row for each API key.
fn quota(clients: &[Arc<Client>]) -> Result<RecordBatch> {
    let mut quotas: Vec<(String, Quota)> = Vec::new();
    for client in clients {
        let connection = client.connection();
        if !quotas.iter().any(|(_, known)| known.client_id == connection.client_id) {
            quotas.push((connection.name.clone(), client.traffic().quota(connection)));
        }
    }
    let numbers = |value: fn(&Quota) -> u64| -> ArrayRef {
        let values = quotas.iter().map(|(_, quota)| i64::try_from(value(quota)).ok());
        Arc::new(values.collect::<Int64Array>())
    };
    let texts = |value: fn(&Quota) -> Option<String>| -> ArrayRef {
        Arc::new(quotas.iter().map(|(_, quota)| value(quota)).collect::<StringArray>())
    };
    let times = |value: fn(&Quota) -> Option<i64>| -> ArrayRef {
        let values = quotas.iter().map(|(_, quota)| value(quota));
        Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let names = quotas.iter().map(|(name, _)| name.as_str());
    let days = quotas.iter().map(|(_, quota)| Some(Date32Type::from_naive_date(quota.day)));
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("connection", Arc::new(StringArray::from_iter_values(names)) as ArrayRef, false),
        ("client_id", texts(|quota| Some(quota.client_id.clone())), false),
        ("day", Arc::new(days.collect::<Date32Array>()), false),
        ("used", numbers(|quota| quota.used), false),
        ("remaining", numbers(Quota::left), false),
        ("per_day", numbers(|quota| quota.limit), false),
        ("reserve", numbers(|quota| quota.reserve), false),
        ("by_command", texts(|quota| Some(by_command(quota))), false),
        ("renews_at", times(|quota| Some(quota.renews_at.timestamp_micros())), false),
        ("server_said", texts(|quota| quota.said.as_ref().map(|(said, _)| said.clone())), true),
        (
            "server_said_at",
            times(|quota| quota.said.as_ref().map(|(_, at)| at.timestamp_micros())),
            true,
        ),
    ])?)
}

fn by_command(quota: &Quota) -> String {
    let commands = quota.by_command.iter().map(|(command, used)| format!("{command}: {used}"));
    commands.collect::<Vec<_>>().join(", ")
}

fn requests(clients: &[Arc<Client>]) -> Result<RecordBatch> {
    // All clients of a session share one log.
    let records = clients.first().map(|client| client.traffic().records()).unwrap_or_default();
    let texts = |value: fn(&RequestRecord) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(records.iter().map(value)))
    };
    let numbers = |value: fn(&RequestRecord) -> Option<i64>| -> ArrayRef {
        Arc::new(records.iter().map(value).collect::<Int64Array>())
    };
    let started = records.iter().map(|record| record.started.timestamp_micros());
    let started = TimestampMicrosecondArray::from_iter_values(started).with_timezone("UTC");
    let failure = records.iter().map(|record| record.failure.map(|kind| format!("{kind:?}")));
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("number", numbers(|record| i64::try_from(record.number).ok()), true),
        ("started_at", Arc::new(started), false),
        ("connection", texts(|record| &record.connection), false),
        ("path", texts(|record| &record.path), false),
        ("query", texts(|record| &record.query), false),
        ("status", numbers(|record| record.status.map(i64::from)), true),
        ("bytes", numbers(|record| i64::try_from(record.bytes).ok()), true),
        ("milliseconds", numbers(|record| i64::try_from(record.took.as_millis()).ok()), true),
        ("failure", Arc::new(failure.collect::<StringArray>()), true),
    ])?)
}
