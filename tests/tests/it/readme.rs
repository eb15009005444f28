//! The list of tables in the README is what `ctct.system.endpoints` says.

use ctct_sandbox::Settings;
use ctct_tests::{account, project};
use serde_json::Value;

use crate::support::{rows, text};

const BEGIN: &str = "<!-- from ctct.system.endpoints; UPDATE_README=1 writes it -->\n";
const END: &str = "<!-- end -->";

async fn tables() -> String {
    let account = account(Settings::default()).await;
    let pushed = "SELECT table_name, string_agg('`' || column_name || '`', ', ' ORDER BY position) \
                  AS columns FROM ctct.system.columns WHERE pushed_to IS NOT NULL GROUP BY 1";
    let sql = format!(
        "SELECT e.table_name, e.description, p.columns, e.requests FROM ctct.system.endpoints e \
         LEFT JOIN ({pushed}) p USING (table_name)"
    );
    let mut found = rows(&account.session, &sql).await;
    let place = |row: &Value| {
        ctct_endpoints::all().iter().position(|endpoint| endpoint.table == text(row, "table_name"))
    };
    found.sort_by_key(place);
    let mut list = "| table | rows | conditions that save requests | requests |\n\
                    |---|---|---|---|\n"
        .to_owned();
    for row in found {
        let [table, rows, columns, requests] =
            ["table_name", "description", "columns", "requests"].map(|name| text(&row, name));
        for part in ["| `", table, "` | ", rows, " | ", columns, " | ", requests, " |\n"] {
            list.push_str(part);
        }
    }
    assert!(account.sandbox.requests().is_empty(), "it is known without asking");
    list
}

#[tokio::test]
async fn the_list_of_tables_is_the_one_of_the_program() {
    let path = project().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("the begin of the list");
    let (list, after) = rest.split_once(END).expect("the end of the list");
    let expected = tables().await;
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("written");
        return;
    }
    assert_eq!(list, expected, "UPDATE_README=1 cargo test --workspace --test it readme");
}
